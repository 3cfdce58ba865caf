// SPDX-License-Identifier: BSD-3-Clause
// The one table of what a record can say: each element by its name, how its value comes about, and where it makes
// sense. Keys and templates of the settings are planned from it (plan.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <weir/details.hpp>
#include <weir/element.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "flow/options.hpp"
#include "flow/shape.hpp"

namespace weir::flow {

/// One packet as the columns of a record see it.
struct Sight {
  const Headers& headers;
  const Details& details;
  const Packet& packet;
  std::uint16_t interface;  ///< number + 1

  Word clock() const noexcept { return nanoseconds_since_epoch(packet.clock); }
};

/// What an ended record offers to the values that are made of it. Of one direction, where a value has one.
struct Ending {
  const std::byte* record;  ///< its key as exported: source before destination
  std::uint16_t address_octets;
  std::uint8_t protocol;
  std::uint16_t source_port, destination_port;
  Direction counts;         ///< of the value's direction
  Word one = 0, other = 0;  ///< the columns that the value needs
  Word flow = 0;            ///< hash of the key and the flow's start
};

/// How the value of an element comes about.
enum class How : std::uint8_t {
  // Columns: a function of each packet, gathered.
  first,         ///< of the flow's first packet in this direction; an active end changes nothing
  first_set,     ///< the first that is not 0; an active end changes nothing
  first_octets,  ///< of the flow's first packet, octets as they are on the wire
  minimum,
  maximum,
  united,        ///< bits of all packets
  united_later,  ///< bits of all packets but the flow's first in this direction
  sum,
  total,      ///< a sum that goes on over active ends
  payload,    ///< the first octets of payload; an active end changes nothing
  handshake,  ///< SYN, answer, ACK
  // Compiled: in the shape of every record. `place` says where.
  address,    ///< 0 source, 1 destination
  number,     ///< octet in the key's word of numbers
  direction,  ///< octet in the direction's block
  end,        ///< octet in RecordEnd
  // Of the ended record.
  derived,         ///< a function of Ending
  tunnel_text,     ///< the name that belongs to a number
  interface_name,  ///< of the ingress interface; the exporter knows it
  constant,        ///< a function of the settings
  refused,         ///< the meter cannot tell; `zero` says why
};

/// Where an element makes sense, and what it needs.
namespace trait {
inline constexpr std::uint16_t details = 1,  ///< Details, beside Headers
    only_4 = 2, only_6 = 4,
                               biflow = 8,  ///< of both directions together: none in a uniflow
    whole = 16,                             ///< of the flow, not of a direction: no reverse
    hidden = 32,                            ///< a column that others are made of; it has no name of its own
    time = 64,                              ///< a direction without packets has the other's
    counter = 128,                          ///< may not wrap in a reduced length
    bits = 256;                             ///< tcpControlBits: the upper four bits are not for export
}  // namespace trait

/// What a run settles at start, for values that never change.
struct Settled {
  const MeterOptions& options;
  std::uint8_t version;                        ///< 4 or 6
  std::uint8_t source_bits, destination_bits;  ///< of the addresses that are key
};

struct ElementSource {
  using Value = Word (*)(const Sight&) noexcept;
  using Octets = const std::byte* (*)(const Sight&) noexcept;
  using Make = Word (*)(const Ending&) noexcept;
  using Constant = std::uint64_t (*)(const Settled&) noexcept;

  std::string_view name{};
  DataType type{};  ///< as the registry has it
  How how{};
  std::uint8_t stored = 0;  ///< octets in memory
  std::uint16_t traits = 0;
  std::string_view zero{};  ///< when it is 0, for people; of a refused element why
  Value value = nullptr;
  Octets octets = nullptr;
  Make make = nullptr;
  Constant constant = nullptr;
  std::uint8_t place = 0;
  /// derived: columns that it is made of. `other` is that of the reverse direction in a biflow's whole values.
  std::string_view one{}, other{};
  std::string_view pair{};        ///< key: exchanged with this one in a biflow
  std::string_view reverse_of{};  ///< the reverse of another element under a name of its own

  constexpr bool is(std::uint16_t any) const noexcept { return (traits & any) != 0; }
  constexpr bool is_column() const noexcept { return how <= How::handshake; }
};

/// All of them, those with a name of their own; for the README and for who completes names.
std::span<const ElementSource> element_sources() noexcept;

/// By name; "reverse…" finds the element that it is the reverse of, and `reverse` says so.
struct FoundSource {
  const ElementSource* source = nullptr;
  bool reverse = false;
};
FoundSource find_source(std::string_view name) noexcept;

}  // namespace weir::flow
