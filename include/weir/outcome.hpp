// SPDX-License-Identifier: BSD-3-Clause
// The one list of what can become of a packet. Enum, counters, summary, JSON and documentation come from it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir {

#define WEIR_OUTCOMES(X)                                                                                       \
  X(metered, "counted into a flow")                                                                            \
  X(filtered, "rejected by the filter")                                                                        \
  X(not_selected, "left out by sampling")                                                                      \
  X(link_unsupported, "came from an interface whose link type weir does not read")                             \
  X(not_ip, "neither IPv4 nor IPv6")                                                                           \
  X(truncated, "cut by the capture before the end of addresses, protocol and ports")                           \
  X(malformed_link, "the frame ends inside its link header, tags, labels or PPPoE header")                     \
  X(malformed_ip_version, "announced as IP by the link, but the version is neither 4 nor 6, or the other one") \
  X(malformed_ip_header, "IPv4 header length below 20 octets, or the IP header ends outside of the packet")    \
  X(malformed_ip_length, "the IP length is shorter than the IP header")                                        \
  X(malformed_extension, "an IPv6 extension header ends outside of the packet")                                \
  X(malformed_transport, "ports or ICMP type and code lie outside of the packet")

#define X(name, help) name,
enum class Outcome : std::uint8_t { WEIR_OUTCOMES(X) };
#undef X

struct OutcomeText {
  std::string_view name, help;
};
#define X(name, help) OutcomeText{#name, help},
inline constexpr auto outcome_texts = std::to_array<OutcomeText>({WEIR_OUTCOMES(X)});
#undef X

/// What is remarked of a packet beside its outcome. Counted, never subtracted from anything.
#define WEIR_NOTES(X)                                                                                \
  X(ip_length_beyond_frame, "the IP length reaches beyond the frame; octets are counted as claimed") \
  X(ip_length_zero, "IPv4 total length 0 (segmentation offload); octets are those on the wire")      \
  X(fragment_later, "a later fragment, metered with ports 0")                                        \
  X(late, "stamped earlier than a packet before it")                                                 \
  X(without_stamp, "without a usable stamp; took the packet clock")                                  \
  X(clock_jump, "stamped over an hour away from the packet before it")                               \
  X(nested_too_deep, "more tunnels inside of each other than are entered; metered at the last one")

#define X(name, help) name,
enum class Note : std::uint8_t { WEIR_NOTES(X) };
#undef X
#define X(name, help) OutcomeText{#name, help},
inline constexpr auto note_texts = std::to_array<OutcomeText>({WEIR_NOTES(X)});
#undef X

constexpr std::uint16_t note_bit(Note note) noexcept {
  return static_cast<std::uint16_t>(1u << static_cast<unsigned>(note));
}

constexpr std::string_view name_of(Outcome outcome) noexcept {
  return outcome_texts[static_cast<std::size_t>(outcome)].name;
}

}  // namespace weir
