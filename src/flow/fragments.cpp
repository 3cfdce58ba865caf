// SPDX-License-Identifier: BSD-3-Clause
#include "flow/fragments.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace weir::flow {
namespace {

/// A datagram a bucket, on average.
std::size_t buckets_for(const FragmentOptions& options) noexcept { return std::bit_ceil(options.datagrams); }

bool tracks(const FragmentOptions& options) noexcept { return options.tracking == FragmentTracking::track; }

constexpr auto all_of_a_burst = [] {
  std::array<std::uint16_t, burst_size> all{};
  std::iota(all.begin(), all.end(), std::uint16_t{0});
  return all;
}();

}  // namespace

Fragments::Fragments(const FragmentOptions& options, Meter& meter, Emptier* emptier)
    : meter_{meter},
      emptier_{emptier},
      tracks_{tracks(options)},
      hash_{options.hash_key},
      buckets_(tracks_ ? buckets_for(options) : 1, none),
      datagrams_{tracks_ ? options.datagrams : 0},
      held_{tracks_ ? options.held : 0},
      held_details_(tracks_ && options.details ? options.held : 0),
      released_details_(tracks_ && options.details ? burst_size : 0) {}

std::size_t Fragments::octets(const FragmentOptions& options) noexcept {
  if (!tracks(options)) return 0;
  constexpr auto links = 2 * sizeof(Slot);
  return buckets_for(options) * sizeof(Slot) + options.datagrams * (sizeof(Datagram) + links) +
         options.held * (sizeof(Held) + links + (options.details ? sizeof(Details) : 0));
}

void Fragments::add(Burst packets, std::span<Headers> headers, std::span<const Details> details, Chosen& which,
                    Ended& ended) noexcept {
  Run run{packets, headers, details, which.places()};
  if (run.which.empty()) return;
  // Clocks never turn back, so the last one tells whether one that waits is due.
  if (!tracks_ || (!which.has_fragments() && packets[run.which.back()].clock < due())) [[likely]] {
    run.end = run.which.size();
    return meter_run(run, ended);
  }
  for (const auto i : run.which) {
    const auto& packet = packets[i];
    if (packet.clock >= due()) give_up_late(packet.clock, run, ended);
    if (headers[i].fragment == Fragment::later && !join(packet.clock, headers[i])) {
      hold(i, run, ended);
      continue;
    }
    run.which[run.end++] = i;
    if (headers[i].fragment == Fragment::first) know(packet, headers[i], run, ended);
  }
  meter_run(run, ended);
}

void Fragments::expire(Instant clock, Ended& ended) noexcept {
  if (clock >= due()) [[unlikely]] {
    Run nothing{};
    give_up_late(clock, nothing, ended);
  }
  meter_.expire(clock, ended);
}

bool Fragments::give_up(Instant clock, Ended& ended) noexcept {
  Run nothing{};
  while (!held_.empty()) {
    if (ended.room() < burst_size * Ended::records_per_packet) return false;
    for (std::size_t i = 0; i < burst_size && !held_.empty(); ++i) {
      ++counters_.without_first;
      give_up_oldest(std::min(clock, due()), nothing, ended);
    }
    meter_released(ended);
  }
  return true;
}

bool Fragments::finish(Instant clock, Ended& ended) noexcept {
  return give_up(clock, ended) && meter_.finish(clock, ended);
}

/// When the one that is held the longest has waited for long enough.
Instant Fragments::due() const noexcept {
  return held_.empty() ? Instant::max() : held_[held_.oldest()].packet.clock + wait_max;
}

Fragments::Key Fragments::key_of(const Headers& headers) noexcept {
  const auto word = [&](std::size_t number) {
    return load_native<std::uint64_t>(headers.addresses.data() + 8 * number);
  };
  const auto numbers = std::uint64_t{headers.fragment_id} | std::uint64_t{headers.vlan} << 32 |
                       std::uint64_t{static_cast<std::uint8_t>(headers.version)} << 56;
  if (headers.version == IpVersion::v6) return {word(0), word(1), word(2), word(3), numbers};
  return {word(3), 0, 0, 0, numbers | std::uint64_t{headers.protocol} << 48};
}

Fragments::Slot Fragments::find(const Key& key) noexcept {
  auto slot = bucket_of(key);
  while (slot != none && datagrams_[slot].key != key) slot = datagrams_[slot].next_in_bucket;
  return slot;
}

Fragments::Slot Fragments::begin_datagram(const Key& key, Instant clock, Run& run, Ended& ended) noexcept {
  if (datagrams_.full()) make_room(clock, run, ended);
  const auto slot = datagrams_.take();
  auto& bucket = bucket_of(key);
  datagrams_[slot] = {.key = key, .heard_of = clock, .next_in_bucket = bucket};
  bucket = slot;
  return slot;
}

/// The fragment's datagram, old or new, which is the one heard of last from now on.
Fragments::Slot Fragments::hear_of(const Headers& headers, Instant clock, Run& run, Ended& ended) noexcept {
  const auto key = key_of(headers);
  auto slot = find(key);
  if (slot == none) slot = begin_datagram(key, clock, run, ended);
  else datagrams_.touch(slot);
  datagrams_[slot].heard_of = clock;
  return slot;
}

