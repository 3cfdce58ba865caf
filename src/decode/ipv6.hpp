// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>

#include "decode/frame.hpp"
#include "decode/ports.hpp"

namespace weir::decode {

/// No extension header is shorter, and the lengths they state count from here on.
inline constexpr std::size_t extension_least = 8;

constexpr bool is_extension(std::uint8_t next) noexcept {
  return next == protocol::hop_by_hop || next == protocol::ipv6_route || next == protocol::ipv6_fragment ||
         next == protocol::ipv6_options || next == protocol::ah;
}

/// Octets of an extension header beyond its first eight: RFC 8200 §4.3 to 4.6; AH counts in words, RFC 4302 §2.2.
constexpr std::size_t extension_more(std::uint8_t kind, std::uint8_t stated) noexcept {
  if (kind == protocol::ipv6_fragment) return 0;
  return kind == protocol::ah ? stated * std::size_t{4} : stated * std::size_t{8};
}

/// RFC 2675 §2: the payload length that a Jumbo Payload option among these Hop-by-Hop options states, or 0.
constexpr std::uint32_t jumbo_length(Cursor options) noexcept {
  constexpr std::uint8_t pad1 = 0x00, jumbo = 0xc2, jumbo_octets = 4;
  while (const auto* kind = options.take(1)) {
    if (load_be<std::uint8_t>(kind) == pad1) continue;
    const auto* stated = options.take(1);
    const auto* value = stated ? options.take(load_be<std::uint8_t>(stated)) : nullptr;
    if (!value) return 0;
    if (load_be<std::uint8_t>(kind) == jumbo && load_be<std::uint8_t>(stated) == jumbo_octets)
      return load_be<std::uint32_t>(value);
  }
  return 0;
}

/// `frame` stands at a Hop-by-Hop header whose packet states no payload length; `payload` becomes that of the option.
/// `metered` here is: nothing in the way so far.
constexpr Outcome decode_jumbo(Frame frame, std::uint64_t& payload) noexcept {
  const auto* header = frame.take(extension_least);
  if (!header) return frame.lacks(extension_least, Outcome::malformed_extension);
  const auto more = extension_more(protocol::hop_by_hop, load_be<std::uint8_t>(header + 1));
  if (!frame.take(more)) return frame.lacks(more, Outcome::malformed_extension);
  payload = jumbo_length(Cursor{Bytes{header + 2, extension_least - 2 + more}});
  return Outcome::metered;
}

/// What an extension header says of what follows: the next header's number, and of a Fragment header (RFC 8200 §4.5)
/// which part of a packet it is. The number stands at its front, so another header that is cut behind it has said all
/// that a protocol without ports needs.
struct Extension {
  std::uint8_t next;
  Fragment fragment;  ///< none of a whole packet in a Fragment header, too (RFC 6946)

  static constexpr std::size_t octets(std::uint8_t kind) noexcept {
    return kind == protocol::ipv6_fragment ? extension_least : 1;
  }
  static constexpr Extension load(std::uint8_t kind, const std::byte* at) noexcept {
    constexpr std::uint16_t offset_bits = 0xfff8, more_fragments = 1;
    const auto next = load_be<std::uint8_t>(at);
    if (kind != protocol::ipv6_fragment) return {next, Fragment::none};
    const auto offset_and_more = load_be<std::uint16_t>(at + 2);
    if (offset_and_more & offset_bits) return {next, Fragment::later};
    return {next, offset_and_more & more_fragments ? Fragment::first : Fragment::none};
  }
};

/// Steps over an extension header, which must be there whole. `metered` here is: nothing in the way so far.
constexpr Outcome skip_extension(std::uint8_t kind, Frame& frame) noexcept {
  const auto* header = frame.take(extension_least);
  if (!header) return frame.lacks(extension_least, Outcome::malformed_extension);
  const auto more = extension_more(kind, load_be<std::uint8_t>(header + 1));
  return frame.take(more) ? Outcome::metered : frame.lacks(more, Outcome::malformed_extension);
}

/// Walks the extension headers, then reads ports. The octets left are the only bound: each header takes eight at least.
constexpr Outcome decode_extensions(std::uint8_t kind, Frame frame, Headers& out) noexcept {
  while (is_extension(kind)) {
    const auto* front = Frame{frame}.take(Extension::octets(kind));
    if (!front) return frame.lacks(Extension::octets(kind), Outcome::malformed_extension);
    const auto extension = Extension::load(kind, front);
    out.protocol = extension.next;
    if (extension.fragment != Fragment::none) {
      out.fragment_id = load_be<std::uint32_t>(front + 4);
      out.fragment = extension.fragment;
      if (extension.fragment == Fragment::later) return decode_fragment_later(out);
    }
    if (!is_extension(extension.next) && !has_transport(extension.next, IpVersion::v6)) return Outcome::metered;
    if (const auto outcome = skip_extension(kind, frame); outcome != Outcome::metered) return outcome;
    kind = extension.next;
  }
  return decode_transport(frame, out);
}

/// RFC 8200 §3. `frame` stands at the first octet of the header.
constexpr Outcome decode_ipv6(Frame frame, Headers& out) noexcept {
  constexpr std::size_t header = 40;

  const auto wire = frame.on_wire();
  const auto* ip = frame.take(header);
  if (!ip) return frame.lacks(header, Outcome::malformed_ip_header);
  const auto version_and_class = load_be<std::uint16_t>(ip);
  if (version_and_class >> 12 != 6) return Outcome::malformed_ip_version;

  std::uint64_t payload = load_be<std::uint16_t>(ip + 4);
  const auto next = load_be<std::uint8_t>(ip + 6);
  if (payload == 0 && next == protocol::hop_by_hop)
    if (const auto outcome = decode_jumbo(frame, payload); outcome != Outcome::metered) return outcome;
  if (header + payload > wire) out.notes |= note_bit(Note::ip_length_beyond_frame);
  frame.end_after(payload);

  out.version = IpVersion::v6;
  out.octets = header + payload;
  out.tos = static_cast<std::uint8_t>(version_and_class >> 4);
  out.ttl = load_be<std::uint8_t>(ip + 7);
  out.protocol = next;
  std::copy_n(ip + 8, 32, out.addresses.begin());
  return decode_extensions(next, frame, out);
}

}  // namespace weir::decode
