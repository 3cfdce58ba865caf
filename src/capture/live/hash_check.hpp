// SPDX-License-Identifier: BSD-3-Clause
// Whether the hashes that a queue's packets carry are those that the port was told to make. A port that hashes
// something else (inner headers of a tunnel, a key of its own) may split flows, whatever it answers when asked.
#pragma once

#include <cstdint>
#include <string>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>

#include "capture/live/toeplitz.hpp"

namespace weir::capture {

/// One per queue, written by its worker alone. Takes no memory after construction.
class HashCheck {
 public:
  enum class Verdict : std::uint8_t { undecided, agrees, differs };
  static constexpr std::uint32_t packets_usual = 64;

  HashCheck(Bytes key, RssFields fields, std::uint32_t packets = packets_usual) noexcept
      : toeplitz_{key}, fields_{fields}, packets_{packets} {}

  /// No more need be shown.
  bool finished() const noexcept { return compared_ == packets_; }

  /// An IP packet's headers and the hash it carried. Packets beyond the first `packets` change nothing.
  void compare(const Headers& headers, std::uint32_t hash) noexcept;

  /// The first hash that differs decides; `agrees` needs all.
  Verdict verdict() const noexcept {
    if (differing_ > 0) return Verdict::differs;
    return finished() ? Verdict::agrees : Verdict::undecided;
  }
  std::uint32_t compared() const noexcept { return compared_; }
  std::uint32_t differing() const noexcept { return differing_; }

  /// For the log, of all verdicts.
  std::string sentence() const;

 private:
  Toeplitz toeplitz_;
  RssFields fields_;
  std::uint32_t packets_, compared_ = 0, differing_ = 0;
  Headers example_{};  ///< the first that differs
  std::uint32_t example_hash_ = 0;
};

}  // namespace weir::capture
