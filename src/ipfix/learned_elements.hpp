// SPDX-License-Identifier: BSD-3-Clause
// Elements that a sender described in options records (RFC 5610): what a session learned beyond the registry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <weir/element.hpp>
#include <weir/message.hpp>

namespace weir::ipfix {

/// Bounded, whatever a sender describes; the first description of an element stays.
class LearnedElements {
 public:
  static constexpr std::size_t elements_max = 4096, name_octets_max = 64;

  /// Takes note if the record describes an element under an enterprise number, by a name that is fit to be shown.
  void learn(std::span<const Value> record);

  /// Gives the field its element where the registry has none, or only one of the numbers for examples (RFC 5612). A
  /// description whose type does not allow the field's length does not count.
  void name(FieldSpecifier& field) const noexcept;

  std::size_t size() const noexcept { return elements_.size(); }

 private:
  struct Learned {
    Element element;
    std::string name;  ///< that element.name looks at
  };
  std::map<std::pair<std::uint32_t, std::uint16_t>, Learned> elements_;
};

}  // namespace weir::ipfix
