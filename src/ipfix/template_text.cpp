// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/template_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/printable.hpp"
#include "ipfix/element_text.hpp"
#include "ipfix/profiles.hpp"
#include "ipfix/refuse.hpp"

namespace weir::ipfix {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view separators = " \t\r\n,";
  std::vector<std::string_view> out;
  for (auto at = text.find_first_not_of(separators); at != text.npos; at = text.find_first_not_of(separators, at)) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

struct Protocol {
  std::string_view name;
  std::uint8_t number;
};
constexpr std::array protocol_names{Protocol{"icmp", 1},   Protocol{"igmp", 2},     Protocol{"tcp", 6},
                                    Protocol{"udp", 17},   Protocol{"dccp", 33},    Protocol{"gre", 47},
                                    Protocol{"esp", 50},   Protocol{"ah", 51},      Protocol{"icmpv6", 58},
                                    Protocol{"sctp", 132}, Protocol{"udplite", 136}};

/// What stands before the '='.
struct Selector {
  std::uint8_t version = 0;
  std::vector<std::uint8_t> protocols;
};

Selector selector_from(std::string_view text) {
  Selector out;
  const auto words = words_of(text);
  for (const auto word : words) {
    const auto* name = std::ranges::find(protocol_names, word, &Protocol::name);
    const auto number = number_from(word);
    if (word == "all" && words.size() == 1) break;
    if ((word == "ipv4" || word == "ipv6") && out.version == 0) out.version = word == "ipv4" ? 4 : 6;
    else if (name != protocol_names.end()) out.protocols.push_back(name->number);
    else if (number && *number <= 255) out.protocols.push_back(static_cast<std::uint8_t>(*number));
    else
      refuse("'{}': before the '=' stands all, or ipv4 or ipv6 and protocols: tcp, udp, icmp, icmpv6, sctp or a number",
             printable(word));
  }
  if (words.empty()) refuse("nothing stands before the '='; write all, or leave the '=' out");
  std::ranges::sort(out.protocols);
  out.protocols.erase(std::unique(out.protocols.begin(), out.protocols.end()), out.protocols.end());
  return out;
}

bool same_number(const WantedField& a, const WantedField& b) noexcept { return a.pen == b.pen && a.id == b.id; }

/// The fields of one template for one IP version, in the order in which they were named.
class FieldList {
 public:
  FieldList(std::uint8_t version, bool only_version, const Vocabulary& words)
      : version_{version}, only_version_{only_version}, words_{words} {}

  void add_profile(const Profile& profile) {
    for (const auto word : words_of(profile.fields)) {
      const auto made = field_from(word, words_);
      if (is_for_other_version(made.known) || (needs_biflow(made.known) && !words_.biflow)) continue;
      if (place_of(made.field) == fields_.size()) push({made.field, false});
    }
  }

  void add_written(std::string_view word) {
    const auto made = field_from(word, words_);
    if (needs_biflow(made.known) && !words_.biflow)
      refuse("'{}': records have one direction only; set flow.direction to biflow, or take it out", printable(word));
    if (is_for_other_version(made.known)) {
      if (!only_version_) return;
      refuse("'{}': records of IPv{} have none; take it out, or make a template for ipv{}", printable(word), version_,
             version_of(made.known));
    }
    // RFC 7011 §8 allows an element several times, where the occurrences differ. These would be the same.
    const auto place = place_of(made.field);
    if (place == fields_.size()) return push({made.field, true});
    if (fields_[place].written) refuse("'{}': the template has this element already", printable(word));
    fields_[place] = {made.field, true};
  }

  std::vector<WantedField> take() {
    std::vector<WantedField> out;
    for (auto& field : fields_) out.push_back(std::move(field.wanted));
    return out;
  }

 private:
  struct Entry {
    WantedField wanted;
    bool written;  ///< not by a profile
  };

