// SPDX-License-Identifier: BSD-3-Clause
// One place where records go: its session, its transport, and its side of the ledger. It waits for a slow or dead
// collector, up to a limit, and after that counts what is lost.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "app/destination_report.hpp"
#include "ipfix/session.hpp"
#include "transport/endpoint.hpp"
#include "transport/file.hpp"
#include "transport/tcp.hpp"
#include "transport/udp.hpp"

namespace weir::app {

/// Why a record did not reach a destination.
#define WEIR_LOSSES(X)                                                            \
  X(collector_dead, "the collector took nothing for export.wait_max")             \
  X(interrupted, "the run was interrupted while the collector took nothing")      \
  X(file_failed, "the file could not be written; what was in it is gone with it") \
  X(message_refused, "the network refused the message, usually for its length")

#define X(name, help) name,
enum class Loss : std::uint8_t { WEIR_LOSSES(X) };
#undef X
struct LossText {
  std::string_view name, help;
};
#define X(name, help) LossText{#name, help},
inline constexpr auto loss_texts = std::to_array<LossText>({WEIR_LOSSES(X)});
#undef X

/// What all destinations of a run have in common.
struct DestinationOptions {
  std::chrono::milliseconds wait_max{}, wait_max_interrupted{};
  Instant (*wall)() noexcept = nullptr;
  std::function<void(std::string_view)> warn;  ///< takes one line, without "weir: " and end of line
};

using Channel = std::variant<transport::File, transport::Udp, transport::Tcp>;

class Destination {
 public:
  /// `open` returns the Channel; what it throws is a StartError.
  template <class Open>
  Destination(std::string name, Open&& open, const ipfix::SessionOptions& session, const ipfix::Catalogue& catalogue,
              const ipfix::Surroundings& surroundings, const DestinationOptions& options, const std::atomic<bool>& stop)
      : name_{std::move(name)},
        clock_{session.clock},
        session_{session, catalogue, surroundings},
        channel_{open()},
        options_{options},
        stop_{stop} {}
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  /// Tells the time of what follows. The first one begins the session.
  void observe(Instant packet_clock) noexcept;
  void add(TemplateId id, Bytes record, const Totals& totals) noexcept;
  void tick() noexcept;
  /// Sends what waits, then last statistics: what comes after is metered in another way.
  void settle() noexcept;
  /// What the surroundings say of the selection is new.
  void owe_selection() noexcept { session_.owe_selection(); }
  /// Settles, then closes.
  void finish() noexcept;

  /// metered = exported + waiting + every loss; each is counted where it happens.
  DestinationReport report() const;

  bool is_file() const noexcept { return std::holds_alternative<transport::File>(channel_); }

 private:
  using Steady = std::chrono::steady_clock;

  void drain() noexcept;
  void take_answer(transport::Sent answer) noexcept;
  void close() noexcept;
  bool wait_some_more() noexcept;
  void warn_of_waiting(std::chrono::milliseconds waited) noexcept;
  void count_accepted() noexcept;
  void give_up(Loss cause) noexcept;
  void lose(Loss cause, const Totals& records) noexcept { lost_[static_cast<std::size_t>(cause)] += records; }
  bool is_whole_or_nothing() const noexcept;
  bool was_interrupted() const noexcept { return stop_.load(std::memory_order_relaxed); }
  Instant now() const noexcept;
  void warn(const std::string& line) const noexcept;
  std::string trouble() const;

  std::string name_;
  ipfix::ExportClock clock_;
  ipfix::Session session_;
  Channel channel_;
  const DestinationOptions& options_;
  const std::atomic<bool>& stop_;

  Instant packet_clock_{}, now_{};
  bool begun_ = false, dead_ = false, waiting_ = false, warned_ = false, slow_end_told_ = false;
  Loss dead_of_{};
  Steady::time_point waiting_since_{};
  std::uint64_t progress_ = 0;
  Totals exported_, unnamed_;  ///< unnamed_: in a file that has no name yet
  std::array<Totals, loss_texts.size()> lost_{};
  std::string error_;
};

}  // namespace weir::app
