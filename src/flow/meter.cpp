// SPDX-License-Identifier: BSD-3-Clause
#include "flow/meter.hpp"

#include <algorithm>
#include <cstring>

#include "base/hash.hpp"
#include "base/prefetch.hpp"
#include "flow/account.hpp"
#include "flow/extension.hpp"
#include "flow/hand_out.hpp"
#include "flow/layout.hpp"
#include "flow/pending.hpp"
#include "flow/plan.hpp"
#include "flow/table.hpp"

namespace weir::flow {
namespace {

/// S4 and S6 are the shapes of IPv4 and IPv6 records; pool 0 and 1 of the table. Extension blocks lie behind them only
/// where `Extended`.
template <class S4, class S6, bool Extended = false>
class MeterOf final : public Meter {
 public:
  explicit MeterOf(const MeterOptions& options)
      : options_{options},
        planned_{made<PlannedOrNot>(options)},
        timeouts_{options},
        hash_{options.hash_key},
        icmp_in_ports_{options.icmp_in_ports == IcmpInPorts::on},
        sweep_period_{sweep_period(timeouts_)},
        table_{options.capacity, {live_octets<S4>(), S4::numbers_at}, {live_octets<S6>(), S6::numbers_at}} {}

  void add(Burst packets, std::span<const Headers> headers, std::span<const Details> details,
           std::span<const std::uint16_t> which, Ended& ended) noexcept override {
    counters_.packets += which.size();
    run(ended, [&](UnderWay& burst) {
      const auto those = take_burst(which);
      if (!those.empty()) take_in(burst, packets, headers, details, those);
      return !those.empty();
    });
  }

  void add_brief(const BriefPackets& packets, Ended& ended) noexcept override {
    if constexpr (!Extended) {
      counters_.packets += packets.size();
      run(ended, [&, left = packets](UnderWay& burst) mutable {
        const auto those = left.take_burst();
        take_in(burst, those);
        return those.size() > 0;
      });
    }
  }

  void expire(Instant clock, Ended& ended) noexcept override {
    const Word now = nanoseconds_since_epoch(clock);
    if (swept_until_ == 0) swept_until_ = now;
    const Word passed = std::min(now - swept_until_, sweep_period_);
    const auto slots = static_cast<Word>(table_.pool(0).used()) + table_.pool(1).used();
    auto due = static_cast<std::size_t>(slots * (passed >> 10) / (sweep_period_ >> 10));  // shifted: fits 64 bits
    if (due < burst_size && passed < sweep_period_) return;
    swept_until_ = now;
    for (due = std::min(due, ended.room()); due > 0; due -= std::min(due, burst_size))
      sweep(std::min(due, burst_size), now, ended);
  }

  bool finish(Instant clock, Ended& ended) noexcept override {
    if (!end_from<false>(finished_, nanoseconds_since_epoch(clock), finished_at_once, ended)) return false;
    table_.clear();
    finished_ = {};
    return true;
  }

  bool end_all(Instant clock, std::size_t slots_max, Ended& ended) noexcept override {
    const bool through = end_from<true>(ending_, nanoseconds_since_epoch(clock), slots_max, ended);
    if (through) ending_ = {};
    return through;
  }

  bool set_timeouts(const MeterOptions& wanted) noexcept override {
    if (!can_take_timeouts(options_, wanted)) return false;
    timeouts_ = Timeouts{wanted};
    sweep_period_ = sweep_period(timeouts_);
    return true;
  }

  bool look(TableCursor& at, std::size_t slots_max, FlowVisitor& visitor) const noexcept override {
    for (; more_slots(at); ++at.slot) {
      if (slots_max-- == 0) return false;
      if (at.pool == 0) show_slot<S4>(at, visitor);
      else show_slot<S6>(at, visitor);
    }
    return true;
  }

  Totals in_table() const noexcept override {
    Totals sum;
    if (live() == 0) return sum;
    sum += in_pool<S4>(0);
    sum += in_pool<S6>(1);
    return sum;
  }

  std::size_t live() const noexcept override { return table_.live(); }
  void touch() noexcept override { table_.touch(); }

  /// A quarter, for a table that is almost at its room meets by chance a key that finds its lines full; and a third for
  /// those that go with it.
  bool grows_soon() const noexcept override { return table_.grows_within_share(4); }
  void grow_ahead() noexcept override {
    if (table_.grows_within_share(3)) grow();
  }

