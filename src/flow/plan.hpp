// SPDX-License-Identifier: BSD-3-Clause
// What key and templates of the settings make of a record, planned at start: which words of the key count, which
// columns lie behind the compiled shape, and what is made of them when a record ends.
//
//   live record    key, directions, clocks | further words of the key | columns
//   ended record   the same                                           | derived values
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>
#include <weir/record.hpp>

#include "flow/elements.hpp"
#include "flow/options.hpp"
#include "flow/shape.hpp"

namespace weir::flow {

/// A value that goes into one word of the key, or two where it is an IPv6 address.
struct KeyStep {
  ElementSource::Value value;
  ElementSource::Octets octets;
  std::uint8_t stored, word;
};

/// Which headers make a flow, of one family.
struct KeyPlan {
  static constexpr std::size_t extra_words_max = 16;

  std::array<Word, Key6::words> mask{};  ///< of the compiled words
  Word icmp_mask = 0;                    ///< of the word of numbers, where type and code stand in the place of ports
  std::vector<KeyStep> extra;
  std::vector<std::array<std::uint8_t, 2>> pairs;  ///< extra words that are exchanged with the ends
  std::size_t extra_words = 0;
  std::uint8_t source_bits = 0, destination_bits = 0;  ///< of the addresses
};

/// One column, and the packet's value that goes into it.
struct Step {
  ElementSource::Value value;
  ElementSource::Octets octets;
  std::uint16_t offset;
  How how;
  std::uint8_t stored;
};

/// A counter that ends its record before it outgrows what its template announces.
struct Limit {
  enum class Of : std::uint8_t { octets, packets, column };
  Word most;
  ElementSource::Value value;  ///< of a column
  std::uint16_t offset;
  Of of;
  std::uint8_t stored;
  bool total;  ///< an active end does not set it back; to outgrow does
};

/// A column that begins anew after an active end.
struct Reset {
  std::uint16_t offset;
  std::uint8_t stored;
  bool ones;
};

/// What a direction without packets exports in the place of a least or greatest value.
struct Fill {
  std::uint16_t offset, from;  ///< from 0: the value is 0
  std::uint8_t stored;
};

/// A value that is made when a record ends.
struct Derived {
  ElementSource::Make make;  ///< nullptr: the name of a tunnel
  std::uint16_t offset, one, other;
  std::uint8_t stored, one_stored, other_stored;
  bool reverse;
};

/// Everything beyond the compiled shape, of one family.
struct Extension {
  KeyPlan key;
  std::size_t key_at = 0;                        ///< the further words of the key
  std::size_t columns_at = 0;                    ///< behind them
  std::size_t live_octets = 0;                   ///< of a record in the table
  std::size_t ended_octets = 0;                  ///< of an ended one
  std::vector<std::byte> blank;                  ///< the columns of a new record, and of a direction without packets
  std::array<std::vector<Step>, 2> first, each;  ///< by direction: of its first packet, of every packet
  std::array<std::vector<Limit>, 2> limits;
  std::vector<Reset> resets;
  std::vector<Reset> totals;
  std::array<std::vector<Fill>, 2> fills;
  std::vector<Derived> derived;
  std::array<std::vector<std::uint8_t>, 2> template_of;  ///< without and with reverse packets, by protocol
  bool hashes_flow = false;
  std::size_t payload_octets = 0;
};

struct Plan {
  std::array<RecordLayout, 2> layouts;
  std::array<Extension, 2> extensions;
  bool needs_details = false;
};

/// Whether these options ask for the compiled records alone.
bool is_usual(const MeterOptions& options) noexcept;

/// Throws StartError with the reason.
Plan make_plan(const MeterOptions& options);

}  // namespace weir::flow
