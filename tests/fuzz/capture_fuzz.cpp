// SPDX-License-Identifier: BSD-3-Clause
// Any octets are captures or lines that say why not. However they are read, they are the same packets.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "capture/input.hpp"

namespace {

using namespace weir;
using namespace weir::capture;

/// What came out, short enough to be compared.
struct Summary {
  std::vector<std::size_t> slices;
  std::uint64_t packets = 0, mix = 0;
  std::vector<std::string> lines;
  friend bool operator==(const Summary&, const Summary&) = default;

  void add(std::uint64_t value) { mix = (mix ^ value) * 0x9e37'79b9'7f4a'7c15u + (mix >> 29); }
};

bool is_one_line(std::string_view text) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  return !text.empty() && std::none_of(text.begin(), text.end(), is_control);
}

void check(const Packet& packet, Instant clock_before, std::size_t interfaces) {
  WEIR_ASSERT(packet.captured <= packet.wire);
  WEIR_ASSERT(packet.captured <= captured_max);
  WEIR_ASSERT(packet.clock >= clock_before);
  WEIR_ASSERT(packet.stamp >= Instant{} && packet.stamp <= packet.clock && packet.clock <= stamp_latest);
  WEIR_ASSERT(packet.interface < interfaces);
}

/// Touches every captured octet: the sanitizer sees whether all are in the slice's buffer, and whether they were
/// written.
void add(Summary& summary, const Packet& packet) {
  ++summary.packets;
  for (const auto octet : packet.captured_bytes()) summary.add(static_cast<std::uint64_t>(octet));
  summary.add(packet.wire);
  summary.add(static_cast<std::uint64_t>(packet.stamp.time_since_epoch().count()));
  summary.add(packet.interface * 0x10000u + packet.notes);
  summary.add(packet.selection == weir::Selection::selected);
}

std::vector<Source> split(const std::uint8_t* data, std::size_t size, std::size_t at, std::size_t read_max) {
  const auto* octets = reinterpret_cast<const std::byte*>(data);
  std::vector<Source> sources(2);
  sources[0].head = {octets, octets + at};
  sources[1].head = {octets + at, octets + size};
  for (auto& source : sources) {
    source.name = "fuzz";
    source.read_max = read_max;
  }
  return sources;
}

Summary read(std::vector<Source> sources, const std::string& filter) {
  Input input{std::move(sources), {.filter = filter}};
  Summary summary;
  static Slice slice;
  Instant clock{};
  bool ended = false;
  while (input.next(slice)) {
    input.selector().select(slice.packets());
    std::size_t captured = 0;
    for (const auto& packet : slice.packets()) {
      WEIR_ASSERT(captured < Slice::octets_max);
      check(packet, clock, input.interfaces().size());
      add(summary, packet);
      clock = packet.clock;
      captured += packet.captured;
    }
    WEIR_ASSERT(!ended);  // only the last slice may be less than full
    ended = slice.packets().size() < Slice::packets_max && captured < Slice::octets_max;
    WEIR_ASSERT(!slice.packets().empty());
    summary.slices.push_back(slice.packets().size());
  }
  WEIR_ASSERT(input.problems().size() <= 2);
  for (const auto& problem : input.problems()) summary.lines.push_back(problem.line);
  for (const auto& warning : input.warnings()) summary.lines.push_back(warning);
  for (const auto& line : summary.lines) WEIR_ASSERT(is_one_line(line));
  return summary;
}

}  // namespace

/// The last octet says where one file ends and the next begins, and how much a read gives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t control = data[--size];
  const std::size_t at = control & 0x80u ? size * (control & 0x0fu) / 16 : size;
  const std::string filter = control & 0x40u ? "udp port 53 or greater 100" : "";
  const auto whole = read(split(data, size, at, size + 1), filter);
  const auto in_pieces = read(split(data, size, at, 1 + control % 16 * 5), filter);
  WEIR_ASSERT(whole == in_pieces);
  return 0;
}