 private:
  using PlannedOrNot = std::conditional_t<Extended, Planned, Nothing>;
  template <class T>
  static T made(const MeterOptions& options) {
    if constexpr (Extended) return T{options};
    else return T{};
  }

  template <class S>
  static constexpr unsigned pool_of = std::is_same_v<typename S::Key, Key4> ? 0 : 1;
  template <class S>
  const Extension& plan_of() const noexcept {
    return planned_.extensions[pool_of<S>];
  }
  template <class S>
  std::size_t live_octets() const noexcept {
    if constexpr (Extended) return plan_of<S>().live_octets;
    else return S::octets;
  }

  using UnderWay = BothPending<S4, S6, Extended>;
  /// Three bursts are under way, so that what one stage prefetches has come when the next reads it, until `take_in`
  /// says that there was none to take.
  template <class TakeIn>
  [[gnu::always_inline]] void run(Ended& ended, TakeIn take_in) noexcept {
    for (auto& burst : under_way_) burst.clear();
    for (std::size_t n = 0, without = 0; without < 2; ++n) {
      auto &first = under_way_[n % 3], &second = under_way_[(n + 2) % 3], &third = under_way_[(n + 1) % 3];
      first.clear();
      without += !take_in(first);
      go_on_with(second.four, third.four, ended);
      go_on_with(second.six, third.six, ended);
    }
  }

  /// First stage: the families told apart, keys and hashes. After a burst of IPv4 alone comes another, most likely.
  [[gnu::always_inline]] void take_in(UnderWay& burst, Burst packets, std::span<const Headers> headers,
                                      std::span<const Details> details, std::span<const std::uint16_t> which) noexcept {
    const auto hash = [this](auto& one) { this->find_line(one, this->put_key(one)); };
    if (all_four_ && take_fours(burst.four, packets, headers, details, which, counters_.octets, hash)) return;
    counters_.octets += tell_apart(burst.four, burst.six, packets, headers, details, which);
    std::ranges::for_each(burst.four.all(), hash);
    std::ranges::for_each(burst.six.all(), hash);
    all_four_ = burst.six.size == 0;
  }
  [[gnu::always_inline]] void take_in(UnderWay& burst, const BriefPackets& packets) noexcept {
    const auto find = [this](auto& one, const auto& packet) { this->find_line(one, one.put_brief_key(packet, hash_)); };
    take_brief(burst.four, packets.fours, counters_.octets, find);
    take_brief(burst.six, packets.sixes, counters_.octets, find);
  }

  /// A few packets of each burst in turn: memory brings what some ask for while others are reckoned with. More than two
  /// with all that may be evicted want more lines than may be under way. Stages that are measured come apart.
  template <class S>
  void go_on_with(Pending<S, Extended>& second, Pending<S, Extended>& third, Ended& ended) noexcept {
    const auto most = std::max(second.size, third.size);
    if (watch_ && most > 0) [[unlikely]]
      return go_on_apart(second, third, ended);
    const std::size_t turn = table_.full() ? 2 : 8;
    for (std::size_t begin = 0; begin < most; begin += turn) {
      for (auto& one : second.some(begin, turn)) prefetch_record(one);
      for (const auto& one : third.some(begin, turn)) meter(one, ended);
    }
  }

  template <class S>
  [[gnu::noinline]] void go_on_apart(Pending<S, Extended>& second, Pending<S, Extended>& third, Ended& ended) noexcept {
    for (auto& one : second.all()) prefetch_record(one);
    watch_->looked_up();
    for (const auto& one : third.all()) meter(one, ended);
    watch_->accounted();
  }

  template <class S>
  [[gnu::always_inline]] void find_line(PendingPacket<S, Extended>& one, std::uint64_t hash) const noexcept {
    one.hash = Table::marked(hash, pool_of<S>);
    one.line = &table_.line(table_.line_of(one.hash));
    prefetch(one.line);
  }

  /// Returns its hash.
  template <class S>
  [[gnu::always_inline]] std::uint64_t put_key(PendingPacket<S, Extended>& one) const noexcept {
    constexpr auto n = S::Key::address_octets;
    if constexpr (Extended) {
      const auto& plan = plan_of<S>().key;
      one.put(make_key<n>(plan, one.sight(), S::biflow, one.seen.extra.data()));
      return hash_of(plan, hash_, one.key, one.seen.extra.data());
    } else {
      return one.put_usual_key(hash_);
    }
  }