  bool is_for_other_version(const KnownElement& known) const noexcept {
    const auto version = version_of(known);
    return version != 0 && version != version_;
  }
  std::size_t place_of(const WantedField& field) const noexcept {
    const auto same = [&](const Entry& entry) { return same_number(entry.wanted, field); };
    return static_cast<std::size_t>(std::ranges::find_if(fields_, same) - fields_.begin());
  }
  void push(Entry entry) {
    if (fields_.size() == fields_max) refuse("more than {} fields in one template", fields_max);
    fields_.push_back(std::move(entry));
  }

  std::uint8_t version_;
  bool only_version_;
  const Vocabulary& words_;
  std::vector<Entry> fields_;
};

std::vector<WantedField> fields_from(std::span<const std::string_view> names, std::uint8_t version, bool only_version,
                                     const Vocabulary& words) {
  FieldList list{version, only_version, words};
  for (const auto name : names) {
    const auto* profile = find_profile(name);
    if (!profile) {
      list.add_written(name);
      continue;
    }
    if (name == "biflow" && !words.biflow)
      refuse("'biflow': set flow.direction to biflow, or name the profile default");
    list.add_profile(*profile);
  }
  return list.take();
}

/// Names of profiles and templates, for people.
std::string name_for(std::span<const std::string_view> names, std::uint8_t version) {
  const bool profile = names.size() == 1 && find_profile(names[0]);
  return fmt::format("{}_ipv{}", profile ? names[0] : "own", version);
}

bool fits_all(const WantedTemplate& wanted, std::uint8_t ip) noexcept {
  return wanted.version == ip && wanted.protocols.empty();
}

}  // namespace

std::vector<WantedTemplate> template_from(std::string_view text, const Vocabulary& words) {
  const auto equals = text.find('=');
  const auto selector = equals == text.npos ? Selector{} : selector_from(text.substr(0, equals));
  const auto names = words_of(equals == text.npos ? text : text.substr(equals + 1));
  if (names.empty()) refuse("a template without fields; name elements or a profile");
  std::vector<WantedTemplate> made;
  for (const std::uint8_t ip : {std::uint8_t{4}, std::uint8_t{6}}) {
    if (selector.version != 0 && selector.version != ip) continue;
    auto fields = fields_from(names, ip, selector.version != 0, words);
    if (!fields.empty()) made.push_back({name_for(names, ip), ip, selector.protocols, std::move(fields)});
  }
  if (made.empty()) refuse("a template without fields for the IP version that it is for");
  return made;
}

std::vector<WantedTemplate> templates_from(std::span<const std::string> texts, const Vocabulary& words) {
  std::vector<WantedTemplate> all;
  if (texts.empty()) return all;
  if (texts.size() > templates_max) refuse("{} templates; at most {} are allowed", texts.size(), templates_max);
  const auto has_last = [&](std::uint8_t ip) {
    return std::ranges::any_of(all, [&](const auto& wanted) { return fits_all(wanted, ip); });
  };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<WantedTemplate> made;
    try {
      made = template_from(texts[i], words);
    } catch (const StartError& error) {
      refuse("template {}: {}", i + 1, error.what());
    }
    const auto unreachable = [&](const WantedTemplate& wanted) { return has_last(wanted.version); };
    if (std::ranges::all_of(made, unreachable))
      refuse("template {} can never be used: one before it is for every flow that it is for", i + 1);
    for (auto& wanted : made)
      if (!unreachable(wanted)) all.push_back(std::move(wanted));
  }
  for (auto& wanted : template_from(words.biflow ? "biflow" : "default", words))
    if (!has_last(wanted.version)) all.push_back(std::move(wanted));
  return all;
}

std::string text_of(const WantedTemplate& wanted, const Vocabulary& words) {
  auto out = wanted.version == 0 ? std::string{} : fmt::format("ipv{} ", wanted.version);
  for (const auto number : wanted.protocols) {
    const auto* name = std::ranges::find(protocol_names, number, &Protocol::number);
    out += name != protocol_names.end() ? fmt::format("{} ", name->name) : fmt::format("{} ", number);
  }
  out += out.empty() ? "all =" : "=";
  for (const auto& field : wanted.fields) out.append(" ").append(text_of(field, words));
  return out;
}

}  // namespace weir::ipfix
