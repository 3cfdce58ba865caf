// SPDX-License-Identifier: BSD-3-Clause
// What a file is, by its first octets; its name says nothing.
#pragma once

#include <string_view>
#include <weir/bytes.hpp>

namespace weir::capture {

enum class Format : std::uint8_t {
  too_short,  ///< more octets are needed to say
  pcap,
  pcapng,
  gzip,
  other,
};

struct Judged {
  Format format;
  std::string_view reason = {};  ///< other: what it seems to be, and what to do
};

/// No more than this is ever needed to judge what is not compressed.
inline constexpr std::size_t judged_octets = 24;

Judged judge(Bytes first) noexcept;

}  // namespace weir::capture
