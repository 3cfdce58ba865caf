// SPDX-License-Identifier: BSD-3-Clause
// The packets of one family in a burst, between the stages of the meter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "base/prefetch.hpp"
#include "flow/account.hpp"
#include "flow/key.hpp"
#include "flow/plan.hpp"
#include "flow/shape.hpp"

namespace weir::flow {

struct Nothing {};

/// What columns are made from, and the key's further words.
struct Seen {
  std::array<std::array<Word, KeyPlan::extra_words_max>, burst_size> extra;
  std::array<const Details*, burst_size> details;
};

template <class S, bool Extended>
struct Pending {
  static constexpr bool extended = Extended;
  std::size_t size = 0;
  std::array<const Packet*, burst_size> packet;
  std::array<const Headers*, burst_size> headers;
  std::array<typename S::Key, burst_size> key;
  std::array<std::uint64_t, burst_size> hash;
  std::array<bool, burst_size> exchanged, echo_reply;
  std::array<std::byte*, burst_size> likely;  ///< the record, if its tag did not lie and none was erased since
  [[no_unique_address]] std::conditional_t<Extended, Seen, Nothing> seen;

  void put_down(std::size_t at, const Packet& its_packet, const Headers& its_headers,
                [[maybe_unused]] const Details* its_details) noexcept {
    packet[at] = &its_packet;
    headers[at] = &its_headers;
    if constexpr (Extended) seen.details[at] = its_details;
  }

  Arrival arrival(std::size_t i) const noexcept {
    return {nanoseconds_since_epoch(packet[i]->clock), milliseconds_since_epoch(packet[i]->stamp), interface(i),
            exchanged[i], echo_reply[i]};
  }
  Sight sight(std::size_t i) const noexcept { return {*headers[i], *seen.details[i], *packet[i], interface(i)}; }

 private:
  std::uint16_t interface(std::size_t i) const noexcept { return static_cast<std::uint16_t>(packet[i]->interface + 1); }
};

/// The packets of `which` by family, those of `next` on their way: another core may have written them. Each is put down
/// for both, and stays with its own: a jump would be foreseen wrongly too often. Returns the sum of their octets.
template <class Four, class Six>
std::uint64_t tell_apart(Four& fours, Six& sixes, Burst packets, std::span<const Headers> headers,
                         std::span<const Details> details, std::span<const std::uint16_t> which,
                         std::span<const std::uint16_t> next) noexcept {
  static constexpr Details no_details{};
  std::size_t four = 0;
  std::uint64_t octets = 0;
  for (std::size_t n = 0; n < which.size(); ++n) {
    const auto i = which[n], coming = n < next.size() ? next[n] : i;
    prefetch(&packets[coming]);
    prefetch(&headers[coming]);
    if constexpr (Four::extended)
      if (!details.empty()) prefetch(&details[coming], sizeof(Details));
    octets += headers[i].octets;
    const auto* detail = details.empty() ? &no_details : &details[i];
    fours.put_down(four, packets[i], headers[i], detail);
    sixes.put_down(n - four, packets[i], headers[i], detail);
    four += headers[i].version == IpVersion::v4;
  }
  fours.size = four;
  sixes.size = which.size() - four;
  return octets;
}

}  // namespace weir::flow
