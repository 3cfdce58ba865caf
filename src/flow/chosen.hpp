// SPDX-License-Identifier: BSD-3-Clause
// Which packets of a burst or slice a meter is to count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>

namespace weir::flow {

/// Their places, and whether there is a fragment among them: noted where their headers are at hand anyway.
class Chosen {
 public:
  explicit Chosen(std::size_t packets_max) : places_(packets_max + 1) {}  // one is written beyond those chosen

  void clear() noexcept {
    count_ = 0;
    fragments_ = 0;
  }
  void add(std::size_t place, const Headers& headers) noexcept {
    places_[count_++] = static_cast<std::uint16_t>(place);
    if (headers.fragment != Fragment::none) [[unlikely]]
      fragments_ = 1;
  }
  /// Those that are metered, as all but a few are: without a jump. The first one's place is `begin`. `plain`: they are
  /// all metered, and none is a fragment.
  void add_metered(std::size_t begin, std::span<const Headers> headers, std::span<const Outcome> outcomes,
                   bool plain) noexcept {
    auto* at = places_.data() + count_;
    unsigned fragments = 0;
    if (plain) {
      count_ += outcomes.size();
      return std::iota(at, places_.data() + count_, static_cast<std::uint16_t>(begin));
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const bool metered = outcomes[i] == Outcome::metered;
      *at = static_cast<std::uint16_t>(begin + i);
      at += metered;
      fragments |= metered * static_cast<unsigned>(headers[i].fragment);
    }
    count_ = static_cast<std::size_t>(at - places_.data());
    fragments_ |= fragments;
  }

  /// The first so many, and whether there is a fragment among them.
  void choose_all(std::size_t count, bool fragments) noexcept {
    count_ = count;
    fragments_ = fragments ? 1 : 0;
    std::iota(places_.data(), places_.data() + count, std::uint16_t{0});
  }

  std::span<const std::uint16_t> places() const noexcept { return std::span{places_}.first(count_); }
  std::span<std::uint16_t> places() noexcept { return std::span{places_}.first(count_); }
  bool has_fragments() const noexcept { return fragments_ != 0; }

 private:
  std::vector<std::uint16_t> places_;
  std::size_t count_ = 0;
  unsigned fragments_ = 0;
};

}  // namespace weir::flow
