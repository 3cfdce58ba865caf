// SPDX-License-Identifier: BSD-3-Clause
// Which packets are metered at all: a filter in libpcap's syntax.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <weir/packet.hpp>

namespace weir::capture {

/// A filter, compiled for every link type at start. From then on it does not change, so any thread may ask it.
class Selector {
 public:
  /// An empty filter selects all packets. Throws StartError if libpcap cannot read it.
  explicit Selector(const std::string& filter);
  ~Selector();
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;

  bool active() const noexcept { return !filter_.empty(); }
  /// Packets of an interface that weir cannot read are not rejected: they have an outcome of their own.
  bool selects(const Packet& packet) const noexcept;
  /// Marks those packets that are rejected. What sampling left out is not asked.
  void select(std::span<Packet> packets) const noexcept;

  /// Why all packets of this link type are rejected; empty where the filter could be compiled for it.
  const std::string& refusal(Link link) const noexcept { return refusals_[static_cast<std::size_t>(link)]; }
  const std::string& filter() const noexcept { return filter_; }

 private:
  struct Program;  // libpcap's
  static constexpr auto link_count = static_cast<std::size_t>(Link::unsupported) + 1;

  std::string filter_;
  std::array<std::unique_ptr<Program>, link_count> programs_;
  std::array<std::string, link_count> refusals_;
};

/// libpcap's filters know the address families of NULL and LOOP only as this host numbers and orders them.
void write_family_as_this_host(Link link, std::span<std::byte> packet) noexcept;

/// "IEEE802_11", or empty where libpcap does not know the LINKTYPE.
std::string link_name(std::uint32_t link_number);

}  // namespace weir::capture
