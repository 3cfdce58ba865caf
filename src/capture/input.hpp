// SPDX-License-Identifier: BSD-3-Clause
// Capture files in, slices of packets out: all files are one stream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/filling.hpp"
#include "capture/format.hpp"
#include "capture/interfaces.hpp"
#include "capture/octets.hpp"
#include "capture/open.hpp"
#include "capture/pcap.hpp"
#include "capture/pcapng.hpp"
#include "capture/select.hpp"
#include "capture/slice.hpp"

namespace weir::capture {

struct InputOptions {
  std::string filter;  ///< in libpcap's syntax; empty selects all packets
};

struct Progress {
  std::uint64_t octets = 0;            ///< read so far, as they lie in the files
  std::optional<std::uint64_t> total;  ///< of all files; unknown where one is a pipe
};

class Input {
 public:
  /// Opens and judges all captures; "-" is standard input. What is wrong with some of them is a Problem each.
  /// Throws StartError if the filter cannot be compiled.
  Input(const std::vector<std::string>& names, const InputOptions& options);
  Input(std::vector<Source> sources, const InputOptions& options);

  /// Fills the slice; false if there was nothing left. One thread at a time, in the order of the slices. The filter is
  /// not run: `selector().select(slice.packets())` may be called by any thread.
  bool next(Slice& slice) noexcept;
  /// No further packets; may be called from a signal handler.
  void stop() noexcept { octets_.stop(); }

  const Selector& selector() const noexcept { return selector_; }
  std::size_t opened() const noexcept { return sources_.size(); }
  /// For the thread that calls next(). They only grow.
  std::span<const Problem> problems() const noexcept { return problems_; }
  std::span<const std::string> warnings() const noexcept { return warnings_; }
  /// For any thread.
  std::span<const Interface> interfaces() const noexcept { return interfaces_.all(); }
  Progress progress() const noexcept { return {octets_.consumed(), total_}; }

 private:
  void add(Source source);
  Filling begin_slice(Slice& slice) noexcept;
  void end_slice(Slice& slice, const Filling& filling) noexcept;
  void expect_after(std::uint64_t needed) noexcept;
  void advance(Filling& filling);
  bool begin_file(Filling& filling);
  void end_file(Filling& filling) noexcept;
  Halt take(Filling& filling);
  Halt identify(Filling& filling);
  void read_on(Filling& filling, std::size_t needs);
  void at_end(Filling& filling, const std::string& fault);
  void warn(std::string line);
  void warn_of_interface(std::uint16_t number);
  void warn_of_jump(const Filling& filling, std::size_t first);
  void report_damage(const Filling& filling, std::string_view reason);

  Selector selector_;
  Octets octets_;
  Interfaces interfaces_;
  PacketTimer timer_;
  PcapReader pcap_;
  PcapngReader pcapng_;

  std::vector<Source> sources_;
  std::optional<std::uint64_t> total_ = 0;
  std::vector<Problem> problems_;
  std::vector<std::string> warnings_;

  // The file that is being read.
  std::size_t next_source_ = 0;
  const Source* source_ = nullptr;
  Format format_ = Format::too_short;
  std::uint64_t packets_ = 0;
  bool jump_warned_ = false;

  // From one slice to the next.
  std::unique_ptr<std::byte[]> carry_;
  std::size_t carried_ = 0;
  std::uint64_t stream_end_ = 0;  // of what is carried
  std::uint64_t read_total_ = 0, slice_begin_ = 0;
  std::uint64_t needed_ = 0, expected_;  // octets of the last slice, and of this one
};

}  // namespace weir::capture
