// SPDX-License-Identifier: BSD-3-Clause
// Sequence numbers of one observation domain (RFC 7011 §3.1): Data Records sent before a message, modulo 2^32.
#pragma once

#include <cstdint>
#include <optional>

namespace weir::ipfix {

struct SequenceJump {
  enum class Way : std::uint8_t { ahead, back };  ///< ahead: records are missing; back: repeated, late or restarted
  Way way{};
  std::uint32_t expected = 0;
  std::uint32_t records = 0;  ///< how far
};

/// A jump is followed; what was expected before it stays in mind, so that one forged or late message does not make the
/// sound ones after it look wrong.
class SequenceCheck {
 public:
  /// A message with this number and so many Data Records has come.
  constexpr std::optional<SequenceJump> next(std::uint32_t number, std::uint32_t records) noexcept {
    const auto after = number + records;
    if (!expected_ || number == *expected_) {
      expected_ = after;
      return {};
    }
    if (number == other_) {
      other_ = *expected_;
      expected_ = after;
      return {};
    }
    const auto ahead = number - *expected_;
    const auto jump = ahead < 0x8000'0000u
                          ? SequenceJump{SequenceJump::Way::ahead, *expected_, ahead}
                          : SequenceJump{SequenceJump::Way::back, *expected_, std::uint32_t{0} - ahead};
    other_ = *expected_;
    expected_ = after;
    return jump;
  }

  /// A message has come whose records could not be counted: whatever comes next is believed.
  constexpr void lose_count() noexcept { expected_.reset(); }

 private:
  std::optional<std::uint32_t> expected_, other_;
};

}  // namespace weir::ipfix
