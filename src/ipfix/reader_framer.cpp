// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/reader_framer.hpp"

#include <cstring>
#include <string_view>
#include <weir/message.hpp>

namespace weir::ipfix {
namespace {

/// What stands where the next message must begin.
enum class Follows : std::uint8_t { message, end, other, unknown };

bool is_version(const std::byte* at) noexcept { return load_be<std::uint16_t>(at) == version; }
std::size_t length_at(const std::byte* message) noexcept { return load_be<std::uint16_t>(message + 2); }

Follows follows_at(Bytes window, std::size_t place, Framer::Input input) noexcept {
  const bool ends_here = input == Framer::Input::ends_here;
  if (place > window.size()) return ends_here ? Follows::other : Follows::unknown;
  if (window.size() - place >= 2) return is_version(window.data() + place) ? Follows::message : Follows::other;
  if (!ends_here) return Follows::unknown;
  return place == window.size() ? Follows::end : Follows::other;
}

/// Whether sets fill the message, as far as its first sets tell. The bound keeps a search through hostile octets
/// linear.
template <class Accept>
bool sets_fit(Bytes message, Accept accept) noexcept {
  constexpr int sets_looked_at = 64;
  auto left = message.subspan(message_header_octets);
  for (int i = 0; i < sets_looked_at && !left.empty(); ++i) {
    if (left.size() < set_header_octets) return false;
    const auto octets = length_at(left.data());
    if (octets < set_header_octets || octets > left.size() || !accept(left.first(octets))) return false;
    left = left.subspan(octets);
  }
  return true;
}

/// A length that is wrong by whole messages makes those look like sets with the reserved id 10.
bool is_no_message(Bytes set) noexcept {
  if (!is_version(set.data()) || set.size() <= message_header_octets) return true;
  return !sets_fit(set, [](Bytes) { return true; });
}
bool sets_fit(Bytes message) noexcept { return sets_fit(message, is_no_message); }

/// The place of the next 00 0a, or the end.
std::size_t find_version(Bytes window, std::size_t from) noexcept {
  while (from < window.size()) {
    const void* zero = std::memchr(window.data() + from, 0, window.size() - from);
    if (!zero) return window.size();
    from = static_cast<std::size_t>(static_cast<const std::byte*>(zero) - window.data());
    if (from + 1 == window.size() || window[from + 1] == std::byte{version}) return from;
    ++from;
  }
  return window.size();
}

}  // namespace

std::string_view text_of(Damage damage) noexcept {
#define X(name, text) std::string_view{text},
  static constexpr auto texts = std::to_array<std::string_view>({WEIR_DAMAGES(X)});
#undef X
  return texts[static_cast<std::size_t>(damage)];
}

Framer::Step Framer::next(Bytes window, Input input) noexcept {
  return consume(search_ ? search(window, input) : next_message(window, input));
}

Framer::Step Framer::consume(Step step) noexcept {
  offset_ += step.consumed;
  return step;
}

Framer::Step Framer::next_message(Bytes window, Input input) noexcept {
  const bool goes_on = input == Input::goes_on;
  const auto damage = [&](Damage why) noexcept {
    search_ = Search{why, offset_};
    return search(window, input);
  };
  if (window.empty()) return {.found = goes_on ? Found::more_needed : Found::end};
  if (window.size() < 4 && goes_on) return {.found = Found::more_needed};
  if (window.size() < 2 || !is_version(window.data())) return damage(Damage::no_message);
  if (window.size() < 4) return damage(Damage::message_cut);
  const auto octets = length_at(window.data());
  if (octets < message_header_octets) return damage(Damage::message_length);
  if (octets > window.size()) return goes_on ? Step{.found = Found::more_needed} : damage(Damage::message_cut);

  const auto message = window.first(octets);
  // Malformed inside, or its length is wrong: either way the next message is looked for from here.
  if (!sets_fit(message)) return damage(Damage::message_sets);
  return {.found = Found::message, .consumed = octets, .message = message, .offset = offset_};
}

/// RFC 5655 §10.3: find a version number, follow the length behind it, and require another version number or the end of
/// the input there. That sets fill the message is required too.
Framer::Step Framer::search(Bytes window, Input input) noexcept {
  const bool goes_on = input == Input::goes_on;
  for (std::size_t place = 0;; ++place) {
    place = find_version(window, place);
    const auto left = place < window.size() ? window.size() - place : 0;
    if (left < message_header_octets) {
      if (goes_on) return {.found = Found::more_needed, .consumed = std::min(place, window.size())};
      return stop_search(window.size());
    }
    const auto octets = length_at(window.data() + place);
    if (octets < message_header_octets) continue;
    const auto follows = follows_at(window, place + octets, input);
    if (follows == Follows::unknown) return {.found = Found::more_needed, .consumed = place};
    if (follows != Follows::other && sets_fit(window.subspan(place, octets))) return stop_search(place);
  }
}

Framer::Step Framer::stop_search(std::size_t consumed) noexcept {
  const Damaged damaged{search_->why, search_->start, offset_ + consumed - search_->start};
  search_.reset();
  return {.found = Found::damage, .consumed = consumed, .damaged = damaged};
}

}  // namespace weir::ipfix
