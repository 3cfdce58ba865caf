// SPDX-License-Identifier: BSD-3-Clause
// Capture files through all stages, offline: slices are read, metered and encoded by shard, and exported in order; they
// are decoded in any. After the last slice the same steps are taken without one, each for some shares of what is left
// in the tables.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "app/exporter.hpp"
#include "app/report.hpp"
#include "app/settings.hpp"
#include "app/work.hpp"
#include "capture/input.hpp"
#include "capture/sample.hpp"
#include "flow/ended.hpp"
#include "flow/fragments.hpp"
#include "flow/meter.hpp"
#include "ipfix/data_records.hpp"
#include "ipfix/options.hpp"

namespace weir::app {

class Replay {
 public:
  /// Who looks on. Both are called about once a slice, from different threads.
  struct Watch {
    std::function<void()> read;                           ///< the input may have new problems and warnings
    std::function<void(std::uint64_t packets)> exported;  ///< packets so far
  };

  /// Opens the destinations and takes all memory. Throws StartError. After `stopped` was set no further packets are
  /// taken: what is in the table ends and is exported. The input, which is stopped beside it, and `stopped` outlive it.
  Replay(const Settings& settings, capture::Input& input, const std::atomic<bool>& stopped);

  /// All packets of all files, or those until it is stopped. Once.
  Report run(const Watch& watch) noexcept;

 private:
  /// What one thread at a time meters with.
  struct Shard {
    Shard(const flow::MeterOptions& options, const flow::FragmentOptions& fragment_options,
          const std::array<RecordLayout, 2>& layouts);
    std::unique_ptr<flow::Meter> meter;
    flow::Fragments fragments;           ///< before the meter
    flow::Ended ended;                   ///< by one slice
    ipfix::InterfaceNames interfaces;    ///< for its records,
    std::size_t interfaces_told = 0;     ///< so many of the input's
    bool grows_soon = false;             ///< when last asked
    std::atomic<bool> finished = false;  ///< the table has been handed out
  };

  void make_shards(const Settings& settings);
  void make_works(const Settings& settings);
  bool tables_are_asked(const Work& work) const noexcept;
  void run_in_one_thread(const Watch& watch) noexcept;
  void run_in_threads(const Watch& watch) noexcept;
  bool read(Work& work, const Watch& watch) noexcept;
  void decode(Work& work) noexcept;
  void meter(Work& work, unsigned number) noexcept;
  template <class Tell>
  void tell_interfaces(std::size_t& told, std::size_t known, Tell tell) const noexcept;
  void encode(Shard& shard, std::size_t interfaces, ipfix::DataRecords& into) noexcept;
  void export_slice(Work& work, const Watch& watch) noexcept;
  void count(const Work& work) noexcept;
  Report report() const;

  unsigned workers_;
  flow::MeterOptions meter_options_;
  std::array<RecordLayout, 2> layouts_;
  Decoding decoding_;
  capture::Input& input_;
  capture::Sampler sampler_;
  std::vector<std::unique_ptr<Shard>> shards_;  // as many as workers
  std::vector<std::unique_ptr<Work>> works_;    // as many slices as may be under way
  const std::atomic<bool>& stopped_;
  Exporter exporter_;

  std::uint64_t slices_ = 0;                   ///< that were read
  std::atomic<std::uint64_t> grow_after_ = 0;  ///< the slice after which tables grow
  bool closing_ = false;                       ///< no slice comes any more
  std::size_t interfaces_told_ = 0;
  PacketTallies tallies_;
  Instant clock_first_ = no_stamp;  ///< of what was exported
  Instant clock_last_{};            ///< after the last slice that was read
};

}  // namespace weir::app
