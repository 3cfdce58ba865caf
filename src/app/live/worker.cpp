// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/worker.hpp"

#include <x86intrin.h>

#include <utility>

#include "base/prefetch.hpp"
#include "flow/layout.hpp"

namespace weir::app {
namespace {

constexpr std::uint64_t publishings_per_second = 100;

/// Silence of the devices after which their clock is taken to go on with the host's.
constexpr std::uint64_t silence_seconds = 1;

}  // namespace

Worker::Worker(const WorkerOptions& options, std::span<const RecordLayout, 2> layouts, const Decoding& decoding,
               const capture::Selector& selector, Mesh& mesh, Common& common)
    : number_{options.number},
      decoding_{decoding},
      selector_{selector},
      mesh_{mesh},
      common_{common},
      meter_{flow::make_meter(options.meter)},
      fragments_{options.fragments, *meter_, &emptier_},
      ended_{ended_max, layouts[0], layouts[1]},
      outlet_{std::max(options.ring_records, ended_max), layouts},
      pause_{options.pause_max},
      realtime_{options.realtime},
      tsc_hz_{options.tsc_hz},
      headers_(received_max),
      headers_over_(received_max),
      details_(decoding.details ? received_max : 0),
      details_over_(details_.size()),
      payload_octets_{options.meter.payload_octets},
      handover_(handover_octets(decoding.details, payload_octets_)),
      payloads_over_(details_.size() * payload_octets_),
      outcomes_(received_max),
      packets_over_(received_max),
      own_(received_max),
      over_(received_max),
      parcel_{received_max, decoding.details, decoding.to_brief()} {
  meter_->touch();
  fragments_.touch();
  outlet_.touch();
  parcel_.touch();
}

void Worker::add(std::unique_ptr<capture::Queue> queue, std::optional<capture::HashCheck> check,
                 const capture::Sampler& sampler) {
  auto state = std::make_unique<QueueState>();
  state->port = &queue->port();
  state->number = queue->number();
  receiving_.push_back({std::move(queue), std::move(check), sampler, state.get()});
  states_.push_back(std::move(state));
}

void Worker::run() noexcept {
  Pause::sleep_precisely();
  while (!common_.stop.load(std::memory_order_relaxed)) {
    tell_time();
    const auto found = receive() + take_over();
    if (found == 0) advance_in_silence();
    fragments_.expire(clock_, ended_);
    hand_over();
    answer();
    ++counters_.loops;
    counters_.loops_empty += found == 0;
    publish(false);
    pause_.after(found);
  }
  finish();
}

/// One reading of the TSC for all packets of this turn. The system's clock is asked once a second.
void Worker::tell_time() noexcept {
  tsc_ = __rdtsc();
  if (!host_clock_ || tsc_ - disciplined_at_ >= tsc_hz_) [[unlikely]] {
    const capture::ClockReading reading{tsc_, realtime_().time_since_epoch()};
    if (!host_clock_) host_clock_.emplace(static_cast<double>(tsc_hz_), reading);
    else if (const auto set = host_clock_->discipline(reading); set != nanoseconds{0}) note_step(set);
    for (auto& from : receiving_) from.queue->discipline(reading.realtime);
    disciplined_at_ = tsc_;
  }
  now_ = host_clock_->advance(tsc_);
  if (!clock_of_devices_) clock_ = now_.clock;
}

void Worker::note_step(nanoseconds set) noexcept {
  jumped_ = true;
  ++counters_.clock_steps;
  counters_.clock_set = set;
}

/// Stamps of devices tell the time only when packets come. Without any, time goes on all the same.
void Worker::advance_in_silence() noexcept {
  if (!clock_of_devices_ || counters_.clock_first == no_stamp || tsc_ - packet_at_ < silence_seconds * tsc_hz_) return;
  constexpr std::uint64_t steps_per_second = 100;
  const auto step = tsc_hz_ / steps_per_second;
  if (tsc_ - packet_at_ - silence_seconds * tsc_hz_ < step) return;
  clock_ += nanoseconds{std::chrono::seconds{1}} / steps_per_second;
  packet_at_ += step;
}

std::size_t Worker::receive() noexcept {
  std::size_t received = 0;
  for (auto& from : receiving_) {
    const auto packets = from.queue->receive(now_);
    if (packets.empty()) continue;
    received += packets.size();
    take(from, packets);
    from.queue->release();
  }
  return received;
}

void Worker::take(Receiving& from, std::span<Packet> packets) noexcept {
  for (auto& packet : packets) packet.clock = clock_ = std::max(clock_, packet.clock);
  if (std::exchange(jumped_, false)) [[unlikely]]
    packets.front().notes |= note_bit(Note::clock_jump);
  packet_at_ = tsc_;
  if (counters_.clock_first == no_stamp) counters_.clock_first = packets.front().clock;
  if (from.sampler.active() || selector_.active())
    for (const auto& packet : packets) prefetch(packet.bytes);  // they look into them before decode() would
  if (from.sampler.active()) sample(from, packets);
  if (selector_.active()) show_whole(from, packets, [this](std::span<Packet> those) { selector_.select(those); });
  const bool reshard = common_.reshard.load(std::memory_order_relaxed);
  const bool check = from.check && !from.check->finished();
  if (decoding_.to_brief() && !reshard && !check) [[likely]]
    meter_briefly(from, packets);
  else meter(from, packets, reshard);
  hand_over();
  from.state->packets.store(from.state->packets.load(std::memory_order_relaxed) + packets.size(),
                            std::memory_order_relaxed);
}

/// Packets that are all ours, and of which nobody wants to see the headers.
void Worker::meter_briefly(Receiving& from, Burst packets) noexcept {
  parcel_.clear();
  decode_briefly(packets, ToOne{parcel_}, counters_.packets, [&](std::size_t i) {
    auto& headers = headers_[0];
    auto outcome = decode_other(packets[i], headers);
    if (outcome == Outcome::truncated && from.queue->is_cut(i)) [[unlikely]]
      outcome = decode::decode(from.queue->whole(i), headers);
    counters_.packets.add(packets[i], headers, outcome);
    if (outcome == Outcome::metered) put_down(packets[i], headers, nullptr, true, parcel_);
  });
  parcel_.meter(fragments_, clock_, ended_);
}

void Worker::meter(Receiving& from, std::span<Packet> packets, bool reshard) noexcept {
  const bool plain = decode(from, packets);
  if (from.check && !from.check->finished()) [[unlikely]]
    check_hashes(from, packets.size());

  counters_.packets.add(packets, headers_, outcomes_, plain);
  own_.clear();
  if (reshard) {
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (outcomes_[i] != Outcome::metered) continue;
      const auto* details = details_.empty() ? nullptr : &details_[i];
      const auto shard = decoding_.spread.shard_of(packets[i], headers_[i], details, mesh_.workers());
      if (shard == number_) own_.add(i, headers_[i]);
      else pass_on(shard, packets[i], i);
    }
    // packets that were taken over meanwhile may have moved the clock
    for (auto& packet : packets) packet.clock = std::max(packet.clock, clock_);
  } else {
    own_.add_metered(0, headers_, std::span{outcomes_}.first(packets.size()), plain);
  }
  fragments_.add(packets, headers_, details_, own_, ended_);
}

