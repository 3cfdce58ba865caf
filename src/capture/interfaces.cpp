// SPDX-License-Identifier: BSD-3-Clause
#include "capture/interfaces.hpp"

namespace weir::capture {

std::optional<std::uint16_t> Interfaces::number_of(std::uint32_t id, std::string_view name, std::uint32_t link_number) {
  const Identity identity{id, link_number, name.substr(0, name_octets_max)};
  if (const auto found = numbers_.find(identity); found != numbers_.end()) return found->second;
  if (all_.size() == count_max) return {};

  const auto number = static_cast<std::uint16_t>(all_.size());
  numbers_.emplace(identity, number);
  all_.push_back({std::get<std::string>(identity), link_number, link_from_number(link_number)});
  used_.push_back(false);
  count_.store(all_.size(), std::memory_order_release);
  return number;
}

void Interfaces::use(std::uint16_t number) {
  if (used_[number]) return;
  used_[number] = true;
  newly_used_.push_back(number);
}

}  // namespace weir::capture
