// SPDX-License-Identifier: BSD-3-Clause
// One packet of each kind that weir meters, to be cut, changed and measured.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/packet_builder.hpp"

namespace weir::test {

inline std::vector<std::pair<std::string, frames::Frame>> packet_kinds() {
  using frames::dccp, frames::icmp, frames::ip, frames::sctp, frames::tcp, frames::udp, frames::udp_lite;
  constexpr auto v4 = "10.0.0.1:1000 > 10.0.0.2:80";
  constexpr auto v6 = "[2001:db8::1]:1000 > [2001:db8::2]:80";
  constexpr std::uint8_t gre = 47, esp = 50, ospf = 89;
  return {
      {"tcp", tcp(v4).syn().payload(20)},
      {"udp, padded", udp(v4).padding(18)},
      {"udp_lite", udp_lite(v4).payload(8)},
      {"sctp", sctp(v4).payload(16)},
      {"dccp", dccp(v4)},
      {"icmp", icmp("10.0.0.1 > 10.0.0.2").payload(56)},
      {"gre", ip(gre, "10.0.0.1 > 10.0.0.2").payload(40)},
      {"ospf with options", ip(ospf, "10.0.0.1 > 224.0.0.5").options(8).payload(44)},
      {"tcp with options", tcp(v4).options(40).fin().ack()},
      {"first fragment", udp(v4).fragment(0).payload(1000)},
      {"later fragment", udp(v4).fragment(1480, 0).options(8).payload(100)},
      {"tcp, v6", tcp(v6).syn().ack().tos(0xb8)},
      {"udp, v6, padded", udp(v6).payload(1).padding(9)},
      {"icmpv6", icmp("[fe80::1] > [ff02::1]").hop_by_hop().payload(20)},
      {"every extension",
       tcp(v6).hop_by_hop(16).destination_options(24).routing(40).fragment(0).authentication().syn()},
      {"esp behind options", ip(esp, v6).destination_options(264).payload(64)},
      {"later fragment, v6", udp(v6).hop_by_hop().fragment(1232).destination_options().payload(100)},
      {"jumbo", udp(v6).jumbo().payload(66'000)},
      {"vlan", tcp(v4).vlan(5).rst()},
      {"three tags", udp(v6).service_vlan(100).vlan(200).vlan(300).payload(10)},
      {"mpls", tcp(v4).mpls(16).ack()},
      {"tags and labels", icmp("[::1] > [::2]").service_vlan(7).vlan(8).mpls(3).mpls(17).mpls(18)},
      {"pppoe", udp(v4).pppoe().payload(4)},
      {"pppoe in a vlan, compressed", tcp(v6).vlan(35).pppoe_compressed()},
      {"mpls over pppoe", tcp(v4).pppoe().mpls(99)},
      {"raw", tcp(v4).over(Link::raw)},
      {"raw, v6", udp(v6).over(Link::raw)},
      {"ipv4", udp(v4).over(Link::ipv4)},
      {"ipv6", tcp(v6).over(Link::ipv6).fin()},
      {"null", icmp("127.0.0.1 > 127.0.0.1").over(Link::null)},
      {"null, v6", udp("[::1]:5 > [::1]:6").over(Link::null)},
      {"loop", tcp("127.0.0.1:5 > 127.0.0.1:6").over(Link::loop)},
      {"sll", tcp(v4).over(Link::sll).ack().payload(3)},
      {"sll with a tag", udp(v6).over(Link::sll).vlan(9)},
      {"sll2", sctp(v6).over(Link::sll2)},
      {"segmented by the NIC", tcp(v4).ip_length(0).ack().payload(1400)},
      {"claims more than there is", udp(v4).ip_length(3000).payload(200)},
  };
}

}  // namespace weir::test
