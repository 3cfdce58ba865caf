// SPDX-License-Identifier: BSD-3-Clause
// A live probe in this process, and what a test needs to watch it to its end.
#pragma once

#include <gtest/gtest.h>
#include <rte_bus_vdev.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/live/probe.hpp"
#include "app/settings.hpp"
#include "capture/live/eal.hpp"
#include "flow/records.hpp"
#include "support/ipfix_walker.hpp"
#include "support/scratch_directory.hpp"
#include "support/slow_meter.hpp"
#include "support/traffic.hpp"

namespace weir::app {

using namespace std::chrono_literals;

/// One in a process; control and exporter share a CPU, the two workers another.
inline capture::Eal& eal() {
  const auto cpus = usable_cpus();
  const auto first = cpus.front().number, last = cpus.back().number;
  static capture::Eal one{{.devices = {},
                           .cpus = {first, first, last, last},
                           .memory = capture::BufferMemory::heap,
                           .heap_megabytes = 256,
                           .arguments = {}},
                          [](std::string_view) {}};
  return one;
}

/// Looks again and again for ten seconds: what should happen soon.
template <class Condition>
bool soon(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  for (; !condition(); std::this_thread::sleep_for(2ms))
    if (std::chrono::steady_clock::now() > until) return false;
  return true;
}

/// A flow record as the file has it.
inline test::SlowRecord record_of(const test::WalkedRecord& walked) {
  test::SlowRecord out;
  for (std::size_t i = 0; i < walked.fields.size(); ++i) {
    const auto& octets = walked.values[i];
    const Field field{.pen = walked.fields[i].pen,
                      .id = walked.fields[i].id,
                      .octets = static_cast<std::uint16_t>(octets.size()),
                      .stored = static_cast<std::uint8_t>(octets.size())};
    const bool is_address = field.id == 8 || field.id == 12 || field.id == 27 || field.id == 28;
    auto native = octets;
    if (!is_address) std::ranges::reverse(native);
    test::put_value(out, field, native.data());
  }
  return out;
}

class LiveProbe {
 public:
  /// `assignments` as on the command line, ports among them. Records go into a file.
  LiveProbe(unsigned workers, std::vector<std::string> assignments, Instant (*realtime)() noexcept = &wall_now)
      : settings_{settings(std::move(assignments))}, probe_{settings_,
                                                            eal(),
                                                            settings_.live.ports,
                                                            plan(workers),
                                                            stopped_,
                                                            [this](std::string_view line) { hear(line); },
                                                            realtime} {}
  ~LiveProbe() {
    if (running_) finish();
  }

  Probe& operator*() noexcept { return probe_; }
  Probe* operator->() noexcept { return &probe_; }
  const Settings& given() const noexcept { return settings_; }
  std::string path(const std::string& name) const { return scratch_ / name; }

  void start() {
    probe_.start();
    running_ = true;
  }
  std::uint64_t received() const { return probe_.report().packets.received.packets; }
  bool comes_to(std::uint64_t packets) const {
    return soon([&] { return received() >= packets; });
  }
  std::uint64_t flows() const {
    std::uint64_t flows = 0;
    for (const auto& worker : probe_.workers()) flows += worker.flows;
    return flows;
  }
  /// Ends without finish(), as where a start goes wrong at its last step.
  void abandon() noexcept { running_ = false; }
  Report finish() {
    running_ = false;
    auto report = probe_.finish();
    EXPECT_TRUE(closes(report)) << text(report);
    return report;
  }

  /// All that the file has, option records too.
  std::vector<test::WalkedRecord> all_records(const std::string& file = "flows.ipfix") const {
    std::vector<test::WalkedRecord> all;
    for (const auto& message : test::Walker{}.walk_stream(test::contents(path(file))))
      all.insert(all.end(), message.records.begin(), message.records.end());
    return all;
  }
  /// Flow records, sorted as the slow meter's.
  std::vector<test::SlowRecord> records(const std::string& file = "flows.ipfix") const {
    constexpr std::uint16_t protocol_identifier = 4;
    std::vector<test::SlowRecord> records;
    for (const auto& walked : all_records(file))
      if (walked.number(protocol_identifier)) records.push_back(record_of(walked));
    std::ranges::sort(records);
    return records;
  }

  bool was_said(std::string_view what) const {
    const std::lock_guard lock{mutex_};
    return std::ranges::any_of(said_, [&](const auto& line) { return line.find(what) != line.npos; });
  }

 private:
  Settings settings(std::vector<std::string> assignments) const {
    for (const auto* usual : {"live.buffers=4096", "live.descriptors=512", "live.mtu=1500", "live.memory=heap"})
      assignments.emplace(assignments.begin(), usual);
    assignments.push_back("export.out=" + path("flows.ipfix"));
    return read_settings(std::nullopt, assignments);
  }
  static CpuPlan plan(unsigned workers) {
    const auto cpus = usable_cpus();
    return {cpus.front().number, cpus.front().number, std::vector<unsigned>(workers, cpus.back().number)};
  }
  void hear(std::string_view line) {
    const std::lock_guard lock{mutex_};
    said_.emplace_back(line);
  }

  test::ScratchDirectory scratch_;
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> said_;
  Settings settings_;
  Probe probe_;
  bool running_ = false;
};

}  // namespace weir::app
