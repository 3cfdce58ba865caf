// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "app/human.hpp"
#include "app/live/buffer_memory.hpp"
#include "app/options.hpp"
#include "app/privileges.hpp"
#include "base/error.hpp"
#include "capture/live/devices.hpp"
#include "decode/decode.hpp"
#include "flow/layout.hpp"

namespace weir::app {
namespace {

using Steady = std::chrono::steady_clock;

constexpr unsigned exporter_lcore = 1, first_worker_lcore = 2;
constexpr std::size_t split_entries = 1u << 20;

/// Virtual devices claim links of 10 Gbit/s and more; none of them, nor the kernel behind them, brings more to a queue.
constexpr std::uint64_t virtual_packets_per_second = 4'000'000;

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

/// One for each worker, where the port has so many. A queue that gets packets whether or not it is read must be read:
/// then some workers have several.
std::uint16_t queues_of(const capture::PortFacts& facts, unsigned workers) noexcept {
  if (facts.fills_all_queues) return std::max<std::uint16_t>(facts.queues_max, 1);
  return static_cast<std::uint16_t>(std::clamp<unsigned>(workers, 1, std::max<unsigned>(facts.queues_max, 1)));
}

capture::PortOptions port_options(const Settings::Live& live, std::uint16_t queues, std::uint32_t descriptors) {
  return {.queues = queues,
          .descriptors = static_cast<std::uint16_t>(descriptors),
          .mtu = live.mtu,
          .rss = live.rss != Rss::off,
          .fields = live.rss == Rss::addresses_and_ports ? capture::RssFields::addresses_and_ports
                                                         : capture::RssFields::addresses,
          .promiscuous = live.promiscuous == Promiscuous::on};
}

unsigned node_number(int node) noexcept { return node < 0 ? 0 : static_cast<unsigned>(node); }

}  // namespace

Probe::Probe(const Settings& settings, capture::Eal& eal, const std::vector<std::string>& devices, const CpuPlan& cpus,
             const std::atomic<bool>& stopped, Say say, Instant (*realtime)() noexcept)
    : settings_{settings},
      eal_{eal},
      cpus_{cpus},
      worker_count_{static_cast<unsigned>(cpus.workers.size())},
      say_{std::move(say)},
      realtime_{realtime},
      meter_options_{live_meter_options(settings, worker_count_)},
      layouts_{flow::make_layouts(meter_options_)},
      decoding_{settings.decode.tunnels, meter_options_},
      selector_{settings.live.filter},
      mesh_{worker_count_, handover_octets(decoding_.details, meter_options_.payload_octets)},
      splits_{split_entries, settings.flow.timeout_active, meter_options_.hash_key},
      jobs_(first_worker_lcore + worker_count_) {
  if (settings.flow.hash_key != Settings{}.flow.hash_key)
    say_("flow.hash_key is for replay and has no effect here: a live probe draws its key at start");
  open_ports(devices);
  open_destinations(stopped);
  make_workers();
}

Probe::~Probe() { close(); }

void Probe::open_ports(const std::vector<std::string>& devices) {
  if (devices.size() > ports_max)
    throw StartError{
        fmt::format("live.ports: {} ports are more than the {} that weir takes", devices.size(), ports_max)};
  std::vector<capture::PortFacts> facts;
  for (const auto& device : devices) {
    const auto number = capture::port_named(device);
    if (std::ranges::find(facts, number, &capture::PortFacts::number) != facts.end())
      throw StartError{
          fmt::format("live.ports: {} is there twice; each port needs a name of its own: net_pcap0, net_pcap1",
                      device.substr(0, device.find(',')))};
    auto& fact = facts.emplace_back(capture::facts_of(number));
    if (fact.kernel_interface == 0) fact.kernel_interface = capture::interface_named(device);  // net_pcap is silent
  }
  const auto needs = needs_of(facts, devices);
  const auto sizes = reckon(needs);
  refuse_what_does_not_fit(sizes, needs, read_machine());
  for (const auto& line : lines_of(sizes, needs)) say_(line);
  for (const auto& warning : node_warnings(needs)) say_(warning);
  take_memory(sizes);
  for (std::size_t i = 0; i < facts.size(); ++i) open_port(facts[i], sizes.descriptors[i]);
}

Needs Probe::needs_of(const std::vector<capture::PortFacts>& facts, const std::vector<std::string>& devices) const {
  Needs needs{.burst = capture::Queue::packets_max,
              .buffers_asked = settings_.live.buffers,
              .buffers_from = eal_.memory() == capture::BufferMemory::hugepages ? BuffersFrom::huge_pages
                                                                                : BuffersFrom::ordinary_memory,
              .capacity = settings_.flow.capacity,
              .capacity_of_worker = meter_options_.capacity,
              .record_octets = {layouts_[0].live_octets, layouts_[1].live_octets},
              .fragment_octets = flow::Fragments::octets(fragment_options(settings_, meter_options_, decoding_)),
              .pause_max = settings_.live.pause_max};
  for (const auto& fact : facts) {
    const auto& device = devices[needs.ports.size()];
    const auto frame_named = capture::frame_octets_named(device);
    const auto mtu = std::min<std::uint32_t>(settings_.live.mtu, fact.mtu_max ? fact.mtu_max : settings_.live.mtu);
    needs.ports.push_back({.name = fact.name,
                           .node = node_number(fact.node),
                           .queues = queues_of(fact, worker_count_),
                           .link_bits_per_second = capture::link_of(fact.number).bits_per_second,
                           .packets_per_second_max = capture::is_pci_address(device) ? 0 : virtual_packets_per_second,
                           .frames_outside = capture::frames_named(device),
                           .frame_max = std::max(mtu + link_header_max, frame_named),
                           .scatters = fact.scatters,
                           .descriptors_asked = settings_.live.descriptors,
                           .descriptors_min = fact.descriptors_min,
                           .descriptors_max = fact.descriptors_max ? fact.descriptors_max : std::uint32_t{65535},
                           .descriptors_align = fact.descriptors_align});
  }
  const auto ring_octets = settings_.live.ring_records * (layouts_[0].octets + layouts_[1].octets);
  const auto usable = usable_cpus();
  for (const auto cpu : cpus_.workers) {
    const auto at = std::ranges::find(usable, cpu, &Cpu::number);
    needs.workers.push_back({.node = at == usable.end() ? 0 : node_number(at->node), .ring_octets = ring_octets});
  }
  return needs;
}

void Probe::take_memory(const Sizes& sizes) {
  pause_longest_ = sizes.pause_longest;
  for (const auto& pool : sizes.pools)
    if (pool.buffers > 0) {
      nodes_.push_back(
          {pool.node, std::make_unique<capture::Buffers>(pool.buffers, pool.data_room, static_cast<int>(pool.node))});
    }
}

void Probe::open_port(const capture::PortFacts& facts, std::uint32_t descriptors) {
  const auto node = std::ranges::find(nodes_, node_number(facts.node), &Node::number);
  auto& state = ports_.emplace_back();
  state.port = std::make_unique<capture::Port>(
      facts, port_options(settings_.live, queues_of(facts, worker_count_), descriptors), node->buffers->pool());
}

void Probe::open_destinations(const std::atomic<bool>& stopped) {
  auto options = exporter_options(settings_, Patience::backlog, sampled_interfaces());
  if (const auto identity = identity_of(settings_.live.user, settings_.live.group))
    options.file_owner = transport::Owner{identity->user, identity->group};
  exporter_.emplace(options, Destinations{settings_.exporter.out, settings_.exporter.to}, layouts_, stopped);
  for (std::size_t i = 0; i < ports_.size(); ++i)
    exporter_->add_interface(static_cast<std::uint32_t>(i + 1), ports_[i].port->facts().name);
}

/// A Selection Sequence for each queue, in the order in which workers have them.
std::vector<std::uint32_t> Probe::sampled_interfaces() const {
  std::vector<std::uint32_t> interfaces;
  for (unsigned worker = 0; worker < worker_count_; ++worker)
    for (std::size_t i = 0; i < ports_.size(); ++i)
      for (auto queue = worker; queue < ports_[i].port->options().queues; queue += worker_count_)
        interfaces.push_back(static_cast<std::uint32_t>(i + 1));
  return interfaces;
}

capture::Sampler Probe::new_sampler() const { return {settings_.sampling.select, random_key(), &decode::ip_packet}; }

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
  export_loop_ = std::make_unique<ExportLoop>(*exporter_, splits_, layouts_, workers_,
                                              std::span{common_.lost}.first(ports_.size()));
}

