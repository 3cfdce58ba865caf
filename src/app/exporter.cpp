// SPDX-License-Identifier: BSD-3-Clause
#include "app/exporter.hpp"

#include <time.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/assert.hpp"
#include "base/error.hpp"

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

}  // namespace

Exporter::Exporter(const ExporterOptions& options, const Destinations& destinations,
                   std::span<const RecordLayout> layouts, const std::atomic<bool>& stop)
    : stop_{stop},
      catalogue_{layouts},
      surroundings_{.selection = ipfix::Selection{options.selection}},
      destination_options_{.wait_max = options.wait_max,
                           .wait_max_interrupted = options.wait_max_interrupted,
                           .wall = options.wall,
                           .warn = options.warn ? options.warn : warn_on_standard_error},
      scratch_(catalogue_.flow_octets_max()) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an error of write(), not our end
  refuse_twice("--out", one_name_each(destinations.files));
  refuse_twice("--to", destinations.collectors);
  for (const auto& path : destinations.files) open_file(options, path);
  for (const auto& text : destinations.collectors) open_collector(options, text);
}

ipfix::SessionOptions Exporter::session_options(const ExporterOptions& options, ipfix::Delivery delivery,
                                                ipfix::ExportClock usual) {
  return {.delivery = delivery,
          .clock = options.clock == ClockChoice::automatic ? usual
                   : options.clock == ClockChoice::packets ? ipfix::ExportClock::packets
                                                           : ipfix::ExportClock::wall,
          .domain = options.domain,
          .message_octets = options.message_octets,
          .flush = options.flush,
          .template_refresh = options.template_refresh,
          .template_refresh_messages = options.template_refresh_messages,
          .statistics = options.statistics};
}

template <class Open>
void Exporter::open(const std::string& name, const ipfix::SessionOptions& session, Open&& opener) {
  destinations_.push_back(
      std::make_unique<Destination>(name, opener, session, catalogue_, surroundings_, destination_options_, stop_));
}

void Exporter::open_file(const ExporterOptions& options, const std::string& path) {
  open(path, session_options(options, ipfix::Delivery::stream, ipfix::ExportClock::packets), [&] {
    return Channel{std::in_place_type<transport::File>, path, stop_};
  });
}

void Exporter::open_collector(const ExporterOptions& options, const std::string& text) {
  const auto endpoint = transport::parse_endpoint(text);
  if (endpoint.scheme == transport::Scheme::udp) {
    const transport::UdpOptions udp{.rate = options.udp_rate, .message_octets = options.message_octets};
    open(text, session_options(options, ipfix::Delivery::datagram, ipfix::ExportClock::wall), [&] {
      return Channel{std::in_place_type<transport::Udp>, endpoint, udp};
    });
  } else {
    const transport::TcpOptions tcp{.retry_min = options.tcp_retry_min, .stall_max = options.wait_max};
    open(text, session_options(options, ipfix::Delivery::stream, ipfix::ExportClock::wall), [&] {
      return Channel{std::in_place_type<transport::Tcp>, transport::resolve(endpoint), tcp};
    });
  }
}

void Exporter::add(const EndedRecords& ended, Instant packet_clock) noexcept {
  const auto count = ended.size();
  if (count == 0) return;
  const auto& layout = *ended.layout;
  const auto flow_templates = catalogue_.of(&layout);
  for (auto& destination : destinations_) destination->observe(packet_clock);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* record = ended[i];
    const auto which = layout.end_of(record).which_template;
    WEIR_ASSERT(which < flow_templates.size());
    const auto& [id, plan, keys] = flow_templates[which];
    plan.encode(record, scratch_.data());
    const auto totals = layout.totals(record);
    for (auto& destination : destinations_) destination->add(id, Bytes{scratch_}.first(plan.octets()), totals);
  }
}

void Exporter::tick(Instant packet_clock, const MeteringTotals& metering) noexcept {
  surroundings_.metering = metering;
  for (auto& destination : destinations_) {
    destination->observe(packet_clock);
    destination->tick();
  }
}

void Exporter::add_interface(std::uint32_t ingress_interface, std::string_view name) noexcept {
  surroundings_.interfaces.add(ingress_interface, name);
}

void Exporter::count_selection(std::size_t sequence, std::uint64_t observed, std::uint64_t selected) noexcept {
  surroundings_.selection.count(sequence, observed, selected);
}

void Exporter::set_selection(const ipfix::SelectionPlan& plan, Instant packet_clock) noexcept {
  for (auto& destination : destinations_) {
    destination->observe(packet_clock);
    destination->settle();
  }
  surroundings_.selection.change(plan);
  for (auto& destination : destinations_) destination->owe_selection();
}

/// Files first: they do not wait for anybody, and are whole even if a collector is waited for in vain.
void Exporter::finish(Instant packet_clock) noexcept {
  for (auto& destination : destinations_) destination->observe(packet_clock);
  for (const bool files : {true, false})
    for (auto& destination : destinations_)
      if (destination->is_file() == files) destination->finish();
}

std::vector<DestinationReport> Exporter::report() const {
  std::vector<DestinationReport> reports;
  for (const auto& destination : destinations_) reports.push_back(destination->report());
  return reports;
}

}  // namespace weir::app
