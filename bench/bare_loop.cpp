// SPDX-License-Identifier: BSD-3-Clause
// What does a packet cost at least? The bare loop that any flow meter has: read addresses and ports of a frame that no
// cache holds, hash them, find the flow's record by its tag, count. IPv4 on Ethernet alone; nothing is received,
// judged, tallied, expired or exported, and no packet is of two minds about anything. What `weir bench` says of the
// same flows, measured in turn with this, tells a slow machine from a slow program. In a flood each packet begins a
// flow in the place of the one among its line's that was touched longest ago, which is copied out.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <vector>
#include <weir/bytes.hpp>

#include "base/hash.hpp"
#include "base/prefetch.hpp"
#include "capture/synthetic.hpp"
#include "flow/table.hpp"

namespace {

using namespace weir;
using flow::Place, flow::Table, flow::TagLine;

constexpr std::size_t burst = 32, at_a_time = 4, packets_of_a_round = std::size_t{1} << 22, record_octets = 64;

struct Record {
  std::array<std::uint64_t, 2> key;
  std::uint64_t octets, packets, flags, first, last;
};
static_assert(sizeof(Record) <= record_octets);

struct Pending {
  std::array<std::uint64_t, 2> key;
  std::uint64_t hash, octets, flags;
  const TagLine* line;
  std::byte* record;
};

class BareLoop {
 public:
  explicit BareLoop(std::size_t flows) : table_{flows, {record_octets, 0}, {record_octets, 0}}, out_(1 << 14) {
    table_.touch();
  }

  /// One burst goes through the first stage, the one before it through the second, and that before through the third.
  void run(std::span<const std::byte* const> frames) noexcept {
    for (std::size_t at = 0; at < frames.size() + 2 * burst; at += burst) {
      auto &first = bursts_[turn_ % 3], &second = bursts_[(turn_ + 2) % 3], &third = bursts_[(turn_ + 1) % 3];
      const bool reads = at < frames.size(), finds = at >= burst && at < frames.size() + burst,
                 counts = at >= 2 * burst;
      for (std::size_t begin = 0; begin < burst; begin += at_a_time) {
        const auto end = begin + at_a_time;
        for (auto i = begin; reads && i < end; ++i) read(frames, at + i, first[i]);
        for (auto i = begin; finds && i < end; ++i) find(second[i]);
        for (auto i = begin; counts && i < end; ++i) count(third[i]);
      }
      ++turn_;
    }
  }

  std::uint64_t packets() const noexcept {
    std::uint64_t sum = packets_out_;
    for (std::uint32_t slot = 0; slot < table_.pool(0).used(); ++slot)
      sum += record_of(table_.pool(0).record(slot)).packets;
    return sum;
  }
  std::size_t live() const noexcept { return table_.live(); }

 private:
  static Record record_of(const std::byte* at) noexcept {
    Record record;
    std::memcpy(&record, at, sizeof record);
    return record;
  }

  void read(std::span<const std::byte* const> frames, std::size_t at, Pending& one) noexcept {
    constexpr std::size_t ahead = 2 * burst;
    prefetch(frames[std::min(at + ahead, frames.size() - 1)]);
    const auto* ip = frames[at] + 14;
    one.octets = load_be<std::uint16_t>(ip + 2);
    one.flags = load_be<std::uint16_t>(ip + 32) & 0x0fff;
    one.key = {load_native<std::uint64_t>(ip + 12),
               load_native<std::uint32_t>(ip + 20) | std::uint64_t{load_native<std::uint8_t>(ip + 9)} << 32};
    one.hash = Table::marked(hash_(one.key), 0);
    one.line = &table_.line(table_.line_of(one.hash));
    prefetch(one.line);
  }

  void find(Pending& one) noexcept {
    const auto ways = one.line->matches(Table::tag_of(one.hash));
    one.record = ways ? table_.pool(0).record(one.line->first_of(ways).slot()) : nullptr;
    if (ways) prefetch(one.record);
    else if (table_.full()) table_.prefetch_candidates(*one.line);
  }