void Probe::make_worker(unsigned number) {
  workers_[number] =
      std::make_unique<Worker>(WorkerOptions{.number = number,
                                             .meter = meter_options_,
                                             .fragments = fragment_options(settings_, meter_options_, decoding_),
                                             .ring_records = settings_.live.ring_records,
                                             .pause_max = pause_longest_,
                                             .tsc_hz = eal_.tsc_hz(),
                                             .realtime = realtime_},
                               layouts_, decoding_, selector_, mesh_, common_);
}

void Probe::start() {
  for (auto& state : ports_) {
    state.port->start();
    state.rss = state.port->rss();
    state.link = state.port->link();
  }
  choose_sharding();
  add_queues();
  started_ = balanced_at_ = Steady::now();
  running_ = true;
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
    if (settings_.flow.fragments == flow::FragmentTracking::track && settings_.live.rss == Rss::addresses_and_ports)
      say_(
          "live.rss addresses_and_ports: a NIC does not see ports in fragments, and may bring them to another worker "
          "than the rest of their flow, which is then two records; addresses keeps them together");
  }
}

/// Empty: RSS brings both directions of every flow to one worker, through whichever port.
std::string Probe::why_not_rss() const {
  if (settings_.live.rss == Rss::off) return "live.rss is off";
  if (settings_.decode.tunnels == decode::Tunnels::inner)
    return "decode.tunnels is inner, and ports see what is outside";
  if (!decoding_.spread.follows_addresses()) return "flow.key does not have both whole addresses";
  if (settings_.live.rss == Rss::addresses_and_ports && !decoding_.spread.follows_ports())
    return "live.rss spreads by ports, which flow.key does not have";
  for (const auto& state : ports_) {
    const auto& name = state.port->facts().name;
    const auto queues = state.port->options().queues;
    if (queues != worker_count_) return fmt::format("{} has {}", name, counted(queues, "receive queue"));
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
      workers_[queue % worker_count_]->add(
          std::make_unique<capture::Queue>(*ports_[i].port, queue, static_cast<std::uint16_t>(i)), check,
          new_sampler());
    }
  const auto stamps = [](const PortState& state) { return state.port->facts().stamps != capture::StampUnit::none; };
  if (std::ranges::any_of(ports_, stamps))
    for (auto& worker : workers_) worker->follow_stamps();
}

