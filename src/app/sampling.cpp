// SPDX-License-Identifier: BSD-3-Clause
#include "app/sampling.hpp"

namespace weir::app {
namespace {

ipfix::Selector selector_of(const capture::SamplingOptions& options) {
  switch (options.method) {
    case capture::SamplingMethod::off: break;
    case capture::SamplingMethod::systematic:
      return ipfix::SystematicSelector{.interval = options.interval, .space = options.space};
    case capture::SamplingMethod::random:
      return ipfix::RandomSelector{.size = options.size, .population = options.population};
    case capture::SamplingMethod::hash:
      return ipfix::HashSelector{.payload_offset = options.hash_payload_offset,
                                 .payload_octets = options.hash_payload_octets,
                                 .selected_max = options.hash_selected_max()};
  }
  return {};
}

}  // namespace

ipfix::SelectionPlan selection_plan(const capture::SamplingOptions& options,
                                    std::span<const std::uint32_t> interfaces) {
  if (options.method == capture::SamplingMethod::off || interfaces.empty()) return {};
  return {.selector = selector_of(options), .interfaces = {interfaces.begin(), interfaces.end()}};
}

}  // namespace weir::app
