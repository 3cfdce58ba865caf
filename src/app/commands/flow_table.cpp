// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/flow_table.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "app/commands/dump_names.hpp"
#include "app/human.hpp"

namespace weir::app {
namespace {

enum class Side : std::uint8_t { left, right };
struct Column {
  std::string_view title;
  Side side;
};
constexpr std::array columns{
    Column{"start (UTC)", Side::left},
    Column{"duration", Side::right},
    Column{"protocol", Side::left},
    Column{"source", Side::right},
    Column{"", Side::left},
    Column{"destination", Side::left},
    Column{"service", Side::left},
    Column{"packets", Side::right},
    Column{"octets", Side::right},
    Column{"packets back", Side::right},
    Column{"octets back", Side::right},
    Column{"flags", Side::left},
    Column{"end", Side::left},
};
constexpr std::size_t column_back = 9, columns_back = 2;
using Row = std::array<std::string, columns.size()>;

/// 2023-11-14 22:13:20.123
std::string time_text(std::int64_t nanoseconds) {
  const std::chrono::nanoseconds at{nanoseconds};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto rest = std::chrono::floor<std::chrono::milliseconds>(at - seconds);
  ipfix::Text text;
  ipfix::append_time(text, seconds.count(), static_cast<std::uint32_t>(rest.count()), 3);
  auto time = fmt::to_string(text);
  time[10] = ' ';
  time.pop_back();
  return time;
}

/// A dot for each bit that is not set.
std::string flags_text(std::uint16_t tcp_flags) {
  std::string text = "CEUAPRSF";
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((tcp_flags >> (7 - i) & 1u) == 0) text[i] = '.';
  return text;
}

std::string endpoint(const DumpAddress& address, std::optional<std::uint16_t> port) {
  if (address.size == 0) return port ? fmt::format("-:{}", *port) : "-";
  ipfix::Text text;
  ipfix::append_address(text, address.bytes());
  const auto host = fmt::to_string(text);
  if (!port) return host;
  return fmt::format(fmt::runtime(address.size == 16 ? "[{}]:{}" : "{}:{}"), host, *port);
}

bool has_ports(const DumpFlow& flow) noexcept {
  if (!flow.protocol) return true;
  constexpr std::array<std::uint8_t, 5> with_ports{6, 17, 33, 132, 136};
  return std::ranges::find(with_ports, *flow.protocol) != with_ports.end();
}

bool is_icmp(const DumpFlow& flow) noexcept { return flow.protocol == 1 || flow.protocol == 58; }

std::string protocol_of(const DumpFlow& flow) {
  if (!flow.protocol) return "-";
  const auto name = name_in(protocol_names, *flow.protocol);
  return name.empty() ? std::to_string(*flow.protocol) : std::string{name};
}

std::string service_of(const DumpFlow& flow) {
  if (is_icmp(flow)) {
    // Some exporters put type and code into the destination port.
    const auto type_code = flow.icmp_type_code ? flow.icmp_type_code : flow.destination_port;
    return type_code ? fmt::format("type {} code {}", *type_code >> 8, *type_code & 255) : "-";
  }
  if (!has_ports(flow)) return "-";
  for (const auto port : {flow.destination_port, flow.source_port})
    if (const auto name = port ? name_in(service_names, *port) : ""; !name.empty()) return std::string{name};
  return "-";
}

Row row_of(const DumpFlow& flow) {
  constexpr std::array<std::string_view, 6> reasons{"-", "idle", "active", "finished", "forced", "evicted"};
  const auto reason = flow.end_reason < reasons.size() ? reasons[flow.end_reason] : "?";
  const bool ports = has_ports(flow);
  const bool timed = flow.start && flow.end && *flow.end >= *flow.start;
  return {
      flow.start ? time_text(*flow.start) : "-",
      timed ? duration(std::chrono::nanoseconds{*flow.end - *flow.start}) : "-",
      protocol_of(flow),
      endpoint(flow.source, ports ? flow.source_port : std::nullopt),
      "→",
      endpoint(flow.destination, ports ? flow.destination_port : std::nullopt),
      service_of(flow),
      grouped(flow.packets[0]),
      flow_octets_text(flow.octets[0]),
      flow.is_biflow ? grouped(flow.packets[1]) : "-",
      flow.is_biflow ? flow_octets_text(flow.octets[1]) : "-",
      flow.tcp_flags && flow.protocol.value_or(6) == 6 ? flags_text(*flow.tcp_flags) : "-",
      std::string{reason},
  };
}

/// Columns that all characters of UTF-8 text take: continuation octets take none.
std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

void append_table(ipfix::Text& out, const std::vector<Row>& rows, bool with_back) {
  std::array<std::size_t, columns.size()> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!with_back && i >= column_back && i < column_back + columns_back) continue;
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      line += columns[i].side == Side::right ? blanks + row[i] : row[i] + blanks;
      line += columns[i].title.empty() || (i + 1 < columns.size() && columns[i + 1].title.empty()) ? " " : "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    ipfix::append(out, line + "\n");
  }
}

}  // namespace

std::string flow_octets_text(std::uint64_t octets) { return scaled(static_cast<double>(octets), "B"); }

void append_flow_table(ipfix::Text& out, std::span<const DumpFlow> flows) {
  if (flows.empty()) return;
  std::vector<Row> rows(1);
  std::ranges::transform(columns, rows[0].begin(), [](const Column& column) { return std::string{column.title}; });
  for (const auto& flow : flows) rows.push_back(row_of(flow));
  append_table(out, rows, std::ranges::any_of(flows, &DumpFlow::is_biflow));
}

}  // namespace weir::app
