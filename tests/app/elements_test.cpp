// SPDX-License-Identifier: BSD-3-Clause
// Keys and templates by name: whatever they are, the meter's records, encoded, are those of the slow twin.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <set>

#include "../flow/meter_under_test.hpp"
#include "flow/elements.hpp"
#include "ipfix/encode.hpp"
#include "support/slow_elements.hpp"

namespace weir::flow {
namespace {

using test::SlowElements, test::SlowEvidence, test::SlowSettings, test::SlowWitness;
using Random = std::mt19937_64;

TEST(Elements, have_the_types_of_the_registry_and_stand_there_once) {
  std::set<std::string_view> names;
  for (const auto& source : element_sources()) {
    if (source.is(trait::hidden)) continue;
    const auto* element = find_element(source.name);
    ASSERT_NE(element, nullptr) << source.name;
    if (source.how != How::refused && source.reverse_of.empty()) {
      EXPECT_EQ(element->type, source.type) << source.name;
    }
    EXPECT_TRUE(names.insert(source.name).second) << source.name;
    EXPECT_FALSE(source.zero.empty()) << source.name;
    EXPECT_EQ(find_source(source.name).reverse, !source.reverse_of.empty());
  }
}

std::string hexadecimal(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char octet : octets) {
    out.push_back(digits[static_cast<unsigned char>(octet) / 16]);
    out.push_back(digits[static_cast<unsigned char>(octet) % 16]);
  }
  return out;
}

std::string big_endian(std::uint64_t value, std::size_t octets) {
  std::string out;
  for (std::size_t i = octets; i-- > 0;) out += static_cast<char>(i < 8 ? value >> 8 * i : 0);
  return out;
}

/// Every detail something, and seldom twice the same.
Details random_details(Random& random, const test::Arrival& packet) {
  const auto some = [&random]<class T>(T& member, std::uint64_t most) {
    member = static_cast<T>(random() % 3 == 0 ? 0 : random() % (most + 1));
  };
  const auto octets = [&random](auto& array, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) array[i] = std::byte(random() % 2);
  };
  Details d;
  octets(d.source_mac, 6), octets(d.destination_mac, 6);
  some(d.has, 0x7ff), some(d.ethertype, 0xffff), some(d.vlan_tci, 0xffff), some(d.inner_vlan_tci, 3);
  some(d.mpls_depth, 255);
  for (auto& entry : d.mpls_entries) some(entry, 0xffff'ffff);
  d.mpls_entries[0] &= 0x1fff;
  some(d.identification, packet.headers.version == IpVersion::v4 ? 0xffff : 0xffff'ffff), some(d.flow_label, 1);
  some(d.ipv4_options, 0xffff'ffff), some(d.ipv6_extensions, 0xffff'ffff), some(d.fragment_offset, 0x1fff);
  some(d.fragment_flags, 0x60), some(d.ip_header_octets, 60), some(d.next_header, 255), some(d.igmp_type, 255);
  some(d.tcp_header_octets, 60), some(d.tcp_window_scale, 14), some(d.tcp_sequence, 0xffff'ffff);
  some(d.tcp_acknowledgement, 0xffff'ffff), some(d.tcp_options, ~std::uint64_t{0} - 1), some(d.tcp_window, 0xffff);
  some(d.tcp_urgent, 0xffff), some(d.tcp_mss, 1460), some(d.udp_octets, 0xffff), some(d.spi, 0xffff'ffff);
  some(d.payload_octets, 70'000);
  if (random() % 2) d.payload_octets %= 300;
  if (random() % 3) {
    d.outer_version = random() % 2 ? 4 : 6;
    octets(d.outer_source, 16), octets(d.outer_destination, 16);
  }
  some(d.outer_octets, 1600), some(d.tunnel_id, 2), some(d.gre_key, 0xffff'ffff), some(d.vni, 0xff'ffff);
  some(d.teid, 1), some(d.l2tp_session, 0xffff'ffff), some(d.l2tp_tunnel, 0xffff), some(d.erspan_session, 1023);
  some(d.outer_source_port, 1), some(d.outer_destination_port, 1), some(d.outer_protocol, 255);
  some(d.outer_tos, 255), some(d.outer_ttl, 255), some(d.tunnel_depth, 8), some(d.tunnel, 3);
  some(d.gtp_message, 255), some(d.gtp_flags, 255), some(d.gtp_qfi, 63), some(d.gtp_pdu, 1),
      some(d.gtp_sequence, 0xffff);
  return d;
}

std::vector<test::Arrival> random_packets(Random& random, std::uint64_t seed, const SlowOptions& options) {
  auto packets = test::random_traffic(seed, options, 150);
  for (auto& packet : packets) {
    packet.headers.octets = std::max<std::uint64_t>(packet.headers.octets, 60);
    if (random() % 8 == 0)  // multicast
      packet.headers.destination()[0] = packet.headers.version == IpVersion::v4 ? std::byte{0xe0} : std::byte{0xff};
    packet.wire = static_cast<std::uint32_t>(packet.headers.octets + 14);
    packet.notes = packet.stamp < packet.clock ? note_bit(Note::late) : std::uint16_t{0};
    packet.details = random_details(random, packet);
    packet.payload.resize(random() % 3 ? random() % 12 : 0);
    for (auto& octet : packet.payload) octet = static_cast<std::byte>(random());
    packet.details.payload_captured = static_cast<std::uint32_t>(packet.payload.size());
  }
  return packets;
}

/// A key as the slow twin understands it.
struct SlowKey {
  std::map<std::string, unsigned> names;  ///< and prefix lengths of addresses
  bool biflow = false;

  bool has(const std::string& name) const { return names.contains(name); }

  SlowWitness::Key operator()(const test::Arrival& packet) const {
    const auto& h = packet.headers;
    const bool v4 = h.version == IpVersion::v4, icmp = test::slow_is_icmp(h);
    const std::string family = v4 ? "IPv4Address" : "IPv6Address";
    SlowWitness::Key key;
    const auto address = [&](const std::string& name, const auto& from) {
      return has(name) ? test::masked(from, v4 ? 4 : 16, names.at(name)) : std::string{};
    };
    key.one = address("source" + family, h.source());
    key.other = address("destination" + family, h.destination());
    if (has("sourceTransportPort")) key.one += big_endian(icmp ? 0 : h.source_port, 2);
    if (has("destinationTransportPort")) key.other += big_endian(icmp ? 0 : h.destination_port, 2);
    if (icmp && has("protocolIdentifier") &&
        (has("destinationTransportPort") || has(v4 ? "icmpTypeCodeIPv4" : "icmpTypeCodeIPv6"))) {
      auto type = h.destination_port / 256;
      if (biflow && v4 && type == 0) type = 8;
      if (biflow && !v4 && type == 129) type = 128;
      key.rest += big_endian(static_cast<unsigned>(type * 256 + h.destination_port % 256), 2);
    } else {
      key.rest += "  ";
    }
    for (const auto& [name, bits] : names) {
      const auto found = test::packet_values().find(name);
      if (found == test::packet_values().end()) continue;
      if (name.ends_with("IPv6") && v4) continue;
      const auto value = found->second(packet);
      const auto text = value.octets ? *value.octets + '\0' : big_endian(value.number, 8);
      if (name.find("ource") != name.npos) key.one += text;
      else if (name.find("estination") != name.npos) key.other += text;
      else key.rest += text;
    }
    return key;
  }
};

SlowKey random_key(Random& random, bool biflow) {
  SlowKey key{.names = {}, .biflow = biflow};
  const auto often = [&random] { return random() % 3 != 0; };
  const auto both = [&](const std::string& family, unsigned octets) {
    const auto bits = [&] { return often() ? octets * 8 : 1 + static_cast<unsigned>(random() % (octets * 8)); };
    const auto one = bits();
    if (often()) key.names["source" + family] = one;
    if (biflow ? key.has("source" + family) : often()) key.names["destination" + family] = biflow ? one : bits();
  };
  both("IPv4Address", 4), both("IPv6Address", 16);
  if (often()) key.names["sourceTransportPort"];
  if (biflow ? key.has("sourceTransportPort") : often()) key.names["destinationTransportPort"];
  if (often()) key.names["protocolIdentifier"];
  if (key.has("protocolIdentifier") && !often()) key.names["icmpTypeCodeIPv4"], key.names["icmpTypeCodeIPv6"];
  for (const auto* name :
       {"vlanId", "ipClassOfService", "ingressInterface", "dot1qCustomerVlanId", "flowLabelIPv6",
        "mplsTopLabelStackSection", "tunnelIdentifier", "gtpuTEid", "ipTTL", "tunnelTechnology", "dot1qDEI"})
    if (random() % 8 == 0) key.names[name];
  if (random() % 6 == 0) key.names["sourceMacAddress"], key.names["destinationMacAddress"];
  for (const std::string kind : {"IPv4Address", "IPv6Address", "TransportPort"})
    if (random() % 8 == 0) key.names["outerSource" + kind], key.names["outerDestination" + kind];
  return key;
}

bool makes_sense(const ElementSource& source, bool reverse, bool biflow) {
  if (source.is(trait::hidden) || source.how == How::refused || !source.reverse_of.empty()) return false;
  if (source.name == "flowId") return false;  // no naive reckoning of a hash
  if (reverse && source.is(trait::whole)) return false;
  return biflow || (!reverse && !source.is(trait::biflow));
}

std::string reverse_name(std::string name) {
  if (name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 32);
  return "reverse" + name;
}

WantedTemplate random_template(Random& random, const MeterOptions& options, bool protocols) {
  const bool biflow = options.direction == FlowDirection::biflow;
  WantedTemplate wanted{.name = std::string{"t"}.append(std::to_string(options.templates.size())),
                        .version = 0,
                        .protocols = {},
                        .fields = {}};
  wanted.version = std::array<std::uint8_t, 4>{0, 0, 4, 6}[random() % 4];
  for (auto n = protocols ? random() % 3 : 0; n > 0; --n)
    wanted.protocols.push_back(std::array<std::uint8_t, 3>{6, 17, 1}[random() % 3]);
  const auto one_in = 1 + random() % 12;
  for (const auto& source : element_sources())
    for (const bool reverse : {false, true}) {
      if (!makes_sense(source, reverse, biflow) || random() % one_in != 0) continue;
      if (wanted.version == 4 && source.is(trait::only_6)) continue;
      if (wanted.version == 6 && source.is(trait::only_4)) continue;
      WantedField field{.source = std::string{source.name}};
      if (reverse) field.source = reverse_name(field.source);
      const auto whole = octets_of(source.type);
      const bool text = source.type == DataType::string || source.how == How::payload;
      if (is_integer(source.type) && whole > 1 && random() % 4 == 0)
        field.octets = static_cast<std::uint16_t>(1 + random() % whole);
      if (text && random() % 2) field.octets = static_cast<std::uint16_t>(1 + random() % 20);
      wanted.fields.push_back(field);
    }
  std::shuffle(wanted.fields.begin(), wanted.fields.end(), random);
  for (std::uint16_t i = 0; i < wanted.fields.size(); ++i) wanted.fields[i].id = static_cast<std::uint16_t>(i + 1);
  return wanted;
}

/// What the twin expects of a run.
class Expected {
 public:
  Expected(const MeterOptions& options, const SlowKey& key, const SlowSettings& settings)
      : options_{options}, key_{key}, settings_{settings} {}

  SlowWitness witness() {
    return {.key = key_,
            .see = [this](const auto& evidence) { see(evidence); },
            .outgrows = [this](const auto& evidence) { return outgrows(evidence); }};
  }
  std::vector<std::string> records;

 private:
  struct Told {
    const ElementSource* source;
    bool reverse;
    std::string name;
    std::uint16_t octets;
  };

  static bool of_family(const ElementSource& source, IpVersion version) {
    return !source.is(version == IpVersion::v4 ? trait::only_6 : trait::only_4);
  }

  std::vector<Told> told(const WantedTemplate& wanted, IpVersion version) const {
    std::vector<Told> out;
    for (const auto& field : wanted.fields) {
      const auto [source, reverse] = find_source(field.source);
      if (!of_family(*source, version)) continue;
      const bool text = source->type == DataType::string || source->how == How::payload;
      const auto whole = octets_of(source->type);
      out.push_back({source, reverse, field.source,
                     field.octets ? field.octets
                                  : static_cast<std::uint16_t>(text    ? 65535
                                                               : whole ? whole
                                                                       : source->stored)});
    }
    return out;
  }

  static std::string wire(const Told& field, const SlowElements& elements) {
    const auto value = elements.of(std::string{field.source->name}, field.reverse);
    const bool text = field.source->type == DataType::string || field.source->how == How::payload;
    if (text && field.octets == 65535) return static_cast<char>(value.octets->size()) + *value.octets;
    if (value.octets) {
      auto octets = *value.octets;
      octets.resize(field.octets, '\0');
      return octets;
    }
    auto number = value.number;
    if (field.source->type == DataType::date_time_seconds) number &= 0xffff'ffff;  // RFC 7011 §6.1.7: modulo 2^32
    if (field.source->is(trait::bits)) number &= field.octets == 1 ? 0xff : 0xfff;
    else if (field.octets < 8 && number >> 8 * field.octets) number = ~std::uint64_t{0};
    return big_endian(number, field.octets);
  }

  void see(const SlowEvidence& evidence) {
    const SlowElements elements{evidence, settings_};
    const auto& first = elements.first();
    for (const auto& wanted : options_.templates) {
      if (wanted.version != 0 && wanted.version != static_cast<unsigned>(first.version)) continue;
      if (!wanted.protocols.empty() && std::ranges::count(wanted.protocols, first.protocol) == 0) continue;
      const auto fields = told(wanted, first.version);
      if (fields.empty()) continue;
      const bool reverse = std::ranges::any_of(fields, &Told::reverse) && elements.has_reverse_packets();
      auto record = wanted.name + (reverse ? "_biflow " : " ");
      for (const auto& field : fields)
        if (reverse || !field.reverse) record += field.name + "=" + hexadecimal(wire(field, elements)) + " ";
      records.push_back(record);
      return;
    }
    records.push_back("usual");
  }

  std::pair<bool, bool> outgrows(const SlowEvidence& after) const {
    auto before = after;
    before.flow.pop_back();
    const auto& [last, reverse] = after.flow.back();
    if (before.flow.empty()) return {};
    std::pair<bool, bool> found{};
    for (const auto& wanted : options_.templates) {
      if (wanted.version != 0 && wanted.version != static_cast<unsigned>(last.headers.version)) continue;
      for (const auto& field : told(wanted, last.headers.version)) {
        if (field.reverse != reverse || !field.source->is(trait::counter) || field.octets >= 8) continue;
        const std::string name{field.source->name};
        const auto was = SlowElements{before, settings_}.of(name, reverse).number,
                   is = SlowElements{after, settings_}.of(name, reverse).number;
        if (was == 0 || is >> 8 * field.octets == 0) continue;
        found.first = true;
        found.second |= field.source->how == How::total;
      }
    }
    return found;
  }

  const MeterOptions& options_;
  SlowKey key_;
  SlowSettings settings_;
};

/// Each value of a record, with the name of what was wanted.
std::string told(const RecordTemplate& made, std::string_view wire, const MeterOptions& options) {
  std::string out = made.name + " ";
  const auto number = made.name[1] - '0';
  for (const auto& field : made.fields) {
    std::size_t octets = field.octets;
    if (octets == 65535) octets = 1u + static_cast<unsigned char>(wire[0]);
    const auto& wanted = options.templates[static_cast<std::size_t>(number)].fields[field.id - 1u];
    out += wanted.source + "=" + hexadecimal(wire.substr(0, octets)) + " ";
    wire.remove_prefix(octets);
  }
  EXPECT_EQ(wire, "");
  return out;
}

std::vector<std::string> encoded(const Ended& ended, const MeterOptions& options) {
  std::vector<std::string> out;
  for (unsigned family = 0; family < 2; ++family) {
    const auto records = ended.of(family);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto& made = records.layout->templates[records.layout->end_of(records[i]).which_template];
      const ipfix::EncodePlan plan{made.fields, records.layout->octets};
      std::string wire(plan.octets_max(), '\0');
      wire.resize(plan.encode(records[i], reinterpret_cast<std::byte*>(wire.data())));
      out.push_back(made.name.starts_with("t") ? told(made, wire, options) : "usual");
    }
  }
  return out;
}

std::string difference(std::vector<std::string> expected, std::vector<std::string> got) {
  std::ranges::sort(expected);
  std::ranges::sort(got);
  std::string out;
  if (expected.size() != got.size())
    out += std::to_string(expected.size()) + " records expected, got " + std::to_string(got.size()) + "\n";
  std::vector<std::string> only;
  std::ranges::set_difference(expected, got, std::back_inserter(only));
  const auto missing = only.size();
  std::ranges::set_difference(got, expected, std::back_inserter(only));
  for (std::size_t i = 0; i < only.size() && i < 4; ++i) {
    const auto& shown = only[i % 2 ? std::min(missing + i / 2, only.size() - 1) : i / 2];
    out += (i % 2 ? "got:      " : "expected: ") + shown + "\n";
  }
  return out;
}

std::string shown(const std::vector<std::string>& key) {
  std::string out;
  for (const auto& entry : key) out += entry + " ";
  return out;
}

TEST(Elements, of_any_traffic_key_and_templates_are_those_of_the_slow_twin) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random{seed};
    auto slow_options = test::random_options(seed);
    auto options = options_like(slow_options);
    options.payload_octets = 1 + random() % 30;
    options.domain = static_cast<std::uint32_t>(random() % 3);
    options.egress_interface = 7;
    SlowKey key{.names = {{"sourceIPv4Address", 32},
                          {"destinationIPv4Address", 32},
                          {"sourceIPv6Address", 128},
                          {"destinationIPv6Address", 128},
                          {"sourceTransportPort", 0},
                          {"destinationTransportPort", 0},
                          {"protocolIdentifier", 0},
                          {"vlanId", 0}},
                .biflow = slow_options.biflow};
    if (random() % 3) {
      key = random_key(random, slow_options.biflow);
      for (const auto& [name, bits] : key.names)
        options.key.push_back(bits == 0 || bits == 32 || bits == 128 ? name : name + "/" + std::to_string(bits));
      for (auto& entry : options.key)  // a prefix as long as another family's address
        if (key.names.at(entry.substr(0, entry.find('/'))) == 32 && entry.find("IPv6") != entry.npos) entry += "/32";
      if (options.key.empty()) options.key.push_back("ipVersion");
    }
    for (auto n = 1 + random() % 3; n > 0; --n)
      options.templates.push_back(random_template(random, options, key.has("protocolIdentifier")));
    SlowSettings settings{.biflow = slow_options.biflow,
                          .payload_octets = options.payload_octets,
                          .domain = options.domain,
                          .egress_interface = 7};
    const auto bits = [&key](const char* name) { return key.has(name) ? key.names.at(name) : 0; };
    settings.prefix[IpVersion::v4] = {bits("sourceIPv4Address"), bits("destinationIPv4Address")};
    settings.prefix[IpVersion::v6] = {bits("sourceIPv6Address"), bits("destinationIPv6Address")};
    settings.source_port = key.has("sourceTransportPort");
    settings.destination_port = key.has("destinationTransportPort");
    settings.protocol = key.has("protocolIdentifier");

    Expected expected{options, key, settings};
    test::SlowMeter slow{slow_options, expected.witness()};
    MeterUnderTest meter{options};
    for (const auto& packet : random_packets(random, seed, slow_options)) {
      slow.add(packet);
      meter.add(packet);
      if (random() % 40 == 0) meter.expire();
    }
    slow.finish();
    const auto got = meter.finish_encoded([&options](const Ended& ended) { return encoded(ended, options); });
    ASSERT_EQ(difference(expected.records, got), "")
        << "seed " << seed << ", biflow " << slow_options.biflow << ", key: " << shown(options.key);
  }
}

}  // namespace
}  // namespace weir::flow
