// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/answers.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/human.hpp"
#include "base/error.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;

double busy(const WorkerCounters& worker) noexcept {
  return worker.loops ? 1 - static_cast<double>(worker.loops_empty) / static_cast<double>(worker.loops) : 0;
}

Json json_of(const WorkerCounters& worker) {
  return {{"received", worker.packets.received.packets},
          {"flows", worker.flows},
          {"handed_over", worker.handed_over},
          {"taken_over", worker.taken_over},
          {"records_not_handed_over", worker.not_handed_over.records},
          {"clock_steps", worker.clock_steps},
          {"busy", busy(worker)}};
}

std::string text_of(const WorkerCounters& worker) {
  auto line = fmt::format("{:>15} packets, {} flows in its table, {:.0f} % of its turns had packets",
                          grouped(worker.packets.received.packets), grouped(worker.flows), 100 * busy(worker));
  if (worker.handed_over + worker.taken_over > 0)
    line += fmt::format("; {} went to other workers, {} came from them", grouped(worker.handed_over),
                        grouped(worker.taken_over));
  if (worker.not_handed_over.records > 0)
    line += fmt::format("; {} records lost: ring_full", grouped(worker.not_handed_over.records));
  return line;
}

std::string text_of(const std::vector<WorkerCounters>& workers, std::string_view sharding) {
  std::uint64_t flows = 0;
  for (const auto& worker : workers) flows += worker.flows;
  auto lines = fmt::format("  {:<20} {:>15} in the table\n", "flows", grouped(flows));
  for (std::size_t i = 0; i < workers.size(); ++i)
    lines += fmt::format("  {:<20} {}\n", fmt::format("worker {}", i), text_of(workers[i]));
  return lines + (workers.size() == 1 ? "" : fmt::format("  {:<20} {}\n", "spread by", sharding));
}

}  // namespace

/// While it runs the ledger's second line has terms of different moments; it closes at the end.
Answer Answers::stats() {
  const auto report = probe_.report();
  const auto counters = probe_.workers();
  auto out = json(report);
  out.erase("ledger");
  out.erase("in_table");
  auto workers = Json::array();
  std::uint64_t flows = 0;
  for (const auto& worker : counters) {
    workers.push_back(json_of(worker));
    flows += worker.flows;
  }
  out["flows"] = flows;
  const auto* const sharding = counters.size() == 1 ? "none" : probe_.reshards() ? "software" : "rss";
  out["sharding"] = sharding;
  out["by_worker"] = workers;
  return {out, text_so_far(report) + text_of(counters, sharding)};
}

Answer Answers::ports() { return {Json{{"ports", json_of(probe_.ports())}}, text_of(probe_.ports())}; }

Answer Answers::flows(const FlowQuery& query) {
  const auto top = probe_.flows(query);
  return {top.json(), top.text()};
}

Answer Answers::expire_all() {
  const auto flows = probe_.expire_all();
  return {Json{{"flows", flows}}, fmt::format("{} flows ended\n", grouped(flows))};
}

Answer Answers::reload() try {
  const auto lines = probe_.apply(read_());
  for (const auto& line : lines) say_("reload: " + line);
  if (lines.empty()) say_("reload: nothing is different");
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return {Json{{"changes", lines}}, lines.empty() ? "nothing is different\n" : text};
} catch (const StartError& error) {
  say_(fmt::format("reload: {}", error.what()));
  return refusal(error.what());
}

}  // namespace weir::app
