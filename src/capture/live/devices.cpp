// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/devices.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "capture/format.hpp"
#include "capture/live/kernel_interface.hpp"

namespace weir::capture {
namespace {

/// "name,key=value,key=value": the values of `key`, in order.
std::vector<std::string> values_of(std::string_view device, std::string_view key) {
  std::vector<std::string> values;
  for (auto comma = device.find(','); comma != device.npos; comma = device.find(',', comma + 1)) {
    const auto argument = device.substr(comma + 1, device.find(',', comma + 1) - comma - 1);
    if (argument.starts_with(key) && argument.substr(key.size()).starts_with('='))
      values.emplace_back(argument.substr(key.size() + 1));
  }
  return values;
}

std::optional<unsigned> number_of(std::string_view device, std::string_view key) {
  const auto values = values_of(device, key);
  if (values.empty()) return std::nullopt;
  return static_cast<unsigned>(std::strtoul(values.back().c_str(), nullptr, 10));
}

void add_missing(Device& device, std::string_view key, unsigned value) {
  if (values_of(device.text, key).empty()) device.text += fmt::format(",{}={}", key, value);
}

bool is_pcapng(const std::string& path) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(path.c_str(), "rb"), close};
  std::array<std::byte, judged_octets> begin{};
  const auto octets = file ? std::fread(begin.data(), 1, begin.size(), file.get()) : 0;
  return judge(Bytes{begin}.first(octets)).format == Format::pcapng;
}

/// A file of this format may have interfaces anywhere, and libpcap, which DPDK reads it with, stops without a word at
/// one that is not like the first.
void check_interfaces(const std::string& path, pcap_t* capture) {
  pcap_pkthdr* header = nullptr;
  const unsigned char* octets = nullptr;
  int got = 1;
  while (got == 1) got = pcap_next_ex(capture, &header, &octets);
  if (got == PCAP_ERROR)
    throw StartError{
        fmt::format("live.ports: {} cannot be read to its end: {}; use weir replay", path, pcap_geterr(capture)),
        ExitStatus::unusable_input};
}

/// DPDK takes the frames of every capture for Ethernet frames.
void check_capture(const std::string& path) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> capture{pcap_open_offline(path.c_str(), error.data()),
                                                               &pcap_close};
  if (!capture) throw StartError{fmt::format("live.ports: {}: {}", path, error.data()), ExitStatus::unusable_input};
  const int link = pcap_datalink(capture.get());
  if (link == DLT_EN10MB) return is_pcapng(path) ? check_interfaces(path, capture.get()) : void();
  const char* name = pcap_datalink_val_to_name(link);
  throw StartError{fmt::format("live.ports: {} has frames of {}, and DPDK takes all for Ethernet; use weir replay",
                               path, name ? name : "another link type"),
                   ExitStatus::unusable_input};
}

void complete_af_packet(Device& device, unsigned workers) {
  constexpr unsigned usual_frame = 2048, usual_block = 1u << 20, usual_frames = 32'768;
  constexpr unsigned frame_overhead = 66;  // what the driver and the kernel put before a frame
  add_missing(device, "qpairs", workers);
  add_missing(device, "framesz", usual_frame);
  add_missing(device, "blocksz", usual_block);
  add_missing(device, "framecnt", usual_frames);
  const auto frame = number_of(device.text, "framesz").value_or(usual_frame);
  device.remarks.push_back(fmt::format(
      "{}: the kernel joins IP fragments before weir sees them, and cuts frames over {} octets (framesz); use net_pcap "
      "with rx_iface where that matters",
      device.text.substr(0, device.text.find(',')), frame - std::min(frame, frame_overhead)));
}

/// The kernel's, as the device's arguments name them.
std::vector<std::string> interfaces_of(std::string_view device) {
  std::vector<std::string> names;
  for (const auto* key : {"iface", "rx_iface", "rx_iface_in"})
    std::ranges::move(values_of(device, key), std::back_inserter(names));
  return names;
}

