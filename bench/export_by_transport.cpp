// SPDX-License-Identifier: BSD-3-Clause
// How many records a second leave the exporter, by where they go? IPv4 uniflows of the usual template, from records as
// they end to messages that the kernel has taken; CPU time of the exporter's thread. A collector beside it throws away
// what comes. The kernel must have taken all.
#include <benchmark/benchmark.h>

#include <atomic>
#include <string>
#include <thread>

#include "app/exporter.hpp"
#include "base/error.hpp"
#include "made_flows.hpp"
#include "support/loopback.hpp"
#include "support/scratch_directory.hpp"

namespace {

using namespace weir;
using weir::bench::MeterOfFlows;

constexpr std::size_t records = 1024;

/// A collector that throws away what comes, as fast as it can.
class Sink {
 public:
  explicit Sink(int type) : bound_{type} {
    if (type == SOCK_STREAM) bound_.listen();
    reader_ = std::jthread{[this, type](const std::stop_token& stop) {
      if (type != SOCK_STREAM) return read(bound_.socket().number(), stop);
      const auto connection = bound_.accept();
      read(connection.number(), stop);
    }};
  }
  std::uint16_t port() const { return bound_.port(); }

 private:
  static void read(int from, const std::stop_token& stop) {
    std::vector<char> octets(1 << 18);
    const timeval patience{0, 50'000};
    ::setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (!stop.stop_requested()) ::recv(from, octets.data(), octets.size(), 0);
  }

  test::Bound bound_;
  std::jthread reader_;
};

void export_to(benchmark::State& state, const app::Destinations& to) {
  MeterOfFlows flows{{.capacity = 4 * records, .hash_key = 1}};
  flows.fill(0, records, IpVersion::v4);
  flow::Ended ended{4 * records, flows.layouts()[0], flows.layouts()[1]};
  while (!flows.meter().finish(weir::bench::begin, ended)) continue;
  const auto all = ended.of(0);
  const std::atomic<bool> stop{false};
  app::Exporter exporter{{}, to, flows.layouts(), stop};
  for (auto _ : state) exporter.add(all, weir::bench::begin);
  exporter.finish(weir::bench::begin);
  const auto sent = static_cast<std::uint64_t>(state.iterations()) * records;
  const auto report = exporter.report();
  if (all.size() != records || report.size() != 1 || report[0].exported.records != sent)
    return state.SkipWithError("wrong answer");  // it has no speed
  state.SetItemsProcessed(static_cast<std::int64_t>(sent));
}

void nowhere(benchmark::State& state) { export_to(state, {.files = {"/dev/null"}, .collectors = {}}); }
void file(benchmark::State& state) {
  const test::ScratchDirectory folder;
  export_to(state, {.files = {folder / "flows.ipfix"}, .collectors = {}});
}
void collector(benchmark::State& state, const char* scheme, int type) {
  const Sink sink{type};
  export_to(state, {.files = {}, .collectors = {std::string{scheme} + "://127.0.0.1:" + std::to_string(sink.port())}});
}

BENCHMARK(nowhere);
BENCHMARK(file);
BENCHMARK_CAPTURE(collector, udp, "udp", SOCK_DGRAM);
BENCHMARK_CAPTURE(collector, tcp, "tcp", SOCK_STREAM);

}  // namespace

BENCHMARK_MAIN();
