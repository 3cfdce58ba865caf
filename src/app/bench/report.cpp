// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/report.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/bench/links.hpp"
#include "app/human.hpp"

namespace weir::app::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> size_names{"64", "imix", "1518"}, size_texts{"64 B", "IMIX", "1518 B"};
constexpr std::array<std::string_view, 2> popularity_names{"uniform", "zipf"}, kind_names{"mixed", "syn_flood"},
    direction_names{"uniflow", "biflow"};

template <class Names, class Choice>
std::string_view name_in(const Names& names, Choice choice) {
  return names[static_cast<std::size_t>(choice)];
}

std::string spread(const Figure& figure, int decimals) {
  return fmt::format("{:.{}f} ({:.{}f}–{:.{}f})", figure.median, decimals, figure.least, decimals, figure.most,
                     decimals);
}

std::string percent(double share) { return fmt::format("{:g} %", share * 100); }

std::string heading(const Report& report) {
  const auto& traffic = report.plan.traffic;
  auto line = fmt::format("{}, {}; {}", report.processor, counted(report.cpus, "CPU"),
                          traffic.kind == capture::TrafficKind::syn_flood   ? "a flood of SYN, each packet a new flow"
                          : traffic.popularity == capture::Popularity::zipf ? fmt::format("Zipf {:g}", traffic.skew)
                                                                            : "uniform");
  line += fmt::format(", {} frames, {}", name_in(size_texts, traffic.sizes),
                      name_in(direction_names, report.plan.meter.direction));
  if (traffic.ipv6_share > 0) line += fmt::format(", {} IPv6", percent(traffic.ipv6_share));
  if (traffic.answered_share > 0) line += fmt::format(", {} of flows answered", percent(traffic.answered_share));
  if (traffic.new_share > 0 && traffic.kind == capture::TrafficKind::mixed)
    line += fmt::format(", {} of packets begin a flow", percent(traffic.new_share));
  return line + fmt::format("\n{} rounds of {} packets for each worker; median (least–most), CPU time\n",
                            report.plan.rounds, grouped(traffic.packets));
}

std::string text_of_stages(const Result& result) {
  double sum = 0;
  for (const auto& ns : result.stage_ns) sum += ns.median;
  auto out = fmt::format("  by stage, one after the other, as no worker runs them: {:.1f} ns\n", sum);
  for (std::size_t i = 0; i < stages; ++i) {
    out += fmt::format("  {:<12}{:>8.2f} ns ({:.2f}–{:.2f})", stage_texts[i].text, result.stage_ns[i].median,
                       result.stage_ns[i].least, result.stage_ns[i].most);
    if (result.stage_events) {
      const auto& of = (*result.stage_events)[i];
      out += fmt::format("  {:.1f} cycles, {:.1f} instructions, {:.2f} cache misses", of[0], of[1], of[2]);
    }
    out += "\n";
  }
  return out;
}

std::string text_of_records(const Result& result) {
  std::string out;
  std::uint64_t records = 0;
  for (std::size_t reason = 1; reason < result.ended.size(); ++reason)
    if (result.ended[reason] > 0) {
      records += result.ended[reason];
      out +=
          fmt::format("{}{} by {}", out.empty() ? "" : ", ", grouped(result.ended[reason]), end_reason_names[reason]);
    }
  if (out.empty()) return "  encode      no record ended; --new and --flood make some end\n";
  auto lines = fmt::format("  records     {}\n", out);
  if (result.encode_ns.median > 0)
    lines +=
        fmt::format("  encode      {:>8.2f} ns ({:.2f}–{:.2f}) a record, by the exporter: {}; {:.2f} ns a packet\n",
                    result.encode_ns.median, result.encode_ns.least, result.encode_ns.most,
                    scaled(1e9 / result.encode_ns.median, "records/s"),
                    result.encode_ns.median * static_cast<double>(records) / static_cast<double>(result.packets));
  if (result.not_handed_over.records > 0)
    lines += fmt::format("  ring full   {} records lost, and counted: the exporter did not keep up\n",
                         grouped(result.not_handed_over.records));
  return lines;
}

