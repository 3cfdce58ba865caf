// SPDX-License-Identifier: BSD-3-Clause
#include "capture/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>

namespace weir::capture {
namespace {

constexpr std::size_t ethernet = 14, ipv4 = 20, ipv6 = 40, tcp = 20, udp = 8;
constexpr Instant begin{std::chrono::seconds{1'700'000'000}};

/// IMIX: so many of twelve frames have each size.
struct ImixPart {
  unsigned of_twelve;
  std::size_t octets;
};
constexpr std::array imix_parts{ImixPart{7, 64}, ImixPart{4, 594}, ImixPart{1, 1518}};
constexpr unsigned imix_frames = 12;

/// A bijection of 31 bits, so that no two flows have one address; its inverse finds the flow.
constexpr std::uint32_t low_31 = 0x7fff'ffff, spread = 0x1e37'79b1, server_bit = 0x8000'0000;
constexpr std::uint32_t inverse_of(std::uint32_t odd) noexcept {
  std::uint32_t inverse = odd;  // right in the lowest three bits; each step doubles them
  for (int step = 0; step < 4; ++step) inverse *= 2 - odd * inverse;
  return inverse;
}
static_assert(((spread * inverse_of(spread)) & low_31) == 1);

/// What is the same in all packets of a flow, from 64 bits of its own.
struct Nature {
  bool is_v6, is_udp, is_answered;
  std::uint16_t client_port, server_port;
};

Nature nature_of(std::uint32_t flow, const SyntheticOptions& options) noexcept {
  auto state = flow ^ options.seed << 32;
  const auto word = next_word(state), another = next_word(state);
  return {.is_v6 = static_cast<double>(word >> 32) * 0x1p-32 < options.ipv6_share,
          .is_udp = options.kind == TrafficKind::mixed && (word & 0xffff) % 10 == 0,
          .is_answered = static_cast<double>(another >> 32) * 0x1p-32 < options.answered_share,
          .client_port = static_cast<std::uint16_t>(1024 | word >> 16),
          .server_port = 443};  // not 53: there are meters that make a record of each packet of DNS
}

void store(std::byte* at, std::uint64_t number, std::size_t octets) noexcept {
  for (std::size_t i = 0; i < octets; ++i) at[i] = static_cast<std::byte>(number >> 8 * (octets - 1 - i));
}

void put_address_v6(std::byte* at, std::uint32_t address) noexcept {
  store(at, 0x2001'0db8, 4);  // RFC 3849
  store(at + 12, address, 4);
}

}  // namespace

double mean_octets(FrameSizes sizes) noexcept {
  if (sizes == FrameSizes::octets_64) return 64;
  if (sizes == FrameSizes::octets_1518) return 1518;
  double sum = 0;
  for (const auto& part : imix_parts) sum += static_cast<double>(part.of_twelve * part.octets);
  return sum / imix_frames;
}

PopularityDraw::PopularityDraw(Popularity popularity, double skew, std::uint64_t count) noexcept
    : popularity_{popularity}, skew_{skew}, count_{count} {
  if (popularity == Popularity::uniform) return;
  first_ = integral(1.5) - 1;
  last_ = integral(static_cast<double>(count) + 0.5);
  squeeze_ = 2 - integral_inverse(integral(2.5) - density(2));
}

double PopularityDraw::density(double x) const noexcept { return std::exp(-skew_ * std::log(x)); }

/// Of density(), from 1 on: (x^(1 - skew) - 1) / (1 - skew), and log x where the skew is 1.
double PopularityDraw::integral(double x) const noexcept {
  const auto exponent = (1 - skew_) * std::log(x);
  return std::abs(exponent) < 1e-9 ? std::log(x) : std::expm1(exponent) / (1 - skew_);
}

double PopularityDraw::integral_inverse(double x) const noexcept {
  const auto part = std::max(x * (1 - skew_), -1.0);
  return std::abs(part) < 1e-9 ? std::exp(x) : std::exp(std::log1p(part) / (1 - skew_));
}

std::uint64_t PopularityDraw::operator()(Random& random) const noexcept {
  if (popularity_ == Popularity::uniform) return random.below(count_);
  for (;;) {
    const auto u = last_ + random.unit() * (first_ - last_);
    const auto x = integral_inverse(u);
    const auto k = std::clamp(std::round(x), 1.0, static_cast<double>(count_));
    if (k - x <= squeeze_ || u >= integral(k + 0.5) - density(k)) return static_cast<std::uint64_t>(k) - 1;
  }
}

SyntheticTraffic::SyntheticTraffic(const SyntheticOptions& options)
    : options_{options},
      random_{options.seed},
      draw_{options.popularity, options.skew, options.flows},
      address_offset_{static_cast<std::uint32_t>(random_.word()) & low_31},
      next_flow_{options.flows},
      frames_{options.packets * slots_max * slot_octets} {
  descriptors_.reserve(options.packets);
  if (options.new_share == 0) return;
  alive_.resize(options.flows);
  for (std::size_t i = 0; i < alive_.size(); ++i) alive_[i] = static_cast<std::uint32_t>(i);
}

bool SyntheticTraffic::introduce() noexcept {
  clear();
  for (; introduced_ < options_.flows && descriptors_.size() < options_.packets; ++introduced_)
    put(static_cast<std::uint32_t>(introduced_), Step::begin);
  return !descriptors_.empty();
}

void SyntheticTraffic::make() noexcept {
  clear();
  while (descriptors_.size() < options_.packets) {
    const auto place = draw_(random_);
    if (options_.new_share > 0 && random_.unit() < options_.new_share) {
      // Numbers go round in the end; a flow of that number has been silent for a thousand million packets.
      alive_[place] = static_cast<std::uint32_t>(next_flow_++ % SyntheticOptions::flows_max);
      put(alive_[place], Step::begin);
    } else {
      const auto flow = alive_.empty() ? static_cast<std::uint32_t>(place) : alive_[place];
      put(flow, random_.unit() < 0.5 ? Step::reply_if_answered : Step::forward);
    }
  }
}

void SyntheticTraffic::clear() noexcept {
  descriptors_.clear();
  next_slot_ = next_received_ = 0;
}

std::size_t SyntheticTraffic::frame_size() noexcept {
  switch (options_.sizes) {
    case FrameSizes::octets_64: return 64 - frame_check_octets;
    case FrameSizes::octets_1518: return 1518 - frame_check_octets;
    case FrameSizes::imix: break;
  }
  auto which = random_.below(imix_frames);
  std::size_t part = 0;
  for (; which >= imix_parts[part].of_twelve; ++part) which -= imix_parts[part].of_twelve;
  return imix_parts[part].octets - frame_check_octets;
}

std::uint32_t SyntheticTraffic::client_of(std::uint32_t flow) const noexcept {
  return (flow * spread + address_offset_) & low_31;
}

std::uint32_t SyntheticTraffic::server_of(std::uint32_t flow) const noexcept { return client_of(flow) | server_bit; }

std::uint32_t SyntheticTraffic::flow_of(std::uint32_t address) const noexcept {
  return ((address & low_31) - address_offset_) * inverse_of(spread) & low_31;
}

/// Ethernet, IP, TCP or UDP; checksums are 0, for no meter looks at them. Only the headers lie in memory, as in a
/// capture that is cut behind them: nobody reads more, and so more of them fit.
void SyntheticTraffic::put(std::uint32_t flow, Step step) noexcept {
  const auto nature = nature_of(flow, options_);
  const auto transport = nature.is_udp ? udp : tcp;
  const auto ip = nature.is_v6 ? ipv6 : ipv4;
  const auto frame = std::max(frame_size(), ethernet + ip + transport);
  const auto kept = std::min(frame, std::max(slot_octets - frame_check_octets, ethernet + ip + transport));
  const auto slots = (kept + slot_octets - 1) / slot_octets;

  auto* at = frames_.data() + next_slot_ * slot_octets;
  descriptors_.push_back(
      {static_cast<std::uint32_t>(next_slot_), static_cast<std::uint16_t>(kept), static_cast<std::uint16_t>(frame)});
  next_slot_ += slots;
  std::memset(at, 0, slots * slot_octets);

  const bool is_reply = step == Step::reply_if_answered && nature.is_answered;
  const auto source = is_reply ? server_of(flow) : client_of(flow);
  const auto destination = is_reply ? client_of(flow) : server_of(flow);
  const auto ip_octets = frame - ethernet;
  store(at, 0x0200'0000'0001, 6);
  store(at + 6, 0x0200'0000'0002, 6);
  store(at + 12, nature.is_v6 ? 0x86dd : 0x0800, 2);
  at += ethernet;
  if (nature.is_v6) {
    store(at, 0x6000'0000, 4);
    store(at + 4, ip_octets - ipv6, 2);
    store(at + 6, nature.is_udp ? protocol::udp : protocol::tcp, 1);
    store(at + 7, 64, 1);
    put_address_v6(at + 8, source);
    put_address_v6(at + 24, destination);
  } else {
    store(at, 0x4500, 2);
    store(at + 2, ip_octets, 2);
    store(at + 8, 64, 1);
    store(at + 9, nature.is_udp ? protocol::udp : protocol::tcp, 1);
    store(at + 12, source, 4);
    store(at + 16, destination, 4);
  }
  at += ip;
  store(at, is_reply ? nature.server_port : nature.client_port, 2);
  store(at + 2, is_reply ? nature.client_port : nature.server_port, 2);
  if (nature.is_udp) {
    store(at + 4, ip_octets - ip, 2);
  } else {
    const bool is_syn = step == Step::begin || options_.kind == TrafficKind::syn_flood;
    store(at + 12, 0x5000 | (is_syn ? tcp_flag::syn : 0x10), 2);
  }
  wire_octets_ += frame + frame_check_octets;
  sums_.add(flow, 1, ip_octets);
  seen_.add(flow);
}

std::span<Packet> SyntheticTraffic::receive() noexcept {
  const auto count = std::min(received_max, descriptors_.size() - next_received_);
  const nanoseconds since{static_cast<std::int64_t>(static_cast<double>(sent_) / options_.packets_per_second * 1e9)};
  const auto now = begin + since;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& descriptor = descriptors_[next_received_ + i];
    const auto* at = frames_.data() + std::size_t{descriptor.slot} * slot_octets;
    // Field by field: GCC makes a whole one elsewhere, and copies it before its parts have arrived there.
    auto& packet = packets_[i];
    packet.bytes = at;
    packet.captured = descriptor.captured;
    packet.wire = descriptor.wire;
    packet.stamp = packet.clock = now;
    packet.interface = 0;
    packet.link = Link::ethernet;
    packet.selection = Selection::selected;
    packet.notes = 0;
  }
  next_received_ += count;
  sent_ += count;
  return {packets_.data(), count};
}

}  // namespace weir::capture
