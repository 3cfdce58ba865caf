// SPDX-License-Identifier: BSD-3-Clause
// The exporter of a live probe, in one thread with its collectors. wait_max is an hour: a call that waits hangs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/exporter.hpp"
#include "support/ipfix_walker.hpp"
#include "support/loopback.hpp"
#include "support/small_layout.hpp"

namespace weir::app {

using namespace std::chrono_literals;
using test::Bound;
using test::comes;
using test::WalkedMessage;
using test::Walker;

inline Instant wall{1'700'000'000s};
inline constexpr std::uint16_t reliability = 514;  ///< set of the Exporting Process Reliability Statistics

/// Accepts and reads what is there when it is told to, and remembers each connection's octets.
class Collector {
 public:
  Collector() : bound_{SOCK_STREAM} {}
  std::string url() const { return "tcp://127.0.0.1:" + std::to_string(bound_.port()); }
  void take_little() { bound_.take_little(); }
  void listen() {
    bound_.listen();
    listens_ = true;
  }

  void accept_one() {
    if (listens_ && !connection_ && bound_.socket().readable(0)) {
      connection_.emplace(bound_.accept());
      streams.emplace_back();
    }
  }
  void read() {
    accept_one();
    while (connection_ && connection_->readable(0)) {
      try {
        const auto some = connection_->read(65536);
        if (some.empty()) return connection_.reset();
        streams.back().insert(streams.back().end(), some.begin(), some.end());
      } catch (const std::runtime_error&) {
        return connection_.reset();
      }
    }
  }
  /// Until the exporter closes.
  void read_to_end() {
    EXPECT_TRUE(comes(
        [&] {
          read();
          return !connection_;
        },
        [] {}));
  }
  void hang_up() {
    if (connection_) connection_->reset();
    connection_.reset();
  }

  std::vector<std::vector<std::byte>> streams;

 private:
  Bound bound_;
  bool listens_ = false;
  std::optional<test::Socket> connection_;
};

struct LiveExporter {
  explicit LiveExporter(const Destinations& destinations, ExporterOptions options = {})
      : exporter{as_live(std::move(options)), destinations, {&layout, 1}, stop} {}

  ExporterOptions as_live(ExporterOptions options) {
    options.patience = Patience::backlog;
    options.tcp_retry_min = 1ms;
    options.wait_max = std::chrono::hours{1};
    if (options.wait_max_interrupted == 2s) options.wait_max_interrupted = 30ms;
    options.wall = []() noexcept { return wall; };
    options.warn = [this](std::string_view line) { warnings.emplace_back(line); };
    return options;
  }

  /// Records that are numbered through, by their octets.
  void add(std::size_t count) {
    auto records = test::small_records(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto* record = records.data() + i * 64;
      ++metered.records;
      metered.packets += 1;
      metered.octets += metered.records;
      store_native<std::uint64_t>(record + 14, metered.records);
      const auto low = load_native<std::uint16_t>(record + 14);
      store_native<std::uint64_t>(record + 8, 1 | std::uint64_t{low} << 48);
      store_native<std::uint64_t>(record + 14, metered.records | std::uint64_t{0xf012} << 48);
    }
    exporter.add({&layout, records}, wall);
  }
  void reconfigure(const Destinations& wanted) { exporter.reconfigure(resolve(wanted)); }
  /// What the exporter's loop does.
  void turn() {
    exporter.tick(wall, {});
    while (exporter.service()) {
    }
    expect_closed_ledger();
  }
  void lose_before(const Totals& records) {
    exporter.not_handed_over(records);
    metered += records;
  }
  void finish() {
    exporter.finish(wall);
    expect_closed_ledger();
    for (const auto& report : exporter.report()) EXPECT_EQ(report.waiting, Totals{}) << report.name;
  }

  /// metered = absent + exported + waiting + lost, whatever happened.
  void expect_closed_ledger() const {
    for (const auto& report : exporter.report()) {
      auto sum = report.absent;
      sum += report.exported;
      sum += report.waiting;
      sum += report.lost_in_all();
      EXPECT_EQ(sum, metered) << report.name;
    }
  }
  Totals lost(std::size_t destination, std::string_view cause) const {
    const auto reports = exporter.report();
    for (const auto& [name, totals] : reports.at(destination).lost)
      if (name == cause) return totals;
    return {};
  }
  bool was_told(std::string_view what) const {
    return std::ranges::any_of(warnings, [&](const auto& line) { return line.find(what) != line.npos; });
  }

  RecordLayout layout = test::small_layout();
  std::atomic<bool> stop{false};
  std::vector<std::string> warnings;
  Totals metered;
  Exporter exporter;
};

/// The numbers of the flow records, in their order; the sequence of every message is what was sent before.
inline std::vector<std::uint64_t> flows_of(const std::vector<WalkedMessage>& messages) {
  std::vector<std::uint64_t> numbers;
  std::uint32_t sequence = 0;
  for (const auto& message : messages) {
    EXPECT_EQ(message.sequence, sequence);
    sequence += static_cast<std::uint32_t>(message.records.size());
    for (const auto& record : message.records)
      if (record.set == 256) numbers.push_back(record.number(1).value());
  }
  return numbers;
}
inline std::vector<std::uint64_t> flows_of(Bytes stream) { return flows_of(Walker{}.walk_stream(stream)); }

/// A collector that hung up may have read half a message.
inline std::vector<WalkedMessage> whole_messages(Bytes stream) {
  std::size_t whole = 0;
  while (whole + 4 <= stream.size() && whole + load_be<std::uint16_t>(stream.data() + whole + 2) <= stream.size())
    whole += load_be<std::uint16_t>(stream.data() + whole + 2);
  return Walker{}.walk_stream(stream.first(whole));
}

inline std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> numbers;
  for (auto i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

}  // namespace weir::app
