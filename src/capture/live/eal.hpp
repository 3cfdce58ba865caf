// SPDX-License-Identifier: BSD-3-Clause
// DPDK's Environment Abstraction Layer: one in a process, for as long as it captures.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::capture {

/// Where packet buffers come from.
enum class BufferMemory : std::uint8_t {
  hugepages,  ///< anonymous huge pages, taken when they are needed: no mount, nothing left behind
  heap,       ///< ordinary pages, reserved at start: slower, but any user may, and any number of probes side by side
};

struct EalOptions {
  std::vector<std::string> devices;  ///< PCI addresses, and virtual devices with their arguments
  std::vector<unsigned> cpus;        ///< lcore i runs on cpus[i]; the caller becomes lcore 0. Several may share one
  BufferMemory memory = BufferMemory::hugepages;
  std::size_t heap_megabytes = 256;    ///< of BufferMemory::heap
  std::vector<std::string> arguments;  ///< passed through, behind our own
};

/// The arguments that rte_eal_init() gets. PCI devices that are not named are never touched. Throws StartError.
std::vector<std::string> eal_arguments(const EalOptions& options);

/// While one lives DPDK's log is not heard: for what is tried first and may fail.
class Quiet {
 public:
  Quiet() noexcept;
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet();
};

class Eal {
 public:
  /// Throws StartError with what DPDK said. `say` gets DPDK's later warnings, a line each.
  Eal(const EalOptions& options, std::function<void(std::string_view)> say);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  /// A virtual device that EalOptions did not name. Throws StartError with what DPDK said; those before it stay.
  void add(const std::string& device);

  /// Runs `work` on an lcore other than 0. The function object stays until wait().
  void launch(unsigned lcore, std::function<void()>& work);
  void wait(unsigned lcore) noexcept;

  BufferMemory memory() const noexcept { return memory_; }
  /// What DPDK had to say while it started, a line each, the last ones: why a device is not there, if it is not.
  static std::vector<std::string> said_at_start();
  /// Ticks a second of the processor's time stamp counter.
  std::uint64_t tsc_hz() const noexcept;

 private:
  BufferMemory memory_;
};

}  // namespace weir::capture
