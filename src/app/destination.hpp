// SPDX-License-Identifier: BSD-3-Clause
// One place where records go: its session, its transport, and its side of the ledger. What a slow or dead collector
// does not take is waited for, up to a limit (a replay has time), or kept in a backlog, up to another (packets have
// none). What then is lost is counted.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "app/backlog.hpp"
#include "app/destination_report.hpp"
#include "app/outage.hpp"
#include "app/rotation.hpp"
#include "ipfix/session.hpp"
#include "transport/endpoint.hpp"
#include "transport/file.hpp"
#include "transport/tcp.hpp"
#include "transport/udp.hpp"

namespace weir::app {

/// Why a record did not reach a destination.
#define WEIR_LOSSES(X)                                                                       \
  X(collector_dead, "the collector took nothing for export.wait_max")                        \
  X(interrupted, "the run was interrupted while the collector took nothing")                 \
  X(file_failed, "the file could not be written")                                            \
  X(message_refused, "the network refused the message, usually for its length")              \
  X(backlog_full, "the oldest in the backlog made room for new ones: export.backlog_octets") \
  X(removed, "it still waited when its destination was taken out of the settings")           \
  X(ring_full, "the exporter did not keep up with the workers")

#define X(name, help) name,
enum class Loss : std::uint8_t { WEIR_LOSSES(X) };
#undef X
struct LossText {
  std::string_view name, help;
};
#define X(name, help) LossText{#name, help},
inline constexpr auto loss_texts = std::to_array<LossText>({WEIR_LOSSES(X)});
#undef X

/// What becomes of records while their destination takes none.
enum class Patience : std::uint8_t {
  wait,     ///< everything waits for it: a replay, which has time
  backlog,  ///< they are kept, and no call ever sleeps: a live probe
};

/// What all destinations of a run have in common.
struct DestinationOptions {
  const ipfix::Catalogue& catalogue;
  const ipfix::Surroundings& surroundings;
  const std::atomic<bool>& stop;
  Patience patience = Patience::wait;
  std::size_t backlog_octets = 0;
  std::chrono::milliseconds wait_max{}, wait_max_interrupted{};
  Instant (*wall)() noexcept = nullptr;
  std::function<void(std::string_view)> warn;  ///< takes one line, without "weir: " and end of line
};

using Channel = std::variant<transport::File, transport::Udp, transport::Tcp>;

class Destination {
 public:
  /// `open` returns the Channel; what it throws is a StartError. `absent` are records that ended before. `options`
  /// outlive the destination.
  template <class Open>
  Destination(std::string name, Open&& open, const ipfix::SessionOptions& session, const DestinationOptions& options,
              const Totals& absent = {}, std::optional<Rotation> rotation = {})
      : name_{std::move(name)},
        clock_{session.clock},
        session_{session, options.catalogue, options.surroundings},
        channel_{open()},
        options_{options},
        rotation_{std::move(rotation)},
        backlog_{options.patience == Patience::backlog ? options.backlog_octets : 0},
        absent_{absent} {}
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  /// Tells the time of what follows. The first one begins the session.
  void observe(Instant packet_clock) noexcept;
  void add(TemplateId id, Bytes record, const Totals& totals) noexcept;
  void tick() noexcept;
  /// Sends what waits, then last statistics, as far as they are taken: what comes after is metered in another way.
  void settle() noexcept;
  /// What the surroundings say of the selection is new.
  void owe_selection() noexcept { session_.owe_selection(); }

  /// Patience::wait: sends what waits, then last statistics, then closes.
  void finish() noexcept;

