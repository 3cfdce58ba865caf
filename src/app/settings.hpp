// SPDX-License-Identifier: BSD-3-Clause
// What a run is told at start: weir.yaml and the command line → Settings, or one line that says what to change.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include <weir/element.hpp>
#include <weir/units.hpp>

#include "app/settings_file.hpp"
#include "capture/sample.hpp"
#include "decode/decode.hpp"
#include "flow/options.hpp"

namespace weir::app {

enum class ExportClock : std::uint8_t { automatic, packets, wall };
enum class Rss : std::uint8_t { addresses, addresses_and_ports, off };
enum class Promiscuous : std::uint8_t { off, on };
enum class Switch : std::uint8_t { off, on };
enum class Memory : std::uint8_t { automatic, hugepages, heap };

/// Member initialisers are the defaults.
struct Settings {
  struct Decode {
    decode::Tunnels tunnels = decode::Tunnels::outer;
  } decode;

  struct Flow {
    flow::FlowDirection direction = flow::FlowDirection::uniflow;
    nanoseconds timeout_idle = std::chrono::seconds{15};
    nanoseconds timeout_active = std::chrono::seconds{60};
    nanoseconds timeout_closed = std::chrono::seconds{1};
    flow::TcpClose tcp_close = flow::TcpClose::on;
    std::uint64_t capacity = 1u << 20;
    flow::FragmentTracking fragments = flow::FragmentTracking::track;
    std::vector<std::string> key;  ///< empty: the usual one
    std::uint16_t payload_octets = 0;
    std::uint64_t hash_key = 0x6b65'7920'6f66'2061;
  } flow;

  struct Export {
    std::vector<std::string> to, out;
    std::uint32_t domain = 1;
    std::uint16_t message_octets = 1400;
    nanoseconds flush = std::chrono::seconds{1};
    nanoseconds template_refresh = std::chrono::seconds{60};
    std::uint64_t template_refresh_messages = 1000;
    nanoseconds statistics = std::chrono::seconds{60};
    nanoseconds wait_max = std::chrono::seconds{300};
    std::uint64_t backlog_octets = 64u << 20;
    nanoseconds rotate{0};
    ExportClock clock = ExportClock::automatic;
    std::uint32_t egress_interface = 0;
    flow::IcmpInPorts icmp_in_ports = flow::IcmpInPorts::off;
    std::vector<std::string> templates, elements;
    std::uint32_t enterprise_number = enterprise::own;
    Switch type_information = Switch::on, common_properties = Switch::off;
    struct Udp {
      std::uint64_t rate = 0;  ///< messages a second; 0 is unlimited
    } udp;
    struct Tcp {
      nanoseconds retry_min = std::chrono::seconds{60};
    } tcp;
  } exporter;  ///< "export." in files; the word belongs to the language

  struct Sampling {
    capture::SamplingOptions select{};
    std::uint64_t seed = 0x7361'6d70'6c69'6e67;
  } sampling;

  struct Replay {
    std::uint32_t workers = 1;
    std::string filter;
  } replay;

  struct Live {
    std::vector<std::string> ports, eal;
    std::uint32_t workers = 0;  ///< 0: as many as there are CPUs for
    std::string worker_cpus = "auto", exporter_cpu = "auto", control_cpu = "auto";
    Rss rss = Rss::addresses;
    nanoseconds rebalance{0};       ///< 0: never
    std::uint16_t descriptors = 0;  ///< 0: by the link's speed
    std::uint32_t buffers = 0;      ///< 0: as many as are needed
    std::uint16_t mtu = 9000;
    Promiscuous promiscuous = Promiscuous::on;
    Memory memory = Memory::automatic;
    nanoseconds pause_max = std::chrono::milliseconds{1};
    std::uint32_t ring_records = 65'536;
    std::string filter;
    std::string control = "/run/weir/weir.sock";  ///< empty: none
    std::string user, group;
    std::vector<std::string> capabilities;
  } live;
};

/// Where a setting lies in Settings. Its type decides how text is read: nanoseconds are seconds with decimals.
template <class T>
using Member = T& (*)(Settings&);
using AnyMember = std::variant<Member<nanoseconds>, Member<std::uint64_t>, Member<std::uint32_t>, Member<std::uint16_t>,
                               Member<flow::FlowDirection>, Member<flow::TcpClose>, Member<flow::IcmpInPorts>,
                               Member<decode::Tunnels>, Member<flow::FragmentTracking>, Member<ExportClock>,
                               Member<Rss>, Member<Promiscuous>, Member<Memory>, Member<Switch>,
                               Member<capture::SamplingMethod>, Member<std::string>, Member<std::vector<std::string>>>;

/// One row of the table that parser, --help, range check and the test of conf/weir.yaml read.
struct Setting {
  std::string_view name;
  AnyMember member;
  std::uint64_t low = 0, high = 0;  ///< of numbers, in units of `unit`
  std::string_view unit{};
  std::string_view help{};
  std::string_view words{};  ///< of choices: in the order of the enum, with '|' between them
};

std::span<const Setting> setting_table() noexcept;

/// "0..315360000 s", "uniflow or biflow", "text", "list".
std::string range_of(const Setting& setting);

/// The value as it would be written into a file; lists have ", " between their items.
std::string value_of(const Setting& setting, const Settings& settings);

/// Defaults, then the file, then `assignments` ("name=value", the last of a name wins; those of a list replace the
/// file's and add up). Throws StartError.
Settings read_settings(const std::optional<std::string>& file, std::span<const std::string> assignments);

/// The same with the file's text at hand.
Settings settings_from(std::string_view text, const std::string& file_name, std::span<const std::string> assignments);

/// Every setting, what it means, its range and default: for --help.
std::string settings_help();

}  // namespace weir::app
