// SPDX-License-Identifier: BSD-3-Clause
// Traffic made in memory, for measuring: an endless stream of Ethernet frames by one seed, made a stretch at a time and
// handed out in bursts as a receive queue does. What it made is known by flow, so that records can be checked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <weir/packet.hpp>

#include "base/hash.hpp"
#include "base/pages.hpp"
#include "capture/synthetic_sums.hpp"

namespace weir::capture {

/// How packets fall on the flows that are alive. zipf: number n, counted from 1, in proportion to 1 / n^skew.
enum class Popularity : std::uint8_t { uniform, zipf };
/// Octets of frames as links count them, checksum included; IMIX is 64, 594 and 1518 octets, seven to four to one. A
/// frame that is too short for its headers is as long as they are.
enum class FrameSizes : std::uint8_t { octets_64, imix, octets_1518 };
/// mixed: nine flows of ten are TCP, the others UDP; a TCP flow begins with SYN. syn_flood: TCP with SYN, all of it.
enum class TrafficKind : std::uint8_t { mixed, syn_flood };

inline constexpr std::size_t frame_check_octets = 4;  ///< no NIC hands them over
/// Mean octets of a frame, checksum included.
double mean_octets(FrameSizes sizes) noexcept;

struct SyntheticOptions {
  std::uint64_t flows = 1u << 20;  ///< that send packets at any time; at most flows_max
  Popularity popularity = Popularity::uniform;
  double skew = 1.1;
  FrameSizes sizes = FrameSizes::octets_64;
  TrafficKind kind = TrafficKind::mixed;
  double ipv6_share = 0;            ///< of flows
  double answered_share = 0;        ///< of flows: the other end sends half of their packets
  double new_share = 0;             ///< of packets: begin a flow, in the place of one that falls silent
  double packets_per_second = 1e7;  ///< what the stamps say
  std::uint64_t seed = 1;
  std::size_t packets = 1u << 22;  ///< of one stretch

  /// Flows have numbers below this over the whole stream.
  static constexpr std::uint64_t flows_max = std::uint64_t{1} << 30;
};

/// Uniform numbers of 64 bits.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_{seed} {}
  std::uint64_t word() noexcept { return next_word(state_); }
  double unit() noexcept { return static_cast<double>(word() >> 11) * 0x1p-53; }  ///< 0 ≤ x < 1
  /// 0 … bound - 1; the bound is at most 2^32.
  std::uint64_t below(std::uint64_t bound) noexcept { return (word() >> 32) * bound >> 32; }

 private:
  std::uint64_t state_;
};

/// Draws 0 … count - 1. Zipf by rejection-inversion (W. Hörmann, G. Derflinger: ACM TOMACS 6 (3), 1996): exact, without
/// a table, so that sixteen million flows cost no more than a thousand.
class PopularityDraw {
 public:
  PopularityDraw(Popularity popularity, double skew, std::uint64_t count) noexcept;
  std::uint64_t operator()(Random& random) const noexcept;

 private:
  double integral(double x) const noexcept;
  double integral_inverse(double x) const noexcept;
  double density(double x) const noexcept;

  Popularity popularity_;
  double skew_;
  std::uint64_t count_;
  double first_ = 0, last_ = 0, squeeze_ = 0;
};

class SyntheticTraffic {
 public:
  /// What one receive() brings at most: as many as a live queue.
  static constexpr std::size_t received_max = 8 * burst_size;

  /// Throws std::bad_alloc.
  explicit SyntheticTraffic(const SyntheticOptions& options);

  /// The next stretch is one packet of each flow that is alive, so many of them as fit; false once all were sent. Then
  /// make() the stream.
  bool introduce() noexcept;
  /// The next stretch of the stream, in the place of the last one, which must have been received.
  void make() noexcept;

  /// Up to received_max packets of the stretch, as capture::Queue builds them from a driver's buffers: one stamp for
  /// all. Empty at its end. They stay until the next call.
  std::span<Packet> receive() noexcept;

  /// All that was made so far, by flow; flows() of them.
  const FlowSums& sums() const noexcept { return sums_; }
  std::uint64_t flows() const noexcept { return seen_.size(); }
  /// The flow's number, by the last four octets of its source or destination address; either will do.
  std::uint32_t flow_of(std::uint32_t address) const noexcept;
  /// Memory that the frames of the stretch take: what is read of them, in whole lines.
  std::size_t octets_in_memory() const noexcept { return next_slot_ * slot_octets; }
  /// Octets of all frames made so far as links carry them: with checksum, preamble and gap left out.
  std::uint64_t wire_octets() const noexcept { return wire_octets_; }

 private:
  static constexpr std::size_t slot_octets = 64, slots_max = 2;  ///< a line, and how many the longest headers take
  enum class Step : std::uint8_t { begin, forward, reply_if_answered };

  /// Like a driver's: where the frame lies, in slots, and how long it is.
  struct Descriptor {
    std::uint32_t slot;
    std::uint16_t captured, wire;
  };

  void put(std::uint32_t flow, Step step) noexcept;
  std::uint32_t client_of(std::uint32_t flow) const noexcept;
  std::uint32_t server_of(std::uint32_t flow) const noexcept;
  std::size_t frame_size() noexcept;
  void clear() noexcept;

  SyntheticOptions options_;
  Random random_;
  PopularityDraw draw_;
  std::uint32_t address_offset_;
  std::vector<std::uint32_t> alive_;  ///< flow numbers by place; empty where no flow ever begins
  std::uint64_t next_flow_, introduced_ = 0;
  std::vector<Descriptor> descriptors_;
  Pages frames_;
  std::size_t next_slot_ = 0, next_received_ = 0;
  std::uint64_t sent_ = 0, wire_octets_ = 0;
  FlowSums sums_;
  FlowSet seen_;
  std::array<Packet, received_max> packets_{};
};

}  // namespace weir::capture
