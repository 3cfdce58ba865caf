// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/port_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "app/human.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;

std::string link_text(const PortReport& port) {
  if (port.gone) return "taken away";
  if (!port.link.up) return "link down";
  return port.link.bits_per_second ? "link up, " + scaled(static_cast<double>(port.link.bits_per_second), "bit/s")
                                   : "link up";
}

Json json_of(const capture::NamedCounters& named) {
  auto all = Json::object();
  for (const auto& [name, count] : named) all[name] = count;
  return all;
}

std::string text_of(const QueueReport& queue) {
  auto line = fmt::format("{:>15} by worker {}", grouped(queue.packets), queue.worker);
  for (const auto& [name, count] : queue.lost) line += fmt::format(", {} {}", name, grouped(count));
  return line;
}

Json json_of(const PortReport& port) {
  auto lost = Json::object(), queues = Json::array();
  for (std::size_t i = 0; i < port.counters.lost.size(); ++i)
    lost[std::string{capture::port_loss_texts[i].name}] = port.counters.lost[i];
  for (const auto& queue : port.queues)
    queues.push_back({{"queue", queue.number},
                      {"worker", queue.worker},
                      {"received", queue.packets},
                      {"lost", json_of(queue.lost)}});
  return {{"name", port.name},
          {"driver", port.driver},
          {"ingress_interface", port.ingress_interface},
          {"link", port.gone      ? "gone"
                   : port.link.up ? "up"
                                  : "down"},
          {"bits_per_second", port.link.bits_per_second},
          {"offered", port.received() + port.counters.missed()},
          {"received", port.received()},
          {"missed", port.counters.missed()},
          {"lost", lost},
          {"queues", queues},
          {"device", json_of(port.named)}};
}

}  // namespace

capture::NamedCounters losses_of_queue(std::uint16_t queue, const capture::NamedCounters& named) {
  constexpr std::array<std::string_view, 6> words{"err", "drop", "miss", "fail", "no_buf", "nombuf"};
  const auto prefix = fmt::format("rx_q{}_", queue);
  capture::NamedCounters lost;
  for (const auto& counter : named) {
    const auto& name = counter.first;
    const auto is_in_name = [&name](auto word) { return name.find(word) != name.npos; };
    if (name.starts_with(prefix) && std::ranges::any_of(words, is_in_name))
      lost.emplace_back(name.substr(prefix.size()), counter.second);
  }
  return lost;
}

Json json_of(const std::vector<PortReport>& ports) {
  auto all = Json::array();
  for (const auto& port : ports) all.push_back(json_of(port));
  return all;
}

std::string text_of(const std::vector<PortReport>& ports) {
  std::string out;
  for (const auto& port : ports) {
    out += fmt::format("  {:<20} {:>15} offered = received {} + missed {}  ({}, {})\n", port.name,
                       grouped(port.received() + port.counters.missed()), grouped(port.received()),
                       grouped(port.counters.missed()), port.driver, link_text(port));
    for (const auto& queue : port.queues)
      if (port.queues.size() > 1 || !queue.lost.empty())
        out += fmt::format("  {:<20} {}\n", fmt::format("  queue {}", queue.number), text_of(queue));
    for (std::size_t i = 0; i < port.counters.lost.size(); ++i)
      if (port.counters.lost[i] > 0)
        out += fmt::format("  {:<20} {:>15} {}: {}\n", "", grouped(port.counters.lost[i]),
                           capture::port_loss_texts[i].name, capture::port_loss_texts[i].help);
  }
  return out;
}

}  // namespace weir::app
