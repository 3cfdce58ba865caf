// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/vocabulary.hpp"

#include <algorithm>
#include <limits>

#include "base/distance.hpp"

namespace weir::ipfix {
namespace {

constexpr std::size_t name_octets_max = 64;

KnownElement known(const Vocabulary& words, const Element& element) {
  KnownElement found{.element = element, .source = element.name};
  if (element.pen == enterprise::own) found.element.pen = words.enterprise;
  return found;
}

KnownElement known(const UserElement& own) {
  const auto* source = find_element(own.source);
  auto element = source ? *source : Element{};
  element.pen = own.pen;
  element.id = own.id;
  element.type = own.type;
  element.name = own.name;
  return {element, own.source, own.octets};
}

}  // namespace

std::optional<KnownElement> find(const Vocabulary& words, std::string_view name) {
  const auto user = std::ranges::find(words.user, name, &UserElement::name);
  if (user != words.user.end()) return known(*user);
  const auto* element = find_element(name);
  return element ? std::optional{known(words, *element)} : std::nullopt;
}

std::optional<KnownElement> find(const Vocabulary& words, std::uint32_t pen, std::uint16_t id) {
  const auto has_number = [&](const UserElement& own) { return own.pen == pen && own.id == id; };
  const auto user = std::ranges::find_if(words.user, has_number);
  if (user != words.user.end()) return known(*user);
  if (pen == words.enterprise) pen = enterprise::own;
  else if (pen == enterprise::own) return {};
  const auto* element = find_element(pen, id);
  return element ? std::optional{known(words, *element)} : std::nullopt;
}

bool has_value(const Vocabulary& words, const KnownElement& known) {
  return words.sources.empty() || std::ranges::find(words.sources, known.source) != words.sources.end();
}

std::string_view nearest(const Vocabulary& words, std::string_view wrong) {
  wrong = wrong.substr(0, name_octets_max);
  std::string_view best;
  auto least = std::numeric_limits<std::size_t>::max();
  const auto consider = [&](std::string_view name) {
    const auto longer = std::max(name.size(), wrong.size()), shorter = std::min(name.size(), wrong.size());
    if (longer - shorter >= least) return;  // at least as many letters to insert
    const auto far = distance(wrong, name);
    if (far < least) least = far, best = name;
  };
  for (const auto& own : words.user) consider(own.name);
  for (const auto name : words.sources) consider(name);
  if (words.sources.empty())
    for (const auto& element : all_elements()) consider(element.name);
  return best;
}

bool needs_biflow(const KnownElement& known) noexcept {
  constexpr std::uint16_t reverse_bit = 0x4000;
  // From one direction's packet to the other's; their names have no bit.
  if (known.source.starts_with("reverseFlowDelta") || known.source.starts_with("handshake")) return true;
  if (known.source == "biflowDirection") return true;
  if (known.source == "tcpMssRev") return true;  // CESNET's reverse of tcpMss
  const auto* source = find_element(known.source);
  if (!source) return false;
  return source->pen == enterprise::reverse ||
         (source->pen != enterprise::iana && (source->id & reverse_bit) != 0 && source->name.starts_with("reverse"));
}

std::uint8_t version_of(const KnownElement& known) noexcept {
  // Of the packet around a metered one, not of that itself.
  if (known.source.starts_with("outer") || known.source.starts_with("reverseOuter")) return 0;
  if (known.source == "igmpType" || known.source == "reverseIgmpType") return 4;  // in IPv6 ICMPv6 does its work
  for (const std::string_view version : {"IPv4", "ipv4", "Ipv4"})
    if (known.source.find(version) != known.source.npos) return 4;
  for (const std::string_view version : {"IPv6", "ipv6", "Ipv6"})
    if (known.source.find(version) != known.source.npos) return 6;
  return 0;
}

}  // namespace weir::ipfix
