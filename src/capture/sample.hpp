// SPDX-License-Identifier: BSD-3-Clause
// Sampling: which packets of an Observation Point are looked at at all (RFC 5475). It comes before the filter.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <weir/bytes.hpp>
#include <weir/packet.hpp>

namespace weir::capture {

enum class SamplingMethod : std::uint8_t {
  off,         ///< every packet
  systematic,  ///< RFC 5475 §5.1, count-based: `interval` packets are selected, `space` are not, and so on
  random,      ///< RFC 5475 §5.2.1: of every `population` packets `size` are selected, each set of them equally likely
  hash,        ///< RFC 5475 §6.2: those whose content hashes into a range; the same ones wherever they are seen
};

struct SamplingOptions {
  SamplingMethod method = SamplingMethod::off;
  std::uint32_t interval = 1, space = 99;
  std::uint32_t size = 1, population = 100;

  // What is hashed, by BOB (RFC 5476 §6.5.2.6). IPv4: identification, flags, fragment offset, both addresses. IPv6, of
  // which the RFC says nothing: payload length, next header, both addresses. Of either, then, octets of the payload,
  // which begins behind the IPv4 options or behind IPv6's first 40 octets. None of it changes on the way of a packet
  // that is not fragmented or translated. Where payload is missing (not captured, or beyond the IP length) what is
  // there is hashed. A packet without an IP header is never selected: there is nothing to select it by.
  std::uint32_t hash_one_in = 100;  ///< the range is this part of all values
  std::uint32_t hash_initialiser = 0;
  std::uint32_t hash_payload_offset = 0, hash_payload_octets = 16;

  static constexpr std::uint32_t hash_payload_octets_max = 64;
  /// The greatest value that is selected; the least is 0. 2^32 values for one in 1.
  constexpr std::uint32_t hash_selected_max() const noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{1} << 32) / hash_one_in - 1);
  }
  friend bool operator==(const SamplingOptions&, const SamplingOptions&) = default;
};

/// Throws StartError if no sampler can be made of them.
void check(const SamplingOptions& options);

/// RFC 5476 §6.5.3: what a Selection Sequence has seen, and let pass.
struct SelectionCounts {
  std::uint64_t observed = 0, selected = 0;
};

/// The state of one Selection Sequence: all packets of a capture, or those of one receive queue, in their order. One
/// thread at a time. The same packets and seed give the same selection, however they are cut into bursts.
class Sampler {
 public:
  /// Finds the outermost IP packet, from its header on; empty where there is none. Only `hash` asks.
  using IpPacket = Bytes (*)(const Packet&) noexcept;

  /// Throws StartError as check() does. `seed` is for `random`.
  Sampler(const SamplingOptions& options, std::uint64_t seed, IpPacket ip_packet);

  /// Marks the packets that are left out. Before any filter does.
  void mark(std::span<Packet> packets) noexcept;

  bool active() const noexcept { return options_.method != SamplingMethod::off; }
  /// Of all packets so far; nothing is counted while off.
  const SelectionCounts& counts() const noexcept { return counts_; }

 private:
  template <class Selects>
  void mark(std::span<Packet> packets, Selects&& selects) noexcept;
  bool next_systematic() noexcept;
  bool next_random() noexcept;
  bool hashes_into_range(const Packet& packet) const noexcept;
  std::uint32_t draw_below(std::uint32_t bound) noexcept;

  SamplingOptions options_;
  IpPacket ip_packet_;
  std::uint64_t random_;                 ///< state of the generator
  std::uint64_t position_ = 0;           ///< in the interval and space, or in the population
  std::uint32_t selected_of_block_ = 0;  ///< random: of this population, so far
  SelectionCounts counts_;
};

}  // namespace weir::capture