void Fragments::forget(Slot slot) noexcept {
  const auto& datagram = datagrams_[slot];
  auto* link = &bucket_of(datagram.key);
  while (*link != slot) link = &datagrams_[*link].next_in_bucket;
  *link = datagram.next_in_bucket;
  datagrams_.remove(slot);
}

/// No datagram's time can be over before that of the one that was heard of longest ago, which goes.
void Fragments::make_room(Instant clock, Run& run, Ended& ended) noexcept {
  const auto slot = datagrams_.oldest();
  auto& datagram = datagrams_[slot];
  counters_.firsts_forgotten += datagram.known && !datagram.is_over(clock);
  while (datagram.held_first != none) {
    ++counters_.table_full;
    release(take_first_held(datagram), clock, run, ended);
  }
  meter_released(ended);
  forget(slot);
}

/// A first fragment, which is in the run already: those that wait for it follow.
void Fragments::know(const Packet& packet, const Headers& headers, Run& run, Ended& ended) noexcept {
  auto& datagram = datagrams_[hear_of(headers, packet.clock, run, ended)];
  datagram.known = true;
  datagram.source_port = headers.source_port;
  datagram.destination_port = headers.destination_port;
  datagram.protocol = headers.protocol;
  while (datagram.held_first != none) {
    const auto held = take_first_held(datagram);
    complete(datagram, held_[held].headers);
    ++counters_.joined;
    release(held, packet.clock, run, ended);
  }
  meter_released(ended);
}

/// False: its first is not known.
bool Fragments::join(Instant clock, Headers& headers) noexcept {
  const auto slot = find(key_of(headers));
  if (slot == none || !datagrams_[slot].known || datagrams_[slot].is_over(clock)) return false;
  complete(datagrams_[slot], headers);
  ++counters_.joined;
  return true;
}

void Fragments::complete(const Datagram& datagram, Headers& headers) noexcept {
  headers.source_port = datagram.source_port;
  headers.destination_port = datagram.destination_port;
  headers.protocol = datagram.protocol;
}

void Fragments::hold(std::uint16_t which, Run& run, Ended& ended) noexcept {
  const auto& packet = run.packets[which];
  const auto& headers = run.headers[which];
  if (held_.full()) {
    ++counters_.table_full;
    give_up_oldest(packet.clock, run, ended);
    meter_released(ended);
  }
  const auto slot = hear_of(headers, packet.clock, run, ended);
  auto& datagram = datagrams_[slot];
  datagram.known = false;

  const auto held = held_.take();
  held_[held] = {.headers = headers, .packet = packet, .datagram = slot};
  held_[held].packet.bytes = nullptr;
  if (!held_details_.empty()) {
    held_details_[held] = run.details[which];
    held_details_[held].payload_captured = 0;  // its octets are gone by then
  }
  (datagram.held_first == none ? datagram.held_first : held_[datagram.held_last].next) = held;
  datagram.held_last = held;
  waiting_ += {.packets = 1, .octets = headers.octets};
}

Fragments::Slot Fragments::take_first_held(Datagram& datagram) noexcept {
  const auto slot = datagram.held_first;
  datagram.held_first = held_[slot].next;
  return slot;
}

/// What is held the longest is the first of its datagram.
void Fragments::give_up_oldest(Instant clock, Run& run, Ended& ended) noexcept {
  const auto slot = held_[held_.oldest()].datagram;
  auto& datagram = datagrams_[slot];
  release(take_first_held(datagram), clock, run, ended);
  if (datagram.held_first == none) forget(slot);
}

void Fragments::give_up_late(Instant clock, Run& run, Ended& ended) noexcept {
  for (auto at = due(); at <= clock; at = due()) {
    ++counters_.without_first;
    give_up_oldest(at, run, ended);
  }
  meter_released(ended);
}

/// On its way to the meter, behind the packets that came before.
void Fragments::release(Slot slot, Instant clock, Run& run, Ended& ended) noexcept {
  if (released_ == 0) meter_run(run, ended);
  const auto& held = held_[slot];
  released_packets_[released_] = held.packet;
  released_packets_[released_].clock = clock;
  if (!released_details_.empty()) released_details_[released_] = held_details_[slot];
  released_headers_[released_++] = held.headers;
  waiting_.packets -= 1;
  waiting_.octets -= held.headers.octets;
  held_.remove(slot);
  if (released_ == burst_size) meter_released(ended);
}

void Fragments::meter_run(Run& run, Ended& ended) noexcept {
  const auto next = run.which.subspan(run.begin, run.end - run.begin);
  run.begin = run.end;
  make_sure_of_room(next.size(), ended);
  meter_.add(run.packets, run.headers, run.details, next, ended);
}

void Fragments::meter_released(Ended& ended) noexcept {
  if (released_ == 0) return;
  make_sure_of_room(released_, ended);
  meter_.add(released_packets_, released_headers_, released_details_, std::span{all_of_a_burst}.first(released_),
             ended);
  released_ = 0;
}

void Fragments::make_sure_of_room(std::size_t packets, Ended& ended) noexcept {
  if (emptier_ && ended.room() < packets * Ended::records_per_packet) emptier_->empty(ended);
}

}  // namespace weir::flow
