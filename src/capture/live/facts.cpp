// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/facts.hpp"

#include <fmt/format.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <array>

#include "base/error.hpp"
#include "capture/live/devices.hpp"
#include "capture/live/eal.hpp"

namespace weir::capture {
namespace {

struct RssFunction {
  std::uint64_t bit;
  std::string_view name;
};
constexpr std::array rss_functions{
    RssFunction{RTE_ETH_RSS_IPV4, "ipv4"},
    RssFunction{RTE_ETH_RSS_FRAG_IPV4, "ipv4-frag"},
    RssFunction{RTE_ETH_RSS_NONFRAG_IPV4_TCP, "ipv4-tcp"},
    RssFunction{RTE_ETH_RSS_NONFRAG_IPV4_UDP, "ipv4-udp"},
    RssFunction{RTE_ETH_RSS_NONFRAG_IPV4_SCTP, "ipv4-sctp"},
    RssFunction{RTE_ETH_RSS_NONFRAG_IPV4_OTHER, "ipv4-other"},
    RssFunction{RTE_ETH_RSS_IPV6, "ipv6"},
    RssFunction{RTE_ETH_RSS_FRAG_IPV6, "ipv6-frag"},
    RssFunction{RTE_ETH_RSS_NONFRAG_IPV6_TCP, "ipv6-tcp"},
    RssFunction{RTE_ETH_RSS_NONFRAG_IPV6_UDP, "ipv6-udp"},
    RssFunction{RTE_ETH_RSS_NONFRAG_IPV6_SCTP, "ipv6-sctp"},
    RssFunction{RTE_ETH_RSS_NONFRAG_IPV6_OTHER, "ipv6-other"},
    RssFunction{RTE_ETH_RSS_IPV6_EX, "ipv6-ex"},
    RssFunction{RTE_ETH_RSS_L2_PAYLOAD, "l2-payload"},
    RssFunction{RTE_ETH_RSS_VXLAN, "vxlan"},
    RssFunction{RTE_ETH_RSS_GENEVE, "geneve"},
    RssFunction{RTE_ETH_RSS_NVGRE, "nvgre"},
    RssFunction{RTE_ETH_RSS_MPLS, "mpls"},
    RssFunction{RTE_ETH_RSS_PPPOE, "pppoe"},
};

/// net_pcap stamps without being asked, in microseconds, until it offers the offload, and then in nanoseconds. Rings
/// carry the packets of a program in this process, which stamps as we do.
StampUnit stamps_of(std::uint16_t port, const rte_eth_dev_info& info) {
  const std::string_view driver = info.driver_name ? info.driver_name : "";
  const bool offered = (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0;
  if (driver == "net_pcap") return offered ? StampUnit::unix_ns : StampUnit::unix_us;
  if (driver == "net_ring") return StampUnit::unix_ns;
  if (!offered) return StampUnit::none;
  std::uint64_t ticks = 0;
  return rte_eth_read_clock(port, &ticks) == 0 ? StampUnit::ticks : StampUnit::unix_ns;
}

bool scatters(const rte_eth_dev_info& info) {
  const std::string_view driver = info.driver_name ? info.driver_name : "";
  return scatters_unasked(driver) || (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
}

/// As rte_eth_dev_configure() reckons it. Some drivers (net_af_packet, net_tap) name only the longest frame.
std::uint16_t mtu_max_of(const rte_eth_dev_info& info) {
  const bool says_both = info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu;
  const auto beside = says_both ? info.max_rx_pktlen - info.max_mtu : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  const auto within = info.max_rx_pktlen > beside ? info.max_rx_pktlen - beside : info.max_rx_pktlen;
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(within, info.max_mtu));
}

/// Each file, interface or socket that these drivers were given is a queue, which gets its packets whether or not it is
/// set up.
bool fills_all_queues(std::string_view driver) { return driver == "net_pcap" || driver == "net_af_packet"; }

/// These read a packet first, and look for a buffer then.
bool loses_without_buffer(std::string_view driver) { return driver == "net_pcap" || driver == "net_tap"; }

/// Their other end is a process that offers both directions, and takes none where one is refused.
bool has_queues_in_pairs(std::string_view driver) { return driver == "net_memif" || driver == "net_virtio_user"; }

bool is_virtual(const rte_eth_dev_info& info) {
  const auto* bus = info.device ? rte_dev_bus(info.device) : nullptr;
  return bus && rte_bus_name(bus) == std::string_view{"vdev"};
}

std::string mac_of(std::uint16_t port) {
  rte_ether_addr mac{};
  if (rte_eth_macaddr_get(port, &mac) != 0) return {};
  const auto& octets = mac.addr_bytes;
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", octets[0], octets[1], octets[2], octets[3], octets[4],
                     octets[5]);
}

std::string name_of(std::uint16_t port) {
  std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
  rte_eth_dev_get_name_by_port(port, name.data());
  return name.data();
}

}  // namespace

PortFacts facts_of(std::uint16_t port) {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(port, &info); error != 0)
    throw StartError{fmt::format("port {}: it does not say what it is: {}", port, rte_strerror(-error))};
  PortFacts facts{.number = port,
                  .name = name_of(port),
                  .driver = info.driver_name ? info.driver_name : "",
                  .mac = mac_of(port),
                  .is_virtual = is_virtual(info),
                  .node = rte_eth_dev_socket_id(port),
                  .queues_max = info.max_rx_queues,
                  .fills_all_queues = info.driver_name && fills_all_queues(info.driver_name),
                  .descriptors_min = info.rx_desc_lim.nb_min,
                  .descriptors_max = info.rx_desc_lim.nb_max,
                  .descriptors_align = std::max<std::uint16_t>(info.rx_desc_lim.nb_align, 1),
                  .mtu_min = info.min_mtu,
                  .mtu_max = mtu_max_of(info),
                  .rss_key_octets = info.hash_key_size,
                  .redirection_entries = info.reta_size,
                  .rss_functions = {},
                  .offloads = {},
                  .hashes_addresses = (info.flow_type_rss_offloads & (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6)) != 0,
                  .in_pairs = info.driver_name && has_queues_in_pairs(info.driver_name),
                  .scatters = scatters(info),
                  .loses_without_buffer = info.driver_name && loses_without_buffer(info.driver_name),
                  .stamps = stamps_of(port, info),
                  .kernel_interface = info.if_index};
  for (const auto& [bit, name] : rss_functions)
    if (info.flow_type_rss_offloads & bit) facts.rss_functions.emplace_back(name);
  for (unsigned i = 0; i < 64; ++i)
    if (const auto bit = std::uint64_t{1} << i; info.rx_offload_capa & bit)
      facts.offloads.emplace_back(rte_eth_dev_rx_offload_name(bit));
  return facts;
}

