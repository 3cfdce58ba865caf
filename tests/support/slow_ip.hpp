// SPDX-License-Identifier: BSD-3-Clause
// The slow twin on IP: first whether a packet is metered and its Headers, then its Details, all by absolute offsets.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>
#include <weir/details.hpp>
#include <weir/headers.hpp>

#include "support/slow_link.hpp"

namespace weir::test {

class SlowIp : public SlowLink {
 public:
  using SlowLink::SlowLink;

 protected:
  // --- Is it metered?

  /// at_ is the header's offset before, that of the transport header afterwards (if there is one to be read).
  Outcome read_ip() {
    const auto verdict = what_ == ipv4 ? read_ipv4() : read_ipv6();
    return verdict ? *verdict : read_transport();
  }

  void set_ip_end(std::uint64_t octets) {
    headers.octets = octets;
    if (at_ + octets > limit()) headers.notes |= note_bit(Note::ip_length_beyond_frame);
    end_ = std::min(end_, at_ + octets);
  }
  void copy(std::uint64_t from, std::size_t octets, std::span<std::byte> to) const {
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
    set_ip_end(total == 0 ? limit() - at_ : total);
    if (at_ + header > at_ + headers.octets) return Outcome::malformed_ip_header;
    headers.version = IpVersion::v4;
    headers.tos = static_cast<std::uint8_t>(number(at_ + 1, 1));
    headers.ttl = static_cast<std::uint8_t>(number(at_ + 8, 1));
    headers.protocol = static_cast<std::uint8_t>(number(at_ + 9, 1));
    copy(at_ + 12, 4, headers.source());
    copy(at_ + 16, 4, headers.destination());
    if (number(at_ + 6, 2) % 0x4000 > 0) set_fragment(number(at_ + 6, 2) % 0x2000, number(at_ + 4, 2));
    if (headers.fragment == Fragment::later) return Outcome::metered;
    if (needed_of_transport() == 0) return Outcome::metered;
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
    copy(at_ + 8, 16, headers.source());
    copy(at_ + 24, 16, headers.destination());
    at_ += 40;
    Verdict verdict;
    while (!verdict && is_walked(headers.protocol)) verdict = read_extension();
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

  static bool is_walked(unsigned protocol) { return Numbers{0, 43, 44, 51, 60}.contains(protocol); }
  std::uint64_t extension_octets(unsigned kind, std::uint64_t at) const {
    const auto stated = number(at + 1, 1);
    return kind == 44 ? 8 : kind == 51 ? (stated + 2) * 4 : (stated + 1) * 8;
  }

  Verdict read_extension() {
    const auto kind = headers.protocol;
    if (const auto verdict = need(at_ + (kind == 44 ? 8 : 1), Outcome::malformed_extension)) return verdict;
    headers.protocol = static_cast<std::uint8_t>(number(at_, 1));
    if (kind == 44 && (number(at_ + 2, 2) / 8 > 0 || bit(at_ + 3, 1)))
      set_fragment(number(at_ + 2, 2) / 8, number(at_ + 4, 4));
    if (headers.fragment == Fragment::later) return Outcome::metered;
    static const Numbers with_transport{6, 17, 33, 132, 136, 58};
    if (!is_walked(headers.protocol) && !with_transport.contains(headers.protocol))
      return Outcome::metered;  // its number is all there is to know
    if (const auto verdict = need(at_ + 8, Outcome::malformed_extension)) return verdict;
    const auto octets = extension_octets(kind, at_);
    if (const auto verdict = need(at_ + octets, Outcome::malformed_extension)) return verdict;
    at_ += octets;
    return std::nullopt;
  }

  void set_fragment(std::uint64_t offset, std::uint64_t id) {
    headers.fragment = offset > 0 ? Fragment::later : Fragment::first;
    headers.fragment_id = static_cast<std::uint32_t>(id);
    if (offset > 0) headers.notes |= note_bit(Note::fragment_later);
  }

  /// How many octets the meter needs of this protocol's header.
  unsigned needed_of_transport() const {
    static const std::set<int> with_ports{6, 17, 33, 132, 136};
    const bool v4 = headers.version == IpVersion::v4;
    if (with_ports.contains(headers.protocol)) return 4;
    return headers.protocol == (v4 ? 1 : 58) ? 2 : 0;
  }

  Outcome read_transport() {
    const auto octets = needed_of_transport();
    if (octets == 0) return Outcome::metered;
    if (const auto verdict = need(at_ + octets, Outcome::malformed_transport)) return *verdict;
    if (octets == 4) headers.source_port = static_cast<std::uint16_t>(number(at_, 2));
    headers.destination_port = static_cast<std::uint16_t>(number(at_ + octets - 2, 2));
    if (headers.protocol == 6 && !need(at_ + 14, Outcome::malformed_transport))
      headers.tcp_flags = static_cast<std::uint16_t>(number(at_ + 12, 2) % 4096);
    return Outcome::metered;
  }

  // --- What is behind the IP headers of a packet that is metered

  struct Behind {
    std::uint64_t at = 0;
    unsigned protocol = 0;
    bool reached = true;
    std::vector<std::uint32_t> authenticated;                    ///< the index of each Authentication Header
    std::vector<std::pair<unsigned, std::uint64_t>> extensions;  ///< number and offset
  };

  Behind behind(std::uint64_t ip) const {
    Behind found;
    if (headers.version == IpVersion::v4) {
      found.at = ip + number(ip, 1) % 16 * 4;
      found.protocol = static_cast<unsigned>(number(ip + 9, 1));
      found.reached = there(found.at);
      return found;
    }
    found.at = ip + 40;
    found.protocol = static_cast<unsigned>(number(ip + 6, 1));
    while (is_walked(found.protocol)) {
      if (!there(found.at + (found.protocol == 44 ? 8 : 1))) return found.reached = false, found;
      found.extensions.emplace_back(found.protocol, found.at);
      const bool later = found.protocol == 44 && number(found.at + 2, 2) >= 8;
      if (found.protocol == 51 && there(found.at + 8))
        found.authenticated.push_back(static_cast<std::uint32_t>(number(found.at + 4, 4)));
      if (!step_over(found)) return found.reached = false, found;
      if (later) return found;
    }
    return found;
  }
  bool step_over(Behind& found) const {
    if (!there(found.at + 8)) return false;
    const auto octets = extension_octets(found.protocol, found.at);
    if (!there(found.at + octets)) return false;
    found.protocol = static_cast<unsigned>(number(found.at, 1));
    found.at += octets;
    return true;
  }
  /// Authentication Headers over IPv4.
  void step_over_authentication(Behind& found) const {
    while (found.protocol == 51 && there(found.at + 8)) {
      found.authenticated.push_back(static_cast<std::uint32_t>(number(found.at + 4, 4)));
      if (!step_over(found)) return;
    }
  }

  // --- Details

  void hear_spi(std::uint64_t spi) {
    if (!(details.has & Details::ipsec)) details.spi = static_cast<std::uint32_t>(spi);
    details.has |= Details::ipsec;
  }

  void describe(std::uint64_t ip) {
    if (headers.fragment != Fragment::none) details.has |= Details::fragmented;
    headers.version == IpVersion::v4 ? describe_ipv4(ip) : describe_ipv6(ip);
    auto upper = behind(ip);
    const bool later = headers.fragment == Fragment::later;
    if (headers.version == IpVersion::v4 && upper.reached && !later) {
      auto walked = upper;
      step_over_authentication(walked);
      upper.authenticated = walked.authenticated;
      if (headers.protocol != 51) upper = walked;
    }
    if (!upper.authenticated.empty()) hear_spi(upper.authenticated[0]);
    if (!upper.reached) return;
    std::uint64_t header = 0;
    if (!later && !describe_transport(upper, header)) return;
    const auto claimed = ip + headers.octets;
    if (upper.at + header > claimed) return;
    details.payload_octets = claimed - upper.at - header;
    if (!there(upper.at + header)) return;
    details.payload_at = static_cast<std::uint32_t>(upper.at + header);
    details.payload_captured =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(captured_.size(), end_) - upper.at - header);
  }

