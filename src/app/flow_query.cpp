// SPDX-License-Identifier: BSD-3-Clause
#include "app/flow_query.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include "app/commands/dump_names.hpp"

namespace weir::app {
namespace {

std::optional<std::uint32_t> number_in(std::string_view text, std::uint32_t high) {
  std::uint32_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end || value > high) return std::nullopt;
  return value;
}

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The next word of `text`, which loses it.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(static_cast<std::size_t>(std::ranges::find_if_not(text, is_blank) - text.begin()));
  const auto word = text.substr(0, static_cast<std::size_t>(std::ranges::find_if(text, is_blank) - text.begin()));
  text.remove_prefix(word.size());
  return word;
}

/// A word that somebody wrote, for a line that a person reads.
std::string shown(std::string_view word) {
  std::string out{"'"};
  for (const char c : word.substr(0, 64)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (word.size() > 64 ? "…'" : "'");
}

std::optional<FlowQuery::Prefix> address_from(std::string_view text) {
  const std::string word{text.substr(0, 64)};
  FlowQuery::Prefix prefix;
  if (::inet_pton(AF_INET, word.c_str(), prefix.address.data()) == 1) {
    prefix.bits = 32;
    return prefix;
  }
  prefix.version = IpVersion::v6;
  prefix.bits = 128;
  if (::inet_pton(AF_INET6, word.c_str(), prefix.address.data()) == 1) return prefix;
  return std::nullopt;
}

/// Bits behind the prefix do not count, whatever was written there.
void clear_host_bits(FlowQuery::Prefix& prefix) noexcept {
  for (std::size_t i = 0; i < prefix.address.size(); ++i) {
    const auto kept = std::clamp(static_cast<int>(prefix.bits) - static_cast<int>(8 * i), 0, 8);
    prefix.address[i] &= static_cast<std::byte>(0xff00 >> kept);
  }
}

std::string read_host(std::string_view word, FlowQuery& query) {
  const auto address = address_from(word);
  if (!address) return fmt::format("host {}: write an IPv4 or IPv6 address", shown(word));
  query.prefixes.push_back(*address);
  return {};
}

std::string read_net(std::string_view word, FlowQuery& query) {
  const auto slash = word.find('/');
  auto prefix = address_from(word.substr(0, slash));
  const auto bits = slash < word.size() ? number_in(word.substr(slash + 1), prefix ? prefix->bits : 0) : std::nullopt;
  if (!prefix || !bits)
    return fmt::format("net {}: write ADDRESS/BITS, such as 10.0.0.0/8 or 2001:db8::/32", shown(word));
  prefix->bits = static_cast<std::uint8_t>(*bits);
  clear_host_bits(*prefix);
  query.prefixes.push_back(*prefix);
  return {};
}

std::string read_port(std::string_view word, FlowQuery& query) {
  const auto port = number_in(word, 65'535);
  if (!port) return fmt::format("port {}: must be 0..65535", shown(word));
  query.ports.push_back(static_cast<std::uint16_t>(*port));
  return {};
}

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// What may be said once.
template <class T>
std::string set_once(std::optional<T>& to, std::optional<std::uint32_t> value, std::string_view what,
                     std::string_view word, std::string_view range) {
  if (!value) return fmt::format("{} {}: must be {}", what, shown(word), range);
  if (to) return fmt::format("{} is given twice; a flow has one", what);
  to = static_cast<T>(*value);
  return {};
}

std::string read_protocol(std::string_view word, FlowQuery& query) {
  auto number = number_in(word, 255);
  for (const auto& each : protocol_names)
    if (same_letters(word, each.name)) number = each.number;
  if (same_letters(word, "ICMPv6")) number = protocol::icmpv6;
  return set_once(query.protocol, number, "proto", word, "a name such as tcp, or 0..255");
}

std::string read_version(std::string_view word, FlowQuery& query) {
  auto number = number_in(word, 6);
  if (number && *number != 4 && *number != 6) number.reset();
  if (number) number = static_cast<std::uint32_t>(*number == 4 ? IpVersion::v4 : IpVersion::v6);
  return set_once(query.version, number, "version", word, "4 or 6");
}

std::string read_vlan(std::string_view word, FlowQuery& query) {
  return set_once(query.vlan, number_in(word, 4095), "vlan", word, "0..4095; 0 is without a tag");
}

struct Condition {
  std::string_view name;
  std::string (*read)(std::string_view word, FlowQuery& query);
};
constexpr std::array conditions{
    Condition{"host", read_host},      Condition{"net", read_net},         Condition{"port", read_port},
    Condition{"proto", read_protocol}, Condition{"version", read_version}, Condition{"vlan", read_vlan},
};

bool begins_with(const FlowQuery::Prefix& prefix, const std::byte* address) noexcept {
  const std::size_t whole = prefix.bits / 8, rest = prefix.bits % 8;
  if (std::memcmp(prefix.address.data(), address, whole) != 0) return false;
  return rest == 0 || (address[whole] & static_cast<std::byte>(0xff00 >> rest)) == prefix.address[whole];
}

}  // namespace

std::string read_flow_filter(std::string_view text, FlowQuery& query) {
  std::size_t count = 0;
  for (auto name = take_word(text); !name.empty(); name = take_word(text)) {
    const auto condition = std::ranges::find(conditions, name, &Condition::name);
    if (condition == conditions.end())
      return fmt::format("a flow filter knows no {}; write {}", shown(name), flow_filter_help);
    if (++count > FlowQuery::conditions_max)
      return fmt::format("a flow filter has at most {} conditions", FlowQuery::conditions_max);
    if (auto wrong = condition->read(take_word(text), query); !wrong.empty()) return wrong;
  }
  return {};
}

FlowFilter::FlowFilter(const FlowQuery& query, const RecordLayout& layout) : query_{query} {
  for (const auto& field : layout.places) {
    switch (field.id) {
      case 8:
        version_ = IpVersion::v4;
        addresses_[0] = field.offset;
        break;
      case 12: addresses_[1] = field.offset; break;
      case 27:
        version_ = IpVersion::v6;
        addresses_[0] = field.offset;
        break;
      case 28: addresses_[1] = field.offset; break;
      case 7: ports_[0] = field.offset; break;
      case 11: ports_[1] = field.offset; break;
      case 58: vlan_ = field.offset; break;
      case 4: protocol_ = field.offset; break;
      default: break;
    }
  }
}

bool FlowFilter::matches(const std::byte* record) const noexcept {
  if (query_.version && *query_.version != version_) return false;
  if (query_.protocol && std::byte{*query_.protocol} != record[protocol_]) return false;
  if (query_.vlan && *query_.vlan != load_native<std::uint16_t>(record + vlan_)) return false;
  for (const auto port : query_.ports)
    if (load_native<std::uint16_t>(record + ports_[0]) != port &&
        load_native<std::uint16_t>(record + ports_[1]) != port)
      return false;
  for (const auto& prefix : query_.prefixes)
    if (prefix.version != version_ ||
        (!begins_with(prefix, record + addresses_[0]) && !begins_with(prefix, record + addresses_[1])))
      return false;
  return true;
}

}  // namespace weir::app
