// SPDX-License-Identifier: BSD-3-Clause
// What does it cost to read a packet of a capture, by the capture's format? The file is in the kernel's memory; nothing
// is done with the packets but to count them. Each format's packets are checked: their number, octets and stamps.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "capture/input.hpp"
#include "capture/make_capture.hpp"

namespace {

using namespace weir;
using capture::test::Octets;

constexpr std::uint32_t packets = 200'000;
constexpr std::size_t frame = 64;

enum class Format { pcap, pcapng, pcap_gzip };

Octets capture_of(Format format) {
  if (format == Format::pcapng) {
    capture::test::Pcapng file;
    file.interface(1);
    for (std::uint32_t i = 0; i < packets; ++i)
      file.packet(0, std::uint64_t{i} * 1'000'000, capture::test::payload(frame, i));
    return file.octets();
  }
  capture::test::Pcap file;
  for (std::uint32_t i = 0; i < packets; ++i) file.packet(i, 0, capture::test::payload(frame, i));
  return format == Format::pcap ? file.octets() : capture::test::gzip(file.octets());
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const Octets& octets) {
    auto* file = ::fdopen(::mkstemp(name_.data()), "w");
    if (!file || std::fwrite(octets.data(), 1, octets.size(), file) != octets.size() || std::fclose(file) != 0)
      std::abort();
  }
  ~TemporaryFile() { std::remove(name_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& name() const { return name_; }

 private:
  std::string name_ = "/tmp/capture_reading_XXXXXX";
};

struct Seen {
  std::uint64_t packets = 0, octets = 0, seconds = 0, first_octets = 0;
  friend bool operator==(const Seen&, const Seen&) = default;
};

template <class Look>
void read_all(const std::string& name, Look look) {
  capture::Input input{std::vector<std::string>{name}, {}};
  static capture::Slice slice;
  while (input.next(slice))
    for (const auto& packet : std::as_const(slice).packets()) look(packet);
}

bool is_right(const std::string& name) {
  Seen seen, wanted;
  read_all(name, [&](const Packet& packet) {
    seen.packets += 1;
    seen.octets += packet.captured;
    seen.seconds += static_cast<std::uint64_t>(packet.stamp.time_since_epoch().count()) / 1'000'000'000;
    seen.first_octets += std::to_integer<std::uint64_t>(packet.bytes[0]);
  });
  for (std::uint32_t i = 0; i < packets; ++i) {
    wanted.seconds += i;
    wanted.first_octets += std::to_integer<std::uint64_t>(capture::test::payload(1, i)[0]);
  }
  wanted.packets = packets;
  wanted.octets = packets * frame;
  return seen == wanted;
}

void capture_reading(benchmark::State& state, Format format) {
  const TemporaryFile file{capture_of(format)};
  if (!is_right(file.name())) return state.SkipWithError("wrong answer");  // it has no speed
  for (auto _ : state) {
    std::uint64_t count = 0;
    read_all(file.name(), [&count](const Packet&) { ++count; });
    benchmark::DoNotOptimize(count);
  }
  state.SetItemsProcessed(state.iterations() * packets);
}

BENCHMARK_CAPTURE(capture_reading, pcap, Format::pcap);
BENCHMARK_CAPTURE(capture_reading, pcapng, Format::pcapng);
BENCHMARK_CAPTURE(capture_reading, pcap_gzip, Format::pcap_gzip);

}  // namespace

BENCHMARK_MAIN();
