// SPDX-License-Identifier: BSD-3-Clause
#include "capture/sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "base/error.hpp"
#include "capture/bob_hash.hpp"

namespace weir::capture {
namespace {

/// What of an IP packet goes into the hash, one part after the other.
class HashInput {
 public:
  void add(Bytes part) noexcept {
    std::copy_n(part.data(), part.size(), octets_.data() + size_);
    size_ += part.size();
  }
  Bytes octets() const noexcept { return {octets_.data(), size_}; }

 private:
  static constexpr std::size_t ipv6_header_octets = 40;
  std::array<std::byte, ipv6_header_octets + SamplingOptions::hash_payload_octets_max> octets_;
  std::size_t size_ = 0;
};

/// The part of `octets` that begins at `offset` and is no longer than `longest`.
Bytes part_of(Bytes octets, std::size_t offset, std::size_t longest) noexcept {
  if (offset >= octets.size()) return {};
  return octets.subspan(offset, std::min(longest, octets.size() - offset));
}

/// Adds the header's part, and returns the payload. False: the header is not there.
bool add_ipv4(Bytes ip, HashInput& input, Bytes& payload) noexcept {
  constexpr std::size_t header_least = 20;
  if (ip.size() < header_least) return false;
  input.add(ip.subspan(4, 4));   // identification, flags, fragment offset
  input.add(ip.subspan(12, 8));  // source, destination
  const std::size_t header = (load_be<std::uint8_t>(ip.data()) & 0x0fu) * 4u;
  const std::size_t total = load_be<std::uint16_t>(ip.data() + 2);
  payload = part_of(total == 0 ? ip : part_of(ip, 0, total), header, ip.size());
  return header >= header_least;
}

bool add_ipv6(Bytes ip, HashInput& input, Bytes& payload) noexcept {
  constexpr std::size_t header = 40;
  if (ip.size() < header) return false;
  input.add(ip.subspan(4, 3));   // payload length, next header
  input.add(ip.subspan(8, 32));  // source, destination
  const std::size_t octets = load_be<std::uint16_t>(ip.data() + 4);
  const bool jumbo = octets == 0 && load_be<std::uint8_t>(ip.data() + 6) == 0;  // RFC 2675: a Hop-by-Hop header follows
  payload = part_of(ip, header, jumbo ? ip.size() : octets);
  return true;
}

}  // namespace

void check(const SamplingOptions& options) {
  const auto refuse_zero = [](std::uint32_t value, const char* name) {
    if (value == 0) throw StartError{fmt::format("{} must be 1 or more, not 0", name)};
  };
  refuse_zero(options.interval, "sampling.interval");
  refuse_zero(options.size, "sampling.size");
  refuse_zero(options.population, "sampling.population");
  refuse_zero(options.hash_one_in, "sampling.hash_one_in");
  if (options.size > options.population)
    throw StartError{
        fmt::format("sampling.size {} is more than sampling.population {}: of so many packets no more "
                    "can be selected; lower the one or raise the other",
                    options.size, options.population)};
  if (options.hash_payload_octets > SamplingOptions::hash_payload_octets_max)
    throw StartError{fmt::format("sampling.hash_payload_octets {} is more than {}; lower it",
                                 options.hash_payload_octets, SamplingOptions::hash_payload_octets_max)};
}

Sampler::Sampler(const SamplingOptions& options, std::uint64_t seed, IpPacket ip_packet)
    : options_{options}, ip_packet_{ip_packet}, random_{seed} {
  check(options);
}

template <class Selects>
void Sampler::mark(std::span<Packet> packets, Selects&& selects) noexcept {
  std::uint64_t selected = 0;
  for (auto& packet : packets) {
    if (selects(packet)) ++selected;
    else packet.selection = Selection::not_selected;
  }
  counts_.observed += packets.size();
  counts_.selected += selected;
}

void Sampler::mark(std::span<Packet> packets) noexcept {
  switch (options_.method) {
    case SamplingMethod::off: return;
    case SamplingMethod::systematic: return mark(packets, [this](const Packet&) { return next_systematic(); });
    case SamplingMethod::random: return mark(packets, [this](const Packet&) { return next_random(); });
    case SamplingMethod::hash: return mark(packets, [this](const Packet& packet) { return hashes_into_range(packet); });
  }
}

bool Sampler::next_systematic() noexcept {
  const bool selects = position_ < options_.interval;
  if (++position_ == std::uint64_t{options_.interval} + options_.space) position_ = 0;
  return selects;
}

/// Selection sampling (Fan, Muller and Rezucha, 1962; Knuth's algorithm S): of what is left of the population so much
/// is still wanted, and this packet is as good as any other. Exactly `size` come of it, without a list of them.
bool Sampler::next_random() noexcept {
  const auto left = options_.population - static_cast<std::uint32_t>(position_);
  const bool selects = draw_below(left) < options_.size - selected_of_block_;
  selected_of_block_ += selects;
  if (++position_ == options_.population) {
    position_ = 0;
    selected_of_block_ = 0;
  }
  return selects;
}

bool Sampler::hashes_into_range(const Packet& packet) const noexcept {
  const auto ip = ip_packet_(packet);
  if (ip.empty()) return false;
  HashInput input;
  Bytes payload;
  const bool is_ipv4 = load_be<std::uint8_t>(ip.data()) >> 4 == 4;
  if (!(is_ipv4 ? add_ipv4(ip, input, payload) : add_ipv6(ip, input, payload))) return false;
  input.add(part_of(payload, options_.hash_payload_offset, options_.hash_payload_octets));
  return bob_hash(input.octets(), options_.hash_initialiser) <= options_.hash_selected_max();
}

/// Uniform in 0 .. bound - 1: the high half of a product, with those products thrown away that some results would have
/// one more of (Lemire, 2019). The numbers are SplitMix64's (Steele, Lea and Flood, 2014).
std::uint32_t Sampler::draw_below(std::uint32_t bound) noexcept {
  const auto surplus = -bound % bound;
  while (true) {
    random_ += 0x9e37'79b9'7f4a'7c15;
    auto mixed = random_;
    mixed = (mixed ^ mixed >> 30) * 0xbf58'476d'1ce4'e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d0'49bb'1331'11eb;
    mixed ^= mixed >> 31;
    const auto product = (mixed >> 32) * bound;
    if (static_cast<std::uint32_t>(product) >= surplus) return static_cast<std::uint32_t>(product >> 32);
  }
}

}  // namespace weir::capture
