// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/eal_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.hpp"

namespace weir::capture {
namespace {

struct Owned {
  std::string_view short_name, long_name, instead;
};
constexpr std::string_view cores = "live.workers, live.worker_cpus, live.exporter_cpu and live.control_cpu say it";
constexpr std::string_view devices = "live.ports names all devices, and no others are touched";
constexpr std::string_view memory = "live.memory says it";
constexpr std::string_view alone = "each probe is a process of its own";
constexpr std::array owned{
    Owned{"-l", "--lcores", cores},
    Owned{"-c", "", cores},
    Owned{"-s", "", cores},
    Owned{"-S", "", cores},
    Owned{"", "--main-lcore", cores},
    Owned{"-a", "--allow", devices},
    Owned{"-w", "--pci-whitelist", devices},
    Owned{"-b", "--block", devices},
    Owned{"", "--vdev", devices},
    Owned{"", "--no-pci", devices},
    Owned{"", "--in-memory", memory},
    Owned{"", "--no-huge", memory},
    Owned{"", "--no-shconf", memory},
    Owned{"", "--proc-type", alone},
    Owned{"-h", "--help", "`dpdk-testpmd --help` lists them"},
};

std::string_view name_of(std::string_view argument) { return argument.substr(0, argument.find('=')); }

/// As getopt reads it: a value may stand right behind a short name, and a long name may be cut short.
bool is(std::string_view argument, const Owned& option) {
  if (!argument.starts_with("--")) return !option.short_name.empty() && argument.starts_with(option.short_name);
  return option.long_name.starts_with(name_of(argument));
}

/// Nothing that was passed through stands for itself; `-m 512` may come as two.
bool takes_a_value(std::string_view argument) {
  constexpr std::size_t short_octets = 2;
  return argument.starts_with("--") ? argument.find('=') == argument.npos : argument.size() == short_octets;
}

[[noreturn]] void refuse(std::string_view argument, std::string_view why) {
  throw StartError{fmt::format("live.eal: '{}': {}", argument, why)};
}

void check_option(std::string_view argument) {
  if (argument == "-" || argument == "--") refuse(argument, "this is no option of DPDK's EAL");
  if (argument.find(" -") != argument.npos)
    refuse(argument, "an item is one argument; write ['--log-level=pmd:debug', '-m', '512']");
  const auto* const option = std::ranges::find_if(owned, [&](const auto& one) { return is(argument, one); });
  if (option != owned.end()) refuse(argument, fmt::format("this is weir's to say: {}", option->instead));
}

}  // namespace

void check_eal_arguments(std::span<const std::string> arguments) {
  bool value_may_follow = false;
  for (const std::string_view argument : arguments) {
    if (argument.starts_with('-')) {
      check_option(argument);
      value_may_follow = takes_a_value(argument);
    } else {
      if (!value_may_follow)
        refuse(argument, "EAL would ignore it; options begin with '-', and each stands for itself in the list");
      value_may_follow = false;
    }
  }
}

}  // namespace weir::capture
