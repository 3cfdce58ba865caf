// SPDX-License-Identifier: BSD-3-Clause
// The slow twin's way to the next IP header: a table of what can stand in a frame, and a step for each.
#pragma once

#include <cstdint>
#include <map>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "support/slow_octets.hpp"

namespace weir::test {

class SlowLink : public SlowOctets {
 public:
  using SlowOctets::SlowOctets;

  Headers headers;
  Details details;

 protected:
  /// What stands at at_: an EtherType, or one of these, which are none.
  enum What : std::uint64_t {
    by_nibble = 0x10000,
    frame,
    below_labels,
    point_to_point,
    maybe_framed,
    cisco,
    q922,
    nlpid,
    llc,
    wifi,
    padded_wifi,
    radiotap,
    ppi,
    ipv4 = 0x0800,
    ipv6 = 0x86dd,
  };

  Verdict start(Link link) {
    static const std::map<Link, std::uint64_t> bare{{Link::raw, by_nibble},
                                                    {Link::ipv4, ipv4},
                                                    {Link::ipv6, ipv6},
                                                    {Link::ppp, maybe_framed},
                                                    {Link::ppp_hdlc, maybe_framed},
                                                    {Link::ppp_ether, 0x8864},
                                                    {Link::atm_rfc1483, llc},
                                                    {Link::c_hdlc, cisco},
                                                    {Link::ieee802_11, wifi},
                                                    {Link::frelay, q922},
                                                    {Link::ieee802_11_radiotap, radiotap},
                                                    {Link::ppi, ppi},
                                                    {Link::mpls, 0x8847}};
    if (const auto what = bare.find(link); what != bare.end()) {
      what_ = what->second;
      return std::nullopt;
    }
    if (link == Link::ethernet) return read_frame();
    if (link == Link::null || link == Link::loop) return read_family(link);
    return read_cooked(link == Link::sll);
  }

  /// To the next IP header.
  Verdict to_ip() {
    static const std::map<std::uint64_t, Verdict (SlowLink::*)()> readers{{0x8100, &SlowLink::read_tag},
                                                                          {0x88a8, &SlowLink::read_tag},
                                                                          {0x9100, &SlowLink::read_tag},
                                                                          {0x9200, &SlowLink::read_tag},
                                                                          {0x8847, &SlowLink::read_label},
                                                                          {0x8848, &SlowLink::read_label},
                                                                          {0x8864, &SlowLink::read_pppoe},
                                                                          {0x88e7, &SlowLink::read_itag},
                                                                          {0x8909, &SlowLink::read_metadata},
                                                                          {0x894f, &SlowLink::read_nsh},
                                                                          {by_nibble, &SlowLink::read_nibble},
                                                                          {frame, &SlowLink::read_inner_frame},
                                                                          {below_labels, &SlowLink::read_below_labels},
                                                                          {point_to_point, &SlowLink::read_ppp},
                                                                          {maybe_framed, &SlowLink::read_hdlc},
                                                                          {cisco, &SlowLink::read_cisco},
                                                                          {q922, &SlowLink::read_q922},
                                                                          {nlpid, &SlowLink::read_nlpid},
                                                                          {llc, &SlowLink::read_llc},
                                                                          {wifi, &SlowLink::read_wifi},
                                                                          {padded_wifi, &SlowLink::read_wifi},
                                                                          {radiotap, &SlowLink::read_radiotap},
                                                                          {ppi, &SlowLink::read_ppi}};
    while (true) {
      if (what_ <= 1500) what_ = llc;
      if (hearing_ && what_ < 0x10000 && !is_tag(what_) && announced_) hear_type();
      if (what_ == ipv4 || what_ == ipv6) return std::nullopt;
      const auto reader = readers.find(what_);
      if (reader == readers.end()) return Outcome::not_ip;
      announced_ = false;
      if (const auto verdict = (this->*reader->second)()) return verdict;
    }
  }

  static bool is_tag(std::uint64_t type) { return Numbers{0x8100, 0x88a8, 0x9100, 0x9200}.contains(type); }
  /// An EtherType that this decoder can go on from.
  static bool leads_on(std::uint64_t type) {
    return is_tag(type) || Numbers{ipv4, ipv6, 0x8847, 0x8848, 0x8864, 0x88e7, 0x8909, 0x894f}.contains(type);
  }

  // Each of these sets at_ behind itself and what_ to what follows.

