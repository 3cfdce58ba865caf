// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/port.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_version.h>

#include <algorithm>

#include "base/error.hpp"
#include "capture/live/eal.hpp"
#include "capture/live/kernel_interface.hpp"
#include "capture/live/packet_sockets.hpp"

namespace weir::capture {
namespace {

constexpr std::uint64_t over_addresses = RTE_ETH_RSS_IP;
constexpr std::uint64_t over_ports = RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;

int port_was_removed(std::uint16_t, rte_eth_event_type, void* port, void*) {
  static_cast<Port*>(port)->take_away();
  return 0;
}

#if RTE_VERSION < RTE_VERSION_NUM(25, 3, 0, 0)
constexpr bool driver_hides_drops = true;
#else
constexpr bool driver_hides_drops = false;
#endif

rte_eth_dev_info info_of(std::uint16_t port) noexcept {
  rte_eth_dev_info info{};
  rte_eth_dev_info_get(port, &info);
  return info;
}

}  // namespace

Port::Port(const PortFacts& facts, const PortOptions& options, rte_mempool& buffers)
    : facts_{facts}, options_{options}, key_{symmetric_key(std::max<std::size_t>(facts.rss_key_octets, 40))} {
  // A device that only receives needs no transmit queue; some drivers insist on one for each receive queue.
  const std::uint16_t transmit_queues = !facts.in_pairs && try_to_configure(0) == 0 ? 0 : options.queues;
  if (transmit_queues > 0)
    if (const int error = configure(transmit_queues); error != 0)
      refuse(fmt::format("{} queues and an MTU of {}", options.queues, mtu()), error);
  set_up_queues(buffers, transmit_queues);
  dropped_before_ = dropped_by_kernel();
  rte_eth_dev_callback_register(facts_.number, RTE_ETH_EVENT_INTR_RMV, &port_was_removed, this);
}

int Port::try_to_configure(std::uint16_t transmit_queues) {
  const Quiet attempt;
  return configure(transmit_queues);
}

int Port::configure(std::uint16_t transmit_queues) {
  const auto info = info_of(facts_.number);
  rte_eth_conf conf{};
  conf.rxmode.mtu = mtu();
  const auto wanted = info.rx_offload_capa;
  if (conf.rxmode.mtu > RTE_ETHER_MTU) conf.rxmode.offloads |= wanted & RTE_ETH_RX_OFFLOAD_SCATTER;
  if (facts_.stamps == StampUnit::ticks || facts_.stamps == StampUnit::unix_ns)
    conf.rxmode.offloads |= wanted & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  if (options_.rss && facts_.hashes_addresses) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rxmode.offloads |= wanted & RTE_ETH_RX_OFFLOAD_RSS_HASH;
    const auto fields = over_addresses | (options_.fields == RssFields::addresses_and_ports ? over_ports : 0);
    conf.rx_adv_conf.rss_conf = {.rss_key = reinterpret_cast<std::uint8_t*>(key_.data()),
                                 .rss_key_len = static_cast<std::uint8_t>(key_.size()),
                                 .rss_hf = fields & info.flow_type_rss_offloads};
  }
  return rte_eth_dev_configure(facts_.number, options_.queues, transmit_queues, &conf);
}

std::uint16_t Port::mtu() const noexcept {
  return std::clamp(options_.mtu, facts_.mtu_min, std::max(facts_.mtu_max, facts_.mtu_min));
}

void Port::set_up_queues(rte_mempool& buffers, std::uint16_t transmit_queues) {
  const auto socket = static_cast<unsigned>(facts_.node);
  for (std::uint16_t queue = 0; queue < options_.queues; ++queue)
    if (const int error = rte_eth_rx_queue_setup(facts_.number, queue, options_.descriptors, socket, nullptr, &buffers);
        error != 0)
      refuse(fmt::format("receive queue {} of {} descriptors", queue, options_.descriptors), error);
  for (std::uint16_t queue = 0; queue < transmit_queues; ++queue)
    if (const int error = rte_eth_tx_queue_setup(facts_.number, queue, 0, socket, nullptr); error != 0)
      refuse(fmt::format("transmit queue {}", queue), error);
}

void Port::start() {
  if (const int error = rte_eth_dev_start(facts_.number); error != 0) refuse("to start", error);
  started_ = true;
  was_promiscuous_ = rte_eth_promiscuous_get(facts_.number) == 1;
  if (options_.promiscuous) rte_eth_promiscuous_enable(facts_.number);
}

void Port::stop() noexcept {
  if (!std::exchange(started_, false) || gone()) return;
  if (options_.promiscuous && !was_promiscuous_) rte_eth_promiscuous_disable(facts_.number);
  rte_eth_dev_stop(facts_.number);
}

Port::~Port() {
  stop();
  rte_eth_dev_callback_unregister(facts_.number, RTE_ETH_EVENT_INTR_RMV, &port_was_removed, this);
  if (!gone()) rte_eth_dev_close(facts_.number);
}

void Port::refuse(std::string_view what, int error) const {
  throw StartError{fmt::format("live.ports: {} ({}) refuses {}: {}", facts_.name, facts_.driver, what,
                               rte_strerror(error < 0 ? -error : error))};
}

