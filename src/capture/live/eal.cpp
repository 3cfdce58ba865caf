// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/eal.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <utility>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "capture/live/devices.hpp"
#include "capture/live/eal_arguments.hpp"

namespace weir::capture {
namespace {

/// DPDK writes its log into a stream: ours cuts it into lines, keeps those of the start for the error of one that
/// fails, and hands them on once the start is over.
class Log {
 public:
  void open() {
    static constexpr cookie_io_functions_t functions{
        .read = nullptr, .write = &write, .seek = nullptr, .close = nullptr};
    auto* stream = fopencookie(this, "w", functions);
    if (!stream) return;
    std::setvbuf(stream, nullptr, _IOLBF, BUFSIZ);
    rte_openlog_stream(stream);
  }
  void add(std::string_view line) { take(line), take("\n"); }
  void hand_on(std::function<void(std::string_view)> say) {
    const std::lock_guard lock{mutex_};
    say_ = std::move(say);
  }
  std::vector<std::string> of_the_start() {
    const std::lock_guard lock{mutex_};
    return start_;
  }
  void be_quiet(bool quiet) noexcept { quiet_ = quiet; }

 private:
  static ssize_t write(void* cookie, const char* text, std::size_t octets) {
    static_cast<Log*>(cookie)->take({text, octets});
    return static_cast<ssize_t>(octets);
  }
  void take(std::string_view text) {
    const std::lock_guard lock{mutex_};
    for (const char c : text) {
      if (c != '\n') {
        if (line_.size() < line_max && std::isprint(static_cast<unsigned char>(c))) line_ += c;
        continue;
      }
      const auto line = std::exchange(line_, {});
      if (line.empty() || quiet_) continue;
      if (say_) {
        say_(line);
        continue;
      }
      if (start_.size() == lines_max) start_.erase(start_.begin());
      start_.push_back(line);
    }
  }
  static constexpr std::size_t line_max = 500, lines_max = 20;
  std::mutex mutex_;
  std::function<void(std::string_view)> say_;
  std::string line_;
  std::vector<std::string> start_;
  std::atomic<bool> quiet_{false};
};

Log& log() {
  static Log one;  // DPDK writes into it until the process ends
  return one;
}

/// To an option that it does not know DPDK answers with all that it knows, on standard output, which may be where the
/// records go.
class NoStandardOutput {
 public:
  NoStandardOutput() {
    std::fflush(stdout);
    was_ = Descriptor{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
    const Descriptor nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    if (was_ && nowhere) ::dup2(nowhere.number(), STDOUT_FILENO);
  }
  NoStandardOutput(const NoStandardOutput&) = delete;
  NoStandardOutput& operator=(const NoStandardOutput&) = delete;
  ~NoStandardOutput() {
    std::fflush(stdout);
    if (was_) ::dup2(was_.number(), STDOUT_FILENO);
  }

 private:
  Descriptor was_;
};

int init(std::vector<std::string> arguments) {
  const NoStandardOutput during;
  std::vector<char*> raw;
  for (auto& argument : arguments) raw.push_back(argument.data());
  return rte_eal_init(static_cast<int>(raw.size()), raw.data());
}

/// libxdp and libbpf, which net_af_xdp brings with it, write on standard error, whatever they do. Of their lines the
/// log gets the warnings.
int take_foreign(int level, const char* format, std::va_list arguments) {
  constexpr int warning = 0;
  std::array<char, 500> text{};
  if (level == warning && std::vsnprintf(text.data(), text.size(), format, arguments) > 0) log().add(text.data());
  return 0;
}

/// `setter` is a library's function that takes the function which prints for it.
void take_lines_of(const char* library, const char* setter) {
  using Print = int (*)(int, const char*, std::va_list);
  void* there = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (!there) return;
  if (auto* set = reinterpret_cast<Print (*)(Print)>(dlsym(there, setter))) set(&take_foreign);
  dlclose(there);
}

std::string lcores(const std::vector<unsigned>& cpus) {
  std::string list;
  for (std::size_t i = 0; i < cpus.size(); ++i) list += fmt::format("{}{}@{}", i ? "," : "", i, cpus[i]);
  return list;
}

/// Works that each lcore has finished. What a work wrote is seen by whoever waited for it: the language's word for it,
/// beside DPDK's own, which checkers of threads cannot see.
std::array<std::atomic<unsigned>, RTE_MAX_LCORE> works_finished;

int run(void* work) {
  (*static_cast<std::function<void()>*>(work))();
  works_finished[rte_lcore_id()].fetch_add(1, std::memory_order_release);
  return 0;
}

}  // namespace

std::vector<std::string> eal_arguments(const EalOptions& options) {
  check_eal_arguments(options.arguments);
  std::vector<std::string> arguments{"weir", "--lcores=" + lcores(options.cpus), "--log-level=lib.*:notice"};
  if (options.memory == BufferMemory::hugepages) arguments.emplace_back("--in-memory");
  else arguments.insert(arguments.end(), {"--no-huge", "-m", std::to_string(options.heap_megabytes), "--no-shconf"});
  arguments.emplace_back("--no-telemetry");
  bool any_pci = false;
  for (const auto& device : options.devices) {
    const bool pci = is_pci_address(device);
    any_pci |= pci;
    arguments.push_back((pci ? "--allow=" : "--vdev=") + device);
  }
  if (!any_pci) arguments.emplace_back("--no-pci");
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  return arguments;
}

Eal::Eal(const EalOptions& options, std::function<void(std::string_view)> say) : memory_{options.memory} {
  log().open();
  if (init(eal_arguments(options)) < 0) {
    const auto said = said_at_start();
    throw StartError{fmt::format("DPDK does not start: {} (live.ports and live.eal say what it is told): {}",
                                 rte_strerror(rte_errno), said.empty() ? "" : said.back())};
  }
  const bool asked_for_more =
      std::ranges::any_of(options.arguments, [](const auto& argument) { return argument.starts_with("--log-level"); });
  if (asked_for_more)
    for (const auto& line : said_at_start()) say(line);
  log().hand_on(std::move(say));
  take_lines_of("libxdp.so.1", "libxdp_set_print");
  take_lines_of("libbpf.so.1", "libbpf_set_print");
}

std::vector<std::string> Eal::said_at_start() { return log().of_the_start(); }

Quiet::Quiet() noexcept { log().be_quiet(true); }
Quiet::~Quiet() { log().be_quiet(false); }

Eal::~Eal() {
  log().hand_on({});
  rte_eal_cleanup();
}

void Eal::add(const std::string& device) {
  if (const int error = rte_dev_probe(device.c_str()); error != 0)
    throw StartError{fmt::format("live.ports: {} is no device that DPDK can use: {}",
                                 device.substr(0, device.find(',')), rte_strerror(-error))};
}

void Eal::launch(unsigned lcore, std::function<void()>& work) {
  if (const int error = rte_eal_remote_launch(&run, &work, lcore); error != 0)
    throw StartError{fmt::format("lcore {} cannot be used: {}", lcore, rte_strerror(-error))};
}

void Eal::wait(unsigned lcore) noexcept {
  rte_eal_wait_lcore(lcore);
  static_cast<void>(works_finished[lcore].load(std::memory_order_acquire));
}

std::uint64_t Eal::tsc_hz() const noexcept { return rte_get_tsc_hz(); }

}  // namespace weir::capture