Report Probe::finish() noexcept {
  for (auto& state : ports_) watch_port(state);
  wait_for_lcores();
  for (auto& state : ports_) {
    state.counters = state.port->counters();
    say_losses(state);
  }
  auto made = report();
  made.destinations = exporter_->report();
  for (auto& state : ports_) state.port->stop();
  return made;
}

void Probe::wait_for_lcores() noexcept {
  common_.stop = true;
  for (unsigned lcore = exporter_lcore; running_ && lcore < jobs_.size(); ++lcore) eal_.wait(lcore);
  running_ = false;
}

/// Devices give their buffers back when they are closed. One that does not come back was lost by us or by the driver.
void Probe::close() noexcept {
  wait_for_lcores();  // where a start goes wrong behind start(), they are still at it
  // What net_af_xdp gave the kernel to fill, it never takes back.
  const auto keeps_buffers = [](const PortState& state) { return state.port->facts().driver == "net_af_xdp"; };
  const bool some_are_kept = std::ranges::any_of(ports_, keeps_buffers);
  ports_.clear();
  if (some_are_kept) return;
  for (const auto& node : nodes_)
    if (const auto away = node.buffers->count() - node.buffers->available(); away > 0)
      say_(fmt::format("{} of {} packet buffers did not come back; please report it", away, node.buffers->count()));
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
          made.queues.push_back({queue->number, worker, queue->packets.load(std::memory_order_relaxed),
                                 losses_of_queue(queue->number, made.named)});
  }
  return reports;
}

std::vector<WorkerCounters> Probe::workers() const {
  std::vector<WorkerCounters> counters;
  for (const auto& worker : workers_) counters.push_back(worker->counters());
  return counters;
}

Report Probe::report() const {
  const auto exported = export_loop_->counters();
  Report made{.destinations = exported.destinations};
  for (const auto& worker : workers_) {
    const auto counters = worker->counters();
    made.packets += counters.packets;
    made.metered_ip_octets += counters.metered.octets;
    made.in_table += counters.in_table;
    add_fragments(made, counters.fragments, counters.fragments_waiting);
    for (std::size_t i = 0; i < made.end_reasons.size(); ++i) made.end_reasons[i] += counters.metered.ended[i];
    if (counters.clock_first == no_stamp) continue;
    made.clock_first =
        made.clock_first == no_stamp ? counters.clock_first : std::min(made.clock_first, counters.clock_first);
    made.clock_last = std::max(made.clock_last, counters.clock);
  }
  made.ports = ports();
  if (worker_count_ > 1) made.splits = exported.splits;
  made.workers = worker_count_;
  made.took = Steady::now() - started_;
  return made;
}

}  // namespace weir::app
