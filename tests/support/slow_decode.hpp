// SPDX-License-Identifier: BSD-3-Clause
// The decoder's slow twin: the rules of src/decode/decode.hpp written down once more, plainly, with absolute offsets
// (slow_octets.hpp), tables (slow_link.hpp), one offset after the other (slow_ip.hpp) and state that is taken back
// where a tunnel leads nowhere (slow_tunnel.hpp). Whatever the fast decoder is given, its answers must be these.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <weir/bytes.hpp>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>

#include "support/slow_tunnel.hpp"

namespace weir::test {

class SlowDecoder : public SlowTunnel {
 public:
  SlowDecoder(Link link, Bytes captured, std::uint64_t wire, bool inner = false) : SlowTunnel{captured, wire} {
    outcome = link == Link::unsupported ? Outcome::link_unsupported : judge(link, inner);
  }

  std::optional<std::uint64_t> ip_at;  ///< where the IP header begins, if it says the version that was announced
  Outcome outcome;

 private:
  Outcome judge(Link link, bool inner) {
    if (const auto verdict = start(link)) return *verdict;
    if (const auto verdict = to_ip()) return *verdict;
    ip_ = at_;
    if (at_ < captured_.size() && number(at_, 1) / 16 == (what_ == ipv4 ? 4 : 6)) ip_at = at_;
    const auto answer = read_ip();
    if (answer != Outcome::metered) return answer;
    details.link_octets = static_cast<std::uint16_t>(std::min<std::uint64_t>(ip_, 65535));
    if (details.ethertype == 0) details.ethertype = headers.version == IpVersion::v4 ? 0x0800 : 0x86dd;
    if (inner) go_inside();
    describe(ip_);
    return answer;
  }
};

/// "metered v4 …": an answer as text, so that two can be compared and a difference be read. Headers count when metered.
inline std::string text_of(Outcome outcome, const Headers& headers) {
  std::string text{name_of(outcome)};
  if (outcome != Outcome::metered) return text;
  const auto add = [&](const char* name, std::uint64_t value) { text += name + std::to_string(value); };
  const auto add_address = [&](std::span<const std::byte> address) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += ' ';
    for (const auto octet : address) {
      text += digits[std::to_integer<std::size_t>(octet) / 16];
      text += digits[std::to_integer<std::size_t>(octet) % 16];
    }
  };
  add(" v", static_cast<std::uint64_t>(headers.version));
  add_address(headers.source());
  add_address(headers.destination());
  add(" protocol ", headers.protocol);
  add(" ports ", headers.source_port);
  add(" ", headers.destination_port);
  add(" octets ", headers.octets);
  add(" vlan ", headers.vlan);
  add(" flags ", headers.tcp_flags);
  add(" tos ", headers.tos);
  add(" ttl ", headers.ttl);
  add(" notes ", headers.notes);
  if (headers.fragment != Fragment::none)
    add(headers.fragment == Fragment::first ? " first " : " later ", headers.fragment_id);
  return text;
}

/// The same as comparing text_of, at speed.
inline bool same_answer(Outcome a, const Headers& x, Outcome b, const Headers& y) {
  if (a != b || a != Outcome::metered) return a == b;
  return std::ranges::equal(x.source(), y.source()) && std::ranges::equal(x.destination(), y.destination()) &&
         x.octets == y.octets && x.source_port == y.source_port && x.destination_port == y.destination_port &&
         x.vlan == y.vlan && x.tcp_flags == y.tcp_flags && x.notes == y.notes && x.protocol == y.protocol &&
         x.tos == y.tos && x.ttl == y.ttl && x.version == y.version && x.fragment == y.fragment &&
         x.fragment_id == y.fragment_id;
}

/// Every field of the Details that is not 0.
inline std::string text_of(const Details& details) {
  std::string text;
  const auto add = [&](const char* name, std::uint64_t value) {
    if (value != 0) text += std::string{text.empty() ? "" : " "} + name + "=" + std::to_string(value);
  };
  const auto add_octets = [&](const char* name, const auto& octets) {
    std::uint64_t high = 0, low = 0;
    for (std::size_t i = 0; i < octets.size(); ++i) {
      auto& half = i < 8 ? high : low;
      half = half << 8 | std::to_integer<std::uint64_t>(octets[i]);
    }
    add(name, high);
    add(name, low);
  };
#define WEIR_DETAIL(name) add(#name, static_cast<std::uint64_t>(details.name))
  add_octets("source_mac", details.source_mac);
  add_octets("destination_mac", details.destination_mac);
  WEIR_DETAIL(has);
  WEIR_DETAIL(ethertype);
  WEIR_DETAIL(vlan_tci);
  WEIR_DETAIL(inner_vlan_tci);
  WEIR_DETAIL(vlan_tags);
  WEIR_DETAIL(mpls_depth);
  WEIR_DETAIL(link_octets);
  for (const auto entry : details.mpls_entries) add("label", entry);
  WEIR_DETAIL(identification);
  WEIR_DETAIL(flow_label);
  WEIR_DETAIL(ipv4_options);
  WEIR_DETAIL(ipv6_extensions);
  WEIR_DETAIL(fragment_offset);
  WEIR_DETAIL(fragment_flags);
  WEIR_DETAIL(ip_header_octets);
  WEIR_DETAIL(next_header);
  WEIR_DETAIL(igmp_type);
  WEIR_DETAIL(tcp_header_octets);
  WEIR_DETAIL(tcp_window_scale);
  WEIR_DETAIL(tcp_sequence);
  WEIR_DETAIL(tcp_acknowledgement);
  WEIR_DETAIL(tcp_options);
  WEIR_DETAIL(tcp_window);
  WEIR_DETAIL(tcp_urgent);
  WEIR_DETAIL(tcp_mss);
  WEIR_DETAIL(udp_octets);
  WEIR_DETAIL(spi);
  WEIR_DETAIL(payload_octets);
  WEIR_DETAIL(payload_at);
  WEIR_DETAIL(payload_captured);
  add_octets("outer_source", details.outer_source);
  add_octets("outer_destination", details.outer_destination);
  WEIR_DETAIL(outer_octets);
  WEIR_DETAIL(tunnel_id);
  WEIR_DETAIL(gre_key);
  WEIR_DETAIL(vni);
  WEIR_DETAIL(teid);
  WEIR_DETAIL(l2tp_session);
  WEIR_DETAIL(l2tp_tunnel);
  WEIR_DETAIL(erspan_session);
  WEIR_DETAIL(outer_source_port);
  WEIR_DETAIL(outer_destination_port);
  WEIR_DETAIL(outer_version);
  WEIR_DETAIL(outer_protocol);
  WEIR_DETAIL(outer_tos);
  WEIR_DETAIL(outer_ttl);
  WEIR_DETAIL(tunnel_depth);
  WEIR_DETAIL(tunnel);
  WEIR_DETAIL(gtp_message);
  WEIR_DETAIL(gtp_flags);
  WEIR_DETAIL(gtp_qfi);
  WEIR_DETAIL(gtp_pdu);
  WEIR_DETAIL(gtp_sequence);
#undef WEIR_DETAIL
  return text;
}

}  // namespace weir::test
