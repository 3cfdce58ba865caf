// SPDX-License-Identifier: BSD-3-Clause
// The data path of the live probe, one worker: receive, decode, meter, expire, hand over. Read this file first.
//
// A worker owns its queues, its flow table and its end of every ring, and nothing else writes them. It waits for
// nobody: not for the exporter (what does not fit is counted), not for control (it answers between bursts, a bounded
// step at a time). Only where packets are re-sharded in software, and another worker is behind, does it stop receiving
// until there is room: the device then says what it missed.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <weir/headers.hpp>

#include "app/brief_decoding.hpp"
#include "app/decoding.hpp"
#include "app/live/mesh.hpp"
#include "app/live/outlet.hpp"
#include "app/live/pause.hpp"
#include "app/tallies.hpp"
#include "base/published.hpp"
#include "capture/live/hash_check.hpp"
#include "capture/live/host_clock.hpp"
#include "capture/live/queue.hpp"
#include "capture/sample.hpp"
#include "capture/select.hpp"
#include "flow/fragments.hpp"
#include "flow/meter.hpp"

namespace weir::app {

/// What a worker has counted, and where it stands.
struct WorkerCounters {
  PacketTallies packets;
  flow::MeterCounters metered;
  flow::FragmentCounters fragments;
  Totals fragments_waiting;       ///< metered, but in no flow yet
  std::uint64_t flows = 0;        ///< in the table
  Totals in_table;                ///< what they hold; at the end only
  Totals not_handed_over;         ///< the ring to the exporter was full
  std::uint64_t handed_over = 0;  ///< packets given to other workers
  std::uint64_t taken_over = 0;   ///< packets got from other workers
  std::uint64_t loops = 0, loops_empty = 0;
  Instant clock_first = no_stamp, clock = no_stamp;
  Instant stamp = no_stamp;       ///< the time of day, as packets are stamped
  std::uint64_t clock_steps = 0;  ///< the system's clock was set
  nanoseconds clock_set{};        ///< how far, the last time
};

inline constexpr std::size_t ports_max = 32;  ///< as DPDK is built by default

/// By cause, as control last asked the device.
using PortLosses = std::array<std::atomic<std::uint64_t>, capture::port_loss_texts.size()>;

/// What all workers of a probe have in common. Written by control, read by workers.
struct Common {
  std::atomic<bool> stop{false};             ///< receive no more
  std::atomic<bool> reshard{false};          ///< a packet's worker is flow::shard_of(), not the one that received it
  std::array<PortLosses, ports_max> lost{};  ///< by port: packets that its device did not deliver
  std::atomic<unsigned> received_last{0};    ///< workers that have received their last packet
};

class Worker;

/// Something that control asks of a worker.
class Request {
 public:
  virtual ~Request() = default;
  /// Called by the worker between bursts until it says true. Bounded work.
  virtual bool step(Worker& worker) noexcept = 0;
  std::atomic<bool> done{false};
};

struct WorkerOptions {
  unsigned number = 0;
  flow::MeterOptions meter;
  flow::FragmentOptions fragments;
  std::size_t ring_records = 65'536;
  std::chrono::nanoseconds pause_max{1'000'000};
  std::uint64_t tsc_hz = 0;
  Instant (*realtime)() noexcept = nullptr;
};

class Worker {
 public:
  /// Takes all memory, on the memory node of the CPU that it is called on. Throws std::bad_alloc.
  Worker(const WorkerOptions& options, std::span<const RecordLayout, 2> layouts, const Decoding& decoding,
         const capture::Selector& selector, Mesh& mesh, Common& common);

  /// Before run(). With `check`, the first hashes of the queue are compared.
  void add(std::unique_ptr<capture::Queue> queue, std::optional<capture::HashCheck> check,
           const capture::Sampler& sampler);

  /// Before run(): the packets' stamps tell the time, not the host's clock, be they our own or those of other workers.
  void follow_stamps() noexcept { clock_of_devices_ = true; }

  /// Until `stop`; then what is in the table ends and is handed over.
  void run() noexcept;

  /// Any thread.
  WorkerCounters counters() const noexcept { return published_.read(); }
  Outlet& outlet() noexcept { return outlet_; }
  bool finished() const noexcept { return finished_.load(std::memory_order_acquire); }
  /// Control: `request` stays until it is done. One at a time.
  void ask(Request& request) noexcept { request_.store(&request, std::memory_order_release); }

