// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/builder.hpp"

namespace weir::ipfix {

std::byte* MessageBuilder::record(std::uint16_t set, std::size_t octets) noexcept {
  const bool opens = set_at_ == 0 || set != set_;
  const auto needed = octets + (opens ? set_header_octets : 0);
  if (written_ > room_.size() || needed > room_.size() - written_) return nullptr;
  if (opens) {
    set_at_ = written_;
    set_ = set;
    store_be(room_.data() + set_at_, set);
    written_ += set_header_octets;
  }
  auto* at = room_.data() + written_;
  written_ += octets;
  store_be(room_.data() + set_at_ + 2, static_cast<std::uint16_t>(written_ - set_at_));
  if (set >= data_set_first) ++data_records_;
  return at;
}

Bytes MessageBuilder::seal(std::uint32_t sequence, std::uint32_t export_seconds) noexcept {
  Writer header{std::span{room_}.first(message_header_octets)};
  header.number(version);
  header.number(static_cast<std::uint16_t>(written_));
  header.number(export_seconds);
  header.number(sequence);
  header.number(domain_.value);
  return Bytes{room_}.first(written_);
}

void MessageBuilder::clear() noexcept {
  written_ = message_header_octets;
  set_at_ = 0;
  data_records_ = 0;
}

}  // namespace weir::ipfix
