// SPDX-License-Identifier: BSD-3-Clause
// Packets for meters under test: written by hand in one readable line each, or at random where it hurts.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <initializer_list>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <weir/outcome.hpp>

#include "support/slow_meter.hpp"

namespace weir::test {

/// tcp("10.0.0.1:1000 > 10.0.0.2:80").fin().at(3s); addresses of IPv6 stand in brackets: "[::1]:80 > [::2]:1000".
struct Sent : Arrival {
  Sent& syn() noexcept { return flags(tcp_flag::syn); }
  Sent& fin() noexcept { return flags(tcp_flag::fin); }
  Sent& rst() noexcept { return flags(tcp_flag::rst); }
  Sent& flags(unsigned more) noexcept { return headers.tcp_flags |= static_cast<std::uint16_t>(more), *this; }
  Sent& octets(std::uint64_t count) noexcept { return headers.octets = count, *this; }
  Sent& tos(std::uint8_t value) noexcept { return headers.tos = value, *this; }
  Sent& ttl(std::uint8_t value) noexcept { return headers.ttl = value, *this; }
  Sent& vlan(std::uint16_t value) noexcept { return headers.vlan = value, *this; }
  Sent& from(std::uint16_t number) noexcept { return interface = number, *this; }
  /// Arrives in order.
  Sent& at(nanoseconds since_1970) noexcept { return stamp = clock = Instant{since_1970}, *this; }
  /// Stamped earlier than it arrives: say this after at().
  Sent& stamped(nanoseconds since_1970) noexcept { return stamp = Instant{since_1970}, *this; }
};

/// "10.0.0.1:80", "10.0.0.1", "[::1]:80" or "[::1]".
inline void put_endpoint(std::string_view text, std::span<std::byte> address, std::uint16_t& port) {
  const bool v6 = text.starts_with('[');
  const auto end = v6 ? text.find(']') : std::min(text.find(':'), text.size());
  const std::string number{text.substr(v6, end - v6)};
  ::inet_pton(v6 ? AF_INET6 : AF_INET, number.c_str(), address.data());
  if (const auto colon = text.find(':', end); colon < text.size())
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
}

inline Sent sent(std::uint8_t protocol, std::string_view ends) {
  Sent packet;
  auto& headers = packet.headers;
  const auto arrow = ends.find(" > ");
  headers.version = ends.starts_with('[') ? IpVersion::v6 : IpVersion::v4;
  put_endpoint(ends.substr(0, arrow), headers.source(), headers.source_port);
  put_endpoint(ends.substr(arrow + 3), headers.destination(), headers.destination_port);
  headers.protocol = protocol;
  headers.octets = 100;
  headers.ttl = 64;
  return packet;
}
inline Sent tcp(std::string_view ends) { return sent(protocol::tcp, ends); }
inline Sent udp(std::string_view ends) { return sent(protocol::udp, ends); }
inline Sent icmp(std::string_view ends, unsigned type, unsigned code) {
  auto packet = sent(protocol::icmp, ends);
  if (packet.headers.version == IpVersion::v6) packet.headers.protocol = protocol::icmpv6;
  packet.headers.destination_port = static_cast<std::uint16_t>(type << 8 | code);
  return packet;
}

/// Traffic that a meter is most likely to get wrong: few keys, so that they meet often in both directions; clocks that
/// stand still, or land on (or a nanosecond beside) the end of something; packets that come late; FIN, RST and SYN in
/// any order; fragments; ports used again. The same seed is the same traffic.
class RandomTraffic {
 public:
  RandomTraffic(std::uint64_t seed, const SlowOptions& options,
                Instant from = Instant{std::chrono::seconds{1'700'000'000}})
      : random_{seed}, options_{options}, clock_{from} {
    clock_ += nanoseconds{below(2'000'000'000)};
  }

  Arrival next() {
    Arrival packet{.headers = headers(), .interface = static_cast<std::uint16_t>(below(3))};
    clock_ = std::min(std::max(clock_, next_clock()), stamp_latest);
    recent_[below(recent_.size())] = clock_;
    packet.stamp = packet.clock = clock_;
    if (below(8) == 0) {  // late, by anything up to half a minute
      packet.stamp -= nanoseconds{below(one_of({2, 5'000'000, 30'000'000'000}))};
      if (packet.stamp < packet.clock) packet.headers.notes |= note_late;
    }
    return packet;
  }

 private:
  static constexpr std::uint16_t note_late = note_bit(Note::late);

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::uint64_t one_of(std::initializer_list<std::uint64_t> values) { return values.begin()[below(values.size())]; }
  std::uint8_t octet(std::initializer_list<std::uint64_t> values) { return static_cast<std::uint8_t>(one_of(values)); }

  Instant next_clock() {
    const nanoseconds timeouts[]{options_.timeout_idle, options_.timeout_active, options_.timeout_closed};
    const auto timeout = timeouts[below(3)];
    switch (below(8)) {
      case 0:
      case 1: return clock_;
      case 2: return recent_[below(recent_.size())] + timeout;  // an end of some flow, exactly
      case 3: return recent_[below(recent_.size())] + timeout + nanoseconds{below(3)} - nanoseconds{1};
      case 4: return clock_ + timeout / 2;
      default: return clock_ + nanoseconds{below(one_of({3, 1'000'000, 1'000'000'000}))};
    }
  }

  Headers headers() {
    const auto octets = 20 + below(1500);
    Headers out{.vlan = static_cast<std::uint16_t>(below(10) == 0 ? 7 : 0),
                .protocol = octet({protocol::tcp, protocol::tcp, protocol::tcp, protocol::udp, protocol::icmp, 47}),
                .tos = octet({0, 0, 8, 46}),
                .octets = octets,
                .ttl = octet({64, 64, 63, 255, 0}),
                .version = below(4) == 0 ? IpVersion::v6 : IpVersion::v4};
    put_address(out.source());
    put_address(out.destination());
    const bool fragment = below(16) == 0;  // a later one: no ports, no flags
    if (fragment) out.notes = note_bit(Note::fragment_later);
    else put_transport(out);
    return out;
  }

  void put_address(std::span<std::byte> out) {
    out.back() = std::byte(1 + below(3));  // now and then a host talks to itself
    out.front() = std::byte{out.size() == 4 ? std::uint8_t{10} : std::uint8_t{0xfd}};
  }

  void put_transport(Headers& out) {
    if (out.protocol == protocol::icmp) {
      if (out.version == IpVersion::v6) out.protocol = octet({protocol::icmpv6, protocol::icmpv6, protocol::icmp});
      out.destination_port = static_cast<std::uint16_t>(octet({0, 8, 8, 128, 129, 3}) << 8 | octet({0, 0, 1}));
      if (out.version == IpVersion::v6 && out.protocol == protocol::icmp) out.destination_port = 0;  // not ICMPv6
    } else if (out.protocol != 47) {
      out.source_port = static_cast<std::uint16_t>(one_of({80, 1024, 1024, 65535}));
      out.destination_port = static_cast<std::uint16_t>(one_of({80, 80, 1024, 0}));
    }
    if (out.protocol == protocol::tcp)
      out.tcp_flags = static_cast<std::uint16_t>(
          one_of({0x010, 0x010, 0x018, 0x002, 0x012, 0x011, 0x001, 0x004, 0x014, 0x003, 0x006, 0xfff, 0x1c0}));
  }

  std::mt19937_64 random_;
  SlowOptions options_;
  Instant clock_;
  std::array<Instant, 16> recent_{};  ///< clocks of a few earlier packets
};

inline std::vector<Arrival> random_traffic(std::uint64_t seed, const SlowOptions& options, std::size_t packets) {
  RandomTraffic traffic{seed, options};
  std::vector<Arrival> out(packets);
  for (auto& packet : out) packet = traffic.next();
  return out;
}

/// Every mode, and timeouts in every order, 0 and ten years among them.
inline SlowOptions random_options(std::uint64_t seed) {
  using namespace std::chrono_literals;
  constexpr nanoseconds timeouts[]{0s, 1ns, 10ms, 1s, 2s, 15s, 60s, 315'360'000s};
  std::mt19937_64 random{seed};
  const auto timeout = [&] { return timeouts[random() % std::size(timeouts)]; };
  return {.biflow = random() % 2 == 0,
          .tcp_close = random() % 4 != 0,
          .timeout_idle = timeout(),
          .timeout_active = timeout(),
          .timeout_closed = timeout()};
}

/// For a person who must see why two meters disagree.
inline std::string text(const SlowRecord& record) {
  const bool v6 = record.version == IpVersion::v6;
  const auto address = [v6](const std::array<std::byte, 16>& octets) {
    std::array<char, INET6_ADDRSTRLEN> out{};
    return std::string{::inet_ntop(v6 ? AF_INET6 : AF_INET, octets.data(), out.data(), out.size())};
  };
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  const auto direction = [&](const SlowDirection& d) {
    return number(d.packets) + " packets, " + number(d.octets) + " octets, " + number(d.first_ms) + ".." +
           number(d.last_ms) + " ms, flags " + number(d.tcp_flags) + ", ttl " + number(d.ttl_min) + ".." +
           number(d.ttl_max) + ", tos " + number(d.tos) + ", interface " + number(d.ingress_interface);
  };
  return "protocol " + number(record.protocol) + " vlan " + number(record.vlan) + " " + address(record.source) + " " +
         number(record.source_port) + " > " + address(record.destination) + " " + number(record.destination_port) +
         " icmp " + number(record.icmp_type_code) + " " + std::string{end_reason_names[std::size_t(record.reason)]} +
         ": " + direction(record.forward) + (record.reverse.packets ? "; back: " + direction(record.reverse) : "");
}

/// What one has and the other has not, a record a line and at most ten of each; empty where the two agree. Both sorted.
inline std::string differences(const std::vector<SlowRecord>& expected, const std::vector<SlowRecord>& got) {
  std::string out;
  const auto list = [&out](const char* what, const auto& some, const auto& others) {
    std::vector<SlowRecord> only;
    std::set_difference(some.begin(), some.end(), others.begin(), others.end(), std::back_inserter(only));
    for (std::size_t i = 0; i < std::min<std::size_t>(only.size(), 10); ++i) out += what + text(only[i]) + "\n";
  };
  list("missing: ", expected, got);
  list("too much: ", got, expected);
  return out;
}

}  // namespace weir::test
