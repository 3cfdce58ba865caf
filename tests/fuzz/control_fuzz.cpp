// SPDX-License-Identifier: BSD-3-Clause
// Any octets are a request to a running probe: answered in one line of JSON, and by the handlers only if they are one.
#include <cstddef>
#include <cstdint>
#include <string>

#include "app/control.hpp"
#include "app/json_lines.hpp"
#include "base/assert.hpp"

namespace {

using namespace weir;
using namespace weir::app;

struct Empty : ControlHandlers {
  Answer stats() override { return {}; }
  Answer ports() override { return {}; }
  Answer flows(const FlowQuery& query) override {
    WEIR_ASSERT(query.top <= FlowQuery::top_max);
    WEIR_ASSERT(query.prefixes.size() + query.ports.size() <= FlowQuery::conditions_max);
    for (const auto& prefix : query.prefixes) WEIR_ASSERT(prefix.bits <= (prefix.version == IpVersion::v4 ? 32 : 128));
    return {};
  }
  Answer expire_all() override { return {}; }
  Answer reload() override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Empty handlers;
  const std::string request(data, data + size);
  const auto answer = answer_to(request, handlers);
  WEIR_ASSERT(answer.find('\n') == answer.size() - 1);
  WEIR_ASSERT(nlohmann::ordered_json::parse(answer).is_object());
  const auto json = nlohmann::ordered_json::parse(request, nullptr, false);
  if (!json.is_discarded() && size < 4096) static_cast<void>(lines_of(json));
  return 0;
}
