// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/cpus.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace weir::app {
namespace {

constexpr unsigned workers_max = 64;  // as live.workers has it

/// The kernel keeps a link to the node in the CPU's folder; without memory nodes there is none.
int node_of(unsigned cpu) {
  const auto close = [](DIR* folder) { closedir(folder); };
  const auto path = fmt::format("/sys/devices/system/cpu/cpu{}", cpu);
  const std::unique_ptr<DIR, decltype(close)> folder{opendir(path.c_str()), close};
  while (const auto* entry = folder ? readdir(folder.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name.starts_with("node")) return std::atoi(entry->d_name + 4);
  }
  return 0;
}

std::optional<unsigned> number_from(std::string_view text) {
  unsigned number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stop == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

void check_usable(std::string_view setting, unsigned cpu, const std::vector<Cpu>& usable) {
  if (std::ranges::find(usable, cpu, &Cpu::number) == usable.end())
    throw StartError{
        fmt::format("{}: CPU {} is not there, or this process may not run on it; taskset -p shows which "
                    "it may",
                    setting, cpu)};
}

unsigned one_cpu(std::string_view setting, const std::string& text, unsigned usual, const std::vector<Cpu>& usable) {
  if (text == "auto") return usual;
  const auto cpus = parse_cpus(setting, text);
  if (cpus.size() != 1) throw StartError{fmt::format("{} must be auto or one CPU, not '{}'", setting, text)};
  check_usable(setting, cpus[0], usable);
  return cpus[0];
}

/// Those on the ports' nodes first; the first CPU, where interrupts and control run, last.
std::vector<Cpu> by_preference(std::vector<Cpu> cpus, const std::vector<int>& nodes) {
  const auto is_near = [&nodes](const Cpu& cpu) {
    return std::ranges::all_of(nodes, [](int node) { return node < 0; }) ||
           std::ranges::find(nodes, cpu.node) != nodes.end();
  };
  const auto first = cpus.front().number;
  const auto rank = [&](const Cpu& cpu) { return (is_near(cpu) ? 0 : 2) + (cpu.number == first); };
  std::ranges::sort(cpus, {}, [&](const Cpu& cpu) { return std::pair{rank(cpu), cpu.number}; });
  const auto far = std::ranges::find_if_not(cpus, is_near);
  if (far != cpus.begin()) cpus.erase(far, cpus.end());
  return cpus;
}

}  // namespace

std::vector<Cpu> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<Cpu> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back({cpu, node_of(cpu)});
  return cpus;
}

std::vector<unsigned> CpuPlan::lcores() const {
  std::vector<unsigned> cpus{control, exporter};
  cpus.insert(cpus.end(), workers.begin(), workers.end());
  return cpus;
}

std::vector<unsigned> parse_cpus(std::string_view setting, std::string_view text) {
  std::vector<unsigned> cpus;
  for (auto rest = text; !rest.empty();) {
    const auto item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    const auto dash = item.find('-');
    const auto first = number_from(item.substr(0, dash));
    const auto last = dash == item.npos ? first : number_from(item.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= CPU_SETSIZE || cpus.size() > CPU_SETSIZE)
      throw StartError{fmt::format("{} must be auto or CPUs such as 2-5,8, not '{}'", setting, text.substr(0, 80))};
    for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  if (cpus.empty()) throw StartError{fmt::format("{} is empty; write auto or CPUs such as 2-5,8", setting)};
  return cpus;
}

CpuPlan plan_cpus(const CpuChoice& choice, const std::vector<Cpu>& usable, const std::vector<int>& nodes) {
  if (usable.empty()) throw StartError{"this process may run on no CPU that weir knows of"};
  CpuPlan plan;
  const auto first = usable.front().number;
  plan.control = one_cpu("live.control_cpu", choice.control_cpu, first, usable);
  plan.exporter = one_cpu("live.exporter_cpu", choice.exporter_cpu, first, usable);
  if (choice.worker_cpus != "auto") {
    plan.workers = parse_cpus("live.worker_cpus", choice.worker_cpus);
    for (const auto cpu : plan.workers) check_usable("live.worker_cpus", cpu, usable);
    if (plan.workers.size() > workers_max && choice.workers == 0)
      throw StartError{fmt::format("live.worker_cpus names {} CPUs, a worker each, and {} are the most: name fewer",
                                   plan.workers.size(), workers_max)};
    const auto named = plan.workers.size();
    for (unsigned i = static_cast<unsigned>(named); i < choice.workers; ++i)
      plan.workers.push_back(plan.workers[i % named]);
    if (choice.workers > 0) plan.workers.resize(choice.workers);
  } else {
    const auto preferred = by_preference(usable, nodes);
    const auto spare = std::ranges::count_if(preferred, [first](const Cpu& cpu) { return cpu.number != first; });
    const auto workers =
        choice.workers > 0 ? choice.workers : static_cast<unsigned>(std::clamp<std::ptrdiff_t>(spare, 1, workers_max));
    for (unsigned i = 0; i < workers; ++i) plan.workers.push_back(preferred[i % preferred.size()].number);
  }
  return plan;
}

}  // namespace weir::app
