// SPDX-License-Identifier: BSD-3-Clause
// Decoding where the meter counts packets that are put down briefly: most go the straight road into a parcel, and
// nothing else is asked of them.
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "app/parcel.hpp"
#include "app/tallies.hpp"
#include "decode/ahead.hpp"
#include "decode/decode.hpp"
#include "decode/straight.hpp"
#include "flow/shard.hpp"

namespace weir::app {

/// All into one parcel.
struct ToOne {
  Parcel& parcel;
  Parcel& of_ipv4(__m128i) const noexcept { return parcel; }
  Parcel& of_ipv6(const Headers&) const noexcept { return parcel; }
};

/// By addresses, into one parcel a shard.
struct ToShards {
  Parcel* parcels;
  unsigned shards;
  Parcel& of_ipv4(__m128i key) const noexcept {
    return parcels[flow::shard_of_ipv4(static_cast<std::uint64_t>(_mm_cvtsi128_si64(key)), shards)];
  }
  Parcel& of_ipv6(const Headers& headers) const noexcept { return parcels[flow::shard_of_ipv6(headers, shards)]; }
};

/// Decodes and puts down what goes the straight road, and calls `other(i)` for any other packet, in order.
template <class To, class Other>
[[gnu::always_inline]] inline void decode_briefly(Burst packets, const To& to, PacketTallies& tallies,
                                                  Other other) noexcept {
  Tally straight;
  const auto one = [&](std::size_t i) __attribute__((always_inline)) {
    const auto& packet = packets[i];
    if (!decode::straight::is_plain(packet)) [[unlikely]]
      return other(i);
    if (decode::straight::Ipv4 ipv4; decode::straight::read_ipv4(packet, ipv4)) {
      to.of_ipv4(ipv4.from_addresses).put_briefly(ipv4.from_addresses, ipv4.from_octets, packet);
    } else if (Headers headers; decode::straight::decode_ipv6(packet, headers)) {
      to.of_ipv6(headers).put_briefly_by_parts(headers, packet);
    } else {
      return other(i);
    }
    straight += {1, packet.wire};
  };
  decode::for_each_ahead(packets, one);
  tallies.add_metered(straight);
}

/// A packet that was decoded otherwise; `details` are not asked for where the parcel was made without.
inline void put_down(const Packet& packet, const Headers& headers, const Details* details, bool brief,
                     Parcel& parcel) noexcept {
  if (brief && flow::can_be_brief(headers)) parcel.put_briefly(headers, packet);
  else parcel.put(packet, headers, details);
}

/// By the chain, but for a packet of which something is noted: it is not plain, and may go the straight road all the
/// same.
inline Outcome decode_other(const Packet& packet, Headers& headers) noexcept {
  return packet.notes == 0 ? decode::decode_by_the_chain(packet, headers) : decode::decode(packet, headers);
}

}  // namespace weir::app