  void follows(std::uint64_t octets, std::uint64_t what) {
    at_ += octets;
    what_ = what;
    announced_ = what < 0x10000;
  }
  void hear_type() {
    if (details.ethertype == 0) details.ethertype = static_cast<std::uint16_t>(what_);
  }
  void hear_macs(std::uint64_t source, std::optional<std::uint64_t> destination) {
    if (!hearing_ || details.has & Details::macs) return;
    details.has |= Details::macs;
    for (unsigned i = 0; i < 6; ++i) {
      details.source_mac[i] = captured_[source + i];
      if (destination) details.destination_mac[i] = captured_[*destination + i];
    }
  }

  Verdict read_frame() {
    if (const auto verdict = need(at_ + 14, Outcome::malformed_link)) return verdict;
    hear_macs(at_ + 6, at_);
    follows(14, number(at_ + 12, 2));
    return std::nullopt;
  }
  Verdict read_inner_frame() {
    if (frames_ == 8) {
      too_deep_ = true;
      return Outcome::not_ip;
    }
    ++frames_;
    return read_frame();
  }

  Verdict read_cooked(bool first_version) {
    const unsigned octets = first_version ? 16 : 20;
    if (const auto verdict = need(octets, Outcome::malformed_link)) return verdict;
    const auto device = number(first_version ? 2 : 8, 2), type = number(first_version ? 14 : 0, 2);
    if (first_version ? number(4, 2) == 6 : number(11, 1) == 6) hear_macs(first_version ? 6 : 12, std::nullopt);
    if (device == 824) return Outcome::not_ip;
    if (device == 770 || device == 803) follows(octets, device == 770 ? q922 : radiotap);
    else if (device == 778 && type == 0x6558) follows(octets, frame);
    else if (type < 0x600 && type != 4) return Outcome::not_ip;
    else follows(octets, type);
    return std::nullopt;
  }

  Verdict read_family(Link link) {
    if (const auto verdict = need(4, Outcome::malformed_link)) return verdict;
    static const std::map<std::uint64_t, std::uint64_t> families{
        {2, ipv4}, {10, ipv6}, {24, ipv6}, {28, ipv6}, {30, ipv6}};
    const auto big = number(0, 4), low = little(0, 4);
    auto family = families.find(big);
    if (family == families.end() && link == Link::null) family = families.find(low);
    at_ = 4;
    what_ = number(2, 2);  // where no order makes sixteen bits of it: an EtherType
    if (link == Link::null && big > 65535 && low > 65535 && (what_ == ipv4 || what_ == ipv6)) return std::nullopt;
    if (family == families.end()) return Outcome::not_ip;
    what_ = family->second;
    return std::nullopt;
  }

  Verdict read_tag() {
    if (const auto verdict = need(at_ + 4, Outcome::malformed_link)) return verdict;
    const auto tci = static_cast<std::uint16_t>(number(at_, 2));
    if (hearing_ && !tagged_) headers.vlan = tci % 4096;
    tagged_ = true;
    if (hearing_) {
      if (details.vlan_tags == 0) details.vlan_tci = tci, details.has |= Details::vlan_outer;
      if (details.vlan_tags == 1) details.inner_vlan_tci = tci, details.has |= Details::vlan_inner;
      if (details.vlan_tags < 255) ++details.vlan_tags;
    }
    follows(4, number(at_ + 2, 2));
    return std::nullopt;
  }

  Verdict read_pppoe() {
    if (const auto verdict = need(at_ + 6, Outcome::malformed_link)) return verdict;
    if (number(at_, 2) != 0x1100) return Outcome::not_ip;
    follows(6, point_to_point);
    return std::nullopt;
  }