bool is_kernel_interface(const std::string& name) { return if_nametoindex(name.c_str()) != 0; }

/// Of an interface that is not there DPDK only says that it has no such port.
void check_interfaces_named(std::string_view device) {
  const auto port = device.substr(0, device.find(','));
  for (const auto& name : interfaces_of(device)) {
    if (!is_kernel_interface(name))
      throw StartError{
          fmt::format("live.ports: {}: there is no interface {} here; `ip link` lists those there are", port, name)};
    if (port.starts_with("net_pcap") && !is_set_up(if_nametoindex(name.c_str())))
      throw StartError{
          fmt::format("live.ports: {0}: libpcap opens no interface that is down; `ip link set {1} up`", port, name)};
  }
}

/// Those that open an interface; others make one.
bool opens_interfaces(std::string_view name) {
  constexpr std::array<std::string_view, 3> kinds{"net_af_packet", "net_af_xdp", "net_pcap"};
  return std::ranges::any_of(kinds, [name](auto kind) { return name.starts_with(kind); });
}

bool is_virtual(std::string_view name) {
  constexpr std::array<std::string_view, 3> kinds{"net_", "virtio_user", "eth_"};
  return std::ranges::any_of(kinds, [name](auto kind) { return name.starts_with(kind); });
}

}  // namespace

bool is_pci_address(std::string_view device) noexcept {
  constexpr std::string_view whole = "xxxx:xx:xx.x", without_domain = "xx:xx.x";
  const auto agrees = [](char c, char pattern) {
    return pattern == 'x' ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : c == pattern;
  };
  const auto matches = [&](std::string_view pattern) { return std::ranges::equal(device, pattern, agrees); };
  return matches(whole) || matches(without_domain);
}

unsigned queues_named(std::string_view device) {
  std::size_t named = 0;
  for (const auto* key : {"rx_pcap", "rx_iface", "rx_iface_in"}) named += values_of(device, key).size();
  const auto pairs = number_of(device, "qpairs").value_or(0);
  return std::max(static_cast<unsigned>(named), pairs);
}

unsigned interface_named(std::string_view device) {
  for (const auto& name : interfaces_of(device))
    if (const auto index = if_nametoindex(name.c_str()); index > 0) return index;
  return 0;
}

unsigned frame_octets_named(std::string_view device) {
  constexpr unsigned frame_of_file = 65'535, frame_of_interface = 16'128;  // as the driver reads them
  if (!values_of(device, "rx_pcap").empty()) return frame_of_file;
  if (device.starts_with("net_pcap") && !interfaces_of(device).empty()) return frame_of_interface;
  return number_of(device, "framesz").value_or(0);
}

bool scatters_unasked(std::string_view device) noexcept { return device.starts_with("net_pcap"); }

unsigned frames_named(std::string_view device) { return number_of(device, "framecnt").value_or(0); }

Device complete_device(std::string_view given, unsigned workers) {
  Device device{std::string{given}, {}};
  const auto name = given.substr(0, given.find(','));
  if (is_pci_address(name)) return device;
  if (is_kernel_interface(std::string{name}))
    throw StartError{
        fmt::format("live.ports: {0} belongs to the kernel; write net_af_packet0,iface={0} or net_pcap0,rx_iface={0}, "
                    "or bind it to "
                    "DPDK (`weir ports` shows how) and give its PCI address",
                    name)};
  if (!is_virtual(name))
    throw StartError{
        fmt::format("live.ports: {} is neither a PCI address (0000:05:00.0) nor a virtual device of DPDK's "
                    "(net_af_packet0,iface=eth1)",
                    name)};
  if (opens_interfaces(name)) check_interfaces_named(given);
  if (name.starts_with("net_af_packet")) complete_af_packet(device, workers);
  for (const auto& path : values_of(given, "rx_pcap")) check_capture(path);
  return device;
}

}  // namespace weir::capture