std::string text_of(const Result& result) {
  const auto core = 1e9 / result.ns.median;
  auto out = fmt::format("\n{}, {}: {} ns a packet, {} a core\n", counted(result.workers, "worker"),
                         counted(result.flows, "flow"), spread(result.ns, 1), scaled(core, "packets/s"));
  out += text_of_stages(result);
  out += fmt::format("  together    {} where each has a CPU to itself; {} ({}–{}) now, with {} of the CPUs\n",
                     scaled(core * result.workers, "packets/s"), scaled(result.packets_per_second.median, "packets/s"),
                     scaled(result.packets_per_second.least, ""), scaled(result.packets_per_second.most, ""),
                     percent(std::round(result.busy * 100) / 100));
  out += fmt::format(
      "  memory      {:>8.2f} ns ({:.2f}–{:.2f}) a random update of one record's {} octets, pipelined: a "
      "packet is {:.1f} of them\n",
      result.bound_ns.median, result.bound_ns.least, result.bound_ns.most, result.record_octets,
      result.over_bound.median);
  out += text_of_records(result);
  out += fmt::format("  ledger      closed: {} metered = {} exported + {} in the table + {} lost; records are right\n",
                     grouped(result.packets_in_all), grouped(result.exported.packets), grouped(result.in_table.packets),
                     grouped(result.not_handed_over.packets));
  return out;
}

std::string text_of_links(const Result& result) {
  auto out = fmt::format(
      "\nlinks: packets/s, and workers that meter them at {:.1f} ns a packet, a core each; the exporter "
      "and a NIC's driver come on top\n{:>12}",
      result.ns.median, "");
  for (const auto frames : link_frames) out += fmt::format("{:>24}", name_in(size_texts, frames));
  out += "\n";
  for (const auto gigabits : link_gigabits) {
    out += fmt::format("{:>5} Gbit/s", gigabits);
    for (const auto frames : link_frames) {
      const auto rate = packets_per_second(gigabits, capture::mean_octets(frames));
      out += fmt::format("{:>14.2f} M/s {:>5.1f}", rate / 1e6, rate * result.ns.median / 1e9);
    }
    out += "\n";
  }
  return out;
}

std::string text_of_sweep(const Report& report) {
  std::string out = fmt::format("\n{:>12}{:>26}{:>26}{:>24}{:>10}\n", "flows", "ns a packet", "meter, stages apart",
                                "memory, ns", "ratio");
  for (const auto& result : report.results)
    out += fmt::format("{:>12}{:>28}{:>28}{:>26}{:>10.1f}\n", grouped(result.flows), spread(result.ns, 1),
                       spread(result.meter_ns, 1), spread(result.bound_ns, 2), result.over_bound.median);
  for (const auto& left : report.left_out) out += fmt::format("{:>12}  left out: {}\n", grouped(left.flows), left.why);
  return out;
}

Json json_of(const Figure& figure) {
  return {{"median", figure.median}, {"least", figure.least}, {"most", figure.most}};
}

Json json_of(const Totals& totals) {
  return {{"records", totals.records}, {"packets", totals.packets}, {"octets", totals.octets}};
}

Json json_of(const Result& result) {
  auto by_stage = Json::object();
  for (std::size_t i = 0; i < stages; ++i) {
    auto& stage = by_stage[std::string{stage_texts[i].name}];
    stage["ns"] = json_of(result.stage_ns[i]);
    for (std::size_t event = 0; event < events; ++event)
      stage[std::string{event_names[event]}] = result.stage_events ? Json{(*result.stage_events)[i][event]}[0] : Json{};
  }
  auto ended = Json::object();
  for (std::size_t reason = 1; reason < result.ended.size(); ++reason)
    ended[std::string{end_reason_names[reason]}] = result.ended[reason];
  return {{"workers", result.workers},
          {"flows", result.flows},
          {"packets", result.packets},
          {"packets_per_second", json_of(result.packets_per_second)},
          {"busy", result.busy},
          {"ns", json_of(result.ns)},
          {"stages", by_stage},
          {"encode_ns_per_record", result.encode_ns.median > 0 ? json_of(result.encode_ns) : Json{}},
          {"memory",
           {{"record_octets", result.record_octets},
            {"update_ns", json_of(result.bound_ns)},
            {"ratio", json_of(result.over_bound)},
            {"octets_of_frames", result.octets_in_memory}}},
          {"ended", ended},
          {"live", result.live},
          {"metered", result.packets_in_all},
          {"exported", json_of(result.exported)},
          {"in_table", json_of(result.in_table)},
          {"not_handed_over", json_of(result.not_handed_over)},
          {"ledger", result.wrong.empty() ? "closed" : "open"},
          {"records", result.wrong.empty() ? "right" : "wrong"},
          {"wrong", result.wrong}};
}

