// SPDX-License-Identifier: BSD-3-Clause
#include "app/replay.hpp"

#include <fmt/format.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <string_view>

#include "app/live/pause.hpp"
#include "app/options.hpp"
#include "app/relay.hpp"
#include "decode/decode.hpp"
#include "flow/layout.hpp"

namespace weir::app {
namespace {

/// Slices under way at once: enough that no worker waits for another's, few enough to stay in the caches.
constexpr unsigned slices_per_worker = 3;

/// A worker without work looks so often, about a millisecond, before it pauses: the input may be somebody's pipe.
constexpr std::uint32_t looks_at_once = 20'000;
constexpr std::chrono::microseconds pause_longest{100};

/// Shares of a table that are ended in one step. A share is small enough for the nearest cache until it is encoded; so
/// many, that whoever ends them is not held up while the exporter writes.
constexpr unsigned shares_at_once = 8;

/// Tables are asked whether they grow soon after every so many slices, or more: see Replay::tables_are_asked().
constexpr std::uint64_t asked_every = 64;

/// One sampler sees the packets of all interfaces, as the input orders them.
constexpr std::array<std::uint32_t, 1> all_interfaces{0};

}  // namespace

Replay::Replay(const Settings& settings, capture::Input& input, const std::atomic<bool>& stopped)
    : workers_{settings.replay.workers},
      meter_options_{meter_options(settings, workers_)},
      layouts_{flow::make_layouts(meter_options_)},
      decoding_{settings.decode.tunnels, meter_options_},
      input_{input},
      sampler_{settings.sampling.select, settings.sampling.seed, decode::ip_packet},
      stopped_{stopped},
      exporter_{exporter_options(settings, Patience::wait, all_interfaces),
                {settings.exporter.out, settings.exporter.to},
                layouts_,
                stopped_} {
  make_shards(settings);
  make_works(settings);
}

Replay::Shard::Shard(const flow::MeterOptions& options, const flow::FragmentOptions& fragment_options,
                     const std::array<RecordLayout, 2>& layouts)
    : meter{flow::make_meter(options)},
      fragments{fragment_options, *meter},
      ended{Work::records_max(fragment_options.held), layouts[0], layouts[1]} {}

void Replay::make_shards(const Settings& settings) try {
  for (unsigned i = 0; i < workers_; ++i)
    shards_.push_back(
        std::make_unique<Shard>(meter_options_, fragment_options(settings, meter_options_, decoding_), layouts_));
} catch (const std::bad_alloc&) {
  throw StartError{
      fmt::format("flow.capacity {}: there is no memory for so many flows; lower it", settings.flow.capacity)};
}

void Replay::make_works(const Settings& settings) {
  const auto slices = workers_ == 1 ? 1 : workers_ * slices_per_worker;
  const auto held = fragment_options(settings, meter_options_, decoding_).held;
  const auto octets = exporter_.catalogue().flow_octets_max();
  try {
    for (unsigned i = 0; i < slices; ++i)
      works_.push_back(std::make_unique<Work>(workers_, i % workers_, decoding_, held, octets));
  } catch (const std::bad_alloc&) {
    throw StartError{
        fmt::format("--workers {}: there is no memory for what so many may end at a time, in records of up to {} "
                    "octets; ask for fewer, or make export.templates shorter",
                    workers_, octets)};
  }
}

Report Replay::run(const Watch& watch) noexcept {
  const auto start = std::chrono::steady_clock::now();
  if (workers_ == 1) run_in_one_thread(watch);
  else run_in_threads(watch);
  exporter_.finish(clock_last_);
  auto made = report();
  made.took = std::chrono::steady_clock::now() - start;
  return made;
}

void Replay::run_in_one_thread(const Watch& watch) noexcept {
  auto& work = *works_.front();
  while (read(work, watch)) {
    decode(work);
    meter(work, 0);
    export_slice(work, watch);
  }
}

/// `workers_` threads in all, this one among them. Each meters its own shard, so that a table stays with one core. It
/// reads on before it meters, so that it has something to do while somebody else reads, unless its shard is behind.
/// With nothing of that to do for long it helps with others' shards: where oneTBB has fewer threads to give than were
/// asked for, the same is done by fewer.
void Replay::run_in_threads(const Watch& watch) noexcept {
  Relay relay{works_, workers_};
  const auto read_on = [&](unsigned worker) {
    return relay.read(
        worker, [&](Work& slice) { return read(slice, watch); }, [&](Work& slice) { decode(slice); });
  };
  const auto meter_on = [&](unsigned shard) { return relay.meter(shard, [&](Work& slice) { meter(slice, shard); }); };
  const auto work = [&](unsigned worker) {
    const auto others = [&] {
      bool any = false;
      for (unsigned shard = 0; shard < workers_; ++shard)
        while (shard != worker && meter_on(shard)) any = true;
      return any;
    };
    Pause pause{pause_longest, looks_at_once};
    while (!relay.through()) {
      bool any = !relay.is_behind(worker) && read_on(worker);
      any |= meter_on(worker);
      any |= relay.export_slice([&](Work& slice) { export_slice(slice, watch); });
      pause.after(any || (pause.for_long() && others()));
    }
  };
  const tbb::global_control limit{tbb::global_control::max_allowed_parallelism, workers_};
  tbb::task_arena arena{static_cast<int>(workers_)};
  arena.execute([&] {
    tbb::task_group helpers;
    for (unsigned worker = 1; worker < workers_; ++worker) helpers.run([&work, worker] { work(worker); });
    work(0);
    helpers.wait();
  });
}

bool Replay::read(Work& work, const Watch& watch) noexcept {
  if (!closing_) {
    closing_ = stopped_ || !input_.next(work.slice);
    watch.read();
  }
  if (closing_) {
    work.closing = clock_last_;
    return !std::ranges::all_of(shards_,
                                [](const auto& shard) { return shard->finished.load(std::memory_order_relaxed); });
  }
  clock_last_ = work.clock();
  sampler_.mark(work.slice.packets());  // here packets are in order, whatever the number of workers
  work.selection = sampler_.counts();
  work.number = ++slices_;
  work.interfaces = input_.interfaces().size();
  work.tables_grow = work.number == grow_after_.load(std::memory_order_relaxed);
  return true;
}

void Replay::decode(Work& work) noexcept {
  if (!work.closing) work.decode(input_.selector());
}

/// Whether each is asked after this slice if it grows soon. If one does, all that are about as full grow after the
/// first slice that cannot have been read before all have answered: each by itself, one after the other, they would
/// keep all waiting. So it depends on the packets alone. Nobody is asked again while the answers may still be read.
bool Replay::tables_are_asked(const Work& work) const noexcept {
  return workers_ > 1 && work.number % std::max(asked_every, std::uint64_t{works_.size()}) == 0;
}

/// At the end everything ends, what is past an end of its own with that reason.
void Replay::meter(Work& work, unsigned number) noexcept {
  auto& shard = *shards_[number];
  auto& records = work.records(number);
  records.clear();
  if (!work.closing) {
    work.meter(number, shard.fragments, shard.ended);
    if (work.tables_grow) shard.meter->grow_ahead();
    if (tables_are_asked(work)) shard.grows_soon = shard.meter->grows_soon();
    return encode(shard, work.interfaces, records);
  }
  for (unsigned i = 0; i < shares_at_once && !shard.finished; ++i) {
    shard.finished = shard.fragments.finish(*work.closing, shard.ended);
    encode(shard, work.interfaces, records);
  }
}

/// Here, so that it is done by as many threads as meter, and the exporter only puts messages together.
void Replay::encode(Shard& shard, std::size_t interfaces, ipfix::DataRecords& into) noexcept {
  tell_interfaces(shard.interfaces_told, interfaces,
                  [&](std::uint32_t number, std::string_view name) { shard.interfaces.add(number, name); });
  for (unsigned family = 0; family < layouts_.size(); ++family)
    into.add(exporter_.catalogue(), shard.ended.of(family), shard.interfaces);
  shard.ended.clear();
}

/// Each once, by the number that records carry. `told` says how many were, `known` how many there are.
template <class Tell>
void Replay::tell_interfaces(std::size_t& told, std::size_t known, Tell tell) const noexcept {
  for (; told < known; ++told) tell(static_cast<std::uint32_t>(told + 1), input_.interfaces()[told].name);
}

/// How many find nothing left to end depends on who was quick: they leave no trace.
void Replay::export_slice(Work& work, const Watch& watch) noexcept {
  if (!work.closing) count(work);
  else if (work.has_nothing()) return;
  for (unsigned shard = 0; shard < workers_; ++shard) exporter_.add(work.records(shard), work.clock());
  exporter_.tick(work.clock(), metering_totals(tallies_));
  watch.exported(tallies_.received.packets);
}

void Replay::count(const Work& work) noexcept {
  if (clock_first_ == no_stamp) clock_first_ = work.slice.packets().front().clock;
  tallies_ += work.tallies();
  if (tables_are_asked(work) && std::ranges::any_of(shards_, [](const auto& shard) { return shard->grows_soon; }))
    grow_after_.store(work.number + works_.size(), std::memory_order_relaxed);
  tell_interfaces(interfaces_told_, work.interfaces,
                  [this](std::uint32_t number, std::string_view name) { exporter_.add_interface(number, name); });
  exporter_.count_selection(0, work.selection.observed, work.selection.selected);
}

Report Replay::report() const {
  Report made{.packets = tallies_, .destinations = exporter_.report()};
  for (const auto& shard : shards_) {
    const auto& counters = shard->meter->counters();
    made.metered_ip_octets += counters.octets;
    made.in_table += shard->meter->in_table();
    for (std::size_t i = 0; i < made.end_reasons.size(); ++i) made.end_reasons[i] += counters.ended[i];
    add_fragments(made, shard->fragments.counters(), shard->fragments.waiting());
  }
  made.clock_first = clock_first_;
  made.clock_last = clock_first_ == no_stamp ? no_stamp : clock_last_;
  made.workers = workers_;
  made.interrupted = stopped_;
  return made;
}

}  // namespace weir::app