  /// Where the table is full, a new flow needs the place of one whose record nothing else would bring. Of an IPv4
  /// biflow's two lines the second is the reverse direction's. Which one a packet runs in is known by now
  /// but where a flow began anew in its place.
  template <class S>
  [[gnu::always_inline]] void prefetch_record(PendingPacket<S, Extended>& one) noexcept {
    const auto ways = one.line->matches(Table::tag_of(one.hash));
    if (!ways) {
      one.likely = Table::nobody();
      if (table_.full()) table_.prefetch_candidates(*one.line);
      return;
    }
    const auto place = one.line->first_of(ways);
    one.likely = table_.pool(pool_of<S>).record(place.slot());
    if constexpr (in_first_line<S>) {
      prefetch(one.likely);
      if constexpr (S::biflow) prefetch(one.likely + 64 * (place.hint() != one.exchanged));
    } else {
      prefetch(one.likely, live_octets<S>());
    }
  }
  static_assert(S4::reverse_at <= 64 && S6::reverse_at <= 128, "what is asked of a record that may have to go");
  template <class S>
  static constexpr bool in_first_line = !Extended && S::reverse_at <= 64;

  /// Last stage: find or begin the record, end what is past its end, count.
  template <class S>
  [[gnu::always_inline]] void meter(const PendingPacket<S, Extended>& one, Ended& ended) noexcept {
    auto* record = one.likely;
    if (!is_of(one, record)) [[unlikely]]
      return find_and_count(one, ended);
    if (!count_at_once(record, one)) [[unlikely]]
      count_step_by_step(record, one, ended);
  }

  /// False: the packet needs more than that, and nothing was changed.
  template <class S>
  [[gnu::always_inline]] bool count_at_once(std::byte* record, const PendingPacket<S, Extended>& one) const noexcept {
    const auto arrival = one.arrival();
    const Word reverse = runs_back<S>(record, arrival);
    auto* direction = record + S::direction_at(reverse);
    const bool in_the_midst = is_in_the_midst(direction, one.counted());
    if (!only_counts<S>(record, direction, in_the_midst, one.counted(), arrival, timeouts_)) return false;
    if constexpr (Extended) {
      const auto& plan = plan_of<S>();
      const auto sight = one.sight();
      if (outgrown(plan.limits[reverse], record, direction, sight).any) return false;
      run_each(plan, record, sight, reverse, false);
    }
    only_count<S>(record, direction, in_the_midst, one.counted(), arrival);
    return true;
  }

  /// Most of those that are not where they are likely to be are new.
  template <class S>
  [[gnu::noinline]] void find_and_count(const PendingPacket<S, Extended>& one, Ended& ended) noexcept {
    const auto home = table_.line_of(one.hash);
    auto* record = table_.find(home, one.hash, [&](const std::byte* at) { return is_of(one, at); });
    if (record) {
      if (!count_at_once(record, one)) count_step_by_step(record, one, ended);
      return;
    }
    const auto arrival = one.arrival();
    begin_and_count(new_place<S>(home, one.hash, arrival, ended), one, arrival);
  }

  template <class S>
  [[gnu::noinline]] void count_step_by_step(std::byte* record, const PendingPacket<S, Extended>& one,
                                            Ended& ended) noexcept {
    const auto arrival = one.arrival();
    if (ends_before(record, one, arrival, ended)) begin_and_count(record, one, arrival);
    else count_packet(record, one, arrival);
  }

  template <class S>
  bool is_of(const PendingPacket<S, Extended>& one, const std::byte* record) const noexcept {
    if constexpr (Extended)
      return same_key(plan_of<S>().key, one.key, one.seen.extra.data(), record, record + plan_of<S>().key_at);
    else return same_key(one.key, record);
  }

  template <class S>
  [[gnu::always_inline]] void begin_and_count(std::byte* record, const PendingPacket<S, Extended>& one,
                                              const Arrival& arrival) noexcept {
    begin<S>(record, one.key, one.counted(), arrival);
    if (one.counted().tcp_flags() & timeouts_.closing_flags) closes<S>(record, false, one.counted().tcp_flags());
    if constexpr (Extended) {
      const auto& plan = plan_of<S>();
      std::memcpy(record + plan.key_at, one.seen.extra.data(), 8 * plan.key.extra_words);
      std::copy(plan.blank.begin(), plan.blank.end(), record + plan.columns_at);
      run_first(plan.first[0], record, one.sight());
      run_each(plan, record, one.sight(), false, true);
    }
  }