Json json_of_links(const Result& result) {
  auto links = Json::array();
  for (const auto gigabits : link_gigabits)
    for (const auto frames : link_frames) {
      const auto rate = packets_per_second(gigabits, capture::mean_octets(frames));
      links.push_back({{"gigabits_per_second", gigabits},
                       {"frames", name_in(size_names, frames)},
                       {"packets_per_second", rate},
                       {"cores", rate * result.ns.median / 1e9}});
    }
  return links;
}

}  // namespace

std::string text(const Report& report) {
  auto out = heading(report);
  if (report.sweep) out += text_of_sweep(report);
  else
    for (const auto& result : report.results) out += text_of(result);
  if (report.results.empty()) return out;
  if (!report.results.front().events_trouble.empty())
    out += fmt::format("\ncycles, instructions, cache misses: {}\n", report.results.front().events_trouble);
  if (!report.sweep) out += text_of_links(report.results.back());
  return out;
}

Json json(const Report& report) {
  const auto& traffic = report.plan.traffic;
  const auto& meter = report.plan.meter;
  const auto seconds = [](nanoseconds length) { return static_cast<double>(length.count()) / 1e9; };
  Json out{{"machine", {{"processor", report.processor}, {"cpus", report.cpus}}},
           {"traffic",
            {{"kind", name_in(kind_names, traffic.kind)},
             {"flows", traffic.flows},
             {"distribution", name_in(popularity_names, traffic.popularity)},
             {"skew", traffic.skew},
             {"sizes", name_in(size_names, traffic.sizes)},
             {"ipv6", traffic.ipv6_share},
             {"answered", traffic.answered_share},
             {"new", traffic.new_share},
             {"clock_packets_per_second", traffic.packets_per_second},
             {"packets", traffic.packets},
             {"seed", traffic.seed}}},
           {"meter",
            {{"direction", name_in(direction_names, meter.direction)},
             {"capacity", meter.capacity},
             {"timeout_idle", seconds(meter.timeout_idle)},
             {"timeout_active", seconds(meter.timeout_active)}}},
           {"rounds", report.plan.rounds},
           {"results", Json::array()},
           {"left_out", Json::array()},
           {"events_trouble", report.results.empty() ? "" : report.results.front().events_trouble}};
  for (const auto& result : report.results) out["results"].push_back(json_of(result));
  for (const auto& left : report.left_out) out["left_out"].push_back({{"flows", left.flows}, {"why", left.why}});
  if (!report.sweep && !report.results.empty()) out["links"] = json_of_links(report.results.back());
  return out;
}

Plot plot(const Report& report) {
  PlotSeries all{"a packet", "#1b6ca8", {}}, meter{"meter, stages apart", "#d1722b", {}},
      bound{"memory's bound", "#777", {}};
  for (const auto& result : report.results) {
    const auto flows = static_cast<double>(result.flows);
    all.points.push_back({flows, result.ns});
    meter.points.push_back({flows, result.meter_ns});
    bound.points.push_back({flows, result.bound_ns});
  }
  return {.title = "weir bench: nanoseconds a packet by flows",
          .subtitle = fmt::format("{}; {} frames, {}, one worker; median, least to most", report.processor,
                                  name_in(size_texts, report.plan.traffic.sizes),
                                  name_in(popularity_names, report.plan.traffic.popularity)),
          .x_label = "flows in the table (k: 1024, M: 1024 k)",
          .y_label = "ns a packet, CPU time",
          .series = {std::move(all), std::move(meter), std::move(bound)}};
}

}  // namespace weir::app::bench
