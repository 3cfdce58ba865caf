// SPDX-License-Identifier: BSD-3-Clause
// Makes a capture to measure with: one minute of Ethernet, nine flows of ten IPv4 and one IPv6, nine of ten TCP and one
// UDP, packets in both directions, TCP begun by SYN and ended by a FIN from each end. Transport checksums are 0. UDP
// goes to port 443, not 53, for there are meters that make a record of each packet of DNS.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "support/packet_builder.hpp"

namespace {

using weir::test::frames::Frame, weir::test::frames::tcp, weir::test::frames::udp;

struct Wanted {
  std::string file;
  std::uint32_t packets = 10'000'000, flows = 100'000;
  std::vector<std::size_t> frame{64};
  double skew = 0;
  std::uint32_t kept = 65535;
  std::uint64_t seed = 1;
};

/// Flow number n, counted from 0, is drawn with a probability in proportion to 1 / (n + 1)^skew.
class Population {
 public:
  explicit Population(const Wanted& wanted) : random_{wanted.seed}, sums_(wanted.flows) {
    double sum = 0;
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] = sum += std::pow(static_cast<double>(i + 1), -wanted.skew);
  }
  std::size_t draw() {
    const auto at = static_cast<double>(random_() >> 11) * 0x1p-53 * sums_.back();
    return std::min<std::size_t>(std::ranges::upper_bound(sums_, at) - sums_.begin(), sums_.size() - 1);
  }

 private:
  std::mt19937_64 random_;
  std::vector<double> sums_;
};

struct Flow {
  std::uint32_t packets = 0, sent = 0;
};

/// The next packet of flow `number`. Odd factors spread the addresses and keep those of two clients apart.
Frame next_packet(std::size_t number, const Flow& flow, bool reply) {
  const auto spread = (number + 1) * 0x9e3779b97f4a7c15u, more = (spread ^ spread >> 31) * 0xd6e8feb86659fd93u;
  const auto address = [v6 = (more >> 44) % 10 == 0](std::uint64_t n) {
    if (v6) return fmt::format("[2001:db8::{:x}:{:x}]", n >> 16 & 0xffff, n & 0xffff);
    return fmt::format("{}.{}.{}.{}", n >> 24 & 0xff, n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff);
  };
  const auto client = fmt::format("{}:{}", address((number + 1) * 0x9e3779b1u), (more & 0xffff) | 1024);
  const auto server = fmt::format("{}:443", address(more >> 16));
  const auto ends = reply ? server + " > " + client : client + " > " + server;
  if ((more >> 52) % 10 == 0) return udp(ends);
  if (flow.sent == 0) return tcp(ends).syn();
  return flow.sent + 2 < flow.packets ? tcp(ends).ack() : tcp(ends).ack().fin();
}

void write_record(std::FILE* file, std::uint64_t microseconds, const std::vector<std::byte>& frame, std::size_t kept) {
  constexpr std::uint64_t begin = 1'700'000'000, million = 1'000'000;
  const std::uint64_t numbers[] = {begin + microseconds / million, microseconds % million, kept, frame.size()};
  std::array<std::uint32_t, 4> header{};
  std::ranges::transform(numbers, header.begin(), [](auto number) { return static_cast<std::uint32_t>(number); });
  std::fwrite(header.data(), sizeof header, 1, file);
  std::fwrite(frame.data(), kept, 1, file);
}

void write_capture(std::FILE* file, const Wanted& wanted) {
  constexpr std::uint64_t minute = 60'000'000;  // microseconds
  std::vector<Flow> flows(wanted.flows);
  Population counted{wanted}, written{wanted};
  for (std::uint32_t i = 0; i < wanted.packets; ++i) ++flows[counted.draw()].packets;

  const std::uint32_t header[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, wanted.kept, 1};  // version 2.4, Ethernet
  std::fwrite(header, sizeof header, 1, file);
  std::mt19937_64 random{~wanted.seed};
  for (std::uint32_t i = 0; i < wanted.packets; ++i) {
    const auto number = written.draw();
    auto& flow = flows[number];
    const auto left = flow.packets - flow.sent;
    const bool reply = flow.sent > 0 && (left == 1 || (left > 2 && random() % 2));  // of two FIN, the second
    const auto packet = next_packet(number, flow, reply);
    const auto octets = wanted.frame[random() % wanted.frame.size()], headers = packet.bytes().size();
    const auto frame = packet.payload(std::max(octets, headers) - headers).bytes();
    write_record(file, minute * i / wanted.packets, frame, std::min<std::size_t>(frame.size(), wanted.kept));
    ++flow.sent;
  }
  const auto met = std::ranges::count_if(flows, [](const Flow& each) { return each.sent > 0; });
  fmt::print("{}: {} packets of {} flows\n", wanted.file, wanted.packets, met);
}

}  // namespace

int main(int argc, char** argv) {
  Wanted wanted;
  CLI::App app{"Makes a capture to measure with. The same options make the same octets."};
  app.add_option("file", wanted.file, "the capture (pcap)")->required();
  app.add_option("--packets", wanted.packets)->check(CLI::Range(1u, 4'000'000'000u))->capture_default_str();
  app.add_option("--flows", wanted.flows)->check(CLI::Range(1u, 100'000'000u))->capture_default_str();
  app.add_option("--frame", wanted.frame, "octets; of a list each packet draws one")
      ->delimiter(',')
      ->check(CLI::Range(1, 9000));
  app.add_option("--skew", wanted.skew, "0: all flows alike; 1.1: few have most packets")->check(CLI::Range(0.0, 4.0));
  app.add_option("--kept", wanted.kept, "octets kept of a frame")->check(CLI::Range(1u, 65535u))->capture_default_str();
  app.add_option("--seed", wanted.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  auto* file = std::fopen(wanted.file.c_str(), "wb");
  if (file) write_capture(file, wanted);
  if (file && std::ferror(file) == 0 && std::fclose(file) == 0) return 0;
  std::perror(wanted.file.c_str());
  return 1;
}
