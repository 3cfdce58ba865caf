// SPDX-License-Identifier: BSD-3-Clause
// Which packets of a burst or slice a meter is to count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <weir/headers.hpp>

namespace weir::flow {

/// Their places, and whether there is a fragment among them: noted where their headers are at hand anyway.
class Chosen {
 public:
  explicit Chosen(std::size_t packets_max) : places_(packets_max) {}

  void clear() noexcept {
    count_ = 0;
    fragments_ = 0;
  }
  void add(std::size_t place, const Headers& headers) noexcept { add_if(true, place, headers); }
  /// Without a jump, for those that are all but always chosen.
  void add_if(bool chosen, std::size_t place, const Headers& headers) noexcept {
    places_[count_] = static_cast<std::uint16_t>(place);
    count_ += chosen;
    fragments_ |= chosen * static_cast<unsigned>(headers.fragment);
  }

  std::span<std::uint16_t> places() noexcept { return std::span{places_}.first(count_); }
  bool has_fragments() const noexcept { return fragments_ != 0; }

 private:
  std::vector<std::uint16_t> places_;
  std::size_t count_ = 0;
  unsigned fragments_ = 0;
};

}  // namespace weir::flow
