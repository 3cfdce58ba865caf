// SPDX-License-Identifier: BSD-3-Clause
// Which worker a packet belongs to, whatever the key: all packets of a flow, in a biflow both ways, meet at one. By
// addresses where the key has any, so that fragments meet, too; else by the whole key.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "flow/options.hpp"
#include "flow/plan.hpp"
#include "flow/shard.hpp"

namespace weir::flow {

/// What a key that is not the usual one has.
struct SpreadKey {
  std::array<KeyPlan, 2> keys{};
  bool whole_addresses = true, any_address = true, ports = true, biflow = false;
};

class Spread {
 public:
  /// Throws StartError where key or templates make no sense.
  explicit Spread(const MeterOptions& options);

  /// 0 to shards - 1. `details` may be nullptr where the meters want none.
  unsigned shard_of(const Packet& packet, const Headers& headers, const Details* details,
                    unsigned shards) const noexcept {
    if (follows_addresses()) [[likely]]
      return flow::shard_of(headers, shards);
    return shard_by_key(packet, headers, details, shards);
  }

  /// Whether who spreads packets by both whole addresses, or by them and both ports, keeps flows together.
  bool follows_addresses() const noexcept { return !planned_ || planned_->whole_addresses; }
  /// Whether the fragments of a packet meet at one worker, whatever its ports.
  bool joins_fragments() const noexcept { return !planned_ || planned_->any_address; }
  bool follows_ports() const noexcept { return !planned_ || planned_->ports; }

 private:
  unsigned shard_by_key(const Packet& packet, const Headers& headers, const Details* details,
                        unsigned shards) const noexcept;

  std::optional<SpreadKey> planned_;
};

}  // namespace weir::flow