RssState Port::rss() const {
  RssState state;
  if (!options_.rss || !facts_.hashes_addresses) {
    state.problem = options_.rss ? "the device has no RSS" : "switched off";
    return state;
  }
  state.key.resize(std::max<std::size_t>(facts_.rss_key_octets, 40));
  rte_eth_rss_conf conf{.rss_key = reinterpret_cast<std::uint8_t*>(state.key.data()),
                        .rss_key_len = static_cast<std::uint8_t>(state.key.size()),
                        .rss_hf = 0};
  if (const int error = rte_eth_dev_rss_hash_conf_get(facts_.number, &conf); error != 0) {
    state.problem = fmt::format("the device does not tell its RSS key ({})", rte_strerror(-error));
    return state;
  }
  if (conf.rss_hf & over_ports) state.fields = RssFields::addresses_and_ports;
  if ((conf.rss_hf & (over_addresses | over_ports)) == 0) {
    state.problem = "the device hashes no addresses";
    return state;
  }
  std::vector<rte_eth_rss_reta_entry64> groups((facts_.redirection_entries + RTE_ETH_RETA_GROUP_SIZE - 1) /
                                               RTE_ETH_RETA_GROUP_SIZE);
  for (auto& group : groups) group.mask = ~std::uint64_t{0};
  if (groups.empty() || rte_eth_dev_rss_reta_query(facts_.number, groups.data(),
                                                   static_cast<std::uint16_t>(facts_.redirection_entries)) != 0) {
    state.problem = "the device does not tell its redirection table";
    return state;
  }
  for (std::size_t i = 0; i < facts_.redirection_entries; ++i)
    state.redirection.push_back(groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE]);
  state.active = true;
  return state;
}

bool Port::redirect(std::size_t entry, std::uint16_t queue) noexcept {
  std::array<rte_eth_rss_reta_entry64, 64> groups{};  // 4096 entries, more than any device has
  auto& group = groups[entry / RTE_ETH_RETA_GROUP_SIZE];
  group.mask = std::uint64_t{1} << (entry % RTE_ETH_RETA_GROUP_SIZE);
  group.reta[entry % RTE_ETH_RETA_GROUP_SIZE] = queue;
  return rte_eth_dev_rss_reta_update(facts_.number, groups.data(),
                                     static_cast<std::uint16_t>(facts_.redirection_entries)) == 0;
}

LinkState Port::link() noexcept {
  auto link = link_of(facts_.number);
  if (facts_.is_virtual) link.bits_per_second = 0;
  if (!facts_.kernel_interface) return link;
  const auto carrier = carrier_of(facts_.kernel_interface);
  link = {.up = carrier == Carrier::up, .bits_per_second = bits_per_second_of(facts_.kernel_interface)};
  if (carrier == Carrier::gone) take_away();
  return link;
}

const PortCounters& Port::counters() noexcept {
  const auto lost = [this](PortLoss cause) -> auto& { return counters_.lost[static_cast<std::size_t>(cause)]; };
  rte_eth_stats stats{};
  if (!gone() && rte_eth_stats_get(facts_.number, &stats) == 0) {
    counters_.delivered = stats.ipackets;
    lost(PortLoss::missed) = stats.imissed;
    lost(facts_.loses_without_buffer ? PortLoss::no_buffer : PortLoss::not_refilled) = stats.rx_nombuf;
    lost(PortLoss::errors) = is_no_packet("errors") ? 0 : stats.ierrors;
  }
  if (driver_hides_drops && facts_.driver == "net_af_packet" && facts_.kernel_interface)
    lost(PortLoss::kernel_dropped) += kernel_drops_since_last(facts_.kernel_interface);
  if (const auto dropped = dropped_by_kernel(); dropped > dropped_before_)
    lost(PortLoss::kernel_dropped) = dropped - dropped_before_;
  return counters_;
}

/// What the kernel sends to its end of a tap, the driver receives, or else nobody: the driver does not tell.
std::uint64_t Port::dropped_by_kernel() const noexcept {
  return facts_.driver == "net_tap" && facts_.kernel_interface ? packets_not_sent(facts_.kernel_interface) : 0;
}

/// What net_pcap calls errors on an interface are attempts to read that failed; no packet was in them.
bool Port::is_no_packet(std::string_view name) const noexcept {
  return facts_.driver == "net_pcap" && facts_.kernel_interface && name.ends_with("errors");
}

NamedCounters Port::named_counters() const {
  NamedCounters named;
  const int count = gone() ? 0 : rte_eth_xstats_get_names(facts_.number, nullptr, 0);
  if (count <= 0) return named;
  std::vector<rte_eth_xstat_name> names(static_cast<std::size_t>(count));
  std::vector<rte_eth_xstat> values(names.size());
  rte_eth_xstats_get_names(facts_.number, names.data(), static_cast<unsigned>(count));
  if (rte_eth_xstats_get(facts_.number, values.data(), static_cast<unsigned>(count)) != count) return named;
  for (const auto& [id, value] : values)
    if (const std::string_view name = names[id].name; value > 0 && name.starts_with("rx") && !is_no_packet(name))
      named.emplace_back(name, value);
  return named;
}

}  // namespace weir::capture
