// SPDX-License-Identifier: BSD-3-Clause
// One IPFIX Message in a buffer of fixed size: header, sets, records (RFC 7011 §3). Valid after every record.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>
#include <weir/bytes.hpp>
#include <weir/message.hpp>
#include <weir/units.hpp>

namespace weir::ipfix {

/// Sets are written without padding, which RFC 7011 §3.3.1 leaves free: a record of any length then needs no thought.
class MessageBuilder {
 public:
  MessageBuilder(std::size_t message_octets, DomainId domain)
      : room_(std::clamp(message_octets, message_header_octets, message_octets_max)), domain_{domain} {}

  /// Where to write a record of `octets` in set `set`: the open one if it is of that id, else a new one. nullptr, and
  /// nothing changed, if the message would outgrow its limit.
  std::byte* record(std::uint16_t set, std::size_t octets) noexcept;

  /// Writes the header; may be repeated, so that a message that had to wait leaves with the time it leaves at.
  /// RFC 7011 §3.1: `sequence` counts the Data Records sent before this message.
  Bytes seal(std::uint32_t sequence, std::uint32_t export_seconds) noexcept;

  void clear() noexcept;
  bool empty() const noexcept { return written_ == message_header_octets; }
  /// Records that advance the sequence: those of options count, templates do not (RFC 7011 §3.1).
  std::uint32_t data_records() const noexcept { return data_records_; }
  std::size_t octets() const noexcept { return written_; }

 private:
  std::vector<std::byte> room_;
  DomainId domain_;
  std::size_t written_ = message_header_octets;
  std::size_t set_at_ = 0;  ///< where the open set begins; 0: none
  std::uint16_t set_ = 0;
  std::uint32_t data_records_ = 0;
};

}  // namespace weir::ipfix
