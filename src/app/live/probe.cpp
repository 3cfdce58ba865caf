// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "app/options.hpp"
#include "base/error.hpp"
#include "flow/layout.hpp"

namespace weir::app {
namespace {

using Steady = std::chrono::steady_clock;

constexpr unsigned exporter_lcore = 1, first_worker_lcore = 2;
constexpr std::size_t split_entries = 1u << 20;

/// Senders choose their addresses; they must not know which of them meet in a tag line.
std::uint64_t random_key() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

flow::MeterOptions live_meter_options(const Settings& settings, unsigned workers) {
  auto options = meter_options(settings, workers);
  options.hash_key = random_key();
  return options;
}

capture::PortOptions port_options(const Settings::Live& live, const capture::PortFacts& facts, unsigned workers) {
  return {
      .queues = static_cast<std::uint16_t>(std::clamp<unsigned>(workers, 1, std::max<unsigned>(facts.queues_max, 1))),
      .descriptors = capture::adjust_descriptors(facts, live.descriptors),
      .mtu = live.mtu,
      .buffer_octets = live.buffer_octets,
      .rss = live.rss != Rss::off,
      .fields = live.rss == Rss::addresses_and_ports ? capture::RssFields::addresses_and_ports
                                                     : capture::RssFields::addresses,
      .promiscuous = live.promiscuous == Promiscuous::on};
}

}  // namespace

Probe::Probe(const Settings& settings, capture::Eal& eal, const std::vector<std::string>& devices, unsigned workers,
             const std::atomic<bool>& stopped, Say say)
    : settings_{settings},
      eal_{eal},
      worker_count_{workers},
      say_{std::move(say)},
      meter_options_{live_meter_options(settings, workers)},
      layouts_{flow::make_layouts(meter_options_)},
      selector_{settings.live.filter},
      mesh_{workers},
      exporter_{exporter_options(settings), {settings.exporter.out, settings.exporter.to}, layouts_, stopped},
      splits_{split_entries, settings.flow.timeout_active, meter_options_.hash_key},
      jobs_(first_worker_lcore + workers) {
  open_ports(devices);
  make_workers();
}

Probe::~Probe() = default;

void Probe::open_ports(const std::vector<std::string>& devices) {
  std::vector<capture::PortFacts> facts;
  for (const auto& device : devices) facts.push_back(capture::facts_of(capture::port_named(device)));
  for (std::size_t i = 0; i < facts.size(); ++i) {
    auto& state = ports_.emplace_back();
    state.device = devices[i];
    state.port = std::make_unique<capture::Port>(facts[i], port_options(settings_.live, facts[i], worker_count_),
                                                 buffers_of(facts, facts[i].node).pool());
    exporter_.add_interface(static_cast<std::uint32_t>(i + 1), facts[i].name);
  }
}

/// One pool for each memory node that has ports: all their descriptors, and what workers and caches may hold.
capture::Buffers& Probe::buffers_of(const std::vector<capture::PortFacts>& facts, int node) {
  const auto there = std::ranges::find(nodes_, node, &Node::number);
  if (there != nodes_.end()) return *there->buffers;
  std::size_t needed = std::size_t{worker_count_} * (capture::Queue::packets_max + 2 * 256);
  for (const auto& fact : facts)
    if (fact.node == node) {
      const auto options = port_options(settings_.live, fact, worker_count_);
      needed += std::size_t{options.queues} * options.descriptors;
    }
  const auto count = settings_.live.buffers ? settings_.live.buffers : static_cast<std::uint32_t>(needed);
  nodes_.push_back({node, std::make_unique<capture::Buffers>(count, settings_.live.buffer_octets, node)});
  return *nodes_.back().buffers;
}

/// Each on its own lcore, so that the pages of its table come from the memory node of its CPU.
void Probe::make_workers() {
  workers_.resize(worker_count_);
  std::vector<std::string> failures(worker_count_);
  for (unsigned i = 0; i < worker_count_; ++i) {
    jobs_[first_worker_lcore + i] = [this, i, &failures] {
      try {
        make_worker(i);
      } catch (const std::exception& error) {
        failures[i] = error.what();
      }
    };
    eal_.launch(first_worker_lcore + i, jobs_[first_worker_lcore + i]);
  }
  for (unsigned i = 0; i < worker_count_; ++i) eal_.wait(first_worker_lcore + i);
  for (const auto& failure : failures)
    if (!failure.empty())
      throw StartError{fmt::format("flow.capacity {}: there is no memory for so many flows ({}); lower it",
                                   settings_.flow.capacity, failure)};
  export_loop_ = std::make_unique<ExportLoop>(exporter_, splits_, layouts_, workers_);
}

void Probe::make_worker(unsigned number) {
  workers_[number] = std::make_unique<Worker>(WorkerOptions{.number = number,
                                                            .meter = meter_options_,
                                                            .ring_records = settings_.live.ring_records,
                                                            .pause_max = settings_.live.pause_max,
                                                            .tsc_hz = eal_.tsc_hz(),
                                                            .realtime = &wall_now},
                                              layouts_, selector_, mesh_, common_);
}

void Probe::start() {
  for (auto& state : ports_) {
    state.port->start();
    state.rss = state.port->rss();
    state.link = state.port->link();
  }
  choose_sharding();
  add_queues();
  started_ = Steady::now();
  jobs_[exporter_lcore] = [this] { export_loop_->run(); };
  eal_.launch(exporter_lcore, jobs_[exporter_lcore]);
  for (unsigned i = 0; i < worker_count_; ++i) {
    jobs_[first_worker_lcore + i] = [this, i] { workers_[i]->run(); };
    eal_.launch(first_worker_lcore + i, jobs_[first_worker_lcore + i]);
  }
}

void Probe::choose_sharding() {
  if (worker_count_ == 1) return;
  if (const auto reason = why_not_rss(); !reason.empty()) {
    common_.reshard = true;
    say_(fmt::format("packets are spread over the {} workers in software: {}", worker_count_, reason));
  } else {
    say_(fmt::format("RSS spreads packets over {} workers: {}", worker_count_, proof_of(ports_.front()).sentence));
  }
}

/// Empty: RSS brings both directions of every flow to one worker, through whichever port.
std::string Probe::why_not_rss() const {
  if (settings_.live.rss == Rss::off) return "live.rss is off";
  for (const auto& state : ports_) {
    const auto& name = state.port->facts().name;
    const auto queues = state.port->options().queues;
    if (queues < worker_count_) return fmt::format("{} has {} receive queue{}", name, queues, queues == 1 ? "" : "s");
    if (!state.rss.active) return fmt::format("{}: {}", name, state.rss.problem);
    if (const auto proof = proof_of(state); !proof.holds) return fmt::format("{}: {}", name, proof.sentence);
    const auto& first = ports_.front().rss;
    if (state.rss.key != first.key || state.rss.fields != first.fields || state.rss.redirection != first.redirection)
      return fmt::format("{} and {} would bring one flow to two workers", ports_.front().port->facts().name, name);
  }
  return {};
}

capture::RssProof Probe::proof_of(const PortState& state) const {
  return capture::prove_symmetry({.key = state.rss.key,
                                  .fields = state.rss.fields,
                                  .redirection = state.rss.redirection,
                                  .queues = state.port->options().queues});
}

void Probe::add_queues() {
  for (std::size_t i = 0; i < ports_.size(); ++i)
    for (std::uint16_t queue = 0; queue < ports_[i].port->options().queues; ++queue) {
      std::optional<capture::HashCheck> check;
      if (ports_[i].rss.active && !common_.reshard) check.emplace(ports_[i].rss.key, ports_[i].rss.fields);
      workers_[queue]->add(std::make_unique<capture::Queue>(*ports_[i].port, queue, static_cast<std::uint16_t>(i)),
                           check);
    }
}

void Probe::watch() noexcept {
  for (auto& state : ports_) watch_port(state);
  if (!common_.reshard) watch_hashes();
}

void Probe::watch_port(PortState& state) noexcept {
  const auto& name = state.port->facts().name;
  if (state.port->gone()) {
    if (std::exchange(state.link.up, false))
      say_(fmt::format("{}: the device was taken away; its packets end here", name));
    return;
  }
  const auto link = state.port->link();
  if (link.up != state.link.up) say_(fmt::format("{}: the link is {}", name, link.up ? "up" : "down"));
  state.link = link;
  state.counters = state.port->counters();
  say_losses(state);
}

/// A line for each cause when it begins, and again when it has grown tenfold.
void Probe::say_losses(PortState& state) noexcept {
  for (std::size_t i = 0; i < state.counters.lost.size(); ++i) {
    const auto lost = state.counters.lost[i];
    auto& told = state.told.lost[i];
    if (lost == 0 || lost < 10 * told) continue;
    told = lost;
    say_(fmt::format("{}: {} {}: {}", state.port->facts().name, lost, capture::port_loss_texts[i].name,
                     capture::port_loss_texts[i].help));
  }
}

void Probe::watch_hashes() noexcept {
  for (const auto& worker : workers_)
    for (const auto& queue : worker->queues())
      if (queue->verdict.load(std::memory_order_relaxed) == capture::HashCheck::Verdict::differs) {
        common_.reshard = true;
        return say_(fmt::format(
            "{}: the hashes of its packets are not those of the key and fields that it names; from now on packets are "
            "spread over the workers in software, and flows that two workers had begun end as two records",
            queue->port->facts().name));
      }
}

Report Probe::finish() noexcept {
  common_.stop = true;
  for (unsigned lcore = exporter_lcore; lcore < jobs_.size(); ++lcore) eal_.wait(lcore);
  for (auto& state : ports_) {
    state.counters = state.port->counters();
    state.port->stop();
  }
  auto made = report();
  made.destinations = exporter_.report();
  return made;
}

std::vector<PortReport> Probe::ports() const {
  std::vector<PortReport> reports;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const auto& state = ports_[i];
    auto& made = reports.emplace_back();
    made.name = state.port->facts().name;
    made.driver = state.port->facts().driver;
    made.ingress_interface = static_cast<std::uint32_t>(i + 1);
    made.link = state.link;
    made.gone = state.port->gone();
    made.counters = state.counters;
    made.named = state.port->named_counters();
    for (unsigned worker = 0; worker < workers_.size(); ++worker)
      for (const auto& queue : workers_[worker]->queues())
        if (queue->port == state.port.get())
          made.queues.push_back({queue->number, worker, queue->packets.load(std::memory_order_relaxed)});
  }
  return reports;
}

Report Probe::report() const {
  auto exported = export_loop_->counters();
  Report made{.destinations = std::move(exported.destinations)};
  for (const auto& worker : workers_) {
    const auto counters = worker->counters();
    made.packets += counters.packets;
    made.metered_ip_octets += counters.metered.octets;
    made.in_table += counters.in_table;
    made.not_handed_over += counters.not_handed_over;
    for (std::size_t i = 0; i < made.end_reasons.size(); ++i) made.end_reasons[i] += counters.metered.ended[i];
    if (counters.clock_first != no_stamp)
      made.clock_first =
          made.clock_first == no_stamp ? counters.clock_first : std::min(made.clock_first, counters.clock_first);
    made.clock_last = std::max(made.clock_last, counters.clock);
  }
  made.ports = ports();
  made.workers = worker_count_;
  made.took = Steady::now() - started_;
  return made;
}

}  // namespace weir::app