LinkState link_of(std::uint16_t port) noexcept {
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(port, &link) != 0) return {};
  const bool known = link.link_speed != RTE_ETH_SPEED_NUM_NONE && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
  return {.up = link.link_status == RTE_ETH_LINK_UP,
          .bits_per_second = known ? std::uint64_t{link.link_speed} * 1'000'000 : 0};
}

std::vector<std::uint16_t> known_ports() {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = 0; port < RTE_MAX_ETHPORTS; ++port)
    if (rte_eth_dev_is_valid_port(port)) ports.push_back(port);
  return ports;
}

std::uint16_t port_named(std::string_view device) {
  const std::string name{device.substr(0, device.find(','))};
  std::uint16_t port = 0;
  for (const auto& candidate : {name, "0000:" + name})
    if (rte_eth_dev_get_port_by_name(candidate.c_str(), &port) == 0) return port;
  std::string known;
  for (const auto number : known_ports()) known += (known.empty() ? "" : ", ") + name_of(number);
  std::string said;
  for (const auto& line : Eal::said_at_start()) said += (said.empty() ? "; DPDK says: " : " / ") + line;
  throw StartError{fmt::format("live.ports: DPDK has no port {}, it has {}{}; `weir ports` says what is bound to it",
                               name, known.empty() ? "none" : known, said)};
}

}  // namespace weir::capture
