// SPDX-License-Identifier: BSD-3-Clause
// What control asks of the probe while it runs, and what a reload may change.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "app/live/probe.hpp"
#include "app/live/requests.hpp"
#include "app/options.hpp"
#include "app/sampling.hpp"
#include "base/error.hpp"
#include "flow/layout.hpp"

namespace weir::app {
namespace {

/// Opens and closes destinations in the exporter's thread; keeps what was wrong.
class Reconfigure final : public ExportRequest {
 public:
  explicit Reconfigure(Resolved wanted) : wanted_{std::move(wanted)} {}
  void run(Exporter& exporter, Instant) noexcept override {
    try {
      exporter.reconfigure(wanted_);
    } catch (const std::exception& error) {
      refusal = error.what();
    }
  }
  std::string refusal;

 private:
  Resolved wanted_;
};

/// In the exporter's thread, which alone knows of splits.
class SetWindow final : public ExportRequest {
 public:
  SetWindow(Splits& splits, nanoseconds timeout_active) : splits_{splits}, timeout_active_{timeout_active} {}
  void run(Exporter&, Instant) noexcept override { splits_.set_window(timeout_active_); }

 private:
  Splits& splits_;
  nanoseconds timeout_active_;
};

class AnnounceSelection final : public ExportRequest {
 public:
  explicit AnnounceSelection(ipfix::SelectionPlan plan) : plan_{std::move(plan)} {}
  void run(Exporter& exporter, Instant now) noexcept override { exporter.set_selection(plan_, now); }

 private:
  ipfix::SelectionPlan plan_;
};

enum class Reloadable : std::uint8_t { timeouts, destinations, sampling, no };

Reloadable kind_of(std::string_view setting) noexcept {
  if (setting.starts_with("flow.timeout_") || setting == "flow.tcp_close") return Reloadable::timeouts;
  if (setting == "export.to" || setting == "export.out") return Reloadable::destinations;
  return setting.starts_with("sampling.") ? Reloadable::sampling : Reloadable::no;
}

/// Only for a live run does it matter what these say.
bool concerns_live(std::string_view setting) noexcept { return !setting.starts_with("replay."); }

}  // namespace

template <class Asked>
void Probe::wait_for(const Asked& request) const {
  constexpr std::chrono::microseconds moment{100};
  for (unsigned looks = 1; !request.done.load(std::memory_order_acquire); ++looks) {
    std::this_thread::sleep_for(moment);
    if (looks % 1000 == 0) while_waiting_();
  }
}

template <class Asked>
void Probe::ask_all(const std::vector<std::unique_ptr<Asked>>& requests) {
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->ask(*requests[i]);
  for (const auto& request : requests) wait_for(*request);
}

void Probe::ask_exporter(ExportRequest& request) {
  export_loop_->ask(request);
  wait_for(request);
}

TopFlows Probe::flows(const FlowQuery& query) {
  std::vector<std::unique_ptr<LookAtFlows>> requests;
  for (unsigned i = 0; i < worker_count_; ++i) requests.push_back(std::make_unique<LookAtFlows>(query, layouts_));
  ask_all(requests);
  auto top = std::move(requests.front()->top);
  for (std::size_t i = 1; i < requests.size(); ++i) top.take(requests[i]->top);
  return top;
}

std::uint64_t Probe::expire_all() {
  std::vector<std::unique_ptr<EndAll>> requests;
  for (unsigned i = 0; i < worker_count_; ++i) requests.push_back(std::make_unique<EndAll>());
  ask_all(requests);
  std::uint64_t flows = 0;
  for (const auto& request : requests) flows += request->flows;
  return flows;
}

std::vector<std::string> Probe::apply(const Settings& wanted) {
  std::vector<std::string> lines;
  bool timeouts = false, destinations = false, sampling = false;
  for (const auto& setting : setting_table()) {
    const auto before = value_of(setting, settings_), after = value_of(setting, wanted);
    if (before == after || !concerns_live(setting.name)) continue;
    const auto kind = kind_of(setting.name);
    timeouts |= kind == Reloadable::timeouts;
    destinations |= kind == Reloadable::destinations;
    sampling |= kind == Reloadable::sampling;
    lines.push_back(kind == Reloadable::no
                        ? fmt::format("{} stays '{}': a change takes a restart", setting.name, before)
                        : fmt::format("{} is '{}' now, was '{}'", setting.name, after, before));
  }
  // Whatever can be refused goes first.
  check(wanted.sampling.select);
  auto meter = meter_options(wanted, worker_count_);
  meter.hash_key = meter_options_.hash_key;
  const auto longest = flow::narrow_timeouts_max();
  if (timeouts && !flow::can_take_timeouts(meter_options_, meter))
    throw StartError{
        fmt::format("flow.timeout_active over {} s or flow.timeout_closed over {} s: the records of this run are too "
                    "narrow for it, and that takes a restart; nothing was changed",
                    longest.active.count(), longest.closed.count())};
  if (destinations) {
    Reconfigure request{resolve({wanted.exporter.out, wanted.exporter.to}, settings_.exporter.to)};
    ask_exporter(request);
    if (!request.refusal.empty()) throw StartError{request.refusal + "; nothing was changed"};
  }
  if (timeouts) {
    std::vector<std::unique_ptr<SetTimeouts>> requests;
    for (unsigned i = 0; i < worker_count_; ++i) requests.push_back(std::make_unique<SetTimeouts>(meter));
    ask_all(requests);
    SetWindow window{splits_, wanted.flow.timeout_active};
    ask_exporter(window);
  }
  settings_.flow.timeout_idle = wanted.flow.timeout_idle;
  settings_.flow.timeout_active = wanted.flow.timeout_active;
  settings_.flow.timeout_closed = wanted.flow.timeout_closed;
  settings_.flow.tcp_close = wanted.flow.tcp_close;
  settings_.exporter.to = wanted.exporter.to;
  settings_.exporter.out = wanted.exporter.out;
  settings_.sampling = wanted.sampling;
  if (sampling) change_sampling();
  return lines;
}

void Probe::change_sampling() {
  std::vector<std::unique_ptr<SetSampling>> requests;
  for (const auto& worker : workers_) {
    std::vector<capture::Sampler> samplers;
    for (std::size_t i = 0; i < worker->queues().size(); ++i) samplers.push_back(new_sampler());
    requests.push_back(std::make_unique<SetSampling>(std::move(samplers)));
  }
  ask_all(requests);
  AnnounceSelection announce{selection_plan(settings_.sampling.select, sampled_interfaces())};
  ask_exporter(announce);
}

}  // namespace weir::app
