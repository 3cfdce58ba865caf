// SPDX-License-Identifier: BSD-3-Clause
// The table of Information Elements, and the reverse elements that RFC 5103 derives from it.
#include <algorithm>
#include <array>
#include <tuple>
#include <weir/element.hpp>

namespace weir {
namespace {

constexpr auto registered = std::to_array<Element>({
#define X(pen, id, name, type, semantics, units) {pen, id, DataType::type, Semantics::semantics, name, units},
#include "ipfix/registry.inc"
#undef X
});

/// CERT's registry marks the reverse of an element by this bit of its id (RFC 5103 §6.2), and so does weir for its own.
constexpr std::uint16_t reverse_bit = 0x4000;
constexpr std::string_view reverse_prefix = "reverse";

constexpr bool has_reverse(const Element& element) noexcept {
  return element.pen == enterprise::iana || element.pen == enterprise::cert || element.pen == enterprise::own;
}

constexpr std::size_t reverse_count = std::ranges::count_if(registered, has_reverse);
constexpr std::size_t reverse_name_octets = [] {
  std::size_t sum = 0;
  for (const auto& element : registered)
    if (has_reverse(element)) sum += reverse_prefix.size() + element.name.size();
  return sum;
}();

constexpr auto key_of(const Element& element) noexcept { return std::tuple{element.pen, element.id}; }
constexpr bool before(const Element& a, const Element& b) noexcept { return key_of(a) < key_of(b); }
static_assert(std::ranges::is_sorted(registered, before), "registry.inc is searched by halves");

/// Everything that can be found, sorted by number and by name. Made once; needs no heap.
class Registry {
 public:
  Registry() noexcept {
    auto* end = std::ranges::copy(registered, elements_.begin()).out;
    char* room = names_.data();
    for (const auto& element : registered)
      if (has_reverse(element)) *end++ = reverse_of(element, room);
    std::ranges::sort(elements_, before);
    std::ranges::transform(elements_, by_name_.begin(), [](const auto& element) { return &element; });
    std::ranges::sort(by_name_, {}, [](auto* element) { return std::tuple{element->name, element->pen, element->id}; });
  }

  const Element* find(std::uint32_t pen, std::uint16_t id) const noexcept {
    const auto at = std::ranges::lower_bound(elements_, std::tuple{pen, id}, {}, key_of);
    return at != elements_.end() && key_of(*at) == std::tuple{pen, id} ? &*at : nullptr;
  }

  const Element* find(std::string_view name) const noexcept {
    const auto at = std::ranges::lower_bound(by_name_, name, {}, [](auto* element) { return element->name; });
    return at != by_name_.end() && (*at)->name == name ? *at : nullptr;
  }

  std::span<const Element> all() const noexcept { return elements_; }

 private:
  /// "octetDeltaCount" → "reverseOctetDeltaCount", written to `room`, which moves on.
  static Element reverse_of(Element element, char*& room) noexcept {
    char* const start = room;
    room = std::ranges::copy(reverse_prefix, room).out;
    char* const first = room;
    room = std::ranges::copy(element.name, room).out;
    if (*first >= 'a' && *first <= 'z') *first = static_cast<char>(*first - 'a' + 'A');
    element.name = {start, static_cast<std::size_t>(room - start)};
    if (element.pen == enterprise::iana) element.pen = enterprise::reverse;
    else element.id |= reverse_bit;
    return element;
  }

  std::array<char, reverse_name_octets> names_{};
  std::array<Element, registered.size() + reverse_count> elements_{};
  std::array<const Element*, registered.size() + reverse_count> by_name_{};
};

const Registry& registry() noexcept {
  static const Registry all;
  return all;
}

}  // namespace

const Element* find_element(std::uint32_t pen, std::uint16_t id) noexcept { return registry().find(pen, id); }
const Element* find_element(std::string_view name) noexcept { return registry().find(name); }
std::span<const Element> all_elements() noexcept { return registry().all(); }

}  // namespace weir