  void describe_ipv4(std::uint64_t ip) {
    details.identification = static_cast<std::uint32_t>(number(ip + 4, 2));
    details.fragment_flags = static_cast<std::uint8_t>(number(ip + 6, 1) / 32 * 32);
    details.fragment_offset = number(ip + 6, 2) % 8192;
    details.ip_header_octets = static_cast<std::uint8_t>(number(ip, 1) % 16 * 4);
    details.next_header = static_cast<std::uint8_t>(number(ip + 9, 1));
    const auto end = ip + details.ip_header_octets;
    if (!there(end)) return;
    for (auto at = ip + 20; at < end;) {
      const auto kind = number(at, 1);
      details.ipv4_options |= 1u << kind % 32;
      if (kind == 0) return;
      if (kind == 1) ++at;
      else if (at + 2 > end || number(at + 1, 1) < 2) return;
      else at += number(at + 1, 1);
    }
  }

  void describe_ipv6(std::uint64_t ip) {
    details.flow_label = static_cast<std::uint32_t>(number(ip, 4) % 0x100000);
    details.ip_header_octets = 40;
    details.next_header = static_cast<std::uint8_t>(number(ip + 6, 1));
    static const std::map<unsigned, unsigned> bits{{60, 0}, {0, 1}, {43, 5}, {135, 12}, {50, 13}, {51, 14}, {108, 15}};
    for (const auto& [kind, at] : behind(ip).extensions) {
      if (kind != 44) {
        details.ipv6_extensions |= 1u << bits.at(kind);
        continue;
      }
      details.identification = static_cast<std::uint32_t>(number(at + 4, 4));
      details.fragment_offset = static_cast<std::uint16_t>(number(at + 2, 2) / 8);
      details.fragment_flags = bit(at + 3, 1) ? 0x20 : 0;
      details.ipv6_extensions |= details.fragment_offset > 0 ? 64 : 16;
    }
    if (headers.fragment == Fragment::later) return;  // what its last header announces is in the first one
    if (headers.protocol == 44) details.ipv6_extensions |= 16;
    else if (bits.contains(headers.protocol)) details.ipv6_extensions |= 1u << bits.at(headers.protocol);
  }

