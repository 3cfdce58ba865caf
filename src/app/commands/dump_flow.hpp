// SPDX-License-Identifier: BSD-3-Clause
// A flow as people look at it, gathered from whatever elements a record has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "ipfix/reader.hpp"

namespace weir::app {

struct DumpAddress {
  std::array<std::byte, 16> octets{};
  std::uint8_t size = 0;  ///< 4, 16, or 0 where the record has none

  Bytes bytes() const noexcept { return Bytes{octets}.first(size); }
};

struct DumpFlow {
  DumpAddress source, destination;
  std::optional<std::uint16_t> source_port, destination_port;
  std::optional<std::uint8_t> protocol;
  std::optional<std::uint16_t> icmp_type_code;       ///< type × 256 + code
  std::optional<std::int64_t> start, end;            ///< nanoseconds since 1970
  std::array<std::uint64_t, 2> packets{}, octets{};  ///< forward, reverse
  std::optional<std::uint16_t> tcp_flags;            ///< of both directions
  std::uint8_t end_reason = 0;
  bool is_biflow = false;

  std::uint64_t octets_both() const noexcept { return octets[0] + octets[1]; }
};

DumpFlow flow_of(const ipfix::Record& record) noexcept;

}  // namespace weir::app
