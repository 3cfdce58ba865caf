// SPDX-License-Identifier: BSD-3-Clause
// What the meter is told at start.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>
#include <weir/record.hpp>
#include <weir/units.hpp>

namespace weir::flow {

enum class FlowDirection : std::uint8_t { uniflow, biflow };
enum class TcpClose : std::uint8_t { off, on };
enum class IcmpInPorts : std::uint8_t { off, on };
/// shortest: what the timeouts at start need. wide: any timeouts, set later (IPv4 uniflow then needs two cache lines).
enum class ClockWidth : std::uint8_t { shortest, wide };
/// What becomes of later fragments: a flow of their own with ports 0, or that of their first one.
enum class FragmentTracking : std::uint8_t { separate, track };

/// Timeouts are 0 to ten years; capacity is what this meter holds at once (one shard of the process's capacity).
struct MeterOptions {
  FlowDirection direction = FlowDirection::uniflow;
  nanoseconds timeout_idle = std::chrono::seconds{15};
  nanoseconds timeout_active = std::chrono::seconds{60};
  nanoseconds timeout_closed = std::chrono::seconds{1};
  TcpClose tcp_close = TcpClose::on;
  std::size_t capacity = 1u << 20;
  std::uint64_t hash_key = 0;
  IcmpInPorts icmp_in_ports = IcmpInPorts::off;  ///< destinationTransportPort carries ICMP's type × 256 + code
  std::uint32_t egress_interface = 0;            ///< exported as it is
  ClockWidth clock_width = ClockWidth::shortest;
  std::vector<std::string> key{};  ///< elements, addresses also as "sourceIPv4Address/24"; empty: the usual key
  std::vector<WantedTemplate> templates{};  ///< empty: the usual templates
  std::size_t payload_octets = 0;           ///< first octets of payload that a record keeps of each direction
  std::uint32_t domain = 1;                 ///< observationDomainId
};

}  // namespace weir::flow