  Verdict read_ppp() {
    if (const auto verdict = need(at_ + 1, Outcome::malformed_link)) return verdict;
    const unsigned octets = number(at_, 1) % 2 == 1 ? 1 : 2;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_link)) return verdict;
    static const std::map<std::uint64_t, std::uint64_t> carried{
        {0x21, ipv4}, {0x57, ipv6}, {0x281, 0x8847}, {0x283, 0x8848}};
    const auto type = carried.find(number(at_, octets));
    if (type == carried.end()) return Outcome::not_ip;
    follows(octets, type->second);
    announced_ = false;
    return std::nullopt;
  }

  Verdict read_hdlc() {
    if (const auto verdict = need(at_ + 2, Outcome::malformed_link)) return verdict;
    const auto both = number(at_, 2);
    if (both == 0x0f00 || both == 0x8f00) what_ = cisco;
    else follows(both == 0xff03 ? 2 : 0, point_to_point);
    return std::nullopt;
  }
  Verdict read_cisco() {
    if (const auto verdict = need(at_ + 4, Outcome::malformed_link)) return verdict;
    follows(4, number(at_ + 2, 2));
    return std::nullopt;
  }

  Verdict read_q922() {
    for (unsigned octets = 1;; ++octets) {
      if (const auto verdict = need(at_ + octets, Outcome::malformed_link)) return verdict;
      const bool last = bit(at_ + octets - 1, 1);
      if ((octets == 1 && last) || (octets == 4 && !last)) return Outcome::not_ip;
      if (!last) continue;
      at_ += octets;
      break;
    }
    if (const auto verdict = need(at_ + 1, Outcome::malformed_link)) return verdict;
    if (number(at_, 1) == 3) {
      follows(1, nlpid);
      return std::nullopt;
    }
    if (const auto verdict = need(at_ + 2, Outcome::malformed_link)) return verdict;
    follows(2, number(at_, 2));
    return std::nullopt;
  }

  Verdict read_nlpid() {
    if (const auto verdict = need(at_ + 1, Outcome::malformed_link)) return verdict;
    if (number(at_, 1) == 0) ++at_;
    if (const auto verdict = need(at_ + 1, Outcome::malformed_link)) return verdict;
    const auto kind = number(at_, 1);
    static const std::map<std::uint64_t, std::uint64_t> carried{{0xcc, ipv4}, {0x8e, ipv6}, {0xcf, point_to_point}};
    if (kind == 0x80) return ++at_, read_snap(0);
    if (!carried.contains(kind)) return Outcome::not_ip;
    follows(1, carried.at(kind));
    announced_ = false;
    return std::nullopt;
  }

  Verdict read_llc() {
    if (const auto verdict = need(at_ + 3, Outcome::malformed_link)) return verdict;
    const auto all = number(at_, 3);
    if (all == 0xaaaa03) return at_ += 3, read_snap(2);
    if (all != 0x060603 && all != 0xfefe03) return Outcome::not_ip;
    follows(3, all == 0x060603 ? std::uint64_t{ipv4} : nlpid);
    announced_ = false;
    return std::nullopt;
  }
  Verdict read_snap(unsigned padding) {
    if (const auto verdict = need(at_ + 5, Outcome::malformed_link)) return verdict;
    const auto organisation = number(at_, 3), type = number(at_ + 3, 2);
    if (organisation == 0 || organisation == 0xf8) {
      follows(5, type);
    } else {
      if (organisation != 0x80c2 || (type != 1 && type != 7)) return Outcome::not_ip;
      if (const auto verdict = need(at_ + 5 + padding, Outcome::malformed_link)) return verdict;
      follows(5 + padding, frame);
    }
    return std::nullopt;
  }

  Verdict read_itag() {
    if (const auto verdict = need(at_ + 4, Outcome::malformed_link)) return verdict;
    follows(4, frame);
    return std::nullopt;
  }
  Verdict read_metadata() {
    if (const auto verdict = need(at_ + 2, Outcome::malformed_link)) return verdict;
    if (number(at_, 1) != 1) return Outcome::not_ip;
    const auto octets = 4 + number(at_ + 1, 1) * 4;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_link)) return verdict;
    follows(octets, number(at_ + octets - 2, 2));
    return std::nullopt;
  }
  Verdict read_nsh() {
    if (const auto verdict = need(at_ + 8, Outcome::malformed_link)) return verdict;
    const auto octets = number(at_ + 1, 1) % 64 * 4;
    if (number(at_, 1) / 32 != 0 || octets < 8) return Outcome::not_ip;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_link)) return verdict;
    if (!next_protocols().contains(number(at_ + 3, 1))) return Outcome::not_ip;
    follows(octets, next_protocols().at(number(at_ + 3, 1)));
    announced_ = false;
    return std::nullopt;
  }
  static const std::map<std::uint64_t, std::uint64_t>& next_protocols() {
    static const std::map<std::uint64_t, std::uint64_t> all{{1, ipv4}, {2, ipv6}, {3, frame}, {4, 0x894f}, {5, 0x8847}};
    return all;
  }

  Verdict read_label() {
    if (const auto verdict = need(at_ + 4, Outcome::malformed_link)) return verdict;
    if (hearing_) {
      if (details.mpls_depth < 10)
        details.mpls_entries[details.mpls_depth] = static_cast<std::uint32_t>(number(at_, 4));
      if (details.mpls_depth < 255) ++details.mpls_depth;
      details.has |= Details::mpls;
    }
    follows(4, bit(at_ + 2, 1) ? std::uint64_t{below_labels} : what_);
    announced_ = false;
    return std::nullopt;
  }

  Verdict read_nibble() {
    if (const auto verdict = need(at_ + 1, Outcome::malformed_ip_header)) return verdict;
    const auto version = number(at_, 1) / 16;
    what_ = version == 4 ? std::uint64_t{ipv4} : std::uint64_t{ipv6};
    return version == 4 || version == 6 ? Verdict{} : Outcome::not_ip;
  }

  Verdict read_below_labels() {
    const auto verdict = read_nibble();
    if (verdict != Outcome::not_ip) return verdict;
    const bool maybe_control = number(at_, 1) / 16 == 0;
    if (maybe_control && cut(at_ + 18)) return Outcome::truncated;
    if (maybe_control && there(at_ + 18) && leads_on(number(at_ + 16, 2))) follows(4, frame);
    else if (there(at_ + 14) && leads_on(number(at_ + 12, 2))) what_ = frame;
    else return cut(at_ + 14) ? Outcome::truncated : Outcome::not_ip;
    return std::nullopt;
  }

  // --- IEEE 802.11

  void drop_check_sequence() {
    if (limit() >= at_ + 4) end_ = limit() - 4;
  }

  Verdict read_wifi() {
    if (const auto verdict = need(at_ + 2, Outcome::malformed_link)) return verdict;
    const auto flags = at_ + 1;
    const bool to = bit(flags, 1), from = bit(flags, 2), qos = bit(at_, 0x80);
    if (number(at_, 1) % 16 != 8 || bit(at_, 0x40) || bit(flags, 0x40)) return Outcome::not_ip;
    auto octets = to && from ? 30u : 24u;
    const auto control = at_ + octets;
    if (qos) octets += bit(flags, 0x80) ? 6 : 2;
    if (what_ == padded_wifi)
      while (octets % 4 != 0) ++octets;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_link)) return verdict;
    if (number(at_ + 22, 1) % 16 != 0) return Outcome::not_ip;  // a later part
    if (qos && bit(control, 0x80)) return Outcome::not_ip;      // several frames in one
    const unsigned source = !from ? 10 : to ? 24 : 16, destination = to ? 16 : 4;
    hear_macs(at_ + source, at_ + destination);
    follows(octets, llc);
    return std::nullopt;
  }

  Verdict read_radiotap() {
    if (const auto verdict = need(at_ + 8, Outcome::malformed_link)) return verdict;
    const auto octets = little(at_ + 2, 2);
    if (number(at_, 1) != 0 || octets < 8) return Outcome::not_ip;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_link)) return verdict;
    std::uint64_t fields = 8;
    while (little(at_ + fields - 4, 4) >= 0x80000000) {
      fields += 4;
      if (fields > octets) return Outcome::not_ip;
    }
    std::uint64_t flags = 0;
    if (bit(at_ + 4, 1)) fields += (fields % 8 == 0 ? 0 : 4) + 8;
    if (bit(at_ + 4, 2) && fields < octets) flags = number(at_ + fields, 1);
    follows(octets, flags / 0x20 % 2 == 1 ? padded_wifi : wifi);
    if (flags / 0x10 % 2 == 1) drop_check_sequence();
    return std::nullopt;
  }

  Verdict read_ppi() {
    if (const auto verdict = need(at_ + 8, Outcome::malformed_link)) return verdict;
    const auto start_of = at_, octets = little(at_ + 2, 2);
    if (number(at_, 1) != 0 || octets < 8) return Outcome::not_ip;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_link)) return verdict;
    const auto link = link_from_number(static_cast<std::uint32_t>(little(at_ + 4, 4)));
    at_ += octets;
    if (link == Link::unsupported) return Outcome::not_ip;
    if (octets >= 22 && little(start_of + 8, 2) == 2 && bit(start_of + 20, 1)) drop_check_sequence();
    return start_within(link);
  }
  /// Link headers that state absolute offsets are read as if the capture began here.
  Verdict start_within(Link link) {
    const auto all = captured_;
    const auto before = at_, wire = wire_, end = end_;
    captured_ = captured_.subspan(before);
    wire_ -= before;
    if (end_ != std::numeric_limits<std::uint64_t>::max()) end_ -= before;
    at_ = 0;
    const auto verdict = start(link);
    captured_ = all;
    wire_ = wire;
    end_ = end;
    at_ += before;
    return verdict;
  }

  std::uint64_t what_ = 0;
  bool announced_ = false;  ///< what_ is an EtherType that stood in the frame
  bool hearing_ = true;     ///< no IP header was met yet
  bool tagged_ = false, too_deep_ = false;
  unsigned frames_ = 0;
};

}  // namespace weir::test
