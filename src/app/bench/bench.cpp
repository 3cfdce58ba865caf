// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <memory>
#include <new>
#include <numeric>

#include "app/bench/cpu_time.hpp"
#include "app/bench/exporting.hpp"
#include "app/bench/lane.hpp"
#include "app/bench/memory_bound.hpp"
#include "app/bench/threads.hpp"
#include "app/live/cpus.hpp"
#include "base/error.hpp"
#include "flow/layout.hpp"

namespace weir::app::bench {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::nanoseconds;

/// What one lane measured in one round: a stretch as a worker runs it, and one with its stages apart.
struct Lap {
  nanoseconds cpu{};
  Steady::time_point begin{}, end{};
  std::array<std::uint64_t, stages> ticks{};
  nanoseconds cpu_apart{};
  double bound_ns = 0;
};

/// One worker's part of it. Seeds differ, so that no two workers send the same.
Plan share_of(Plan plan, unsigned workers, unsigned number) {
  const auto share = [workers](std::uint64_t whole) {
    return std::max<std::uint64_t>((whole + workers - 1) / workers, 1);
  };
  plan.traffic.flows = share(plan.traffic.flows);
  plan.traffic.seed += number;
  plan.traffic.packets_per_second /= workers;
  plan.meter.capacity = share(plan.meter.capacity);
  return plan;
}

class Runner {
 public:
  Runner(const Plan& plan, unsigned workers)
      : plan_{plan}, workers_{workers}, layouts_{flow::make_layouts(plan.meter)}, lanes_(workers), bounds_(workers) {
    const auto usable = usable_cpus();
    for (unsigned i = 0; i < workers; ++i) cpus_.push_back(usable[i % usable.size()].number);
    exporter_cpu_ = usable[workers % usable.size()].number;
  }

  Result run() {
    result_.workers = workers_;
    result_.flows = plan_.traffic.flows;
    result_.record_octets = layouts_[0].octets;
    check_records();
    if (!result_.wrong.empty()) return result_;
    in_threads(cpus_, [this](unsigned i) { lanes_[i] = make_lane(i); });
    Exporting exporting{lanes_, layouts_, exporter_cpu_};
    in_threads(cpus_, [this](unsigned i) {
      lanes_[i]->prepare(plan_.packets_before / workers_);
      bounds_[i] = std::make_unique<MemoryBound>(share_of(plan_, workers_, i).traffic, bound_octets());
    });
    before_ = exporting.settle();
    for (const auto& lane : lanes_) {
      packets_before_ += lane->tallies().received.packets;
      for (std::size_t reason = 0; reason < ended_before_.size(); ++reason)
        ended_before_[reason] += lane->meter().counters().ended[reason];
    }
    for (unsigned round = 0; round < plan_.rounds; ++round) measure(exporting);
    count_events(exporting);
    conclude(exporting.settle());
    return result_;
  }

 private:
  std::unique_ptr<Lane> make_lane(unsigned number) {
    const auto mine = share_of(plan_, workers_, number);
    return std::make_unique<Lane>(mine.traffic, mine.meter, mine.ring_records, layouts_);
  }
  std::size_t bound_octets() const noexcept { return layouts_[plan_.traffic.ipv6_share > 0.5 ? 1 : 0].octets; }

  void check_records() {
    std::vector<std::string> verdicts(workers_);
    in_threads(cpus_, [&](unsigned i) { verdicts[i] = make_lane(i)->check(); });
    for (const auto& verdict : verdicts)
      if (!verdict.empty()) result_.wrong = verdict;
  }

