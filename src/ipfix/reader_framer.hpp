// SPDX-License-Identifier: BSD-3-Clause
// A run of octets → IPFIX Messages, by their Length (RFC 7011 §10.4.3), finding its way again after damage (RFC 5655
// §10.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <weir/bytes.hpp>

namespace weir::ipfix {

/// What can be wrong with a message. It is discarded whole (RFC 7011 §9.1).
#define WEIR_DAMAGES(X)                                                                 \
  X(no_message, "no IPFIX message header (version 10) where one must begin")            \
  X(message_length, "message length is less than its header")                           \
  X(message_cut, "the input ends inside of the message")                                \
  X(message_sets, "the sets do not fill the message as its length says")                \
  X(set_length, "set length is less than its header or reaches beyond the message")     \
  X(set_header_cut, "the message ends inside of a set header")                          \
  X(template_cut, "a template reaches beyond its set")                                  \
  X(template_id, "a template has an id below 256")                                      \
  X(scope_count, "an options template has no scope field, or more of them than fields") \
  X(value_beyond_set, "a data record reaches beyond its set")                           \
  X(field_length, "a data set has a field reduced to a length that its type forbids")   \
  X(record_cut, "a data set is shorter than one record of its template")                \
  X(domain_limit, "too many observation domains in one session")

#define X(name, text) name,
enum class Damage : std::uint8_t { WEIR_DAMAGES(X) };
#undef X
std::string_view text_of(Damage damage) noexcept;

/// Where it was noticed, counted from the start of the input, and how many octets are left out because of it.
struct Damaged {
  Damage what{};
  std::uint64_t offset = 0;
  std::uint64_t octets_skipped = 0;
};

/// The caller owns the octets: it shows those not yet consumed, and drops what a step consumed before the next step.
/// A window of `window_octets_min` is always enough for a step; a smaller one may ask for more.
class Framer {
 public:
  static constexpr std::size_t window_octets_min = 2 * 65536;

  enum class Found : std::uint8_t { message, damage, more_needed, end };
  enum class Input : std::uint8_t { goes_on, ends_here };  ///< after the window
  struct Step {
    Found found{};
    std::size_t consumed = 0;
    Bytes message{};           ///< Found::message; the first octets of the window
    std::uint64_t offset = 0;  ///< of the message in the input
    Damaged damaged{};         ///< Found::damage
  };

  Step next(Bytes window, Input input) noexcept;

 private:
  Step next_message(Bytes window, Input input) noexcept;
  Step search(Bytes window, Input input) noexcept;
  Step stop_search(std::size_t consumed) noexcept;
  Step consume(Step step) noexcept;

  std::uint64_t offset_ = 0;  ///< of the window's first octet
  struct Search {
    Damage why{};
    std::uint64_t start = 0;
  };
  std::optional<Search> search_;
};

}  // namespace weir::ipfix
