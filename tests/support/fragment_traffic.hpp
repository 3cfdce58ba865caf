// SPDX-License-Identifier: BSD-3-Clause
// Fragments for meters under test: by hand, and at random where it hurts.
#pragma once

#include <random>

#include "support/traffic.hpp"

namespace weir::test {

inline Sent first(Sent packet, std::uint32_t id) {
  packet.headers.fragment = Fragment::first;
  packet.headers.fragment_id = id;
  return packet;
}

/// As decode says it: without what only a first one says.
inline Sent later(Sent packet, std::uint32_t id) {
  packet.headers.fragment = Fragment::later;
  packet.headers.fragment_id = id;
  packet.headers.notes = note_bit(Note::fragment_later);
  packet.headers.source_port = packet.headers.destination_port = packet.headers.tcp_flags = 0;
  return packet;
}

/// Few addresses and identifications, used again and again; fragments in any order, some lost, some twice; whole
/// packets of the same flows among them; clocks that stand still, or land on (or a nanosecond beside) the end of a
/// wait.
class RandomFragments {
 public:
  explicit RandomFragments(std::uint64_t seed) : random_{seed}, ids_{1 + below(6)} {}

  Arrival next() {
    Arrival packet{.headers = headers(), .interface = static_cast<std::uint16_t>(below(2))};
    clock_ = std::max(clock_, next_clock());
    recent_[below(recent_.size())] = clock_;
    packet.stamp = packet.clock = clock_;
    if (below(8) == 0) packet.stamp -= nanoseconds{below(2'000'000'000)};
    return packet;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  Instant next_clock() {
    using namespace std::chrono_literals;
    const auto beside = nanoseconds{below(3)} - nanoseconds{1};
    switch (below(16)) {
      case 0: return recent_[below(recent_.size())] + 1s + beside;
      case 1: return below(4) == 0 ? recent_[below(recent_.size())] + 15s + beside : clock_;
      case 2: return clock_ + nanoseconds{below(400'000'000)};
      default: return clock_ + nanoseconds{below(3) * below(1'000'000)};
    }
  }

  Headers headers() {
    constexpr std::uint8_t protocols[]{protocol::udp, protocol::udp, protocol::tcp, protocol::icmp};
    const auto octets = 20 + below(1500);
    Headers out{.protocol = protocols[below(4)], .octets = octets, .ttl = 64};
    out.version = below(3) == 0 ? IpVersion::v6 : IpVersion::v4;
    out.vlan = below(8) == 0 ? 5 : 0;
    out.source().back() = std::byte(1 + below(2));
    out.destination().back() = std::byte(1 + below(2));
    const auto part = below(8);
    if (part > 0) {
      out.fragment = part < 4 ? Fragment::first : Fragment::later;
      out.fragment_id = static_cast<std::uint32_t>(below(ids_));
    }
    if (out.fragment == Fragment::later) {
      if (out.version == IpVersion::v6 && below(2) == 0) out.protocol = protocol::ipv6_options;
      return out;
    }
    if (out.protocol != protocol::icmp) out.source_port = static_cast<std::uint16_t>(1000 + below(2));
    if (out.protocol != protocol::icmp || out.version == IpVersion::v4)
      out.destination_port = static_cast<std::uint16_t>(below(2) ? 8 << 8 : 53);
    if (out.protocol == protocol::tcp && below(4) == 0) out.tcp_flags = tcp_flag::fin;
    return out;
  }

  std::mt19937_64 random_;
  std::uint64_t ids_;
  Instant clock_{std::chrono::seconds{1'700'000'000}};
  std::array<Instant, 8> recent_{};
};

}  // namespace weir::test
