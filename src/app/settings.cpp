// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <type_traits>

#include "app/templates.hpp"
#include "base/distance.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"

namespace weir::app {
namespace {

constexpr std::uint64_t ten_years = 315'360'000;  // s
constexpr std::uint64_t any_32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t any_64 = std::numeric_limits<std::uint64_t>::max();

constexpr Setting choice(std::string_view name, AnyMember member, std::string_view words, std::string_view help) {
  return {.name = name, .member = member, .help = help, .words = words};
}
constexpr Setting number(std::string_view name, AnyMember member, std::uint64_t low, std::uint64_t high,
                         std::string_view unit, std::string_view help) {
  return {.name = name, .member = member, .low = low, .high = high, .unit = unit, .help = help};
}
constexpr Setting seconds(std::string_view name, Member<nanoseconds> member, std::string_view help) {
  return number(name, member, 0, ten_years, "s", help);
}
constexpr Setting text(std::string_view name, AnyMember member, std::string_view help) {
  return {.name = name, .member = member, .help = help};
}

#define AT(member) \
  [](Settings & all) -> auto& { return all.member; }
// clang-format off
constexpr Setting settings[] = {
    choice("decode.tunnels", AT(decode.tunnels), "outer|inner",
           "which IP packet is metered: the outermost, or what tunnels carry"),

    choice("flow.direction", AT(flow.direction), "uniflow|biflow",
           "one record for each direction, or both in one (RFC 5103)"),
    seconds("flow.timeout_idle", AT(flow.timeout_idle), "silence that ends a flow"),
    seconds("flow.timeout_active", AT(flow.timeout_active), "a flow that lasts is reported this often"),
    choice("flow.tcp_close", AT(flow.tcp_close), "off|on", "FIN and RST end a TCP flow"),
    seconds("flow.timeout_closed", AT(flow.timeout_closed), "from the packet that closes a TCP flow to its end"),
    number("flow.capacity", AT(flow.capacity), 1024, 1u << 28, "flows",
           "flows held at once, all workers together; sets the memory"),
    choice("flow.fragments", AT(flow.fragments), "separate|track",
           "later fragments: a flow of their own, with ports 0, or the flow of their first one"),
    text("flow.key", AT(flow.key), "elements that make a flow, such as sourceIPv4Address/24; none: the usual ones"),
    number("flow.payload_octets", AT(flow.payload_octets), 0, 1024, "octets",
           "first octets of payload that are exported of each direction; 0: none"),
    number("flow.hash_key", AT(flow.hash_key), 0, any_64, "",
           "replay: secret of the flow table's hash; fixed, so that runs repeat. Live draws one"),

    text("export.to", AT(exporter.to), "collectors: udp://HOST:PORT, tcp://HOST:PORT"),
    text("export.out", AT(exporter.out), "IPFIX files to write; - is standard output"),
    number("export.domain", AT(exporter.domain), 0, any_32, "", "Observation Domain ID of all messages"),
    number("export.message_octets", AT(exporter.message_octets), 512, 65'535, "octets",
           "longest message; over UDP keep it below the path MTU"),
    seconds("export.flush", AT(exporter.flush), "the longest that a record waits for its message to fill"),
    seconds("export.template_refresh", AT(exporter.template_refresh), "over UDP templates are repeated this often"),
    number("export.template_refresh_messages", AT(exporter.template_refresh_messages), 1, any_32, "messages",
           "and after this many messages"),
    seconds("export.statistics", AT(exporter.statistics), "time between reports of the process's own counters"),
    seconds("export.wait_max", AT(exporter.wait_max), "the longest that a replay waits for a dead collector"),
    number("export.backlog_octets", AT(exporter.backlog_octets), 1u << 20, std::uint64_t{1} << 40, "octets",
           "live: what waits for one destination; the oldest are lost beyond it"),
    seconds("export.rotate", AT(exporter.rotate), "live: a new file this often; 0: one file"),
    choice("export.clock", AT(exporter.clock), "auto|packets|wall",
           "Export Time and timers; auto: packets in a replay's files, else wall"),
    number("export.egress_interface", AT(exporter.egress_interface), 0, any_32, "",
           "egressInterface of all records; a tap cannot know it"),
    choice("export.icmp_in_ports", AT(exporter.icmp_in_ports), "off|on",
           "ICMP type x 256 + code also as destinationTransportPort"),
    text("export.templates", AT(exporter.templates),
         "what records carry, each for some flows: ipv4 tcp = default tcpWindowSize; empty: default"),
    text("export.elements", AT(exporter.elements),
         "elements under numbers of your own: myVlan(4711/5)<unsigned16> = vlanId"),
    number("export.enterprise_number", AT(exporter.enterprise_number), 1, any_32, "",
           "weir's own elements are announced under it"),
    choice("export.type_information", AT(exporter.type_information), "off|on",
           "tells collectors the type of elements that are not IANA's (RFC 5610)"),
    choice("export.common_properties", AT(exporter.common_properties), "off|on",
           "what is the same in all records is told once (RFC 5473)"),
    number("export.udp.rate", AT(exporter.udp.rate), 0, any_32, "messages/s",
           "spares a collector's socket; 0: as fast as it goes"),
    seconds("export.tcp.retry_min", AT(exporter.tcp.retry_min), "at least this long between attempts to connect"),

    choice("sampling.method", AT(sampling.select.method), "off|systematic|random|hash",
           "which packets are metered at all (RFC 5475)"),
    number("sampling.interval", AT(sampling.select.interval), 1, any_32, "packets",
           "systematic: so many in a row are selected,"),
    number("sampling.space", AT(sampling.select.space), 0, any_32, "packets",
           "and so many after them are left out"),
    number("sampling.size", AT(sampling.select.size), 1, any_32, "packets",
           "random: so many are selected"),
    number("sampling.population", AT(sampling.select.population), 1, any_32, "packets",
           "of every so many"),
    number("sampling.seed", AT(sampling.seed), 0, any_64, "",
           "random: what a replay's choice begins with; fixed, so that runs repeat"),
    number("sampling.hash_one_in", AT(sampling.select.hash_one_in), 1, any_32, "",
           "hash: about one in so many packets is selected"),
    number("sampling.hash_initialiser", AT(sampling.select.hash_initialiser), 0, any_32, "",
           "hash: the same at all probes that are to select the same packets"),
    number("sampling.hash_payload_offset", AT(sampling.select.hash_payload_offset), 0, 65'535, "octets",
           "hash: of the IP payload this is left out,"),
    number("sampling.hash_payload_octets", AT(sampling.select.hash_payload_octets), 0,
           capture::SamplingOptions::hash_payload_octets_max, "octets", "and so much after it is hashed"),

    number("replay.workers", AT(replay.workers), 1, 64, "threads",
           "threads in all; the records are the same for any number"),
    text("replay.filter", AT(replay.filter), "only packets that match are metered (pcap-filter(7))"),

    text("live.ports", AT(live.ports), "PCI addresses, or virtual devices of DPDK's with their arguments"),
    text("live.eal", AT(live.eal), "arguments passed through to DPDK's EAL"),
    number("live.workers", AT(live.workers), 0, 64, "workers",
           "one core and one flow table each; 0: by the CPUs there are"),
    text("live.worker_cpus", AT(live.worker_cpus), "CPUs of the workers, such as 2-5,8; auto: on the ports' node"),
    text("live.exporter_cpu", AT(live.exporter_cpu), "CPU of the exporter; auto: the first"),
    text("live.control_cpu", AT(live.control_cpu), "CPU of the control thread; auto: the first"),
    choice("live.rss", AT(live.rss), "addresses|addresses_and_ports|off",
           "what the NIC spreads packets over queues by; off: weir does it"),
    seconds("live.rebalance", AT(live.rebalance), "how often RSS is moved off an overloaded worker; 0: never"),
    number("live.descriptors", AT(live.descriptors), 0, 32'768, "descriptors",
           "of each receive queue; 0: by the link's speed"),
    number("live.buffers", AT(live.buffers), 0, 1u << 24, "buffers",
           "for packets, each port node; 0: as many as are needed"),
    number("live.mtu", AT(live.mtu), 68, 16'000, "octets", "longest IP packet that a port should take"),
    choice("live.promiscuous", AT(live.promiscuous), "off|on", "take packets that are not for this host"),
    choice("live.memory", AT(live.memory), "auto|hugepages|heap",
           "where packet buffers lie; auto: huge pages if there are"),
    seconds("live.pause_max", AT(live.pause_max), "the longest that an idle worker sleeps; 0: it never does"),
    number("live.ring_records", AT(live.ring_records), 1024, 1u << 24, "records",
           "that wait between a worker and the exporter, each address family"),
    text("live.filter", AT(live.filter), "only packets that match are metered (pcap-filter(7))"),
    text("live.control", AT(live.control), "socket at which `weir ctl` asks; empty: none"),
    text("live.user", AT(live.user), "who the probe runs as once its ports are open; empty: who starts it"),
    text("live.group", AT(live.group), "its group, which may use `weir ctl`; empty: the user's own"),
    text("live.capabilities", AT(live.capabilities), "capabilities that live.user keeps, such as net_raw"),
};
// clang-format on
#undef AT

constexpr std::uint64_t ns_per_s = 1'000'000'000;

/// The index of `word` in "one|two|three"; nothing if it is none of them.
std::optional<std::size_t> index_of(std::string_view word, std::string_view words) {
  for (std::size_t index = 0;; ++index) {
    const auto bar = std::min(words.find('|'), words.size());
    if (words.substr(0, bar) == word) return index;
    if (bar == words.size()) return std::nullopt;
    words.remove_prefix(bar + 1);
  }
}

std::string_view word_at(std::size_t index, std::string_view words) {
  for (; index > 0; --index) words.remove_prefix(words.find('|') + 1);
  return words.substr(0, words.find('|'));
}

std::optional<std::uint64_t> whole_number(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// "15", "0.5": digits, and up to nine more after a point. Exact, which floating point would not be.
std::optional<nanoseconds> seconds_from(std::string_view text, const Setting& setting) {
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = whole_number(text.substr(0, point));
  if (!whole || *whole > setting.high) return std::nullopt;
  std::string fraction{text.substr(std::min(point + 1, text.size()))};
  if ((point < text.size() && fraction.empty()) || fraction.size() > 9) return std::nullopt;
  fraction.resize(9, '0');
  const auto rest = whole_number(fraction);
  if (!rest) return std::nullopt;
  const auto value = *whole * ns_per_s + *rest;
  if (value < setting.low * ns_per_s || value > setting.high * ns_per_s) return std::nullopt;
  return nanoseconds{value};
}

template <class T>
std::optional<T> value_from(std::string_view text, const Setting& setting) {
  if constexpr (std::is_same_v<T, std::string>) {
    return std::string{text};
  } else if constexpr (std::is_same_v<T, nanoseconds>) {
    return seconds_from(text, setting);
  } else if constexpr (std::is_enum_v<T>) {
    if (setting.words == "off|on" && (text == "true" || text == "false")) text = text == "true" ? "on" : "off";
    const auto index = index_of(text, setting.words);
    return index ? std::optional{static_cast<T>(*index)} : std::nullopt;
  } else {
    const bool hex = text.starts_with("0x");
    const auto value = whole_number(hex ? text.substr(2) : text, hex ? 16 : 10);
    if (!value || *value < setting.low || *value > setting.high) return std::nullopt;
    return static_cast<T>(*value);
  }
}

template <class T>
std::string text_from(const T& value, const Setting& setting) {
  if constexpr (std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    std::string items;
    for (const auto& item : value) items.append(items.empty() ? "" : ", ").append(item);
    return items;
  } else if constexpr (std::is_same_v<T, nanoseconds>) {
    const auto ns = static_cast<std::uint64_t>(value.count());
    auto text = fmt::format("{}.{:09}", ns / ns_per_s, ns % ns_per_s);
    text.resize(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
  } else if constexpr (std::is_enum_v<T>) {
    return std::string{word_at(static_cast<std::size_t>(value), setting.words)};
  } else {
    return setting.high == any_64 ? fmt::format("0x{:x}", value) : fmt::format("{}", value);
  }
}

template <class Wanted>
bool holds(const Setting& setting) {
  return std::holds_alternative<Member<Wanted>>(setting.member);
}

/// The known name nearest to a wrong one. Where only the section is missing or wrong, the last part decides; a name
/// that contains the last part as it was written is near, too.
std::string_view nearest_name(std::string_view wrong) {
  wrong = wrong.substr(0, 64);
  const auto last_part = [](std::string_view name) { return name.substr(name.rfind('.') + 1); };
  const auto how_far = [&](const Setting& setting) {
    const auto part = last_part(wrong);
    const auto within = part.size() >= 4 && last_part(setting.name).find(part) != std::string_view::npos ? 2u : 1000u;
    return std::min<std::size_t>(
        within, std::min(2 * distance(wrong, setting.name), 2 * distance(part, last_part(setting.name)) + 1));
  };
  const auto nearer = [&](const Setting& a, const Setting& b) { return how_far(a) < how_far(b); };
  return std::min_element(std::begin(settings), std::end(settings), nearer)->name;
}

const Setting& setting_named(const Assignment& assignment) {
  const auto has_name = [&](const Setting& setting) { return setting.name == assignment.name; };
  const auto at = std::find_if(std::begin(settings), std::end(settings), has_name);
  if (at == std::end(settings))
    throw StartError{fmt::format("{}: no setting is called {}; the nearest is {}", assignment.where,
                                 printable(assignment.name), nearest_name(assignment.name))};
  return *at;
}

/// One item is added to a list; anything else is replaced.
void assign(Settings& to, const Assignment& assignment) {
  const auto& setting = setting_named(assignment);
  const auto refuse = [&](std::string_view got) {
    throw StartError{fmt::format("{}: {} must be {}, not {}", assignment.where, setting.name, range_of(setting), got)};
  };
  const auto assign_to = [&]<class T>(Member<T> member) {
    if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      auto& list = member(to);
      for (const auto& item : assignment.values)
        if (!item.empty()) list.push_back(item);
    } else {
      if (assignment.shape == Assignment::Shape::list) return refuse("a list");
      const auto value = value_from<T>(assignment.values.at(0), setting);
      if (!value) return refuse("'" + printable(assignment.values[0]) + "'");
      member(to) = *value;
    }
  };
  std::visit(assign_to, setting.member);
}

bool is_list(std::string_view name) noexcept {
  const auto at = std::ranges::find(settings, name, &Setting::name);
  return at != std::end(settings) && holds<std::vector<std::string>>(*at);
}

/// "name=value" of the command line. A list may be written as in the file, "[one, two]".
Assignment assignment_from(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0)
    throw StartError{
        fmt::format("--set {}: write --set name=value, such as --set flow.timeout_idle=30", printable(text))};
  const auto name = text.substr(0, equals), value = text.substr(equals + 1), where = "--set " + printable(text);
  if (!value.starts_with('[') || !is_list(name)) return {name, {value}, Assignment::Shape::scalar, where};
  const bool ends = value.ends_with(']');  // else the parser's own words lead astray
  const auto list = ends ? read_assignments(name + ": " + value, where) : std::vector<Assignment>{};
  if (list.size() != 1 || list[0].shape != Assignment::Shape::list)
    throw StartError{fmt::format("{}: not a list; write '{}=[one, two]', or --set {}=one for each", where, name, name)};
  return list[0];
}

void clear_list(Settings& in, const Setting& setting) {
  if (const auto* member = std::get_if<Member<std::vector<std::string>>>(&setting.member)) (*member)(in).clear();
}

}  // namespace

std::span<const Setting> setting_table() noexcept { return settings; }

std::string range_of(const Setting& setting) {
  if (holds<std::vector<std::string>>(setting)) return "a list";
  if (holds<std::string>(setting)) return "text";
  if (setting.words.empty())
    return fmt::format("{}..{}{}{}", setting.low, setting.high, setting.unit.empty() ? "" : " ", setting.unit);
  std::string words{setting.words};
  for (auto bar = words.find('|'); bar != words.npos; bar = words.find('|', bar)) words.replace(bar, 1, " or ");
  return words;
}

std::string value_of(const Setting& setting, const Settings& all) {
  auto copy = all;  // members are reached for writing
  return std::visit([&](auto member) { return text_from(member(copy), setting); }, setting.member);
}

Settings settings_from(std::string_view text, const std::string& file_name, std::span<const std::string> assignments) {
  Settings all;
  for (const auto& assignment : read_assignments(text, file_name)) assign(all, assignment);

  std::vector<Assignment> from_line(assignments.size());
  std::transform(assignments.begin(), assignments.end(), from_line.begin(), assignment_from);
  for (const auto& assignment : from_line) clear_list(all, setting_named(assignment));
  for (const auto& assignment : from_line) assign(all, assignment);
  capture::check(all.sampling.select);
  templates_of(all);
  return all;
}

Settings read_settings(const std::optional<std::string>& file, std::span<const std::string> assignments) {
  return settings_from(file ? read_settings_file(*file) : std::string{}, file.value_or("weir.yaml"), assignments);
}

std::string settings_help() {
  std::string out = "Settings, for weir.yaml and --set name=value:\n";
  for (const auto& setting : settings) {
    const auto usual = value_of(setting, Settings{});
    out += fmt::format("  {:<33} {}\n  {:<33}   {}; default {}\n", setting.name, setting.help, "", range_of(setting),
                       usual.empty() ? "none" : usual);
  }
  return out;
}

}  // namespace weir::app
