// SPDX-License-Identifier: BSD-3-Clause
// Which of the live flows somebody wants to see: a filter in words, and how many of the largest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <weir/headers.hpp>
#include <weir/record.hpp>

namespace weir::app {

/// All that is said must hold. An address prefix and a port may be on either side of the flow.
struct FlowQuery {
  enum class By : std::uint8_t { octets, packets };
  struct Prefix {
    IpVersion version = IpVersion::v4;
    std::uint8_t bits = 0;
    std::array<std::byte, 16> address{};
  };
  static constexpr std::size_t top_max = 1000, conditions_max = 32;

  std::vector<Prefix> prefixes{};
  std::vector<std::uint16_t> ports{};
  std::optional<std::uint16_t> vlan{};
  std::optional<std::uint8_t> protocol{};
  std::optional<IpVersion> version{};
  std::size_t top = 20;
  By by = By::octets;
};

/// `host ADDRESS`, `net ADDRESS/BITS`, `port N`, `proto NAME` or its number, `version 4`, `vlan N`, one after another,
/// into `query`. Returns what is wrong with the text, in one line; empty where nothing is.
std::string read_flow_filter(std::string_view text, FlowQuery& query);

inline constexpr std::string_view flow_filter_help =
    "host ADDRESS, net ADDRESS/BITS, port N, proto NAME|N, version 4|6, vlan N; all of them must hold, addresses and "
    "ports on either side";

/// The filter joined to where the records of one layout keep what it asks for.
class FlowFilter {
 public:
  FlowFilter(const FlowQuery& query, const RecordLayout& layout);
  bool matches(const std::byte* record) const noexcept;

 private:
  FlowQuery query_;
  IpVersion version_ = IpVersion::v4;
  std::array<std::uint16_t, 2> addresses_{}, ports_{};  ///< offsets: source, destination
  std::uint16_t vlan_ = 0, protocol_ = 0;
};

}  // namespace weir::app
