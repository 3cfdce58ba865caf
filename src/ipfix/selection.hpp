// SPDX-License-Identifier: BSD-3-Clause
// How packets are selected, as a collector is told (RFC 5476 §6.5): one selector, and the sequences that it selects
// from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

namespace weir::ipfix {

// A selector as it lies in memory; options.cpp has the tables that say how it is announced. Algorithms are numbered by
// IANA (psamp-parameters).

/// RFC 5476 §6.5.2.1: `interval` packets are selected, then `space` are not. One and none is every packet.
struct SystematicSelector {
  std::uint64_t id = 0;
  std::uint32_t interval = 1, space = 0;
  std::uint16_t algorithm = 1;
  std::array<std::uint16_t, 3> unused{};
};
/// RFC 5476 §6.5.2.3.
struct RandomSelector {
  std::uint64_t id = 0;
  std::uint32_t size = 1, population = 1;
  std::uint16_t algorithm = 3;
  std::array<std::uint16_t, 3> unused{};
};
/// RFC 5476 §6.5.2.6, by BOB. The initialiser is not told: who knows it can make packets that are never selected, and
/// the RFC leaves it out for that.
struct HashSelector {
  static constexpr std::uint8_t no = 2;  ///< of the data type boolean, RFC 7011 §6.1.5

  std::uint64_t id = 0;
  std::uint64_t payload_offset = 0, payload_octets = 0;
  std::uint64_t output_min = 0, output_max = 0xffff'ffff;
  std::uint64_t selected_min = 0, selected_max = 0xffff'ffff;
  std::uint16_t algorithm = 6;
  std::uint8_t digest_output = no;
  std::array<std::uint8_t, 5> unused{};
};
using Selector = std::variant<SystematicSelector, RandomSelector, HashSelector>;

/// What is to be told: a selector (its id is given later), and ingressInterface of each Observation Point where packets
/// pass through an instance of it; 0 is all interfaces together. No Observation Points: nothing is sampled.
struct SelectionPlan {
  Selector selector{};
  std::vector<std::uint32_t> interfaces{};
};

/// RFC 5476 §6.5.1 and §6.5.3: one stream of packets through one instance of the selector.
struct SelectionSequence {
  std::uint64_t id = 0, selector = 0;
  std::uint64_t observed = 0, selected = 0;  ///< packets
  std::uint32_t interface = 0, unused = 0;
};

/// What is in force. Ids count on from one plan to the next, so none ever names two things.
class Selection {
 public:
  static constexpr std::size_t sequences_max = 1024;  ///< room for them is taken at start; those beyond are not told of

  explicit Selection(const SelectionPlan& plan = {});

  void change(const SelectionPlan& plan) noexcept;
  /// Totals of one sequence, by its place in the plan.
  void count(std::size_t sequence, std::uint64_t observed, std::uint64_t selected) noexcept;

  const Selector& selector() const noexcept { return selector_; }
  std::span<const SelectionSequence> sequences() const noexcept { return sequences_; }
  bool sampled() const noexcept { return !sequences_.empty(); }

 private:
  Selector selector_;
  std::vector<SelectionSequence> sequences_;
  std::uint64_t selector_id_ = 0, sequence_id_ = 0;
};

}  // namespace weir::ipfix
