// SPDX-License-Identifier: BSD-3-Clause
#include "app/exporter.hpp"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <new>

#include "base/assert.hpp"
#include "base/error.hpp"
#include "transport/leftovers.hpp"

namespace weir::app {

Instant wall_now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return Instant{std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec}};
}

namespace {

void warn_on_standard_error(std::string_view line) {
  std::fprintf(stderr, "weir: %.*s\n", static_cast<int>(line.size()), line.data());
}

void refuse_twice(const char* option, std::vector<std::string> given) {
  std::sort(given.begin(), given.end());
  const auto twice = std::adjacent_find(given.begin(), given.end());
  if (twice != given.end()) throw StartError{std::string{option} + " " + *twice + " is given twice; leave one out"};
}

/// However they are spelt, and whatever symbolic links lead to them: of two files one would replace the other.
std::vector<std::string> one_name_each(std::vector<std::string> files) {
  for (auto& file : files) {
    std::error_code error;
    const auto name = file == "-" ? file : std::filesystem::weakly_canonical(file, error).string();
    if (!error && !name.empty()) file = name;
  }
  return files;
}

/// The octets of a backlog, enough for at least one record of any kind.
ipfix::CatalogueOptions catalogue_options(const ExporterOptions& options) {
  return {.run = options.patience == Patience::backlog ? ipfix::Run::live : ipfix::Run::offline,
          .common_properties = options.common_properties,
          .types = options.types};
}

std::size_t backlog_octets(const ExporterOptions& options, const ipfix::Catalogue& catalogue) noexcept {
  return std::max(options.backlog_octets, Backlog::taken_by(catalogue.flow_octets_max()));
}

}  // namespace

Resolved resolve(const Destinations& destinations, std::span<const std::string> may_be_absent) {
  refuse_twice("--out", one_name_each(destinations.files));
  refuse_twice("--to", destinations.collectors);
  Resolved resolved{.files = destinations.files, .collectors = {}};
  for (const auto& text : destinations.collectors) {
    auto endpoint = transport::parse_endpoint(text);
    auto known = transport::look_up(endpoint);
    const bool may_be = std::find(may_be_absent.begin(), may_be_absent.end(), text) != may_be_absent.end();
    if (known.addresses.empty() && !may_be) transport::refuse_unknown(endpoint, known.problem);
    resolved.collectors.push_back({std::move(endpoint), std::move(known)});
  }
  return resolved;
}

Exporter::Exporter(const ExporterOptions& options, const Destinations& destinations,
                   std::span<const RecordLayout> layouts, const std::atomic<bool>& stop)
    : options_{options},
      stop_{stop},
      catalogue_{layouts, catalogue_options(options)},
      surroundings_{.selection = ipfix::Selection{options.selection}},
      destination_options_{destination_options()},
      scratch_(catalogue_.flow_octets_max()) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an error of write(), not our end
  if (!is_live() && options_.rotate > nanoseconds{0})
    throw StartError{"export.rotate: a replay writes one file; set it to 0"};
  const auto wanted = is_live() ? resolve(destinations, destinations.collectors) : resolve(destinations);
  if (is_live()) tell_of_leftovers(wanted.files);
  destinations_ = open_new(wanted);
}

DestinationOptions Exporter::destination_options() const {
  return {.catalogue = catalogue_,
          .surroundings = surroundings_,
          .stop = stop_,
          .patience = options_.patience,
          .backlog_octets = backlog_octets(options_, catalogue_),
          .wait_max = options_.wait_max,
          .wait_max_interrupted = options_.wait_max_interrupted,
          .wall = options_.wall,
          .warn = options_.warn ? options_.warn : warn_on_standard_error};
}

ipfix::SessionOptions Exporter::session_options(ipfix::Delivery delivery, ipfix::ExportClock usual) const {
  return {.delivery = delivery,
          .clock = options_.clock == ClockChoice::automatic ? usual
                   : options_.clock == ClockChoice::packets ? ipfix::ExportClock::packets
                                                            : ipfix::ExportClock::wall,
          .domain = options_.domain,
          .message_octets = options_.message_octets,
          .flush = options_.flush,
          .template_refresh = options_.template_refresh,
          .template_refresh_messages = options_.template_refresh_messages,
          .statistics = options_.statistics};
}

bool Exporter::is_open(const std::string& name) const noexcept {
  return std::any_of(destinations_.begin(), destinations_.end(),
                     [&](const auto& destination) { return destination->is_open() && destination->name() == name; });
}