  template <class S>
  void count_packet(std::byte* record, const PendingPacket<S, Extended>& one, const Arrival& arrival) noexcept {
    if constexpr (Extended) {
      const auto& plan = plan_of<S>();
      const auto sight = one.sight();
      const Word reverse = runs_back<S>(record, arrival);
      const bool first = reverse != 0 && !(S::forward_end(record) & state::reverse_seen);
      if (first) run_first(plan.first[reverse], record, sight);
      run_each(plan, record, sight, reverse, first);
    }
    account<S>(record, one.counted(), arrival, timeouts_);
  }

  /// Ends what must end before this packet counts. True: the flow is over, the packet begins another in its place.
  template <class S>
  bool ends_before(std::byte* record, const PendingPacket<S, Extended>& one, const Arrival& arrival,
                   Ended& ended) noexcept {
    const auto packet = one.counted();
    if (settle<S>(record, arrival.clock, ended)) return true;
    if ((packet.tcp_flags() & tcp_flag::syn) && timeouts_.tcp_close && S::is_closing(record)) {
      if (S::has_packets(record)) emit<S>(record, EndReason::end_of_flow, ended);
      return true;
    }
    const Word reverse = runs_back<S>(record, arrival);
    const auto* direction = record + S::direction_at(reverse);
    if (would_outgrow(direction, packet)) [[unlikely]] {
      emit<S>(record, EndReason::active, ended);
      let_go_on<S>(record);
    }
    if constexpr (Extended) {
      const auto found = outgrown(plan_of<S>().limits[reverse], record, direction, one.sight());
      if (found.any && S::has_packets(record)) {
        emit<S>(record, EndReason::active, ended);
        let_go_on<S>(record);
      }
      if (found.total) reset(plan_of<S>().totals, record);
    }
    return false;
  }

  template <class S>
  void let_go_on(std::byte* record) const noexcept {
    go_on<S>(record);
    if constexpr (Extended) reset(plan_of<S>().resets, record);
  }

  /// Ends the record as often as it is past an end at `now`. True: the place is free.
  template <class S>
  bool settle(std::byte* record, Word now, Ended& ended) noexcept {
    for (;;) {
      const bool has_packets = S::has_packets(record);
      const auto end = next_end(S::clocks(record), S::is_closing(record), has_packets, timeouts_);
      if (now < end.at) [[likely]]
        return false;
      if (has_packets) emit<S>(record, end.reason, ended);
      if (end.reason != EndReason::active) return true;
      let_go_on<S>(record);
    }
  }

  /// Where a new record goes.
  template <class S>
  [[gnu::always_inline]] std::byte* new_place(std::size_t home, std::uint64_t hash, const Arrival& arrival,
                                              Ended& ended) noexcept {
    for (; !table_.has_room(home); home = table_.line_of(hash)) {
      if (!table_.can_grow()) {
        if (auto* record = make_room<S>(home, hash, arrival, ended)) return record;
        break;
      }
      grow();
    }
    return table_.insert(home, hash, pool_of<S>, arrival.exchanged);
  }

  /// No free way in its line and the next, or a full table: ends, with their own reasons, those of the line's
  /// candidates that are past an end; if that frees nothing, the one touched longest ago. Returns that one's place,
  /// taken again, if it does for the new record; else nullptr, and there is room.
  template <class S>
  [[gnu::always_inline]] std::byte* make_room(std::size_t home, std::uint64_t hash, const Arrival& arrival,
                                              Ended& ended) noexcept {
    auto number = home;
    while (table_.line(number).taken() == 0)  // full elsewhere: the next line that holds any
      number = table_.after(number);
    const auto& line = table_.line(number);
    Oldest oldest;
    line.candidates([&](unsigned way) {
      const Place place{line.places[way]};
      if (place.pool() == 0) oldest.look<S4>(table_.pool(0).record(place.slot()), way);
      else oldest.look<S6>(table_.pool(1).record(place.slot()), way);
    });
    if (oldest.any_may_have_ended(arrival.clock, timeouts_) && end_what_is_over(number, arrival.clock, ended))
      return nullptr;
    const Place place{line.places[oldest.number]};
    if (place.pool() == 0) evict<S4>(place, ended);
    else evict<S6>(place, ended);
    if (number == home && place.pool() == pool_of<S> && line.guests == 0) [[likely]]
      return table_.replace(number, oldest.number, hash, arrival.exchanged);
    if (place.pool() == 0) erase_in<S4>(number, oldest.number);
    else erase_in<S6>(number, oldest.number);
    return nullptr;
  }