  // Patience::backlog; none of these sleeps.
  /// Moves what waits to where it is taken. True: there is more to do at once.
  bool service() noexcept;
  /// Nothing more is added: service() sends what waits, then last statistics, then closes. A collector that takes
  /// nothing has wait_max_interrupted for it; one that was `removed` has no longer in any case.
  void begin_end(Loss cause) noexcept;
  bool has_ended() const noexcept { return stage_ == Stage::ended; }
  bool is_open() const noexcept { return stage_ == Stage::open; }
  bool is_removed() const noexcept { return !is_open() && cause_of_end_ == Loss::removed; }
  /// Something waits to be taken.
  bool is_pending() const noexcept;
  /// Records that were lost before they could be added.
  void not_handed_over(const Totals& records) noexcept;

  /// metered = exported + waiting + every loss + absent; each is counted where it happens.
  DestinationReport report() const;

  const std::string& name() const noexcept { return name_; }
  bool is_file() const noexcept { return std::holds_alternative<transport::File>(channel_); }

 private:
  using Steady = std::chrono::steady_clock;
  enum class Stage : std::uint8_t { open, data, statistics, closing, ended };
  static constexpr unsigned no_limit = ~0u;

  // What both have in common: destination.cpp.
  bool add_to_session(TemplateId id, Bytes record, const Totals& totals) noexcept;
  bool send_owed(unsigned messages) noexcept;
  void take_answer(transport::Sent answer) noexcept;
  void count_accepted() noexcept;
  void count_written() noexcept;
  Totals let_go_of_channel() noexcept;
  std::string consequence(Loss cause, const Totals& lost) const;
  void closed(transport::Sent answer) noexcept;
  void give_up(Loss cause) noexcept;
  void lose(Loss cause, const Totals& records) noexcept;
  std::chrono::milliseconds time_without_progress() noexcept;
  bool owes_no_more_records() const noexcept;
  transport::File* regular_file() noexcept;
  const transport::File* regular_file() const noexcept;
  bool is_stuck() const noexcept;
  std::string_view what_waits() const noexcept;
  std::string subject() const;
  bool was_interrupted() const noexcept { return options_.stop.load(std::memory_order_relaxed); }
  Instant now() const noexcept;
  void warn(const std::string& line) const noexcept;
  std::string trouble() const;

  // Patience::wait: destination_wait.cpp.
  void drain() noexcept { send_owed(no_limit); }
  void close() noexcept;
  bool wait_some_more() noexcept;
  void warn_of_waiting(std::chrono::milliseconds waited) noexcept;
  void wait_for_pace() noexcept;

  // Patience::backlog: destination_live.cpp.
  void keep(TemplateId id, Bytes record, const Totals& totals) noexcept;
  void refill() noexcept;
  void hold_up() noexcept;
  void end_some() noexcept;
  void close_some() noexcept;
  bool is_past_its_time() const noexcept;
  bool waits_for_space() const noexcept;
  void rotate() noexcept;
  void end_file(transport::Sent answer) noexcept;
  void tell_outage(std::string_view consequence) noexcept;
  void tell_end_of_outage() noexcept;

  std::string name_;
  ipfix::ExportClock clock_;
  ipfix::Session session_;
  Channel channel_;
  const DestinationOptions& options_;
  std::optional<Rotation> rotation_;
  Backlog backlog_;
  Outage outage_;

  Instant packet_clock_{}, now_{};
  Bytes message_;           ///< on its way; the session owns its octets
  bool half_sent_ = false;  ///< part of it was taken: it must stay as it is
  bool blocked_ = false;    ///< it was not taken: nothing is tried before the next service()
  bool begun_ = false, dead_ = false, kept_ = false, waiting_ = false, warned_ = false, slow_end_told_ = false;
  Loss dead_of_{}, cause_of_end_{};
  Stage stage_ = Stage::open;
  Steady::time_point waiting_since_{}, ends_at_{};
  std::uint64_t progress_ = 0, files_ = 1;
  Totals exported_, unnamed_, absent_;  ///< unnamed_: in a file that has no name yet
  std::vector<Totals> unwritten_;       ///< by message: a file has taken them, but not written
  std::array<Totals, loss_texts.size()> lost_{};
  std::string error_;
};

}  // namespace weir::app