/// Those of the wanted that are not there yet.
std::vector<std::unique_ptr<Destination>> Exporter::open_new(const Resolved& wanted) const try {
  std::vector<std::unique_ptr<Destination>> opened;
  for (const auto& file : wanted.files)
    if (!is_open(file)) opened.push_back(options_.rotate > nanoseconds{0} ? open_rotated_file(file) : open_file(file));
  for (const auto& collector : wanted.collectors)
    if (!is_open(collector.endpoint.text)) opened.push_back(open_collector(collector));
  return opened;
} catch (const std::bad_alloc&) {
  throw StartError{"export.backlog_octets " + std::to_string(options_.backlog_octets) +
                   ": there is no memory for so much at each destination; lower it"};
}

template <class Open>
std::unique_ptr<Destination> Exporter::open(const std::string& name, const ipfix::SessionOptions& session,
                                            Open&& opener, std::optional<Rotation> rotation) const {
  return std::make_unique<Destination>(name, opener, session, destination_options_, ended_, std::move(rotation));
}

std::unique_ptr<Destination> Exporter::open_file(const std::string& path) const {
  const auto clock = is_live() ? ipfix::ExportClock::wall : ipfix::ExportClock::packets;
  const transport::FileOptions file{.wait_for_reader = !is_live(), .owner = options_.file_owner};
  return open(path, session_options(ipfix::Delivery::stream, clock), [&] {
    return Channel{std::in_place_type<transport::File>, path, stop_, file};
  });
}

std::unique_ptr<Destination> Exporter::open_rotated_file(const std::string& pattern) const {
  Rotation rotation{pattern, options_.rotate};
  const auto path = rotation.first(options_.wall());
  const auto opener = [&] {
    return Channel{std::in_place_type<transport::File>, path, stop_,
                   transport::FileOptions{.replace = false, .owner = options_.file_owner}};
  };
  return open(pattern, session_options(ipfix::Delivery::stream, ipfix::ExportClock::wall), opener, rotation);
}

std::unique_ptr<Destination> Exporter::open_collector(const Resolved::Collector& collector) const {
  const auto& endpoint = collector.endpoint;
  if (endpoint.scheme == transport::Scheme::udp) {
    const transport::UdpOptions udp{
        .rate = options_.udp_rate,
        .message_octets = options_.message_octets,
        .absence = is_live() ? transport::Absence::waited_for : transport::Absence::refused};
    return open(endpoint.text, session_options(ipfix::Delivery::datagram, ipfix::ExportClock::wall), [&] {
      return Channel{std::in_place_type<transport::Udp>, collector.endpoint, collector.known, udp};
    });
  }
  const transport::TcpOptions tcp{.retry_min = options_.tcp_retry_min, .stall_max = options_.wait_max};
  return open(endpoint.text, session_options(ipfix::Delivery::stream, ipfix::ExportClock::wall), [&] {
    return Channel{std::in_place_type<transport::Tcp>, collector.endpoint, collector.known, tcp};
  });
}

/// What a probe that was killed, or could not rename a file, left behind is looked for where this one writes, before it
/// writes anything.
void Exporter::tell_of_leftovers(const std::vector<std::string>& files) const {
  constexpr std::size_t names_max = 8;
  std::vector<std::string> found;
  for (const auto& file : files) {
    if (file == "-") continue;
    const auto beside = transport::leftovers_beside(file);
    found.insert(found.end(), beside.begin(), beside.end());
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty()) return;
  std::string names;
  for (std::size_t i = 0; i < std::min(found.size(), names_max); ++i) names += (i > 0 ? ", " : "") + found[i];
  if (found.size() > names_max) names += " and " + std::to_string(found.size() - names_max) + " more";
  destination_options_.warn(names +
                            ": left by a process that was killed, or could not rename them; what it had in memory is"
                            " lost, and they may lack their end; weir dump reads what is in them, else delete them");
}

/// `each(use)` calls `use(id, record, totals)` for every Data Record.
template <class Each>
void Exporter::add_each(Instant packet_clock, Each each) noexcept {
  packet_clock_ = packet_clock;
  for (auto& destination : destinations_) destination->observe(packet_clock);
  Totals sum;
  each([&](TemplateId id, Bytes record, const Totals& totals) {
    sum += totals;
    for (auto& destination : destinations_) destination->add(id, record, totals);
  });
  count_ended(sum);
}

void Exporter::add(const EndedRecords& ended, Instant packet_clock) noexcept {
  if (ended.size() == 0) return;
  add_each(packet_clock, [&](auto use) {
    catalogue_.encode(ended, surroundings_.interfaces, [&](TemplateId id, const Totals& totals, auto write) {
      use(id, Bytes{scratch_}.first(write(scratch_.data())), totals);
    });
  });
}

