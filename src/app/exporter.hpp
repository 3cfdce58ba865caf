// SPDX-License-Identifier: BSD-3-Clause
// Ended records in, messages to every destination out. Each destination has a session, a sequence and a ledger of its
// own; a record is encoded once. Called by one thread at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "app/destination.hpp"
#include "ipfix/catalogue.hpp"
#include "ipfix/options.hpp"

namespace weir::app {

using ipfix::MeteringTotals;

/// automatic: files live by the packets' clock, so that the same input gives the same octets; collectors by the wall's.
enum class ClockChoice : std::uint8_t { automatic, packets, wall };

/// Reads CLOCK_REALTIME.
Instant wall_now() noexcept;

/// As the command line names them.
struct Destinations {
  std::vector<std::string> files;       ///< --out: names of files, "-" for standard output
  std::vector<std::string> collectors;  ///< --to: udp://HOST:PORT, tcp://HOST:PORT
};

struct ExporterOptions {
  DomainId domain{1};
  std::uint16_t message_octets = 1400;
  std::chrono::milliseconds flush{std::chrono::seconds{1}};
  std::chrono::milliseconds template_refresh{std::chrono::seconds{60}};
  std::uint32_t template_refresh_messages = 1000;
  std::chrono::milliseconds statistics{std::chrono::seconds{60}};
  std::uint32_t udp_rate = 0;  ///< messages a second, 0: no limit
  std::chrono::milliseconds tcp_retry_min{std::chrono::seconds{60}};
  std::chrono::milliseconds wait_max{std::chrono::seconds{300}};  ///< in a row, for a collector to take anything
  std::chrono::milliseconds wait_max_interrupted{std::chrono::seconds{2}};  ///< the same once `stop` is set
  ClockChoice clock = ClockChoice::automatic;
  ipfix::SelectionPlan selection{};
  Instant (*wall)() noexcept = &wall_now;
  std::function<void(std::string_view)> warn{};  ///< gets one line; none: standard error
};

class Exporter {
 public:
  /// Opens every destination, or throws StartError. `stop` cuts waits short: after it was set, a collector that takes
  /// nothing is waited for no longer than wait_max_interrupted. Layouts and `stop` outlive the exporter.
  Exporter(const ExporterOptions& options, const Destinations& destinations, std::span<const RecordLayout> layouts,
           const std::atomic<bool>& stop);
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  /// `packet_clock` is the clock at the end of the slice in which the records ended: no record's flowEnd is later, so
  /// neither is it later than the Export Time of a message that leaves meanwhile.
  void add(const EndedRecords& ended, Instant packet_clock) noexcept;
  /// At the end of a slice: flush, refresh and statistics, each at most once.
  void tick(Instant packet_clock, const MeteringTotals& metering) noexcept;
  /// `ingress_interface` is the number that records carry. The name goes out with the next tick.
  void add_interface(std::uint32_t ingress_interface, std::string_view name) noexcept;
  /// Packets that passed through one sampler so far, by its place in the plan. Goes out with the next statistics.
  void count_selection(std::size_t sequence, std::uint64_t observed, std::uint64_t selected) noexcept;
  /// From here on packets are selected in another way. All flows have ended and were added: they and the last counts of
  /// the old sequences are sent before the new selector is told of. `packet_clock` as in add().
  void set_selection(const ipfix::SelectionPlan& plan, Instant packet_clock) noexcept;
  /// After the last record; what was metered and ignored the last tick said.
  void finish(Instant packet_clock) noexcept;

  /// In the order files, then collectors, each as given.
  std::vector<DestinationReport> report() const;

 private:
  /// `usual` is the clock where options leave the choice.
  static ipfix::SessionOptions session_options(const ExporterOptions& options, ipfix::Delivery delivery,
                                               ipfix::ExportClock usual);
  void open_file(const ExporterOptions& options, const std::string& path);
  void open_collector(const ExporterOptions& options, const std::string& text);
  template <class Open>
  void open(const std::string& name, const ipfix::SessionOptions& session, Open&& opener);

  const std::atomic<bool>& stop_;
  ipfix::Catalogue catalogue_;
  ipfix::Surroundings surroundings_;
  DestinationOptions destination_options_;
  std::vector<std::byte> scratch_;
  std::vector<std::unique_ptr<Destination>> destinations_;
};

}  // namespace weir::app
