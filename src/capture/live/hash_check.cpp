// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/hash_check.hpp"

#include <fmt/format.h>

#include <weir/outcome.hpp>

namespace weir::capture {
namespace {

bool may_be_hashed_with_ports(const Headers& headers) noexcept {
  const bool has_ports =
      headers.protocol == protocol::tcp || headers.protocol == protocol::udp || headers.protocol == protocol::sctp;
  return has_ports && !(headers.notes & note_bit(Note::fragment_later));
}

}  // namespace

void HashCheck::compare(const Headers& headers, std::uint32_t hash) noexcept {
  if (finished()) return;
  ++compared_;
  // A port may fall back to the pair for a protocol that it does not know, and does so for a first fragment.
  if (hash == toeplitz_(headers, RssFields::addresses)) return;
  if (fields_ == RssFields::addresses_and_ports && may_be_hashed_with_ports(headers) &&
      hash == toeplitz_(headers, RssFields::addresses_and_ports))
    return;
  if (differing_++ > 0) return;
  example_ = headers;
  example_hash_ = hash;
}

std::string HashCheck::sentence() const {
  if (verdict() == Verdict::undecided)
    return fmt::format("{} of {} packets with an RSS hash compared so far; all agree with the software's", compared_,
                       packets_);
  if (verdict() == Verdict::agrees) return fmt::format("the first {} RSS hashes agree with the software's", compared_);
  return fmt::format(
      "{} of the first {} RSS hashes differ from the software's; {} (protocol {}) carried {:#010x}, "
      "its address pair hashes to {:#010x}",
      differing_, compared_, tuple_text(example_), example_.protocol, example_hash_,
      toeplitz_(example_, RssFields::addresses));
}

}  // namespace weir::capture
