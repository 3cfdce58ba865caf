// SPDX-License-Identifier: BSD-3-Clause
// What settings ask of the second stage: which IP packet is metered, what else of it is read, and whose packet it is.
#pragma once

#include <span>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "app/settings.hpp"
#include "decode/decode.hpp"
#include "flow/layout.hpp"
#include "flow/plan.hpp"
#include "flow/spread.hpp"

namespace weir::app {

struct Decoding {
  Decoding(decode::Tunnels which, const flow::MeterOptions& options)
      : tunnels{which}, details{flow::needs_details(options)}, brief{flow::is_usual(options)}, spread{options} {}

  decode::Tunnels tunnels;
  bool details;  ///< whether meters are given any
  bool brief;    ///< whether meters count packets that are put down briefly
  flow::Spread spread;

  bool in_full() const noexcept { return details || tunnels == decode::Tunnels::inner; }
  /// Whether decode_briefly() is of use.
  bool to_brief() const noexcept { return brief && !in_full(); }

  /// Each packet of the burst into the same place of the others; `into` may be empty where there are no details.
  /// True as decode_burst() says it.
  bool decode(Burst burst, std::span<Headers> headers, std::span<Details> into,
              std::span<Outcome> outcomes) const noexcept {
    if (!in_full()) [[likely]]
      return decode::decode_burst(burst, headers, outcomes);
    decode::decode_burst(burst, tunnels, headers, into, outcomes);
    return false;
  }
};

}  // namespace weir::app