  /// How long the header is, as far as the packet or the protocol says. False: nobody knows.
  bool describe_transport(const Behind& upper, std::uint64_t& header) {
    static const std::map<unsigned, unsigned> fixed{{17, 8}, {136, 8}, {132, 12}};
    const bool v4 = headers.version == IpVersion::v4;
    const auto at = upper.at;
    if (upper.protocol == 6) return describe_tcp(at, header);
    if (fixed.contains(upper.protocol)) header = fixed.at(upper.protocol);
    if (upper.protocol == (v4 ? 1 : 58)) header = 8;
    if (upper.protocol == 33 && there(at + 12)) header = number(at + 4, 1) * 4;
    if (upper.protocol == 17 && there(at + 8)) details.udp_octets = static_cast<std::uint16_t>(number(at + 4, 2));
    if (upper.protocol == 50 && there(at + 4)) hear_spi(number(at, 4));
    if (upper.protocol == 2 && there(at + 1)) {
      details.igmp_type = static_cast<std::uint8_t>(number(at, 1));
      details.has |= Details::igmp;
    }
    return true;
  }

  bool describe_tcp(std::uint64_t at, std::uint64_t& header) {
    if (!there(at + 20)) return false;
    details.has |= Details::tcp;
    details.tcp_sequence = static_cast<std::uint32_t>(number(at + 4, 4));
    details.tcp_acknowledgement = static_cast<std::uint32_t>(number(at + 8, 4));
    details.tcp_window = static_cast<std::uint16_t>(number(at + 14, 2));
    details.tcp_urgent = static_cast<std::uint16_t>(number(at + 18, 2));
    header = number(at + 12, 1) / 16 * 4;
    details.tcp_header_octets = static_cast<std::uint8_t>(header);
    if (header < 20) return false;
    const auto end = std::min({at + header, end_, std::uint64_t{captured_.size()}});
    for (auto option = at + 20; option < end;) {
      const auto kind = number(option, 1);
      if (kind < 64) details.tcp_options |= std::uint64_t{1} << kind;
      if (kind == 0) break;
      if (kind == 1) {
        ++option;
        continue;
      }
      const auto octets = option + 1 < end ? number(option + 1, 1) : 0;
      if (octets < 2 || option + octets > end) break;
      if (kind == 2 && octets == 4) details.tcp_mss = static_cast<std::uint16_t>(number(option + 2, 2));
      if (kind == 3 && octets == 3) details.tcp_window_scale = static_cast<std::uint8_t>(number(option + 2, 1));
      option += octets;
    }
    return true;
  }
};

}  // namespace weir::test
