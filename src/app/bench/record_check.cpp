// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/record_check.hpp"

#include <fmt/format.h>

#include "ipfix/values.hpp"

namespace weir::app::bench {
namespace {

/// IANA's numbers, and the enterprise number of reverse elements (RFC 5103).
constexpr std::uint16_t octet_delta_count = 1, packet_delta_count = 2, source_ipv4 = 8, source_ipv6 = 27;
constexpr std::uint32_t reverse = 29305;

}  // namespace

RecordCheck::RecordCheck(std::span<const RecordLayout, 2> layouts, const capture::SyntheticTraffic& traffic)
    : traffic_{traffic} {
  for (std::size_t family = 0; family < layouts.size(); ++family)
    for (const auto& each : layouts[family].templates) places_[family].push_back(places_of(each));
}

RecordCheck::Places RecordCheck::places_of(const RecordTemplate& of) {
  Places places;
  std::size_t at = 0;
  for (const auto& field : of.fields) {
    const Place here{at, field.octets};
    at += field.octets;
    if (field.pen == 0 && (field.id == source_ipv4 || field.id == source_ipv6))
      places.address = {here.at + here.octets - 4, 4};
    if (field.pen == 0 && field.id == packet_delta_count) places.packets = here;
    if (field.pen == 0 && field.id == octet_delta_count) places.octets = here;
    if (field.pen == reverse && field.id == packet_delta_count) places.reverse_packets = here;
    if (field.pen == reverse && field.id == octet_delta_count) places.reverse_octets = here;
  }
  return places;
}

void RecordCheck::look(unsigned family, std::size_t which, Bytes record) noexcept {
  const auto& places = places_[family][which];
  const auto number = [record](const Place& place) {
    return ipfix::number_of(record.subspan(place.at, place.octets)).value_or(0);
  };
  const auto flow = traffic_.flow_of(static_cast<std::uint32_t>(number(places.address)));
  sums_.add(flow, number(places.packets) + number(places.reverse_packets),
            number(places.octets) + number(places.reverse_octets));
  flows_.add(flow);
}

std::string RecordCheck::verdict() const {
  const auto& made = traffic_.sums();
  if (sums_.packets != made.packets || sums_.octets != made.octets)
    return fmt::format("records have {} packets and {} octets; {} and {} were sent", sums_.packets, sums_.octets,
                       made.packets, made.octets);
  if (flows_.size() != traffic_.flows())
    return fmt::format("records are of {} flows; {} were sent", flows_.size(), traffic_.flows());
  if (sums_ != made) return "packets or octets were counted into records of other flows";
  return {};
}

}  // namespace weir::app::bench