  void count(const Pending& one) noexcept {
    ++clock_;
    auto* record = one.record;
    if (!record || std::memcmp(record, &one.key, sizeof one.key) != 0) [[unlikely]]
      record = find_or_begin(one);
    const auto add = [record](std::size_t at, std::uint64_t value) {
      store_native(record + at, load_native<std::uint64_t>(record + at) + value);
    };
    add(offsetof(Record, octets), one.octets);
    add(offsetof(Record, packets), 1);
    store_native(record + offsetof(Record, flags),
                 load_native<std::uint64_t>(record + offsetof(Record, flags)) | one.flags);
    store_native(record + offsetof(Record, last), clock_);
  }

  std::byte* find_or_begin(const Pending& one) noexcept {
    const auto home = table_.line_of(one.hash);
    auto* record = table_.find(home, one.hash, [&](const auto* at) { return std::memcmp(at, &one.key, 16) == 0; });
    if (record) return record;
    record = table_.has_room(home) ? table_.insert(home, one.hash, 0, false) : replace(home, one.hash);
    const Record fresh{.key = one.key, .octets = 0, .packets = 0, .flags = 0, .first = clock_, .last = clock_};
    std::memcpy(record, &fresh, sizeof fresh);
    return record;
  }

  /// Where the home line has none that could go, one of another line does: nobody will look for it there, nor need to.
  std::byte* replace(std::size_t number, std::uint64_t hash) noexcept {
    while (table_.line(number).taken() == 0 || table_.line(number).guests > 0) number = table_.after(number);
    const auto& line = table_.line(number);
    std::uint64_t oldest = ~std::uint64_t{0};
    std::size_t way = 0;
    line.candidates([&](unsigned at) {
      const auto last = load_native<std::uint64_t>(table_.record_at(Place{line.places[at]}) + offsetof(Record, last));
      way = last < oldest ? at : way;
      oldest = std::min(oldest, last);
    });
    auto* record = table_.replace(number, way, hash, false);
    auto& out = out_[ended_++ % out_.size()];
    std::memcpy(&out, record, sizeof out);
    packets_out_ += out.packets;
    return record;
  }

  KeyedHash hash_{1};
  Table table_;
  std::vector<Record> out_;
  std::array<std::array<Pending, burst>, 3> bursts_{};
  std::uint64_t turn_ = 0, clock_ = 0, ended_ = 0, packets_out_ = 0;
};

std::vector<const std::byte*> frames_of(capture::SyntheticTraffic& traffic) {
  std::vector<const std::byte*> frames;
  for (auto packets = traffic.receive(); !packets.empty(); packets = traffic.receive())
    for (const auto& packet : packets) frames.push_back(packet.bytes);
  frames.resize(frames.size() / burst * burst);
  return frames;
}

void bare_loop(benchmark::State& state, capture::TrafficKind kind) {
  const auto flows = static_cast<std::size_t>(state.range(0));
  const bool flood = kind == capture::TrafficKind::syn_flood;
  capture::SyntheticTraffic traffic{
      {.flows = flows, .kind = kind, .new_share = flood ? 1.0 : 0.0, .packets = packets_of_a_round}};
  BareLoop loop{flood ? flows : flows + flows / 8};
  std::uint64_t packets = 0, timed = 0;
  auto frames = frames_of(traffic);
  const auto run = [&] {
    loop.run(frames);
    packets += frames.size();
  };
  while (traffic.introduce()) {
    frames = frames_of(traffic);
    run();
  }
  for (auto _ : state) {
    if (flood || timed == 0) {
      state.PauseTiming();
      traffic.make();
      frames = frames_of(traffic);
      state.ResumeTiming();
    }
    run();
    timed += frames.size();
  }
  if (loop.packets() != packets || loop.live() < flows * 999 / 1000) state.SkipWithError("wrong answer");
  state.SetItemsProcessed(static_cast<std::int64_t>(timed));
}

BENCHMARK_CAPTURE(bare_loop, uniform, capture::TrafficKind::mixed)
    ->Arg(1 << 10)
    ->Arg(1 << 16)
    ->Arg(1 << 20)
    ->Arg(1 << 24);
BENCHMARK_CAPTURE(bare_loop, flood, capture::TrafficKind::syn_flood)->Arg(1 << 20);

}  // namespace

BENCHMARK_MAIN();