  /// Whether any place is free then.
  [[gnu::noinline]] bool end_what_is_over(std::size_t number, Word now, Ended& ended) noexcept {
    const auto line = table_.line(number);  // as it was before any of it ended
    const auto live_before = table_.live();
    line.candidates([&](unsigned way) {
      if (table_.line(number).tags[way] == 0) return;
      const Place place{line.places[way]};
      auto* record = table_.record_at(place);
      if (place.pool() == 0 ? settle<S4>(record, now, ended) : settle<S6>(record, now, ended))
        place.pool() == 0 ? erase_in<S4>(number, way) : erase_in<S6>(number, way);
    });
    return table_.live() < live_before;
  }

  template <class S>
  std::pair<std::uint64_t, bool> hash_and_hint(const std::byte* record) const noexcept {
    return {hash_in<S>(record), S::is_exchanged(record)};
  }
  [[gnu::noinline]] void grow() noexcept {
    table_.grow([this](unsigned pool, const std::byte* record) {
      return pool == 0 ? hash_and_hint<S4>(record) : hash_and_hint<S6>(record);
    });
  }

  template <class S>
  void evict(Place place, Ended& ended) noexcept {
    const auto* record = table_.record_at(place);
    if (S::has_packets(record)) emit<S>(record, EndReason::lack_of_resources, ended);
  }

  template <class S>
  void erase_in(std::size_t line, std::size_t way) noexcept {
    table_.erase_in(line, way, [this](Place place) { return hash_in<S>(table_.record_at(place)); });
  }

  /// The next slots, at most as many as were used: of those that may have ended the tag lines are on their way before
  /// the first of them does.
  void sweep(std::size_t slots, Word now, Ended& ended) noexcept {
    struct {
      Place place;
      std::uint64_t hash;
    } may[burst_size];
    std::size_t count = 0;
    const auto put_down = [&]<class S>(std::type_identity<S>, std::uint32_t slot) {
      const auto& pool = table_.pool(pool_of<S>);
      if (pool.is_free(slot) || !may_have_ended<S>(pool.record(slot), now, timeouts_)) return;
      may[count] = {Place::in(pool_of<S>, slot), hash_in<S>(pool.record(slot))};
      table_.prefetch(may[count++].hash);
    };
    const auto four = table_.pool(0).used(), six = table_.pool(1).used();
    for (; slots > 0; --slots) {
      if (sweep_at_ >= static_cast<std::size_t>(four) + six) sweep_at_ = 0;
      const auto at = static_cast<std::uint32_t>(sweep_at_++);
      if (at < four) put_down(std::type_identity<S4>{}, at);
      else put_down(std::type_identity<S6>{}, at - four);
    }
    for (const auto& [place, hash] : std::span{may, count}) {
      auto* record = table_.record_at(place);
      if (place.pool() == 0 ? settle<S4>(record, now, ended) : settle<S6>(record, now, ended))
        table_.erase(hash, place);
    }
  }

  /// Whether there is a slot at the cursor, if need be in the next pool.
  bool more_slots(TableCursor& at) const noexcept {
    while (at.pool < 2 && at.slot >= table_.pool(at.pool).used()) at = {at.pool + 1, 0};
    return at.pool < 2;
  }

  /// Slots: what they hand out stays in the caches until somebody takes it away.
  static constexpr std::size_t finished_at_once = 256;

  /// Where all go, tags need not be taken out one after another: each is a line of memory far away.
  template <bool taking_out_tags>
  bool end_from(TableCursor& at, Word now, std::size_t slots_max, Ended& ended) noexcept {
    for (; more_slots(at); ++at.slot) {
      if (slots_max-- == 0 || ended.room() == 0) return false;
      if (at.pool == 0) end_slot<S4, taking_out_tags>(at, now, ended);
      else end_slot<S6, taking_out_tags>(at, now, ended);
    }
    return true;
  }

  /// Past an end of its own with that reason.
  template <class S, bool taking_out_tags>
  void end_slot(TableCursor at, Word now, Ended& ended) noexcept {
    const auto& pool = table_.pool(at.pool);
    if (pool.is_free(at.slot)) return;
    auto* record = pool.record(at.slot);
    if (!settle<S>(record, now, ended) && S::has_packets(record)) emit<S>(record, EndReason::forced, ended);
    const auto place = Place::in(at.pool, at.slot);
    if constexpr (taking_out_tags) table_.erase(hash_in<S>(record), place);
    else table_.leave(place);
  }

