// SPDX-License-Identifier: BSD-3-Clause
#include "flow/plan_key.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace weir::flow {
namespace {

/// An entry of flow.key.
struct KeyEntry {
  std::string text;
  const ElementSource* source;
  std::optional<unsigned> bits;
};

[[noreturn]] void refuse_key(const std::string& entry, const std::string& why) {
  throw StartError{"flow.key: " + entry + " " + why};
}

KeyEntry read_key_entry(const std::string& text) {
  const auto slash = text.find('/');
  const auto name = text.substr(0, slash);
  const auto found = find_source(name);
  if (!found.source || found.reverse || found.source->how == How::refused)
    refuse_key(text, "is no header field that weir can tell flows apart by");
  KeyEntry entry{text, found.source, std::nullopt};
  if (slash == text.npos) return entry;
  if (found.source->how != How::address) refuse_key(text, "has a prefix length, and only addresses can");
  unsigned bits = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
  if (error != std::errc{} || stop != end || bits == 0 || bits > found.source->stored * 8u)
    refuse_key(text, "needs a prefix length of 1 to " + std::to_string(found.source->stored * 8));
  entry.bits = bits;
  return entry;
}

/// Octets of an address that count, as they lie in the key's words.
void mask_address(KeyPlan& plan, const Blocks& at, std::uint8_t place, unsigned bits) {
  std::array<std::byte, sizeof plan.mask> octets;
  std::memcpy(octets.data(), plan.mask.data(), octets.size());
  for (std::size_t i = 0; i < at.address_octets; ++i) {
    const auto kept = std::clamp(static_cast<int>(bits) - static_cast<int>(8 * i), 0, 8);
    octets[place * at.address_octets + i] = static_cast<std::byte>(0xff00 >> kept);
  }
  std::memcpy(plan.mask.data(), octets.data(), octets.size());
  (place == 0 ? plan.source_bits : plan.destination_bits) = static_cast<std::uint8_t>(bits);
}

class KeyPlanner {
 public:
  KeyPlanner(const MeterOptions& options, const Blocks& at) : at_{at} {
    if (options.key.empty()) {
      take_usual();
      return;
    }
    for (const auto& text : options.key) take(read_key_entry(text));
    settle_icmp();
    if (at_.biflow) check_ends();
  }

  KeyPlan plan;
  /// The first extra word of a key field.
  std::map<const ElementSource*, std::uint8_t> word_of;

 private:
  Word& numbers() { return plan.mask[at_.address_octets / 4]; }

  void take_usual() {
    mask_address(plan, at_, 0, at_.address_octets * 8u);
    mask_address(plan, at_, 1, at_.address_octets * 8u);
    numbers() = plan.icmp_mask = Key4::key_bits;
  }

  void take(const KeyEntry& entry) {
    const auto& source = *entry.source;
    if (std::ranges::find(taken_, &source) != taken_.end()) refuse_key(entry.text, "is there twice");
    taken_.push_back(&source);
    if (!at_.makes_sense(source)) return;
    switch (source.how) {
      case How::address: return mask_address(plan, at_, source.place, entry.bits.value_or(at_.address_octets * 8u));
      case How::number: numbers() |= greatest(source.stored) << 8 * source.place; return;
      case How::first:
      case How::first_octets: return add_words(source, source);
      case How::tunnel_text: return add_words(source, *find_hidden(source.one));
      case How::end:
        if (source.stored == 2) {
          icmp_ = true;
          return;
        }
        break;
      case How::direction:
        if (source.value) return add_words(source, source);
        break;
      case How::constant:
        if (source.name == "ipVersion") return;  // families never share a record
        break;
      default: break;
    }
    refuse_key(entry.text, "is no header field of single packets, and cannot tell flows apart");
  }

  static const ElementSource* find_hidden(std::string_view name) {
    return &*std::ranges::find(element_sources(), name, &ElementSource::name);
  }

  void add_words(const ElementSource& source, const ElementSource& column) {
    const std::size_t words = (column.stored + 7u) / 8u;
    if (plan.extra_words + words > KeyPlan::extra_words_max)
      throw StartError{"flow.key: too many fields beside addresses, ports, protocol, VLAN and class"};
    word_of[&source] = static_cast<std::uint8_t>(plan.extra_words);
    plan.extra.push_back({column.value, column.octets, column.stored, static_cast<std::uint8_t>(plan.extra_words)});
    plan.extra_words += words;
  }

  /// Type and code stand in the place of the ports, and count where the destination port or they themselves are named.
  void settle_icmp() {
    constexpr Word ports = 0xffff'ffff, type_code = 0xffff'0000, protocols = Word{0xff} << 48;
    const bool wanted = icmp_ || (numbers() & type_code);
    const bool has_protocol = numbers() & protocols;
    if (icmp_ && !has_protocol) refuse_key("icmpTypeCode", "needs protocolIdentifier beside it");
    plan.icmp_mask = (numbers() & ~ports) | (wanted && has_protocol ? type_code : 0);
  }

  /// RFC 5103 §2: a biflow's directions have the same key with its ends exchanged; so both ends must be in it alike.
  void check_ends() {
    const auto half = [this](unsigned shift) { return numbers() >> shift & 0xffff; };
    if (plan.source_bits != plan.destination_bits || half(0) != half(16))
      throw StartError{
          "flow.key: a biflow has two ends; name source and destination alike, or set flow.direction to "
          "uniflow"};
    for (const auto& [source, word] : word_of) {
      if (source->pair.empty()) continue;
      const auto* other = find_source(source->pair).source;
      const auto there = word_of.find(other);
      if (there == word_of.end())
        refuse_key(std::string{source->name}, "needs " + std::string{source->pair} + " beside it in a biflow");
      for (std::uint8_t i = 0; i < (source->stored + 7u) / 8u; ++i)
        if (word < there->second)
          plan.pairs.push_back({static_cast<std::uint8_t>(word + i), static_cast<std::uint8_t>(there->second + i)});
    }
  }

  const Blocks& at_;
  std::vector<const ElementSource*> taken_;
  bool icmp_ = false;
};

}  // namespace

PlannedKey plan_key(const MeterOptions& options, const Blocks& at) {
  KeyPlanner planner{options, at};
  return {std::move(planner.plan), std::move(planner.word_of)};
}

}  // namespace weir::flow
