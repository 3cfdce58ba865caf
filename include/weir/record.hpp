// SPDX-License-Identifier: BSD-3-Clause
// flow → ipfix: how an ended flow record lies in memory. The layout is made at start, from key, template and settings;
// where an element lies is a run-time offset.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <weir/bytes.hpp>

namespace weir {

/// IANA flowEndReason (136).
enum class EndReason : std::uint8_t { idle = 1, active = 2, end_of_flow = 3, forced = 4, lack_of_resources = 5 };
inline constexpr std::array<std::string_view, 6> end_reason_names{"none",        "idle_timeout", "active_timeout",
                                                                  "end_of_flow", "forced_end",   "lack_of_resources"};

/// How a field of a record becomes octets on the wire.
enum class Form : std::uint8_t {
  number,  ///< `stored` octets, least significant first in memory; `octets` octets, most significant first on the wire
  bytes,   ///< `octets` octets, copied (addresses)
  tcp_bits,  ///< a number of two octets whose upper four bits are not for export
  constant,  ///< the same in every record: `constant`
  text,      ///< a length of two octets, then `room` octets at most; on the wire as long as it is, or padded with zeros
  interface_name,  ///< a number of two octets, in words; the exporter knows them
};

/// One field of a template: what is announced (pen, id, octets) and where it comes from. Template and record are both
/// made by walking a list of these, so they cannot disagree.
struct Field {
  std::uint32_t pen = 0;     ///< private enterprise number; 0 is IANA, 29305 the reverse of IANA's (RFC 5103)
  std::uint16_t id = 0;      ///< Information Element identifier
  std::uint16_t octets = 0;  ///< length on the wire
  Form form = Form::number;
  std::uint8_t stored = 0;   ///< number: octets in memory, 1 to 8
  std::uint16_t offset = 0;  ///< from the start of the record
  bool key = false;          ///< part of the Flow Key (flowKeyIndicator, RFC 7011 §4.4)
  std::uint64_t constant = 0;
  std::uint16_t room = 0;  ///< text: its longest
};

/// One field that somebody wants in a template: the element whose value it is, and how it is announced.
struct WantedField {
  std::uint32_t pen = 0;  ///< announced enterprise number; reverse elements as the registry has them (RFC 5103)
  std::uint16_t id = 0;
  std::uint16_t octets = 0;  ///< on the wire; 0: the element's usual length, 65535: variable
  std::string source;        ///< name of the element that gives the value; a user's own element borrows another's
  bool of_the_user = false;  ///< then its type, and so its length, may be another than its source's
};

/// A template as the settings ask for it. The first one that fits a flow is its template.
struct WantedTemplate {
  std::string name;                     ///< for people
  std::uint8_t version = 0;             ///< 4 or 6; 0: both
  std::vector<std::uint8_t> protocols;  ///< empty: all
  std::vector<WantedField> fields;
};

struct RecordTemplate {
  std::string name;  ///< for people: "ipv4", "ipv6_biflow", …
  std::vector<Field> fields;
};

/// In an ended record this lies at `RecordLayout::end_offset`, where the live record had its clocks.
struct RecordEnd {
  EndReason reason{};
  std::uint8_t which_template = 0;   ///< index into RecordLayout::templates
  std::uint16_t icmp_type_code = 0;  ///< type × 256 + code for ICMP and ICMPv6, else 0
  std::uint32_t unused = 0;
};
static_assert(sizeof(RecordEnd) == 8);

/// Packets and IP octets, the terms of the ledger's second line.
struct Totals {
  std::uint64_t records = 0, packets = 0, octets = 0;
  constexpr Totals& operator+=(const Totals& other) noexcept {
    records += other.records;
    packets += other.packets;
    octets += other.octets;
    return *this;
  }
  friend constexpr bool operator==(const Totals&, const Totals&) = default;
};

/// All records of one address family have one layout.
struct RecordLayout {
  std::size_t octets = 0;                 ///< of one ended record in memory; a multiple of 64
  std::size_t live_octets = 0;            ///< of one that lives, in the table
  std::size_t end_offset = 0;             ///< of RecordEnd in an ended record
  std::vector<RecordTemplate> templates;  ///< which of them an ended record uses, RecordEnd says
  std::vector<Field> places{};            ///< where addresses, ports, protocol and VLAN lie, announced or not
  bool by_addresses = true;               ///< one flow's addresses are one pair: it can be told by them
  /// Where the 48-bit packet and octet counters of each direction lie.
  std::array<std::uint16_t, 2> packet_offsets{}, octet_offsets{};
  std::uint8_t directions = 1;

  RecordEnd end_of(const std::byte* record) const noexcept {
    const auto raw = load_native<std::uint64_t>(record + end_offset);
    return std::bit_cast<RecordEnd>(raw);
  }
  Totals totals(const std::byte* record) const noexcept {
    constexpr std::uint64_t low_48 = (std::uint64_t{1} << 48) - 1;
    Totals sum{.records = 1};
    for (std::uint8_t i = 0; i < directions; ++i) {
      sum.packets += load_native<std::uint64_t>(record + packet_offsets[i]) & low_48;
      sum.octets += load_native<std::uint64_t>(record + octet_offsets[i]) & low_48;
    }
    return sum;
  }
};

/// Ended records of one layout, one after another: what meters hand out.
struct EndedRecords {
  const RecordLayout* layout = nullptr;
  Bytes records;  ///< a whole number of layout->octets

  std::size_t size() const noexcept { return layout ? records.size() / layout->octets : 0; }
  /// The first `count` of them, which must be there.
  EndedRecords first(std::size_t count) const noexcept { return {layout, records.first(count * layout->octets)}; }
  const std::byte* operator[](std::size_t i) const noexcept { return records.data() + i * layout->octets; }
};

}  // namespace weir
