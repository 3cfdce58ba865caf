// SPDX-License-Identifier: BSD-3-Clause
// Ended records as the slow twin writes them, read through the fields that templates are made of.
#pragma once

#include <vector>

#include "flow/ended.hpp"
#include "support/slow_meter.hpp"

namespace weir::test {

inline std::uint64_t value_of(const Field& field, const std::byte* record) {
  if (field.form == Form::constant) return field.constant;
  std::uint64_t value = 0;
  for (std::size_t i = field.stored; i-- > 0;)
    value = value << 8 | std::to_integer<std::uint64_t>(record[field.offset + i]);
  return field.form == Form::tcp_bits ? value & 0x0fff : value;
}

inline void put_value(SlowRecord& out, const Field& field, const std::byte* record) {
  auto& direction = field.pen ? out.reverse : out.forward;
  const auto copy = [&](auto& address) { std::copy_n(record + field.offset, field.octets, address.begin()); };
  const auto value = field.form == Form::bytes ? 0 : value_of(field, record);
  const auto set = [value](auto& member) { member = static_cast<std::remove_reference_t<decltype(member)>>(value); };
  switch (field.id) {
    case 152: return set(direction.first_ms);
    case 153: return set(direction.last_ms);
    case 1: return set(direction.octets);
    case 2: return set(direction.packets);
    case 8:
    case 27: return copy(out.source);
    case 12:
    case 28: return copy(out.destination);
    case 7: return set(out.source_port);
    case 11: return set(out.destination_port);
    case 10: return set(direction.ingress_interface);
    case 58: return set(out.vlan);
    case 6: return set(direction.tcp_flags);
    case 32:
    case 139: return set(out.icmp_type_code);
    case 4: return set(out.protocol);
    case 5: return set(direction.tos);
    case 60: out.version = value == 4 ? IpVersion::v4 : IpVersion::v6; return;
    case 52: return set(direction.ttl_min);
    case 53: return set(direction.ttl_max);
    case 136: out.reason = static_cast<EndReason>(value); return;
    default: return;
  }
}

inline void take_records(const flow::Ended& ended, std::vector<SlowRecord>& to) {
  for (unsigned pool = 0; pool < 2; ++pool) {
    const auto records = ended.of(pool);
    for (std::size_t i = 0; i < records.size(); ++i) {
      SlowRecord out;
      const auto& fields = records.layout->templates[records.layout->end_of(records[i]).which_template].fields;
      for (const auto& field : fields) put_value(out, field, records[i]);
      to.push_back(out);
    }
  }
}

}  // namespace weir::test
