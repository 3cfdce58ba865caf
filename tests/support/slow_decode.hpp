// SPDX-License-Identifier: BSD-3-Clause
// The decoder's slow twin: the rules of src/decode/decode.hpp written down once more, plainly, with absolute offsets
// and one question asked of each octet that is needed: is it there? Whatever the fast decoder is given, its answers
// must be these.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>

namespace weir::test {

class SlowDecoder {
 public:
  SlowDecoder(Link link, Bytes captured, std::uint64_t wire)
      : link_{link}, captured_{captured}, wire_{std::max<std::uint64_t>(wire, captured.size())} {
    outcome = link_ == Link::unsupported ? Outcome::link_unsupported : judge();
  }

  std::optional<std::uint64_t> ip_at;  ///< where the IP header begins, if it says the version that was announced
  Outcome outcome;
  Headers headers;

 private:
  using Verdict = std::optional<Outcome>;  ///< none: go on

  // --- Octets -------------------------------------------------------------------------------------------------------

  std::uint64_t number(std::uint64_t offset, unsigned octets) const {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < octets; ++i) value = value * 256 + std::to_integer<std::uint64_t>(captured_[offset + i]);
    return value;
  }
  /// Is the packet lost because the octets before `end` are not all there?
  Verdict need(std::uint64_t end, Outcome malformed) const {
    const bool uncaptured = end > captured_.size();
    if (uncaptured && captured_.size() < wire_) return Outcome::truncated;
    if (uncaptured || end > ip_end_) return malformed;
    return std::nullopt;
  }

  // --- The order of things ------------------------------------------------------------------------------------------

  Outcome judge() {
    auto verdict = read_link();
    while (!verdict && is_tag(type_)) verdict = read_tag();
    if (!verdict && type_ == 0x8864) verdict = read_pppoe();
    while (!verdict && is_mpls(type_)) verdict = read_label();
    if (!verdict && type_ == by_nibble) verdict = read_nibble();
    if (verdict) return *verdict;
    if (at_ < captured_.size() && type_ == (number(at_, 1) / 16 == 4 ? 0x0800 : 0x86dd) &&
        std::set<std::uint64_t>{4, 6}.contains(number(at_, 1) / 16))
      ip_at = at_;
    if (type_ == 0x0800) verdict = read_ipv4();
    else if (type_ == 0x86dd) verdict = read_ipv6();
    else return Outcome::not_ip;
    return verdict ? *verdict : read_transport();
  }

  static bool is_tag(std::uint64_t type) { return type == 0x8100 || type == 0x88a8; }
  static bool is_mpls(std::uint64_t type) { return type == 0x8847 || type == 0x8848; }

  // --- Before IP: each sets at_ behind itself and type_ to the EtherType of what follows
  // ------------------------------

  Verdict read_link() {
    struct Shape {
      unsigned octets, type_at, device_at;
    };
    static const std::map<Link, Shape> typed{
        {Link::ethernet, {14, 12, 0}}, {Link::sll, {16, 14, 2}}, {Link::sll2, {20, 0, 8}}};
    if (const auto shape = typed.find(link_); shape != typed.end()) {
      const auto& [octets, type_at, device_at] = shape->second;
      if (const auto verdict = need(octets, Outcome::malformed_link)) return verdict;
      if (device_at > 0 && std::set<std::uint64_t>{770, 803, 824}.contains(number(device_at, 2)))
        return Outcome::not_ip;
      type_ = number(type_at, 2);
      at_ = octets;
    } else if (link_ == Link::null || link_ == Link::loop) {
      return read_family();
    } else {
      type_ = link_ == Link::ipv4 ? 0x0800 : link_ == Link::ipv6 ? 0x86dd : by_nibble;
    }
    return std::nullopt;
  }

  Verdict read_family() {
    if (const auto verdict = need(4, Outcome::malformed_link)) return verdict;
    static const std::map<std::uint64_t, std::uint64_t> families{
        {2, 0x0800}, {10, 0x86dd}, {24, 0x86dd}, {28, 0x86dd}, {30, 0x86dd}};
    const auto big = number(0, 4);
    const auto little = big >> 24 | (big >> 8 & 0xff00) | (big << 8 & 0xff0000) | (big << 24 & 0xff000000);
    auto family = families.find(big);
    if (family == families.end() && link_ == Link::null) family = families.find(little);
    at_ = 4;
    type_ = number(2, 2);  // where no order makes sixteen bits of it: an EtherType
    if (link_ == Link::null && big > 65535 && little > 65535 && (type_ == 0x0800 || type_ == 0x86dd))
      return std::nullopt;
    if (family == families.end()) return Outcome::not_ip;
    type_ = family->second;
    return std::nullopt;
  }

