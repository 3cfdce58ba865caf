// SPDX-License-Identifier: BSD-3-Clause
#include "app/options.hpp"

#include <cmath>

#include "app/sampling.hpp"
#include "app/templates.hpp"

namespace weir::app {
namespace {

/// Keys fall on shards at random: six standard deviations above the mean never overflow before the whole is full.
std::size_t capacity_of_shard(std::size_t capacity, unsigned shards) noexcept {
  if (shards == 1) return capacity;
  const auto mean = static_cast<double>(capacity) / shards;
  return static_cast<std::size_t>(std::ceil(mean + 6 * std::sqrt(mean)));
}

}  // namespace

flow::MeterOptions meter_options(const Settings& settings, unsigned shards) {
  return {.direction = settings.flow.direction,
          .timeout_idle = settings.flow.timeout_idle,
          .timeout_active = settings.flow.timeout_active,
          .timeout_closed = settings.flow.timeout_closed,
          .tcp_close = settings.flow.tcp_close,
          .capacity = capacity_of_shard(settings.flow.capacity, shards),
          .hash_key = settings.flow.hash_key,
          .icmp_in_ports = settings.exporter.icmp_in_ports,
          .egress_interface = settings.exporter.egress_interface,
          .clock_width = flow::ClockWidth::shortest,
          .key = settings.flow.key,
          .templates = templates_of(settings),
          .payload_octets = settings.flow.payload_octets,
          .domain = settings.exporter.domain};
}

flow::FragmentOptions fragment_options(const Settings& settings, const flow::MeterOptions& meter,
                                       const Decoding& decoding) {
  const bool meet = decoding.spread.joins_fragments();
  return {.tracking = meet ? settings.flow.fragments : flow::FragmentTracking::separate,
          .hash_key = meter.hash_key,
          .details = decoding.details};
}

ExporterOptions exporter_options(const Settings& settings, Patience patience,
                                 std::span<const std::uint32_t> sampled_interfaces) {
  using std::chrono::ceil, std::chrono::milliseconds;
  const auto& from = settings.exporter;
  return {.domain = DomainId{from.domain},
          .message_octets = from.message_octets,
          .flush = ceil<milliseconds>(from.flush),
          .template_refresh = ceil<milliseconds>(from.template_refresh),
          .template_refresh_messages = static_cast<std::uint32_t>(from.template_refresh_messages),
          .statistics = ceil<milliseconds>(from.statistics),
          .udp_rate = static_cast<std::uint32_t>(from.udp.rate),
          .tcp_retry_min = ceil<milliseconds>(from.tcp.retry_min),
          .wait_max = ceil<milliseconds>(from.wait_max),
          .clock = static_cast<ClockChoice>(from.clock),
          .patience = patience,
          .backlog_octets = from.backlog_octets,
          .rotate = from.rotate,
          .selection = selection_plan(settings.sampling.select, sampled_interfaces),
          .common_properties = from.common_properties == Switch::on,
          .types = from.type_information == Switch::on ? std::optional{vocabulary_of(settings)} : std::nullopt,
          .warn = {}};
}

}  // namespace weir::app