  /// In a Request's step() only.
  flow::Meter& meter() noexcept { return *meter_; }
  flow::Fragments& fragments() noexcept { return fragments_; }
  flow::Ended& ended() noexcept { return ended_; }
  Instant clock() const noexcept { return clock_; }
  void hand_over() noexcept;
  /// Hands `ended` over, waiting for the exporter if need be, but not for ever.
  void hand_over_patiently() noexcept;

  /// One for each queue, in their order.
  void set_samplers(const std::vector<capture::Sampler>& samplers) noexcept;

  /// The verdicts on hashes so far, for control. Any thread.
  struct QueueState {
    capture::Port* port;
    std::uint16_t number;
    std::atomic<capture::HashCheck::Verdict> verdict{capture::HashCheck::Verdict::undecided};
    std::atomic<std::uint64_t> packets{0};
    std::atomic<std::uint64_t> observed{0}, selected{0};  ///< by its sampler
  };
  std::span<const std::unique_ptr<QueueState>> queues() const noexcept { return states_; }

 private:
  static constexpr std::size_t received_max = capture::Queue::packets_max;
  static constexpr std::size_t swept_max = 1024;
  /// Records that one turn ends at most. A ring with less room could never take them all.
  static constexpr std::size_t ended_max = received_max * flow::Ended::records_per_packet + swept_max;

  /// Records of fragments that waited may be more than one turn has room for.
  class HandOver final : public flow::Emptier {
   public:
    explicit HandOver(Worker& worker) noexcept : worker_{worker} {}
    void empty(flow::Ended&) noexcept override { worker_.hand_over(); }

   private:
    Worker& worker_;
  };

  /// One queue, and what the worker keeps of it.
  struct Receiving {
    std::unique_ptr<capture::Queue> queue;
    std::optional<capture::HashCheck> check;
    capture::Sampler sampler;
    QueueState* state;
  };

  std::size_t receive() noexcept;
  void take(Receiving& from, std::span<Packet> packets) noexcept;
  template <class Judge>
  static void show_whole(Receiving& from, std::span<Packet> packets, Judge judge) noexcept;
  void sample(Receiving& from, std::span<Packet> packets) noexcept;
  void meter_briefly(Receiving& from, Burst packets) noexcept;
  void meter(Receiving& from, std::span<Packet> packets, bool reshard) noexcept;
  bool decode(Receiving& from, std::span<Packet> packets) noexcept;
  void check_hashes(Receiving& from, std::size_t packets) noexcept;
  void pass_on(unsigned to, const Packet& packet, std::size_t i) noexcept;
  std::size_t take_over() noexcept;
  std::size_t take_over_from(SpscRing& ring) noexcept;
  void take_details(std::size_t i, const std::byte* at) noexcept;
  void tell_time() noexcept;
  void note_step(nanoseconds set) noexcept;
  void advance_in_silence() noexcept;
  void answer() noexcept;
  void publish(bool last) noexcept;
  void finish() noexcept;

  unsigned number_;
  const Decoding& decoding_;
  const capture::Selector& selector_;
  Mesh& mesh_;
  Common& common_;
  std::unique_ptr<flow::Meter> meter_;
  HandOver emptier_{*this};
  flow::Fragments fragments_;
  flow::Ended ended_;
  Outlet outlet_;
  Pause pause_;
  std::vector<Receiving> receiving_;
  std::vector<std::unique_ptr<QueueState>> states_;

  Instant (*realtime_)() noexcept;
  std::uint64_t tsc_hz_, disciplined_at_ = 0, published_at_ = 0, packet_at_ = 0, tsc_ = 0;
  std::optional<capture::HostClock> host_clock_;
  capture::HostTime now_{};
  Instant clock_{};  ///< of packets: never turns back
  bool clock_of_devices_ = false;
  bool jumped_ = false;  ///< the system's clock was set, and no packet notes it yet

  std::vector<Headers> headers_, headers_over_;
  std::vector<Details> details_, details_over_;  ///< none where nobody asks for them
  std::size_t payload_octets_;
  std::vector<std::byte> handover_, payloads_over_;
  std::vector<Outcome> outcomes_;
  std::vector<Packet> packets_over_;
  flow::Chosen own_, over_;
  Parcel parcel_;
  WorkerCounters counters_;
  Published<WorkerCounters> published_;
  std::atomic<Request*> request_{nullptr};
  std::atomic<bool> finished_{false};
};

}  // namespace weir::app