void Exporter::add(const ipfix::DataRecords& records, Instant packet_clock) noexcept {
  if (!records.empty()) add_each(packet_clock, [&records](auto use) { records.each(use); });
}

void Exporter::count_ended(const Totals& records) noexcept {
  ended_ += records;
  for (auto& report : gone_) report.absent += records;
}

void Exporter::not_handed_over(const Totals& records) noexcept {
  for (auto& destination : destinations_) destination->not_handed_over(records);
  count_ended(records);
}

void Exporter::tick(Instant packet_clock, const MeteringTotals& metering) noexcept {
  surroundings_.metering = metering;
  packet_clock_ = packet_clock;
  for (auto& destination : destinations_) {
    destination->observe(packet_clock);
    if (destination->is_open()) destination->tick();
  }
}

bool Exporter::service() noexcept {
  bool is_more = false;
  for (auto& destination : destinations_) is_more |= destination->service();
  let_go();
  return is_more;
}

/// Of what was removed and has ended only the report stays.
void Exporter::let_go() noexcept {
  std::erase_if(destinations_, [this](const auto& destination) {
    const bool is_gone = destination->is_removed() && destination->has_ended();
    if (is_gone) gone_.push_back(destination->report());
    return is_gone;
  });
}

bool Exporter::is_pending() const noexcept {
  return std::any_of(destinations_.begin(), destinations_.end(),
                     [](const auto& destination) { return destination->is_pending(); });
}

void Exporter::reconfigure(const Resolved& wanted) {
  WEIR_ASSERT(is_live());
  auto opened = open_new(wanted);
  destinations_.reserve(destinations_.size() + opened.size());
  const auto is_wanted = [&](const Destination& destination) {
    const auto has_name = [&](const auto& collector) { return collector.endpoint.text == destination.name(); };
    return std::find(wanted.files.begin(), wanted.files.end(), destination.name()) != wanted.files.end() ||
           std::any_of(wanted.collectors.begin(), wanted.collectors.end(), has_name);
  };
  for (auto& destination : destinations_) {
    if (is_wanted(*destination)) continue;
    destination->observe(packet_clock_);
    destination->begin_end(Loss::removed);
  }
  std::move(opened.begin(), opened.end(), std::back_inserter(destinations_));
}

void Exporter::add_interface(std::uint32_t ingress_interface, std::string_view name) noexcept {
  surroundings_.interfaces.add(ingress_interface, name);
}

void Exporter::count_selection(std::size_t sequence, std::uint64_t observed, std::uint64_t selected) noexcept {
  surroundings_.selection.count(sequence, observed, selected);
}

void Exporter::count_missed(std::uint32_t ingress_interface, std::string_view cause, std::uint64_t packets) noexcept {
  auto& all = surroundings_.port_losses;
  const auto at = std::ranges::find_if(
      all, [&](const auto& losses) { return losses.interface == ingress_interface && losses.cause == cause; });
  if (at == all.end()) all.push_back({.packets = packets, .interface = ingress_interface, .cause = cause});
  else at->packets = packets;
}

void Exporter::set_selection(const ipfix::SelectionPlan& plan, Instant packet_clock) noexcept {
  packet_clock_ = packet_clock;
  for (auto& destination : destinations_) {
    destination->observe(packet_clock);
    if (destination->is_open()) destination->settle();
  }
  surroundings_.selection.change(plan);
  for (auto& destination : destinations_) destination->owe_selection();
}

void Exporter::finish(Instant packet_clock) noexcept {
  for (auto& destination : destinations_) destination->observe(packet_clock);
  if (is_live()) finish_side_by_side();
  else finish_one_by_one();
}

/// Files first: they do not wait for anybody, and are whole even if a collector is waited for in vain.
void Exporter::finish_one_by_one() noexcept {
  for (const bool files : {true, false})
    for (auto& destination : destinations_)
      if (destination->is_file() == files) destination->finish();
}

void Exporter::finish_side_by_side() noexcept {
  constexpr int pause_ms = 2;
  for (auto& destination : destinations_) destination->begin_end(Loss::interrupted);
  const auto has_ended = [](const auto& destination) { return destination->has_ended(); };
  while (!std::all_of(destinations_.begin(), destinations_.end(), has_ended))
    if (!service()) ::poll(nullptr, 0, pause_ms);
}

std::vector<DestinationReport> Exporter::report() const {
  std::vector<DestinationReport> reports;
  for (const auto& destination : destinations_) reports.push_back(destination->report());
  reports.insert(reports.end(), gone_.begin(), gone_.end());
  return reports;
}

}  // namespace weir::app
