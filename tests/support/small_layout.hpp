// SPDX-License-Identifier: BSD-3-Clause
// A record layout of a few fields, for tests of what is behind the meter.
#pragma once

#include <array>
#include <cstdint>
#include <vector>
#include <weir/record.hpp>

namespace weir::test {

/// Two templates: the second has a reverse element (RFC 5103) beside the fields of the first.
inline RecordLayout small_layout() {
  RecordLayout layout;
  layout.octets = layout.live_octets = 64;
  layout.end_offset = 48;
  layout.packet_offsets = {8};
  layout.octet_offsets = {14};
  const std::vector<Field> fields{
      {.id = 8, .octets = 4, .form = Form::bytes, .offset = 0, .key = true},
      {.id = 7, .octets = 2, .stored = 2, .offset = 4, .key = true},
      {.id = 4, .octets = 1, .stored = 1, .offset = 6, .key = true},
      {.id = 2, .octets = 8, .stored = 6, .offset = 8},
      {.id = 1, .octets = 8, .stored = 6, .offset = 14},
      {.id = 6, .octets = 2, .form = Form::tcp_bits, .offset = 20},
      {.id = 14, .octets = 4, .form = Form::constant, .constant = 77},
      {.id = 136, .octets = 1, .stored = 1, .offset = 48},
  };
  layout.templates.push_back({"small", fields});
  layout.templates.push_back({"small_reverse", fields});
  layout.templates[1].fields.push_back({.pen = 29305, .id = 6, .octets = 2, .form = Form::tcp_bits, .offset = 22});
  return layout;
}

/// Ended records of small_layout(): record i has source port i, i + 1 packets and 100 × (i + 1) octets.
inline std::vector<std::byte> small_records(std::size_t count, std::uint8_t which_template = 0) {
  std::vector<std::byte> records(count * 64);
  for (std::size_t i = 0; i < count; ++i) {
    auto* record = records.data() + i * 64;
    store_be<std::uint32_t>(record, 0x0a000001u);
    store_native(record + 4, static_cast<std::uint16_t>(i));
    record[6] = std::byte{17};
    store_native<std::uint64_t>(record + 14, 100 * (i + 1));
    const auto packets = load_native<std::uint16_t>(record + 14);
    store_native<std::uint64_t>(record + 8, (i + 1) | std::uint64_t{packets} << 48);
    store_native<std::uint16_t>(record + 20, 0xf012);
    store_native(record + 48,
                 std::bit_cast<std::uint64_t>(RecordEnd{.reason = EndReason::idle, .which_template = which_template}));
  }
  return records;
}

/// What small_records(count) hold in all.
inline Totals small_totals(std::size_t count) {
  const std::uint64_t packets = count * (count + 1) / 2;
  return {.records = count, .packets = packets, .octets = 100 * packets};
}

}  // namespace weir::test