  Verdict read_tag() {
    if (const auto verdict = need(at_ + 4, Outcome::malformed_link)) return verdict;
    if (!tagged_) headers.vlan = static_cast<std::uint16_t>(number(at_, 2) % 4096);
    tagged_ = true;
    type_ = number(at_ + 2, 2);
    at_ += 4;
    return std::nullopt;
  }

  Verdict read_pppoe() {
    if (const auto verdict = need(at_ + 6, Outcome::malformed_link)) return verdict;
    if (number(at_, 1) != 0x11 || number(at_ + 1, 1) != 0) return Outcome::not_ip;
    at_ += 6;
    if (const auto verdict = need(at_ + 1, Outcome::malformed_link)) return verdict;
    const unsigned octets = number(at_, 1) % 2 == 1 ? 1 : 2;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_link)) return verdict;
    static const std::map<std::uint64_t, std::uint64_t> carried{
        {0x21, 0x0800}, {0x57, 0x86dd}, {0x281, 0x8847}, {0x283, 0x8848}};
    const auto type = carried.find(number(at_, octets));
    if (type == carried.end()) return Outcome::not_ip;
    type_ = type->second;
    at_ += octets;
    return std::nullopt;
  }

  Verdict read_label() {
    if (const auto verdict = need(at_ + 4, Outcome::malformed_link)) return verdict;
    if (number(at_ + 2, 1) % 2 == 1) type_ = by_nibble;
    at_ += 4;
    return std::nullopt;
  }

  Verdict read_nibble() {
    if (const auto verdict = need(at_ + 1, Outcome::malformed_ip_header)) return verdict;
    const auto version = number(at_, 1) / 16;
    type_ = version == 4 ? 0x0800 : version == 6 ? 0x86dd : 0;
    return std::nullopt;
  }

  // --- IP
  // -------------------------------------------------------------------------------------------------------------

  void set_ip_end(std::uint64_t octets) {
    headers.octets = octets;
    ip_end_ = at_ + octets;
    if (ip_end_ > wire_) headers.notes |= note_bit(Note::ip_length_beyond_frame);
  }
  void copy(std::uint64_t from, std::size_t octets, std::array<std::byte, 16>& to) const {
    for (std::size_t i = 0; i < octets; ++i) to[i] = captured_[from + i];
  }

  Verdict read_ipv4() {
    if (const auto verdict = need(at_ + 20, Outcome::malformed_ip_header)) return verdict;
    if (number(at_, 1) / 16 != 4) return Outcome::malformed_ip_version;
    const auto header = number(at_, 1) % 16 * 4;
    if (header < 20) return Outcome::malformed_ip_header;
    const auto total = number(at_ + 2, 2);
    if (total > 0 && total < header) return Outcome::malformed_ip_length;
    if (total == 0) headers.notes |= note_bit(Note::ip_length_zero);
    set_ip_end(total == 0 ? wire_ - at_ : total);
    if (at_ + header > ip_end_) return Outcome::malformed_ip_header;
    headers.version = IpVersion::v4;
    headers.tos = static_cast<std::uint8_t>(number(at_ + 1, 1));
    headers.ttl = static_cast<std::uint8_t>(number(at_ + 8, 1));
    headers.protocol = static_cast<std::uint8_t>(number(at_ + 9, 1));
    copy(at_ + 12, 4, headers.source);
    copy(at_ + 16, 4, headers.destination);
    if (number(at_ + 6, 2) % 0x4000 > 0) set_fragment(number(at_ + 6, 2) % 0x2000, number(at_ + 4, 2));
    if (headers.fragment == Fragment::later) return Outcome::metered;
    if (transport_octets() == 0) return Outcome::metered;
    if (const auto verdict = need(at_ + header, Outcome::malformed_ip_header)) return verdict;
    at_ += header;
    return std::nullopt;
  }

  Verdict read_ipv6() {
    if (const auto verdict = need(at_ + 40, Outcome::malformed_ip_header)) return verdict;
    if (number(at_, 1) / 16 != 6) return Outcome::malformed_ip_version;
    auto payload = number(at_ + 4, 2);
    headers.protocol = static_cast<std::uint8_t>(number(at_ + 6, 1));
    if (payload == 0 && headers.protocol == 0) {
      if (const auto verdict = need(at_ + 48, Outcome::malformed_extension)) return verdict;
      const auto end = at_ + 48 + number(at_ + 41, 1) * 8;
      if (const auto verdict = need(end, Outcome::malformed_extension)) return verdict;
      payload = jumbo(at_ + 42, end);
    }
    set_ip_end(40 + payload);
    headers.version = IpVersion::v6;
    headers.tos = static_cast<std::uint8_t>(number(at_, 2) / 16 % 256);
    headers.ttl = static_cast<std::uint8_t>(number(at_ + 7, 1));
    copy(at_ + 8, 16, headers.source);
    copy(at_ + 24, 16, headers.destination);
    at_ += 40;
    Verdict verdict;
    static const std::set<int> walked{0, 43, 44, 51, 60};
    while (!verdict && walked.contains(headers.protocol)) verdict = read_extension();
    return verdict;
  }

  std::uint64_t jumbo(std::uint64_t at, std::uint64_t end) const {
    while (at < end) {
      if (number(at, 1) == 0) {
        ++at;
        continue;
      }
      if (at + 2 > end || at + 2 + number(at + 1, 1) > end) return 0;
      if (number(at, 1) == 0xc2 && number(at + 1, 1) == 4) return number(at + 2, 4);
      at += 2 + number(at + 1, 1);
    }
    return 0;
  }

  Verdict read_extension() {
    const auto kind = headers.protocol;
    if (const auto verdict = need(at_ + (kind == 44 ? 8 : 1), Outcome::malformed_extension)) return verdict;
    headers.protocol = static_cast<std::uint8_t>(number(at_, 1));
    if (kind == 44 && (number(at_ + 2, 2) / 8 > 0 || number(at_ + 3, 1) % 2 > 0))
      set_fragment(number(at_ + 2, 2) / 8, number(at_ + 4, 4));
    if (headers.fragment == Fragment::later) return Outcome::metered;
    static const std::set<int> read_on{0, 43, 44, 51, 60, 6, 17, 33, 132, 136, 58};
    if (!read_on.contains(headers.protocol)) return Outcome::metered;  // its number is all there is to know
    if (const auto verdict = need(at_ + 8, Outcome::malformed_extension)) return verdict;
    const auto stated = number(at_ + 1, 1);
    const auto octets = kind == 44 ? 8 : kind == 51 ? (stated + 2) * 4 : (stated + 1) * 8;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_extension)) return verdict;
    at_ += octets;
    return std::nullopt;
  }

  void set_fragment(std::uint64_t offset, std::uint64_t id) {
    headers.fragment = offset > 0 ? Fragment::later : Fragment::first;
    headers.fragment_id = static_cast<std::uint32_t>(id);
    if (offset > 0) headers.notes |= note_bit(Note::fragment_later);
  }

  // --- Behind IP
  // ------------------------------------------------------------------------------------------------------

  /// How many octets the meter needs of this protocol's header.
  unsigned transport_octets() const {
    static const std::set<int> with_ports{6, 17, 33, 132, 136};
    const bool v4 = headers.version == IpVersion::v4;
    if (with_ports.contains(headers.protocol)) return 4;
    return headers.protocol == (v4 ? 1 : 58) ? 2 : 0;
  }

  Outcome read_transport() {
    const auto octets = transport_octets();
    if (octets == 0) return Outcome::metered;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_transport)) return *verdict;
    if (octets == 4) headers.source_port = static_cast<std::uint16_t>(number(at_, 2));
    headers.destination_port = static_cast<std::uint16_t>(number(at_ + octets - 2, 2));
    if (headers.protocol == 6 && !need(at_ + 14, Outcome::malformed_transport))
      headers.tcp_flags = static_cast<std::uint16_t>(number(at_ + 12, 2) % 4096);
    return Outcome::metered;
  }

  static constexpr std::uint64_t by_nibble = 0x10000;  ///< no EtherType: the first four bits tell the version

  Link link_;
  Bytes captured_;
  std::uint64_t wire_;
  std::uint64_t at_ = 0, type_ = 0;
  std::uint64_t ip_end_ = std::numeric_limits<std::uint64_t>::max();
  bool tagged_ = false;
};

/// "metered v4 …": an answer as text, so that two can be compared and a difference be read. Headers count when metered.
inline std::string text_of(Outcome outcome, const Headers& headers) {
  std::string text{name_of(outcome)};
  if (outcome != Outcome::metered) return text;
  const auto add = [&](const char* name, std::uint64_t value) { text += name + std::to_string(value); };
  const auto add_address = [&](const std::array<std::byte, 16>& address) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += ' ';
    for (const auto octet : address) {
      text += digits[std::to_integer<std::size_t>(octet) / 16];
      text += digits[std::to_integer<std::size_t>(octet) % 16];
    }
  };
  add(" v", static_cast<std::uint64_t>(headers.version));
  add_address(headers.source);
  add_address(headers.destination);
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
  return x.source == y.source && x.destination == y.destination && x.octets == y.octets &&
         x.source_port == y.source_port && x.destination_port == y.destination_port && x.vlan == y.vlan &&
         x.tcp_flags == y.tcp_flags && x.notes == y.notes && x.protocol == y.protocol && x.tos == y.tos &&
         x.ttl == y.ttl && x.version == y.version && x.fragment == y.fragment && x.fragment_id == y.fragment_id;
}

}  // namespace weir::test
