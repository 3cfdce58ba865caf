// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/port_report.hpp"

#include <fmt/format.h>

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

Json json_of(const PortReport& port) {
  auto lost = Json::object(), named = Json::object(), queues = Json::array();
  for (std::size_t i = 0; i < port.counters.lost.size(); ++i)
    lost[std::string{capture::port_loss_texts[i].name}] = port.counters.lost[i];
  for (const auto& [name, count] : port.named) named[name] = count;
  for (const auto& queue : port.queues)
    queues.push_back({{"queue", queue.number}, {"worker", queue.worker}, {"received", queue.packets}});
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
          {"device", named}};
}

}  // namespace

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
      if (port.queues.size() > 1)
        out += fmt::format("  {:<20} {:>15} by worker {}\n", fmt::format("  queue {}", queue.number),
                           grouped(queue.packets), queue.worker);
    for (std::size_t i = 0; i < port.counters.lost.size(); ++i)
      if (port.counters.lost[i] > 0)
        out += fmt::format("  {:<20} {:>15} {}: {}\n", "", grouped(port.counters.lost[i]),
                           capture::port_loss_texts[i].name, capture::port_loss_texts[i].help);
  }
  return out;
}

}  // namespace weir::app
