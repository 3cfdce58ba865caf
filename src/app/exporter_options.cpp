// SPDX-License-Identifier: BSD-3-Clause
#include "app/exporter_options.hpp"

namespace weir::app {

ExporterOptions exporter_options(const Settings& settings, Patience patience) {
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
          .warn = {}};
}

}  // namespace weir::app
