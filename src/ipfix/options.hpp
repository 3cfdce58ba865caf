// SPDX-License-Identifier: BSD-3-Clause
// What weir tells of itself in options records (RFC 7011 §4, RFC 5476 §6.5): how each is announced, and its values.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "ipfix/selection.hpp"

namespace weir::ipfix {

/// All workers together are one Metering Process, and there is one Exporting Process. Constants, so that a file is the
/// same in every run.
inline constexpr std::uint32_t metering_process = 1, exporting_process = 1;

/// What the meter did not meter, over the whole run.
struct MeteringTotals {
  std::uint64_t ignored_packets = 0, ignored_octets = 0;
  Instant ignored_first = no_stamp, ignored_last = no_stamp;  ///< no_stamp: none was ignored
};

// Records of options as they lie in memory. The tables in options.cpp say how they are announced and sent.

/// RFC 7011 §4.1.
struct MeteringStatistics {
  std::uint32_t domain = 0, process = metering_process;
  std::uint64_t messages = 0, flows = 0, octets = 0;
};
/// RFC 7011 §4.2 and, with another scope, §4.3. While there were none, first and last are the time of the report.
struct MeteringReliability {
  std::uint32_t domain = 0, process = metering_process;
  std::uint64_t packets = 0, octets = 0, first_ms = 0, last_ms = 0;
};
struct ExportingReliability {
  std::uint64_t flows = 0, packets = 0, octets = 0, first_ms = 0, last_ms = 0;
  std::uint32_t process = exporting_process, unused = 0;
};
/// RFC 7011 §4.4.
struct FlowKeys {
  std::uint64_t indicator = 0;
  std::uint16_t template_id = 0;
  std::array<std::uint16_t, 3> unused{};
};

/// Packets that a port did not deliver for one cause, since the start. Live only. The scope is the port, as records
/// number it, and the cause. The registry has no element for a cause in words; selectorName (335) names within a
/// process what sets some packets apart, collectors use it nowhere else, and it needs no enterprise number.
struct PortLosses {
  static constexpr std::size_t cause_octets_max = 32;
  std::uint64_t packets = 0;
  std::uint32_t interface = 0;
  std::string_view cause;  ///< a constant, well-formed and no longer than this
};
/// ingressInterface, selectorName with its length octet, droppedPacketTotalCount.
inline constexpr std::size_t port_losses_record_max = 4 + 1 + PortLosses::cause_octets_max + 8;

/// Name of an interface, bounded and well-formed UTF-8 without control characters.
class InterfaceName {
 public:
  static constexpr std::size_t octets_max = 64;

  /// Ill-formed octets (RFC 7011 §6.1.6) and control characters become '?'. Without a name, `number` is the name.
  InterfaceName(std::uint32_t number, std::string_view name) noexcept;

  std::uint32_t number() const noexcept { return number_; }
  std::string_view text() const noexcept { return {text_.data(), octets_}; }

 private:
  std::uint32_t number_;
  std::uint8_t octets_ = 0;
  std::array<char, octets_max> text_{};
};
/// ingressInterface, and interfaceName with its length octet.
inline constexpr std::size_t interface_name_record_max = 4 + 1 + InterfaceName::octets_max;

/// Interface names that are announced; room for them is taken at start, those beyond it go by number.
class InterfaceNames {
 public:
  static constexpr std::size_t names_max = 1024;
  InterfaceNames() { names_.reserve(names_max); }

  /// The first name of a number stays.
  void add(std::uint32_t number, std::string_view name) noexcept;
  std::span<const InterfaceName> all() const noexcept { return names_; }
  /// nullptr if it has none. Numbers that come in order are found at once.
  const InterfaceName* find(std::uint32_t number) const noexcept {
    if (number > 0 && number <= names_.size() && names_[number - 1].number() == number) return &names_[number - 1];
    const auto at = std::ranges::find(names_, number, &InterfaceName::number);
    return at == names_.end() ? nullptr : &*at;
  }

 private:
  std::vector<InterfaceName> names_;
};

/// What options records tell to all collectors alike.
struct Surroundings {
  InterfaceNames interfaces{};
  MeteringTotals metering{};
  Selection selection{};
  std::vector<PortLosses> port_losses{};  ///< a live probe's; room for them is taken at start
};

/// Those of selection are announced only where packets are sampled, port_losses only live, type_information only where
/// templates have elements that are not IANA's.
enum class Option : std::uint8_t {
  metering_statistics,
  metering_reliability,
  exporting_reliability,
  flow_keys,
  selector_systematic,
  interface_name,
  selection_sequence,
  selection_statistics,
  selector_random,
  selector_hash,
  port_losses,
  type_information
};
inline constexpr std::size_t options_count = 12;

constexpr Option option_of(const SystematicSelector&) noexcept { return Option::selector_systematic; }
constexpr Option option_of(const RandomSelector&) noexcept { return Option::selector_random; }
constexpr Option option_of(const HashSelector&) noexcept { return Option::selector_hash; }

/// How the records of one option are announced: scope first.
struct OptionShape {
  std::span<const Field> fields;
  std::uint16_t scopes;
  std::size_t stored_octets;  ///< of the record in memory; 0 where it is written by hand (a name has no fixed length)
};
OptionShape shape_of(Option option) noexcept;

/// `text` cut to at most `octets`, between characters; what is no character is replaced octet by octet. Returns the
/// octets written to `out`.
std::size_t put_well_formed(std::string_view text, std::span<char> out) noexcept;

}  // namespace weir::ipfix