  template <class S>
  void show_slot(TableCursor at, FlowVisitor& visitor) const noexcept {
    const auto& pool = table_.pool(at.pool);
    if (pool.is_free(at.slot) || !S::has_packets(pool.record(at.slot))) return;
    if constexpr (Extended) {
      export_to<S>(shown(), pool.record(at.slot), EndReason{});
      visitor.flow(at.pool, shown());
    } else {
      alignas(64) std::array<std::byte, S::octets> copy;
      export_to<S>(copy.data(), pool.record(at.slot), EndReason{});
      visitor.flow(at.pool, copy.data());
    }
  }

  /// One worker looks at its own table, a flow at a time.
  std::byte* shown() const noexcept { return planned_.shown.get(); }

  /// As the table wants it.
  template <class S>
  std::uint64_t hash_in(const std::byte* record) const noexcept {
    return Table::marked(key_hash_in<S>(record), pool_of<S>);
  }
  template <class S>
  std::uint64_t key_hash_in(const std::byte* record) const noexcept {
    typename S::Key key;
    std::memcpy(&key, record, sizeof key);
    if constexpr (Extended) {
      std::array<Word, KeyPlan::extra_words_max> extra;
      std::memcpy(extra.data(), record + plan_of<S>().key_at, 8 * plan_of<S>().key.extra_words);
      return hash_of(plan_of<S>().key, hash_, key, extra.data());
    } else {
      return hash_(key.hashed());
    }
  }

  template <class S>
  Totals in_pool(unsigned number) const noexcept {
    Totals sum;
    const auto& pool = table_.pool(number);
    for (std::uint32_t slot = 0; slot < pool.used(); ++slot) {
      if (pool.is_free(slot)) continue;
      const auto* record = pool.record(slot);
      sum += totals_of<S>(record);
    }
    return sum;
  }

  template <class S>
  void emit(const std::byte* record, EndReason reason, Ended& ended) noexcept {
    export_to<S>(ended.push(pool_of<S>), record, reason);
    ++counters_.ended[static_cast<std::size_t>(reason)];
  }

  /// Copies a record as it will be exported: source and destination in place, ICMP out of the ports.
  template <class S>
  void export_to(std::byte* copy, const std::byte* record, EndReason reason) const noexcept {
    std::memcpy(copy, record, live_octets<S>());
    typename S::Key key;
    std::memcpy(&key, record, sizeof key);
    RecordEnd end{.reason = reason};
    bool echo_reply = false;
    if constexpr (S::biflow) {
      const auto reverse = Direction::load(record + S::reverse_at);
      end.which_template = reverse.packets() != 0;
      echo_reply = (reverse.packet_word & state::echo_reply) != 0;
      if (S::is_exchanged(record)) exchange_ends(key);
      fill_empty_directions<S>(copy);
    }
    if constexpr (S::narrow) clear_end<S>(copy);
    if (is_icmp<S::Key::address_octets>(key.protocol())) take_icmp_out_of_ports(key, end, echo_reply, icmp_in_ports_);
    std::memcpy(copy, &key, sizeof key);
    if constexpr (Extended) {
      const auto& plan = plan_of<S>();
      finish_planned<S>(plan, copy, S::is_exchanged(record), key, plan.hashes_flow ? key_hash_in<S>(record) : 0, end);
    }
    std::memcpy(copy + S::clocks_at, &end, sizeof end);
  }

  const MeterOptions options_;  ///< as the meter was made
  [[no_unique_address]] PlannedOrNot planned_;
  Timeouts timeouts_;  ///< those in force
  KeyedHash hash_;
  bool icmp_in_ports_;
  Word sweep_period_, swept_until_ = 0;
  std::size_t sweep_at_ = 0;
  TableCursor finished_, ending_;
  Table table_;
  std::array<UnderWay, 3> under_way_;
  bool all_four_ = true;  ///< the last burst's packets were IPv4
};

}  // namespace

std::unique_ptr<Meter> make_meter(const MeterOptions& options) {
  if (!is_usual(options) && options.direction == FlowDirection::biflow)
    return std::make_unique<MeterOf<Biflow4, Biflow6, true>>(options);
  if (!is_usual(options)) return std::make_unique<MeterOf<Uniflow4, Uniflow6, true>>(options);
  if (options.direction == FlowDirection::biflow) return std::make_unique<MeterOf<Biflow4, Biflow6>>(options);
  if (narrow_clocks_suffice(options)) return std::make_unique<MeterOf<UniflowNarrow4, Uniflow6>>(options);
  return std::make_unique<MeterOf<Uniflow4, Uniflow6>>(options);
}

}  // namespace weir::flow
