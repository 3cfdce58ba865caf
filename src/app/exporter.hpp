// SPDX-License-Identifier: BSD-3-Clause
// Ended records in, encoded or not, messages to every destination out. Each destination has a session, a sequence and a
// ledger of its own; a record is encoded once. Called by one thread at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "app/destination.hpp"
#include "ipfix/catalogue.hpp"
#include "ipfix/data_records.hpp"
#include "ipfix/options.hpp"

namespace weir::app {

using ipfix::MeteringTotals;

/// automatic: the files of a replay live by the packets' clock, so that the same input gives the same octets; all else
/// by the wall's.
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
  Patience patience = Patience::wait;
  std::size_t backlog_octets = std::size_t{64} << 20;  ///< for each destination; Patience::backlog
  std::optional<transport::Owner> file_owner{};        ///< who has to rename them
  nanoseconds rotate{0};                               ///< a new file this often, 0: never; Patience::backlog
  ipfix::SelectionPlan selection{};
  bool common_properties = false;            ///< RFC 5473
  std::optional<ipfix::Vocabulary> types{};  ///< of elements that are not IANA's (RFC 5610); none: not told
  Instant (*wall)() noexcept = &wall_now;
  std::function<void(std::string_view)> warn{};  ///< gets one line; none: standard error
};

/// Destinations whose names have been looked up. A collector may be absent: it has no address then.
struct Resolved {
  struct Collector {
    transport::Endpoint endpoint;
    transport::LookedUp known;
  };
  std::vector<std::string> files;
  std::vector<Collector> collectors;
};
/// Asks the resolver, and so may take seconds: not for a thread that exports. Throws StartError for what cannot be; of
/// collectors that `may_be_absent`, only for what is written wrongly.
Resolved resolve(const Destinations& destinations, std::span<const std::string> may_be_absent = {});

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
  /// The same of records that somebody else has encoded by this exporter's catalogue.
  void add(const ipfix::DataRecords& records, Instant packet_clock) noexcept;
  const ipfix::Catalogue& catalogue() const noexcept { return catalogue_; }
  /// At the end of a slice: flush, refresh and statistics, each at most once.
  void tick(Instant packet_clock, const MeteringTotals& metering) noexcept;
  /// `ingress_interface` is the number that records carry. The name goes out with the next tick.
  void add_interface(std::uint32_t ingress_interface, std::string_view name) noexcept;
  /// Packets that passed through one sampler so far, by its place in the plan. Goes out with the next statistics.
  void count_selection(std::size_t sequence, std::uint64_t observed, std::uint64_t selected) noexcept;
  /// From here on packets are selected in another way. All flows have ended and were added: they and the last counts of
  /// the old sequences are sent before the new selector is told of. (Live, to a destination that takes nothing at the
  /// moment, the selector goes before what waits for it.) `packet_clock` as in add().
  void set_selection(const ipfix::SelectionPlan& plan, Instant packet_clock) noexcept;
  /// Live: packets that a port did not deliver so far. Goes out with the next statistics.
  void count_missed(std::uint32_t ingress_interface, std::string_view cause, std::uint64_t packets) noexcept;
  /// After the last record; what was metered and ignored the last tick said. Live, all destinations end side by side.
  void finish(Instant packet_clock) noexcept;

  // Live (Patience::backlog): add(), tick() and these never sleep.
  /// To be called every few milliseconds: moves what waits to where it is taken. True: there is more to do at once.
  bool service() noexcept;
  /// Something waits for a destination; a sleep should be short.
  bool is_pending() const noexcept;
  /// Records that ended and were lost on their way here: lost at every destination, and reported as not sent.
  void not_handed_over(const Totals& records) noexcept;
  /// From now on records go to these. Those that stay keep session and backlog; those that go have
  /// wait_max_interrupted to take what waits for them. Throws StartError, and has changed nothing, if one cannot be.
  void reconfigure(const Resolved& wanted);

  /// In the order files, then collectors, each as given; then those that came later, and those that are gone.
  std::vector<DestinationReport> report() const;

 private:
  template <class Each>
  void add_each(Instant packet_clock, Each each) noexcept;
  void count_ended(const Totals& records) noexcept;
  /// `usual` is the clock where options leave the choice.
  ipfix::SessionOptions session_options(ipfix::Delivery delivery, ipfix::ExportClock usual) const;
  DestinationOptions destination_options() const;
  std::unique_ptr<Destination> open_file(const std::string& path) const;
  std::unique_ptr<Destination> open_rotated_file(const std::string& pattern) const;
  std::unique_ptr<Destination> open_collector(const Resolved::Collector& collector) const;
  template <class Open>
  std::unique_ptr<Destination> open(const std::string& name, const ipfix::SessionOptions& session, Open&& opener,
                                    std::optional<Rotation> rotation = {}) const;
  std::vector<std::unique_ptr<Destination>> open_new(const Resolved& wanted) const;
  bool is_open(const std::string& name) const noexcept;
  bool is_live() const noexcept { return options_.patience == Patience::backlog; }
  void tell_of_leftovers(const std::vector<std::string>& files) const;
  void finish_one_by_one() noexcept;
  void finish_side_by_side() noexcept;
  void let_go() noexcept;

  ExporterOptions options_;
  const std::atomic<bool>& stop_;
  ipfix::Catalogue catalogue_;
  ipfix::Surroundings surroundings_;
  DestinationOptions destination_options_;
  std::vector<std::byte> scratch_;
  std::vector<std::unique_ptr<Destination>> destinations_;
  std::vector<DestinationReport> gone_;  ///< were removed and have ended
  Totals ended_;                         ///< all records so far, whether they were handed over or not
  Instant packet_clock_{};
};

}  // namespace weir::app