/// Packets in their order, to somebody who marks them by what is in them. One that lies in several buffers is copied
/// together, and as there is room for one, it is shown alone.
template <class Judge>
void Worker::show_whole(Receiving& from, std::span<Packet> packets, Judge judge) noexcept {
  std::size_t shown = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (!from.queue->is_cut(i)) continue;
    judge(packets.subspan(shown, i - shown));
    auto whole = from.queue->whole(i);
    judge(std::span{&whole, 1});
    packets[i].selection = whole.selection;
    shown = i + 1;
  }
  judge(packets.subspan(shown));
}

void Worker::sample(Receiving& from, std::span<Packet> packets) noexcept {
  show_whole(from, packets, [&from](std::span<Packet> those) { from.sampler.mark(those); });
  from.state->observed.store(from.sampler.counts().observed, std::memory_order_relaxed);
  from.state->selected.store(from.sampler.counts().selected, std::memory_order_relaxed);
}

/// True as decode_burst() says it.
bool Worker::decode(Receiving& from, std::span<Packet> packets) noexcept {
  if (decoding_.decode(packets, headers_, details_, outcomes_)) return true;
  for (std::size_t i = 0; i < packets.size(); ++i)
    if (outcomes_[i] == Outcome::truncated && from.queue->is_cut(i)) [[unlikely]] {
      const auto whole = from.queue->whole(i);
      decoding_.decode({&whole, 1}, std::span{headers_}.subspan(i),
                       std::span{details_}.subspan(details_.empty() ? 0 : i), std::span{outcomes_}.subspan(i));
    }
  return false;
}

void Worker::check_hashes(Receiving& from, std::size_t packets) noexcept {
  for (std::size_t i = 0; i < packets; ++i)
    if (const auto hash = from.queue->hash(i); hash && outcomes_[i] == Outcome::metered)
      from.check->compare(headers_[i], *hash);
  from.state->verdict.store(from.check->verdict(), std::memory_order_relaxed);
}

