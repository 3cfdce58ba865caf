// SPDX-License-Identifier: BSD-3-Clause
#include "capture/select.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include "base/error.hpp"
#include "capture/slice.hpp"

namespace weir::capture {

namespace {

/// libpcap's number for a link type. Mostly it is the LINKTYPE of files, but not where systems disagree on theirs.
int dlt(Link link) noexcept {
  switch (link) {
    case Link::ethernet: return DLT_EN10MB;
    case Link::null: return DLT_NULL;
    case Link::raw: return DLT_RAW;
    case Link::loop: return DLT_LOOP;
    case Link::sll: return DLT_LINUX_SLL;
    case Link::ipv4: return DLT_IPV4;
    case Link::ipv6: return DLT_IPV6;
    case Link::sll2: return DLT_LINUX_SLL2;
    case Link::ppp: return DLT_PPP;
    case Link::ppp_hdlc: return DLT_PPP_SERIAL;
    case Link::ppp_ether: return DLT_PPP_ETHER;
    case Link::atm_rfc1483: return DLT_ATM_RFC1483;
    case Link::c_hdlc: return DLT_C_HDLC;
    case Link::ieee802_11: return DLT_IEEE802_11;
    case Link::frelay: return DLT_FRELAY;
    case Link::ieee802_11_radiotap: return DLT_IEEE802_11_RADIO;
    case Link::ppi: return DLT_PPI;
    case Link::mpls: return DLT_MPLS;
    case Link::unsupported: break;
  }
  return -1;
}

struct ClosePcap {
  void operator()(pcap_t* pcap) const noexcept { pcap_close(pcap); }
};

/// AF_INET6 as Linux, NetBSD and OpenBSD, FreeBSD and macOS number it.
constexpr bool is_family_ipv6(std::uint32_t family) noexcept {
  return family == 10 || family == 24 || family == 28 || family == 30;
}
constexpr bool is_family_ipv4(std::uint32_t family) noexcept { return family == 2; }

}  // namespace

struct Selector::Program {
  bpf_program code{};
  Program() = default;
  ~Program() { pcap_freecode(&code); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
};

Selector::Selector(const std::string& filter) : filter_{filter} {
  if (!active()) return;
  for (std::size_t i = 0; i < link_count; ++i) {
    const auto link = static_cast<Link>(i);
    if (link == Link::unsupported) continue;
    const std::unique_ptr<pcap_t, ClosePcap> pcap{pcap_open_dead(dlt(link), captured_max)};
    if (!pcap) throw StartError{"--filter: libpcap has no memory to compile it"};
    auto program = std::make_unique<Program>();
    if (pcap_compile(pcap.get(), &program->code, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0)
      programs_[i] = std::move(program);
    else refusals_[i] = pcap_geterr(pcap.get());
  }
  if (!refusal(Link::ethernet).empty() && !refusal(Link::raw).empty())
    throw StartError{fmt::format("--filter '{}': {}; pcap-filter(7) has the syntax", filter, refusal(Link::ethernet))};
}

Selector::~Selector() = default;

bool Selector::selects(const Packet& packet) const noexcept {
  if (!active() || packet.link == Link::unsupported) return true;
  const auto& program = programs_[static_cast<std::size_t>(packet.link)];
  if (!program) return false;
  const auto* octets = reinterpret_cast<const unsigned char*>(packet.bytes);
  return bpf_filter(program->code.bf_insns, octets, packet.wire, packet.captured) != 0;
}

void Selector::select(std::span<Packet> packets) const noexcept {
  if (!active()) return;
  for (auto& packet : packets)
    if (packet.selection == Selection::selected && !selects(packet)) packet.selection = Selection::filtered;
}

void write_family_as_this_host(Link link, std::span<std::byte> packet) noexcept {
  if (packet.size() < sizeof(std::uint32_t)) return;
  const auto big = load_be<std::uint32_t>(packet.data()), little = load_le<std::uint32_t>(packet.data());
  const bool ipv4 = is_family_ipv4(big) || is_family_ipv4(little);
  const bool ipv6 = is_family_ipv6(big) || is_family_ipv6(little);
  if (!ipv4 && !ipv6) return;
  const std::uint32_t family = ipv4 ? AF_INET : AF_INET6;
  link == Link::loop ? store_be(packet.data(), family) : store_native(packet.data(), family);
}

std::string link_name(std::uint32_t link_number) {
  switch (link_from_number(link_number)) {
#define X(name, number, text) \
  case Link::name: return text;
    WEIR_LINKS(X)
#undef X
    case Link::unsupported: break;
  }
  const char* name = pcap_datalink_val_to_name(static_cast<int>(link_number));
  return name ? name : "";
}

}  // namespace weir::capture