  /// All lanes begin when the last one is ready.
  void measure(const Exporting& exporting) {
    std::vector<Lap> laps(workers_);
    std::barrier ready{static_cast<std::ptrdiff_t>(workers_)};
    in_threads(cpus_, [&](unsigned i) {
      lanes_[i]->make();
      ready.arrive_and_wait();
      auto& lap = laps[i];
      NoLaps none;
      lap.begin = Steady::now();
      lap.cpu = cpu_time_of([&] { lanes_[i]->run(none); });
      lap.end = Steady::now();
      ready.arrive_and_wait();
      lanes_[i]->make();
      ready.arrive_and_wait();
      TickLaps ticks;
      lap.cpu_apart = cpu_time_of([&] { lanes_[i]->run(ticks); });
      lap.ticks = ticks.ticks();
      ready.arrive_and_wait();
      lap.bound_ns = bounds_[i]->measure();
    });
    note(laps);
    const auto now = exporting.settle();
    const auto records = now.encoded.records - before_.encoded.records;
    constexpr std::uint64_t records_that_count = 1000;  // fewer come singly, and reading the clock is most of them
    if (records >= records_that_count)
      encode_ns_.push_back(static_cast<double>((now.took - before_.took).count()) / static_cast<double>(records));
    before_ = now;
  }

  void note(const std::vector<Lap>& laps) {
    const auto packets = static_cast<double>(plan_.traffic.packets), lanes = static_cast<double>(workers_);
    std::array<double, stages> stage_ns{};
    double ns = 0, bound = 0, busy = 0;
    auto begin = laps.front().begin, end = laps.front().end;
    for (const auto& lap : laps) {
      const auto cpu = static_cast<double>(lap.cpu.count());
      const auto ticks = static_cast<double>(std::accumulate(lap.ticks.begin(), lap.ticks.end(), std::uint64_t{0}));
      for (std::size_t stage = 0; stage < stages; ++stage)
        stage_ns[stage] += static_cast<double>(lap.ticks[stage]) / ticks * static_cast<double>(lap.cpu_apart.count()) /
                           packets / lanes;
      ns += cpu / packets / lanes;
      bound += lap.bound_ns / lanes;
      busy += cpu / static_cast<double>(nanoseconds{lap.end - lap.begin}.count()) / lanes;
      begin = std::min(begin, lap.begin);
      end = std::max(end, lap.end);
    }
    for (std::size_t stage = 0; stage < stages; ++stage) stage_ns_[stage].push_back(stage_ns[stage]);
    meter_ns_.push_back(stage_ns[static_cast<std::size_t>(Stage::look_up)] +
                        stage_ns[static_cast<std::size_t>(Stage::account)]);
    ns_.push_back(ns);
    bound_ns_.push_back(bound);
    over_bound_.push_back(ns / bound);
    busy_.push_back(busy);
    rate_.push_back(packets * lanes / static_cast<double>(nanoseconds{end - begin}.count()) * 1e9);
  }

  /// One more round, whose time does not count.
  void count_events(const Exporting& exporting) {
    std::vector<std::array<EventCounts, stages>> counts(workers_);
    std::vector<std::string> troubles(workers_);
    in_threads(cpus_, [&](unsigned i) {
      const Counters counters;
      troubles[i] = counters.trouble();
      if (!counters.trouble().empty()) return;
      lanes_[i]->make();
      EventLaps laps{counters};
      lanes_[i]->run(laps);
      counts[i] = laps.counts();
    });
    exporting.settle();
    result_.events_trouble = troubles.front();
    if (!troubles.front().empty()) return;
    auto& mean = result_.stage_events.emplace();
    for (const auto& lane : counts)
      for (std::size_t stage = 0; stage < stages; ++stage)
        for (std::size_t event = 0; event < events; ++event)
          mean[stage][event] += static_cast<double>(lane[stage][event]) / static_cast<double>(plan_.traffic.packets) /
                                static_cast<double>(workers_);
  }