/// Where the other worker is behind, its packets wait here, and those for us are taken meanwhile: so no two workers can
/// wait for each other for ever.
void Worker::pass_on(unsigned to, const Packet& packet, std::size_t i) noexcept {
  const Handover handover{headers_[i], packet.clock, packet.stamp, packet.wire, packet.interface, packet.notes};
  std::memcpy(handover_.data(), &handover, sizeof handover);
  if (!details_.empty()) {
    auto details = details_[i];
    const auto payload = flow::payload_head(packet, details, payload_octets_);
    details.payload_at = 0;
    details.payload_captured = static_cast<std::uint32_t>(payload.size());
    std::memcpy(handover_.data() + sizeof handover, &details, sizeof details);
    std::copy(payload.begin(), payload.end(), handover_.data() + sizeof handover + sizeof details);
  }
  auto& ring = mesh_.ring(number_, to);
  while (ring.push(handover_.data(), 1) == 0)
    if (take_over() == 0) sched_yield();
  ++counters_.handed_over;
}

std::size_t Worker::take_over() noexcept {
  std::size_t taken = 0;
  for (unsigned from = 0; from < mesh_.workers(); ++from)
    if (from != number_) taken += take_over_from(mesh_.ring(from, number_));
  return taken;
}

std::size_t Worker::take_over_from(SpscRing& ring) noexcept {
  const auto there = ring.front();
  const auto count = std::min<std::size_t>(there.size() / ring.element_octets(), received_max);
  if (count == 0) return 0;
  for (std::size_t i = 0; i < count; ++i) {
    Handover handover;
    const auto* at = there.data() + i * ring.element_octets();
    std::memcpy(&handover, at, sizeof handover);
    headers_over_[i] = handover.headers;
    clock_ = std::max(clock_, handover.clock);
    packets_over_[i].stamp = handover.stamp;
    packets_over_[i].clock = clock_;
    packets_over_[i].wire = handover.wire;
    packets_over_[i].interface = handover.interface;
    packets_over_[i].notes = handover.notes;
    if (!details_over_.empty()) take_details(i, at + sizeof handover);
  }
  ring.pop(count);
  counters_.taken_over += count;
  if (counters_.clock_first == no_stamp) counters_.clock_first = packets_over_.front().clock;
  packet_at_ = tsc_;
  hand_over();
  over_.clear();
  for (std::size_t i = 0; i < count; ++i) over_.add(i, headers_over_[i]);
  fragments_.add(Burst{packets_over_}.first(count), headers_over_, details_over_, over_, ended_);
  hand_over();
  return count;
}

void Worker::take_details(std::size_t i, const std::byte* at) noexcept {
  std::memcpy(&details_over_[i], at, sizeof(Details));
  auto* payload = payloads_over_.data() + i * payload_octets_;
  std::copy_n(at + sizeof(Details), payload_octets_, payload);
  packets_over_[i].bytes = payload;
  packets_over_[i].captured = details_over_[i].payload_captured;
}

void Worker::hand_over() noexcept { counters_.not_handed_over += outlet_.take(ended_); }

void Worker::set_samplers(const std::vector<capture::Sampler>& samplers) noexcept {
  for (std::size_t i = 0; i < receiving_.size(); ++i) receiving_[i].sampler = samplers[i];
}

void Worker::hand_over_patiently() noexcept {
  constexpr auto patience = std::chrono::seconds{10};
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!outlet_.has_room_for(ended_) && std::chrono::steady_clock::now() < until) {
    const timespec moment{.tv_sec = 0, .tv_nsec = 100'000};
    ::nanosleep(&moment, nullptr);
  }
  hand_over();
}

void Worker::answer() noexcept {
  auto* request = request_.load(std::memory_order_acquire);
  if (!request || !request->step(*this)) return;
  request_.store(nullptr, std::memory_order_relaxed);
  request->done.store(true, std::memory_order_release);
}

void Worker::publish(bool last) noexcept {
  if (!last && tsc_ - published_at_ < tsc_hz_ / publishings_per_second) return;
  counters_.metered = meter_->counters();
  counters_.fragments = fragments_.counters();
  counters_.fragments_waiting = fragments_.waiting();
  counters_.flows = meter_->live();
  counters_.clock = clock_;
  counters_.stamp = now_.stamp;
  if (last) published_.settle(counters_);
  else published_.offer(counters_);
  published_at_ = tsc_;
}

/// Takes what has arrived until now; waits until every other worker has, too, for it may be ours; then all flows end.
void Worker::finish() noexcept {
  constexpr unsigned turns_max = 10'000;  // packets that go on arriving must not keep us
  tell_time();
  for (unsigned turn = 0; turn < turns_max && receive() > 0; ++turn) tell_time();
  common_.received_last.fetch_add(1, std::memory_order_acq_rel);
  while (common_.received_last.load(std::memory_order_acquire) < mesh_.workers()) pause_.after(take_over());
  while (take_over() > 0) {
  }
  for (bool done = false; !done;) {
    done = fragments_.finish(clock_, ended_);
    hand_over_patiently();
  }
  counters_.in_table = meter_->in_table();
  publish(true);
  answer();
  finished_.store(true, std::memory_order_release);
}

}  // namespace weir::app
