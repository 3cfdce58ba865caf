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

/// RFC 791 §3.1. `frame` stands at the first octet of the header.
constexpr Outcome decode_ipv4(Frame frame, Headers& out) noexcept {
  constexpr std::size_t header_least = 20;
  constexpr std::uint16_t offset_bits = 0x1fff, more_fragments = 0x2000;

  const auto wire = frame.on_wire();
  const auto* ip = frame.take(header_least);
  if (!ip) return frame.lacks(header_least, Outcome::malformed_ip_header);
  const auto version_and_words = load_be<std::uint8_t>(ip);
  if (version_and_words >> 4 != 4) return Outcome::malformed_ip_version;
  const std::size_t header = (version_and_words & 0x0fu) * 4u;
  if (header < header_least) return Outcome::malformed_ip_header;

  const auto total = load_be<std::uint16_t>(ip + 2);
  const auto octets = total == 0 ? wire : total;
  if (octets < header) return total == 0 ? Outcome::malformed_ip_header : Outcome::malformed_ip_length;
  if (total == 0) [[unlikely]]
    out.notes |= note_bit(Note::ip_length_zero);
  if (octets > wire) [[unlikely]]
    out.notes |= note_bit(Note::ip_length_beyond_frame);
  frame.end_after(octets - header_least);

  out.version = IpVersion::v4;
  out.octets = octets;
  out.tos = load_be<std::uint8_t>(ip + 1);
  out.ttl = load_be<std::uint8_t>(ip + 8);
  out.protocol = load_be<std::uint8_t>(ip + 9);
  std::copy_n(ip + 12, 8, out.addresses.begin() + Headers::ipv4_at);
  const auto flags_and_offset = load_be<std::uint16_t>(ip + 6);
  if (flags_and_offset & (offset_bits | more_fragments)) [[unlikely]] {
    out.fragment_id = load_be<std::uint16_t>(ip + 4);
    out.fragment = Fragment::first;
    if (flags_and_offset & offset_bits) return decode_fragment_later(out);
  }

  // Options are only in the way of what lies behind them.
  const auto options = header - header_least;
  if (options > 0 && !frame.take(options) && has_transport(out.protocol, IpVersion::v4))
    return frame.lacks(options, Outcome::malformed_ip_header);
  return decode_transport(frame, out);
}

}  // namespace weir::decode