  void conclude(const Exporting::Work& exported) {
    result_.packets_per_second = figure_of(rate_);
    result_.ns = figure_of(ns_);
    for (std::size_t stage = 0; stage < stages; ++stage) result_.stage_ns[stage] = figure_of(stage_ns_[stage]);
    result_.meter_ns = figure_of(meter_ns_);
    result_.busy = figure_of(busy_).median;
    result_.bound_ns = figure_of(bound_ns_);
    result_.over_bound = figure_of(over_bound_);
    result_.encode_ns = figure_of(encode_ns_);
    result_.exported = exported.encoded;
    PacketTallies tallies;
    Totals made, metered;
    for (const auto& lane : lanes_) {
      tallies += lane->tallies();
      metered += {0, lane->meter().counters().packets, lane->meter().counters().octets};
      made += {0, lane->traffic().sums().packets, lane->traffic().sums().octets};
      result_.in_table += lane->meter().in_table();
      result_.not_handed_over += lane->not_handed_over();
      result_.live += lane->meter().live();
      result_.octets_in_memory += lane->traffic().octets_in_memory();
      for (std::size_t reason = 0; reason < result_.ended.size(); ++reason)
        result_.ended[reason] += lane->meter().counters().ended[reason];
    }
    for (std::size_t reason = 0; reason < result_.ended.size(); ++reason)
      result_.ended[reason] -= ended_before_[reason];
    result_.packets_in_all = tallies.received.packets;
    result_.packets = tallies.received.packets - packets_before_;
    judge(tallies, made, metered);
  }

  /// The ledger's two lines, and that all that was made came in.
  void judge(const PacketTallies& tallies, const Totals& made, const Totals& metered) {
    const auto& received = tallies.received.packets;
    const auto& became = tallies.became[static_cast<std::size_t>(Outcome::metered)].packets;
    auto out = result_.exported;
    out += result_.in_table;
    out += result_.not_handed_over;
    if (made.packets != received) result_.wrong = fmt::format("{} packets made, {} received", made.packets, received);
    else if (received != became) result_.wrong = fmt::format("{} packets received, {} metered", received, became);
    else if (metered.packets != received || metered.octets != made.octets)
      result_.wrong = fmt::format("{} packets and {} octets metered by the table, {} and {} made", metered.packets,
                                  metered.octets, made.packets, made.octets);
    else if (out.packets != metered.packets || out.octets != metered.octets)
      result_.wrong = fmt::format("{} packets and {} octets metered, {} and {} exported, in the table or lost",
                                  metered.packets, metered.octets, out.packets, out.octets);
    else if (!std::ranges::all_of(bounds_, [](const auto& bound) { return bound->right(); }))
      result_.wrong = "an update of memory is not in the memory";
  }

  const Plan& plan_;
  unsigned workers_;
  std::array<RecordLayout, 2> layouts_;
  std::vector<unsigned> cpus_;
  unsigned exporter_cpu_ = 0;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<std::unique_ptr<MemoryBound>> bounds_;
  Exporting::Work before_{};
  std::uint64_t packets_before_ = 0;
  std::array<std::uint64_t, 6> ended_before_{};
  std::array<std::vector<double>, stages> stage_ns_{};
  std::vector<double> meter_ns_;
  std::vector<double> rate_, ns_, busy_, bound_ns_, over_bound_, encode_ns_;
  Result result_;
};

}  // namespace

std::uint64_t octets_needed(const Plan& plan, unsigned workers) {
  constexpr std::uint64_t of_a_packet = 160, of_a_flow = 32;  // frame and descriptor; tag lines, the set of flows
  const auto layouts = flow::make_layouts(plan.meter);
  const auto& traffic = plan.traffic;
  const auto record =
      std::max(traffic.ipv6_share < 1 ? layouts[0].octets : 0, traffic.ipv6_share > 0 ? layouts[1].octets : 0);
  const auto in_table =
      std::min<std::uint64_t>(plan.meter.capacity, traffic.new_share > 0 ? plan.meter.capacity : traffic.flows);
  const auto rings = workers * 2 * std::max(layouts[0].octets, layouts[1].octets) * plan.ring_records;
  return workers * traffic.packets * of_a_packet + in_table * (record + of_a_flow) + plan.meter.capacity * of_a_flow +
         traffic.flows * (record + of_a_flow) + rings;
}

Result run(const Plan& plan, unsigned workers) try {
  return Runner{plan, workers}.run();
} catch (const std::bad_alloc&) {
  throw StartError{"there is no memory for so much traffic and so many flows; lower --packets, --flows or --workers"};
}

}  // namespace weir::app::bench
