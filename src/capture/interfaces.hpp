// SPDX-License-Identifier: BSD-3-Clause
// The interfaces of the whole input, numbered from 0.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>
#include <weir/packet.hpp>

namespace weir::capture {

struct Interface {
  std::string name;               ///< empty where the capture does not say
  std::uint32_t link_number = 0;  ///< LINKTYPE_…
  Link link = Link::unsupported;
};

/// An interface is the same in a later section or file if number there, name and link type are: then it keeps its
/// number here. Two of one section have different numbers there, so they never become one.
class Interfaces {
 public:
  static constexpr std::size_t count_max = 65'535;
  static constexpr std::size_t name_octets_max = 255;

  Interfaces() { all_.reserve(count_max); }

  /// The number of an interface over the whole input; nothing if there are too many.
  std::optional<std::uint16_t> number_of(std::uint32_t id, std::string_view name, std::uint32_t link_number);

  /// Called for the first packet of an interface in a section or file.
  void use(std::uint16_t number);
  /// The interfaces whose first packet came since the last call.
  std::vector<std::uint16_t> newly_used() noexcept { return std::exchange(newly_used_, {}); }

  /// May be called by another thread while numbers are given.
  std::span<const Interface> all() const noexcept { return {all_.data(), count_.load(std::memory_order_acquire)}; }

 private:
  using Identity = std::tuple<std::uint32_t, std::uint32_t, std::string>;
  std::vector<Interface> all_;  // never moves
  std::atomic<std::size_t> count_{0};
  std::vector<bool> used_;
  std::vector<std::uint16_t> newly_used_;
  std::map<Identity, std::uint16_t> numbers_;
};

}  // namespace weir::capture
