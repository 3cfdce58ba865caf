// SPDX-License-Identifier: BSD-3-Clause
// What a live probe does where something is too small, too much, or set anew under load: nothing is lost unnamed.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "app/live/null_port.hpp"
#include "app/live/pcap_port.hpp"
#include "app/live/ring_port.hpp"

namespace weir::app {
namespace {

TEST(ProbeFaults, a_probe_that_is_given_up_while_it_runs_ends_in_order) {
  RingPort port;
  {
    LiveProbe probe{2, {port.setting()}};
    probe.start();
    for (unsigned i = 0; i < 100; ++i) port.send(test::frames::udp("10.0.0.1:1 > 10.0.0.2:2"));
    EXPECT_TRUE(probe.comes_to(100));
    probe.abandon();
  }
  EXPECT_TRUE(port.all_buffers_are_back());
}

using test::frames::udp;

constexpr nanoseconds start{1'700'000'000s};

Frame flow(unsigned number) {
  return udp("10.0.0." + std::to_string(number >> 16) + ":" + std::to_string(number & 0xffff) + " > 10.9.9.9:53");
}
std::uint64_t packets_in(const std::vector<test::SlowRecord>& records) {
  std::uint64_t packets = 0;
  for (const auto& record : records) packets += record.forward.packets + record.reverse.packets;
  return packets;
}
Totals lost(const Report& report, std::string_view cause) {
  for (const auto& [name, totals] : report.destinations.at(0).lost)
    if (name == cause) return totals;
  return {};
}
std::uint64_t ended(const Report& report, EndReason reason) {
  return report.end_reasons[static_cast<std::size_t>(reason)];
}

TEST(ProbeFaults, goes_on_with_a_pool_that_runs_dry_at_every_look) {
  constexpr unsigned packets = 5000;
  NullPort port;
  LiveProbe probe{1, {port.setting(), "live.buffers=40"}};
  const auto attached = port.attach();
  probe.start();
  for (unsigned i = 0; i < packets; ++i) port.send(flow(i));
  EXPECT_TRUE(probe.comes_to(packets));
  const auto report = probe.finish();
  EXPECT_EQ(report.records(), packets);
  EXPECT_EQ(status_of(report), ExitStatus::good);
  EXPECT_TRUE(port.all_buffers_are_back());
}

std::vector<Frame> flows_of(unsigned packets, std::size_t payload) {
  std::vector<Frame> frames;
  for (unsigned i = 0; i < packets; ++i) frames.push_back(flow(i).payload(payload));
  return frames;
}

/// As a port's device and weir have it now.
PortReport port_of(LiveProbe& probe) {
  probe->watch();
  return probe->report().ports.at(0);
}
std::uint64_t lost(const PortReport& port, capture::PortLoss cause) {
  return port.counters.lost[static_cast<std::size_t>(cause)];
}

/// A capture's packets come all at once, and must all be accounted for.
Report metered_with_buffers(const PcapPort& port, unsigned packets, const std::string& buffers) {
  LiveProbe probe{1, {port.setting(), "live.buffers=" + buffers}};
  probe.start();
  EXPECT_TRUE(soon([&] { return port_of(probe).received() + port_of(probe).counters.missed() == packets; }))
      << text(probe->report());
  auto report = probe.finish();
  EXPECT_EQ(report.ports.at(0).received() + report.ports.at(0).counters.missed(), packets) << text(report);
  EXPECT_EQ(report.packets.received.packets, report.ports.at(0).received());
  EXPECT_EQ(packets_in(probe.records()), report.packets.received.packets);
  EXPECT_EQ(status_of(report), ExitStatus::good);
  return report;
}

TEST(ProbeFaults, counts_packets_that_found_no_buffer_and_goes_on) {
  constexpr unsigned packets = 5000;
  const PcapPort port{flows_of(packets, 10)};
  const auto report = metered_with_buffers(port, packets, "40");
  EXPECT_GT(lost(report.ports[0], capture::PortLoss::no_buffer), packets / 50) << "again and again";
  EXPECT_EQ(lost(report.ports[0], capture::PortLoss::no_buffer), report.ports[0].counters.missed());
  EXPECT_GT(report.packets.received.packets, packets * 9 / 10);
}

TEST(ProbeFaults, counts_long_packets_that_found_too_few_buffers_and_goes_on) {
  constexpr unsigned packets = 200;
  const PcapPort port{flows_of(packets, 60'000)};
  const auto report = metered_with_buffers(port, packets, "100");
  EXPECT_GT(report.ports[0].counters.missed(), packets / 20);
  EXPECT_GT(report.packets.received.packets, packets / 2);
}

TEST(ProbeFaults, has_buffers_enough_for_a_burst_of_the_longest_packets) {
  constexpr unsigned packets = 300;
  const PcapPort port{flows_of(packets, 65'000)};
  const auto report = metered_with_buffers(port, packets, "0");
  EXPECT_EQ(report.packets.received.packets, packets);
}

/// Keeps the exporter's thread from running, as a machine does that has no time for it: in a signal's handler. Ask the
/// probe nothing meanwhile, for the thread may hold a lock.
class HeldExporter {
 public:
  /// Before the probe starts.
  HeldExporter() {
    std::function<void()> tell = [this] { thread_ = ::pthread_self(); };
    eal().launch(1, tell);
    eal().wait(1);
    if (::pipe(ends_.data()) != 0) throw std::runtime_error{"pipe"};
    std::signal(SIGUSR1, [](int) {
      char word = 0;
      while (::read(ends_[0], &word, 1) < 0 && errno == EINTR) continue;
    });
  }
  ~HeldExporter() {
    release();
    std::signal(SIGUSR1, SIG_IGN);
  }
  void hold() {
    held_ = true;
    ::pthread_kill(thread_, SIGUSR1);
  }
  void release() {
    if (!std::exchange(held_, false)) return;
    EXPECT_EQ(::write(ends_[1], "", 1), 1);
  }

 private:
  pthread_t thread_{};
  bool held_ = false;
  static inline std::array<int, 2> ends_{-1, -1};  ///< of a pipe: what is written is the word to go on
};

constexpr unsigned flows = 30'000;

/// All of `flows` are in the table; the ring to the exporter holds a part of them.
struct FlowsBeforeASmallRing {
  FlowsBeforeASmallRing() {
    probe.start();
    for (unsigned i = 0; i < flows; ++i) port.send(flow(i).at(start));
    EXPECT_TRUE(probe.comes_to(flows));
  }
  RingPort port;
  LiveProbe probe{1, {port.setting(), "live.ring_records=1024", "flow.capacity=32768"}};
};

TEST(ProbeFaults, counts_records_that_the_ring_to_the_exporter_has_no_room_for) {
  constexpr unsigned later = 500;
  HeldExporter exporter;
  FlowsBeforeASmallRing before;
  auto& port = before.port;
  auto& probe = before.probe;
  exporter.hold();
  // All have been silent for too long now, at once; the sweep over the table goes on with the packets' time.
  for (unsigned i = 1; i <= later; ++i) {
    port.send(flow(0).at(start + 100s + i * 50ms));
    ASSERT_TRUE(soon([&] { return port.all_buffers_are_back(); })) << "receiving waits for nobody";
  }
  exporter.release();
  EXPECT_TRUE(probe.comes_to(flows + later));
  const auto report = probe.finish();
  const auto full = lost(report, "ring_full");
  EXPECT_GT(full.records, 0) << text(report);
  EXPECT_EQ(full.records + probe.records().size(), report.records());
  EXPECT_EQ(full.packets + packets_in(probe.records()), flows + later);
  EXPECT_EQ(status_of(report), ExitStatus::records_lost);
}

TEST(ProbeFaults, loses_no_record_where_somebody_asks_for_all_flows_to_end) {
  FlowsBeforeASmallRing before;
  auto& probe = before.probe;
  const auto there = probe.flows();
  EXPECT_EQ(probe->expire_all(), there);
  const auto report = probe.finish();
  EXPECT_EQ(report.lost(), Totals{}) << text(report);
  EXPECT_EQ(packets_in(probe.records()), flows);
}

TEST(ProbeFaults, loses_no_record_at_its_end_though_the_ring_is_small) {
  FlowsBeforeASmallRing before;
  auto& probe = before.probe;
  const auto report = probe.finish();
  EXPECT_EQ(report.lost(), Totals{}) << text(report);
  EXPECT_EQ(probe.records().size(), report.records());
}

TEST(ProbeFaults, makes_room_for_a_flood_of_flows_by_ending_older_ones) {
  constexpr unsigned packets = 20'000;
  RingPort port;
  LiveProbe probe{2, {port.setting(), "flow.capacity=1024"}};
  probe.start();
  for (unsigned i = 0; i < packets; ++i) port.send(flow(i).at(start + i * 1us));
  EXPECT_TRUE(probe.comes_to(packets));
  EXPECT_LE(probe.flows(), 2048);
  const auto report = probe.finish();
  EXPECT_EQ(report.became(Outcome::metered).packets, packets);
  EXPECT_EQ(report.records(), packets);
  EXPECT_GT(ended(report, EndReason::lack_of_resources), packets / 2);
  EXPECT_EQ(packets_in(probe.records()) + report.lost().packets, packets);
  EXPECT_TRUE(port.all_buffers_are_back());
}

std::atomic<std::int64_t> clock_set_by{0};
Instant clock_that_is_set() noexcept { return wall_now() + nanoseconds{clock_set_by.load()}; }

TEST(ProbeFaults, ends_flows_in_time_though_the_systems_clock_is_set_back_an_hour) {
  clock_set_by = 0;
  NullPort port;
  LiveProbe probe{1, {port.setting(), "flow.timeout_idle=1"}, &clock_that_is_set};
  const auto attached = port.attach();
  probe.start();
  const auto before = milliseconds_since_epoch(wall_now());
  port.send(flow(1));
  EXPECT_TRUE(probe.comes_to(1));
  clock_set_by = -nanoseconds{1h}.count();
  EXPECT_TRUE(soon([&] { return probe->watch(), probe.was_said("the system's clock was set back by 3600"); }));
  port.send(flow(2));
  EXPECT_TRUE(soon([&] { return probe.received() == 2 && probe.flows() == 0; })) << "ended by silence, not by the hour";
  EXPECT_EQ(probe->workers()[0].clock_steps, 1);
  const auto report = probe.finish();
  EXPECT_EQ(ended(report, EndReason::idle), 2);
  EXPECT_EQ(report.packets.notes[static_cast<std::size_t>(Note::clock_jump)], 1);
  const auto records = probe.records();
  ASSERT_EQ(records.size(), 2);
  EXPECT_GE(records[0].forward.first_ms + 1, before);
  EXPECT_LT(records[1].forward.first_ms, before - 3'000'000) << "records carry the time of day";
}

/// Sends until it is told to stop.
class Load {
 public:
  explicit Load(RingPort& port) : thread_{[this, &port] { run(port); }} {}
  ~Load() { stop(); }
  std::uint64_t stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return sent_;
  }
  std::uint64_t sent() const noexcept { return sent_; }

 private:
  void run(RingPort& port) {
    std::vector<Frame> frames;
    for (unsigned i = 0; i < 2000; ++i) frames.push_back(flow(i));
    for (unsigned i = 0; !stop_; i = (i + 1) % 2000, ++sent_) port.send(frames[i].at(start + sent_.load() * 1us));
  }
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::thread thread_;
};

std::set<std::uint64_t> selectors_in(const std::vector<test::WalkedRecord>& records) {
  constexpr std::uint16_t selector_id = 302, algorithm = 304;
  std::set<std::uint64_t> ids;
  for (const auto& record : records)
    if (record.number(algorithm)) ids.insert(record.number(selector_id).value_or(0));
  return ids;
}

TEST(ProbeFaults, loses_nothing_while_settings_are_changed_under_load) {
  RingPort port;
  LiveProbe probe{2, {port.setting(), "flow.timeout_idle=15"}};
  probe.start();
  Load load{port};
  const auto goes_on = [&] {
    const auto sent = load.sent(), received = probe.received();
    return soon([&] { return load.sent() > sent + 2000 && probe.received() > received + 2000; });
  };
  EXPECT_TRUE(goes_on());
  auto wanted = probe.given();
  wanted.flow.timeout_idle = 1ms;
  EXPECT_EQ(probe->apply(wanted).size(), 1);
  EXPECT_TRUE(goes_on());

  wanted.exporter.out.push_back(probe.path("second.ipfix"));
  probe->apply(wanted);
  EXPECT_TRUE(goes_on());

  for (const auto space : {1u, 3u}) {
    wanted.sampling.select.method = capture::SamplingMethod::systematic;
    wanted.sampling.select.space = space;
    EXPECT_FALSE(probe->apply(wanted).empty());
    EXPECT_TRUE(goes_on());
  }
  wanted.exporter.out.pop_back();
  wanted.sampling.select.method = capture::SamplingMethod::off;
  probe->apply(wanted);
  EXPECT_TRUE(goes_on());

  const auto sent = load.stop();
  EXPECT_TRUE(probe.comes_to(sent));
  const auto report = probe.finish();
  EXPECT_EQ(report.packets.received.packets, sent);
  EXPECT_EQ(report.lost(), Totals{}) << text(report);
  EXPECT_GT(report.became(Outcome::not_selected).packets, 0);
  EXPECT_EQ(packets_in(probe.records()), report.became(Outcome::metered).packets);
  EXPECT_EQ(selectors_in(probe.all_records()), (std::set<std::uint64_t>{1, 2, 3, 4})) << "anew with every change";
  EXPECT_FALSE(probe.records("second.ipfix").empty());
  EXPECT_TRUE(port.all_buffers_are_back());
}

}  // namespace
}  // namespace weir::app
