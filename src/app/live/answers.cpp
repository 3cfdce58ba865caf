// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/answers.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/human.hpp"
#include "base/error.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const WorkerCounters& worker) {
  return {{"received", worker.packets.received.packets},
          {"flows", worker.flows},
          {"handed_over", worker.handed_over},
          {"taken_over", worker.taken_over},
          {"records_not_handed_over", worker.not_handed_over.records},
          {"clock_steps", worker.clock_steps},
          {"busy", worker.loops ? 1 - static_cast<double>(worker.loops_empty) / static_cast<double>(worker.loops) : 0}};
}

}  // namespace

/// While it runs the ledger's second line has terms of different moments; it closes at the end.
Answer Answers::stats() {
  auto out = json(probe_.report());
  out.erase("ledger");
  out.erase("in_table");
  auto workers = Json::array();
  std::uint64_t flows = 0;
  for (const auto& worker : probe_.workers()) {
    workers.push_back(json_of(worker));
    flows += worker.flows;
  }
  out["flows"] = flows;
  out["sharding"] = probe_.workers().size() == 1 ? "none" : probe_.reshards() ? "software" : "rss";
  out["by_worker"] = workers;
  return {out, {}};
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
