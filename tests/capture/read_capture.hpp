// SPDX-License-Identifier: BSD-3-Clause
// Everything that comes out of an Input, kept.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "capture/input.hpp"
#include "make_capture.hpp"

namespace weir::capture::test {

using namespace std::chrono_literals;

struct Read {
  test::Octets bytes;
  std::uint32_t wire;
  nanoseconds stamp, clock;
  std::uint16_t interface, notes;
  Link link;
  bool selected;
  friend bool operator==(const Read&, const Read&) = default;
};

struct AllRead {
  std::vector<Read> packets;
  std::vector<std::size_t> slices;  ///< packets in each
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
  std::vector<Interface> interfaces;

  std::string problem() const { return problems.size() == 1 ? problems[0].line : std::to_string(problems.size()); }
  ExitStatus status() const {
    auto worst = ExitStatus::good;
    for (const auto& one : problems) worst = worse(worst, one.status);
    return worst;
  }
};

inline AllRead read_all(Input& input) {
  AllRead all;
  Slice slice;
  while (input.next(slice)) {
    input.selector().select(slice.packets());
    all.slices.push_back(slice.packets().size());
    for (const auto& packet : slice.packets()) {
      const auto bytes = packet.captured_bytes();
      all.packets.push_back({{bytes.begin(), bytes.end()},
                             packet.wire,
                             packet.stamp.time_since_epoch(),
                             packet.clock.time_since_epoch(),
                             packet.interface,
                             packet.notes,
                             packet.link,
                             packet.selection == Selection::selected});
    }
  }
  all.problems = {input.problems().begin(), input.problems().end()};
  all.warnings = {input.warnings().begin(), input.warnings().end()};
  all.interfaces = {input.interfaces().begin(), input.interfaces().end()};
  return all;
}

inline Source memory(test::Octets octets, std::string name = "memory",
                     std::size_t read_max = std::numeric_limits<std::size_t>::max()) {
  Source source;
  source.name = std::move(name);
  source.head = std::move(octets);
  source.read_max = read_max;
  return source;
}

inline AllRead read_sources(std::vector<Source> sources, const std::string& filter = {}) {
  Input input{std::move(sources), {.filter = filter}};
  return read_all(input);
}

inline AllRead read_files(const std::vector<std::string>& names) {
  Input input{names, {}};
  return read_all(input);
}

inline AllRead read_octets(const test::Octets& octets, const std::string& filter = {}) {
  std::vector<Source> sources;
  sources.push_back(memory(octets));
  return read_sources(std::move(sources), filter);
}

inline AllRead read_octets(const std::vector<test::Octets>& files) {
  std::vector<Source> sources;
  for (const auto& file : files) sources.push_back(memory(file, "file" + std::to_string(sources.size())));
  return read_sources(std::move(sources));
}

inline AllRead read_octet_by_octet(const test::Octets& octets) {
  std::vector<Source> sources;
  sources.push_back(memory(octets, "memory", 1));
  return read_sources(std::move(sources));
}

}  // namespace weir::capture::test
