// SPDX-License-Identifier: BSD-3-Clause
// What the probe sees to while it runs, a few times a second: links, losses, hashes, clocks, balance. What is new is
// said once.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/live/balance.hpp"
#include "app/live/probe.hpp"

namespace weir::app {

using Steady = std::chrono::steady_clock;

void Probe::watch() noexcept {
  for (auto& state : ports_) watch_port(state);
  watch_clock();
  if (worker_count_ == 1 || common_.reshard) return;
  watch_hashes();
  if (settings_.live.rebalance > nanoseconds{0} && Steady::now() - balanced_at_ >= settings_.live.rebalance)
    rebalance();
}

/// All ports have one table, so that a flow's two directions stay together through whichever port they come.
void Probe::rebalance() noexcept {
  auto packets = packets_by_worker();
  auto since = packets;
  for (std::size_t i = 0; i < since.size() && !balanced_packets_.empty(); ++i) since[i] -= balanced_packets_[i];
  balanced_packets_ = std::move(packets);
  balanced_at_ = Steady::now();
  const auto move = choose_move(since, ports_.front().rss.redirection, moves_);
  if (!move) return;
  for (auto& state : ports_) {
    if (!state.port->redirect(move->entry, move->to))
      return say_(fmt::format("{}: refuses to move RSS; live.rebalance does nothing here", state.port->facts().name));
    state.rss.redirection[move->entry] = move->to;
  }
  ++moves_;
  say_(fmt::format("entry {} of the redirection table moved from worker {} to {}; flows that it splits are counted",
                   move->entry, move->from, move->to));
}

std::vector<std::uint64_t> Probe::packets_by_worker() const {
  std::vector<std::uint64_t> packets(worker_count_);
  for (unsigned i = 0; i < worker_count_; ++i)
    for (const auto& queue : workers_[i]->queues()) packets[i] += queue->packets.load(std::memory_order_relaxed);
  return packets;
}

bool Probe::has_lost_all_ports() const noexcept {
  return std::ranges::all_of(ports_, [](const auto& state) { return state.port->gone(); });
}

void Probe::watch_port(PortState& state) noexcept {
  const auto& name = state.port->facts().name;
  if (state.told_gone) return;
  const auto link = state.port->link();
  if ((state.told_gone = state.port->gone())) {
    state.link.up = false;
    return say_(
        fmt::format("{}: the device was taken away; its packets end here: start weir again when it is back", name));
  }
  if (link.up != state.link.up) say_(fmt::format("{}: the link is {}", name, link.up ? "up" : "down"));
  state.link = link;
  state.counters = state.port->counters();
  auto& losses = common_.lost[static_cast<std::size_t>(&state - ports_.data())];
  for (std::size_t i = 0; i < losses.size(); ++i) losses[i].store(state.counters.lost[i], std::memory_order_relaxed);
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

/// Every worker sees it, each at its own second.
void Probe::watch_clock() noexcept {
  for (const auto& worker : workers_) {
    const auto counters = worker->counters();
    if (counters.clock_steps <= clock_steps_told_) continue;
    clock_steps_told_ = counters.clock_steps;
    const auto seconds = std::chrono::duration<double>{counters.clock_set}.count();
    say_(fmt::format(
        "the system's clock was set {} by {:.0f} s: records carry the new time, flows end as if nothing had been",
        seconds < 0 ? "back" : "forward", std::abs(seconds)));
  }
}

}  // namespace weir::app
