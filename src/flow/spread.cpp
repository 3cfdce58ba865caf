// SPDX-License-Identifier: BSD-3-Clause
#include "flow/spread.hpp"

#include "flow/extension.hpp"

namespace weir::flow {
namespace {

void mask(std::span<std::byte> address, unsigned bits) noexcept {
  for (unsigned i = 0; i < address.size(); ++i) {
    const auto kept = std::clamp(static_cast<int>(bits) - static_cast<int>(8 * i), 0, 8);
    address[i] &= static_cast<std::byte>(0xff00 >> kept);
  }
}

template <std::size_t N>
unsigned by_key(const KeyPlan& plan, const Sight& sight, bool biflow, unsigned shards) noexcept {
  std::array<Word, KeyPlan::extra_words_max> extra;
  const auto made = make_key<N>(plan, sight, biflow, extra.data());
  std::uint64_t hash = 0;
  for (const auto word : counted_words(plan, made.key)) hash = _mm_crc32_u64(hash, word);
  for (std::size_t i = 0; i < plan.extra_words; ++i) hash = _mm_crc32_u64(hash, extra[i]);
  return static_cast<unsigned>((hash & 0xffff'ffffu) * shards >> 32);
}

}  // namespace

Spread::Spread(const MeterOptions& options) {
  if (options.key.empty()) return;
  const auto plan = make_plan(options);
  auto& planned = planned_.emplace();
  planned.biflow = options.direction == FlowDirection::biflow;
  constexpr Word both_ports = 0xffff'ffff;
  for (unsigned family = 0; family < 2; ++family) {
    const auto& key = planned.keys[family] = plan.extensions[family].key;
    const auto whole = family == 0 ? 32 : 128;
    planned.whole_addresses &= key.source_bits == whole && key.destination_bits == whole;
    planned.any_address &= key.source_bits > 0 || key.destination_bits > 0;
    planned.ports &= (key.mask[family == 0 ? Key4::numbers : Key6::numbers] & both_ports) == both_ports;
  }
}

unsigned Spread::shard_by_key(const Packet& packet, const Headers& headers, const Details* details,
                              unsigned shards) const noexcept {
  const bool four = headers.version == IpVersion::v4;
  const auto& key = planned_->keys[four ? 0 : 1];
  if (key.source_bits > 0 || key.destination_bits > 0) {
    auto masked = headers;
    mask(masked.source(), key.source_bits);
    mask(masked.destination(), key.destination_bits);
    return flow::shard_of(masked, shards);
  }
  static constexpr Details none{};
  const Sight sight{headers, details ? *details : none, packet, static_cast<std::uint16_t>(packet.interface + 1)};
  return four ? by_key<4>(key, sight, planned_->biflow, shards) : by_key<16>(key, sight, planned_->biflow, shards);
}

}  // namespace weir::flow
