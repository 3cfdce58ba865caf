// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/dump_flow.hpp"

#include <algorithm>

#include "ipfix/values.hpp"

namespace weir::app {
namespace {

/// IANA's numbers of the elements that a flow is shown by.
namespace ie {
enum : std::uint16_t {
  octet_delta = 1,
  packet_delta = 2,
  protocol = 4,
  tcp_bits = 6,
  source_port = 7,
  source_ipv4 = 8,
  destination_port = 11,
  destination_ipv4 = 12,
  source_ipv6 = 27,
  destination_ipv6 = 28,
  icmp_ipv4 = 32,
  octet_total = 85,
  packet_total = 86,
  end_reason = 136,
  icmp_ipv6 = 139,
  start_seconds = 150,
  end_seconds = 151,
  start_milliseconds = 152,
  end_milliseconds = 153,
  start_microseconds = 154,
  end_microseconds = 155,
  start_nanoseconds = 156,
  end_nanoseconds = 157,
  icmp_type_ipv4 = 176,
  icmp_code_ipv4 = 177,
  icmp_type_ipv6 = 178,
  icmp_code_ipv6 = 179,
};
}

/// The first address of a record is the outermost (RFC 7011 §8).
void set_address(DumpAddress& to, Bytes octets) noexcept {
  if (to.size != 0 || (octets.size() != 4 && octets.size() != 16)) return;
  std::ranges::copy(octets, to.octets.begin());
  to.size = static_cast<std::uint8_t>(octets.size());
}

template <class T>
void set_number(std::optional<T>& to, std::uint64_t value) noexcept {
  if (!to) to = static_cast<T>(value);
}

void set_type(std::optional<std::uint16_t>& to, std::uint64_t type) noexcept {
  to = static_cast<std::uint16_t>((to.value_or(0) & 0xffu) | (type & 0xffu) << 8);
}
void set_code(std::optional<std::uint16_t>& to, std::uint64_t code) noexcept {
  to = static_cast<std::uint16_t>((to.value_or(0) & 0xff00u) | (code & 0xffu));
}

/// Counts and flags of one direction. False if the element is none of them.
bool add_count(DumpFlow& flow, std::uint16_t id, std::uint64_t number, std::size_t direction) noexcept {
  switch (id) {
    case ie::octet_delta:
    case ie::octet_total: flow.octets[direction] = number; return true;
    case ie::packet_delta:
    case ie::packet_total: flow.packets[direction] = number; return true;
    case ie::tcp_bits: flow.tcp_flags = static_cast<std::uint16_t>(flow.tcp_flags.value_or(0) | number); return true;
    default: return false;
  }
}

void add_value(DumpFlow& flow, const ipfix::Value& value) noexcept {
  const auto number = ipfix::number_of(value.octets).value_or(0);
  const auto id = value.field->id;
  if (add_count(flow, id, number, 0)) return;
  switch (id) {
    case ie::protocol: return set_number(flow.protocol, number);
    case ie::source_port: return set_number(flow.source_port, number);
    case ie::destination_port: return set_number(flow.destination_port, number);
    case ie::source_ipv4:
    case ie::source_ipv6: return set_address(flow.source, value.octets);
    case ie::destination_ipv4:
    case ie::destination_ipv6: return set_address(flow.destination, value.octets);
    case ie::icmp_ipv4:
    case ie::icmp_ipv6: return set_number(flow.icmp_type_code, number);
    case ie::icmp_type_ipv4:
    case ie::icmp_type_ipv6: return set_type(flow.icmp_type_code, number);
    case ie::icmp_code_ipv4:
    case ie::icmp_code_ipv6: return set_code(flow.icmp_type_code, number);
    case ie::start_seconds:
    case ie::start_milliseconds:
    case ie::start_microseconds:
    case ie::start_nanoseconds: flow.start = ipfix::nanoseconds_of(value.type(), value.octets); return;
    case ie::end_seconds:
    case ie::end_milliseconds:
    case ie::end_microseconds:
    case ie::end_nanoseconds: flow.end = ipfix::nanoseconds_of(value.type(), value.octets); return;
    case ie::end_reason: flow.end_reason = static_cast<std::uint8_t>(number); return;
    default: return;
  }
}

}  // namespace

DumpFlow flow_of(const ipfix::Record& record) noexcept {
  DumpFlow flow;
  for (const auto& value : record.values) {
    if (value.field->pen == enterprise::iana) {
      add_value(flow, value);
    } else if (value.field->pen == enterprise::reverse) {
      const auto number = ipfix::number_of(value.octets).value_or(0);
      if (add_count(flow, value.field->id, number, 1)) flow.is_biflow = true;
    }
  }
  return flow;
}

}  // namespace weir::app
