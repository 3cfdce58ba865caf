// SPDX-License-Identifier: BSD-3-Clause
// The live probe: sets everything up on its lcores, sees to it while it runs, and closes the ledger at its end. Runs on
// the control lcore (0); the exporter is lcore 1, the workers are the lcores from 2 on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/exporter.hpp"
#include "app/live/cpus.hpp"
#include "app/live/export_loop.hpp"
#include "app/live/port_report.hpp"
#include "app/live/sizes.hpp"
#include "app/live/worker.hpp"
#include "app/report.hpp"
#include "app/settings.hpp"
#include "app/top_flows.hpp"
#include "capture/live/buffers.hpp"
#include "capture/live/eal.hpp"

namespace weir::app {

class Probe {
 public:
  using Say = std::function<void(std::string_view)>;

  /// Opens destinations and ports, takes all memory. `devices` are as the EAL was told them. Throws StartError. `eal`
  /// and `stopped` outlive it; `say` gets a line for whatever a person should know. `realtime` is the system's clock.
  Probe(const Settings& settings, capture::Eal& eal, const std::vector<std::string>& devices, const CpuPlan& cpus,
        const std::atomic<bool>& stopped, Say say, Instant (*realtime)() noexcept = &wall_now);
  ~Probe();

  /// From here on packets are metered.
  void start();
  /// A few times a second: links, losses, hashes. What is new is said.
  void watch() noexcept;
  /// Every device was taken away. They do not come back: DPDK would have to start anew.
  bool has_lost_all_ports() const noexcept;
  /// Called now and then while workers are asked, which may take seconds where tables are large.
  void while_waiting(std::function<void()> call) { while_waiting_ = std::move(call); }
  /// Receives no more; all flows end and are exported.
  Report finish() noexcept;

  std::vector<PortReport> ports() const;
  Report report() const;
  std::vector<WorkerCounters> workers() const;
  Splits::Counts splits() const { return export_loop_->counters().splits; }
  /// Packets are spread over the workers in software.
  bool reshards() const noexcept { return common_.reshard; }

  // Answered by every worker for its own table. Each takes as long as the slowest of them.
  TopFlows flows(const FlowQuery& query);
  /// Ends all flows; how many there were.
  std::uint64_t expire_all();
  /// Takes over what may change while it runs: timeouts, destinations, sampling. Returns a line for each change, and
  /// for each other setting that takes a restart. Throws StartError, and has changed nothing, if one cannot be.
  std::vector<std::string> apply(const Settings& wanted);

 private:
  struct Node {
    unsigned number;
    std::unique_ptr<capture::Buffers> buffers;
  };
  struct PortState {
    std::unique_ptr<capture::Port> port;
    capture::RssState rss;
    capture::LinkState link;
    capture::PortCounters counters, told;
    bool told_gone = false;
  };

  void open_ports(const std::vector<std::string>& devices);
  void open_destinations(const std::atomic<bool>& stopped);
  void open_port(const capture::PortFacts& facts, std::uint32_t descriptors);
  void take_memory(const Sizes& sizes);
  Needs needs_of(const std::vector<capture::PortFacts>& facts, const std::vector<std::string>& devices) const;
  void make_workers();
  void make_worker(unsigned number);
  void choose_sharding();
  std::string why_not_rss() const;
  capture::RssProof proof_of(const PortState& state) const;
  void add_queues();
  capture::Sampler new_sampler() const;
  std::vector<std::uint32_t> sampled_interfaces() const;
  template <class Asked>
  void ask_all(const std::vector<std::unique_ptr<Asked>>& requests);
  void ask_exporter(ExportRequest& request);
  template <class Asked>
  void wait_for(const Asked& request) const;
  void wait_for_lcores() noexcept;
  void close() noexcept;
  void change_sampling();
  void watch_port(PortState& state) noexcept;
  void watch_hashes() noexcept;
  void rebalance() noexcept;
  std::vector<std::uint64_t> packets_by_worker() const;
  void watch_clock() noexcept;
  void say_losses(PortState& state) noexcept;

  Settings settings_;
  capture::Eal& eal_;
  CpuPlan cpus_;
  unsigned worker_count_;
  Say say_;
  Instant (*realtime_)() noexcept;
  nanoseconds pause_longest_{};
  flow::MeterOptions meter_options_;
  std::array<RecordLayout, 2> layouts_;
  Decoding decoding_;
  capture::Selector selector_;
  Common common_;
  Mesh mesh_;
  std::vector<Node> nodes_;
  std::vector<PortState> ports_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<Exporter> exporter_;
  Splits splits_;
  std::unique_ptr<ExportLoop> export_loop_;
  std::vector<std::function<void()>> jobs_;  ///< by lcore, what it is running
  bool running_ = false;
  std::function<void()> while_waiting_ = [] {};
  std::chrono::steady_clock::time_point started_{}, balanced_at_{};
  std::vector<std::uint64_t> balanced_packets_;  ///< by worker, at balanced_at_
  std::size_t moves_ = 0;                        ///< of entries of the redirection tables
  std::uint64_t clock_steps_told_ = 0;
};

}  // namespace weir::app
