// SPDX-License-Identifier: BSD-3-Clause
// Any stack of headers that the decoder reads, up to eight tunnels deep, drawn at random.
#pragma once

#include <array>
#include <random>
#include <string>

#include "support/stack_builder.hpp"

namespace weir::test {

class RandomStack {
 public:
  explicit RandomStack(std::uint64_t seed) : random_{seed} {}

  /// Without a link. `tunnels` of them around a packet.
  Stack with_tunnels(unsigned tunnels) {
    auto stack = innermost();
    for (unsigned i = 0; i < tunnels; ++i) put_tunnel(stack);
    return stack;
  }
  frames::Captured over_any_link(Stack& stack) {
    static constexpr std::array links{Link::ethernet, Link::ppp,         Link::ppp_hdlc, Link::ppp_ether,
                                      Link::c_hdlc,   Link::ieee802_11,  Link::frelay,   Link::sll,
                                      Link::sll2,     Link::atm_rfc1483, Link::ppi,      Link::ieee802_11_radiotap};
    const auto link = below(2) == 0 ? Link::ethernet : links[below(links.size())];
    if (below(2) == 0 && link != Link::ppp && link != Link::ppp_hdlc && link != Link::ppp_ether) put_shims(stack);
    if (stack.is_frame() && link != Link::ethernet) stack.nsh();
    return stack.over(link);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>((random_() >> 32) * bound >> 32); }

 private:
  bool maybe() { return below(2) == 0; }
  std::uint32_t any(unsigned bits) { return static_cast<std::uint32_t>(random_() >> (64 - bits)); }

  /// "10.1.2.1:3 > 192.0.2.4:5" and the like.
  std::string ends(bool ports) {
    const bool v4 = maybe();
    std::string text;
    const auto put = [&](const char* front, std::size_t number, const char* back) {
      text.append(front).append(std::to_string(number)).append(back);
    };
    put(v4 ? "10." : "[2001:db8::", below(256), v4 ? ".2.1" : "]");
    if (ports) put(":", 1 + below(1000), "");
    put(v4 ? " > 192.0.2." : " > [2001:db8:1::", below(256), v4 ? "" : "]");
    if (ports) put(":", 1 + below(1000), "");
    return text;
  }

  Stack innermost() {
    switch (below(4)) {
      case 0: return Stack{frames::tcp(ends(true)).syn().ttl(60).payload(below(50))};
      case 1: return Stack{frames::udp(ends(true)).tos(4).payload(below(50))};
      case 2: return Stack{frames::icmp(ends(false)).payload(below(50))};
      default: return Stack{frames::ip(89, ends(false)).payload(below(50))};
    }
  }

  void put_frame(Stack& stack) {
    constexpr std::array<unsigned, 4> first_octets{0x00, 0x02, 0x12, 0xa6};
    stack.frame(first_octets[below(4)], below(4) == 0);
  }

  /// What may stand between a frame's type and IP.
  void put_shims(Stack& stack) {
    for (auto n = below(4); n > 0; --n) {
      if (stack.is_frame()) {
        const auto what = below(3);
        if (what == 0 && !stack.has_length()) stack.pseudowire(any(20), maybe());
        else if (what == 1) stack.backbone(any(24));
        else stack.nsh();
        continue;
      }
      constexpr std::array types{0x8100u, 0x88a8u, 0x9100u, 0x9200u};
      const bool over_labels = stack.type() == 0x8847;
      switch (below(6)) {
        case 0:
        case 1: stack.tag(types[below(4)], any(16)); break;
        case 2: stack.is_ip() || over_labels ? stack.label(any(20)) : stack.metadata(); break;
        case 3: stack.is_ip() || over_labels ? stack.pppoe() : stack.metadata(); break;
        case 4: stack.is_ip() || over_labels ? stack.nsh() : stack.metadata(); break;
        default: put_frame(stack); break;
      }
    }
  }

  void put_tunnel(Stack& stack) {
    const auto outer = ends(false);
    const auto number = any(24);
    switch (stack.is_ip() ? below(13) : 13 + below(7)) {
      case 0: stack.gre(outer, maybe(), maybe(), maybe(), any(32)); break;
      case 1: stack.pptp(outer, any(16)); break;
      case 2: stack.ip_in_ip(outer); break;
      case 3: stack.authenticated(outer, any(32)); break;
      case 4: stack.l2tp(outer, any(16), any(16), maybe()); break;
      case 5: stack.l2tp_v3(outer, 1 + any(30), 4 * below(3), maybe()); break;
      case 6: stack.vxlan_gpe(outer, number); break;
      case 7: stack.geneve(outer, number, static_cast<unsigned>(below(64))); break;
      case 8: stack.gtp(outer, any(32), maybe(), maybe()); break;
      case 9: stack.lisp(outer, number); break;
      case 10: stack.type() == 0x86dd ? stack.teredo(outer, maybe()) : stack.ip_in_ip(outer); break;
      default:  // a frame, perhaps with more in it
        if (maybe()) put_shims(stack);
        if (!stack.is_frame()) put_frame(stack);
        put_tunnel(stack);
        break;
      case 13: stack.gre(outer, maybe(), maybe(), maybe(), any(32)); break;
      case 14: stack.vxlan(outer, number, maybe() ? 4789 : 8472); break;
      case 15: stack.vxlan_gpe(outer, number); break;
      case 16: stack.geneve(outer, number, static_cast<unsigned>(below(64))); break;
      case 17: stack.erspan(outer, 1, 0); break;
      case 18: stack.erspan(outer, 2, any(10)); break;
      case 19: stack.erspan(outer, 3, any(10), maybe()); break;
    }
  }

  std::mt19937_64 random_;
};

}  // namespace weir::test
