// SPDX-License-Identifier: BSD-3-Clause
// What does it cost to write a Data Record, by its template? Records lie in the nearer caches, as they come from a
// ring. Each is first compared with what the template's fields say one by one.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <vector>
#include <weir/bytes.hpp>

#include "ipfix/encode.hpp"
#include "made_flows.hpp"

namespace {

using namespace weir;
using weir::bench::MeterOfFlows, weir::bench::headers_of;

constexpr std::size_t records = 1024;

/// The slow twin: field by field, octet by octet.
std::vector<std::byte> plainly(std::span<const Field> fields, const std::byte* record) {
  std::vector<std::byte> out;
  for (const auto& field : fields) {
    std::uint64_t number = field.constant;
    if (field.form == Form::bytes) {
      out.insert(out.end(), record + field.offset, record + field.offset + field.octets);
      continue;
    }
    if (field.form != Form::constant) {
      const std::size_t stored = field.form == Form::tcp_bits ? 2 : field.stored;
      number = 0;
      for (std::size_t i = 0; i < stored; ++i)
        number |= std::to_integer<std::uint64_t>(record[field.offset + i]) << 8 * i;
      if (field.form == Form::tcp_bits) number &= 0x0fff;
      if (field.octets < 8 && number >> 8 * field.octets != 0) number = ~std::uint64_t{0};  // the most that fits
    }
    for (std::size_t i = field.octets; i-- > 0;)
      out.push_back(i < 8 ? static_cast<std::byte>(number >> 8 * i) : std::byte{0});
  }
  return out;
}

Headers reversed(Headers headers) {
  std::ranges::swap_ranges(headers.source(), headers.destination());
  std::swap(headers.source_port, headers.destination_port);
  return headers;
}

void encode_by_template(benchmark::State& state, IpVersion version, flow::FlowDirection direction) {
  MeterOfFlows flows{{.direction = direction, .capacity = 4 * records, .hash_key = 1}};
  flows.fill(0, records, version);
  std::vector<Headers> replies;
  for (std::size_t i = 0; i < records; ++i) replies.push_back(reversed(headers_of(i, version)));
  if (direction == flow::FlowDirection::biflow) flows.add(replies);
  const unsigned pool = version == IpVersion::v4 ? 0 : 1;
  flow::Ended ended{4 * records, flows.layouts()[0], flows.layouts()[1]};
  while (!flows.meter().finish(weir::bench::begin, ended)) continue;
  const auto all = ended.of(pool);
  const auto& layout = flows.layouts()[pool];
  const auto& fields = layout.templates[layout.end_of(all[0]).which_template].fields;
  const ipfix::EncodePlan plan{fields, layout.octets};
  std::vector<std::byte> out(plan.octets_max());
  bool right = all.size() == records;
  for (std::size_t i = 0; i < all.size(); ++i) {
    plan.encode(all[i], out.data());
    right &= out == plainly(fields, all[i]);
  }
  if (!right) return state.SkipWithError("wrong answer");  // it has no speed
  for (auto _ : state)
    for (std::size_t i = 0; i < records; ++i) {
      plan.encode(all[i], out.data());
      benchmark::ClobberMemory();
    }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records));
  state.counters["octets"] = static_cast<double>(plan.octets_max());
}

BENCHMARK_CAPTURE(encode_by_template, ipv4_uniflow, IpVersion::v4, flow::FlowDirection::uniflow);
BENCHMARK_CAPTURE(encode_by_template, ipv4_biflow, IpVersion::v4, flow::FlowDirection::biflow);
BENCHMARK_CAPTURE(encode_by_template, ipv6_uniflow, IpVersion::v6, flow::FlowDirection::uniflow);
BENCHMARK_CAPTURE(encode_by_template, ipv6_biflow, IpVersion::v6, flow::FlowDirection::biflow);

}  // namespace

BENCHMARK_MAIN();
