// SPDX-License-Identifier: BSD-3-Clause
// main(): the list of commands.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string_view>

#include "app/commands/bench.hpp"
#include "app/commands/ctl.hpp"
#include "app/commands/dump.hpp"
#include "app/commands/elements.hpp"
#include "app/commands/ports.hpp"
#include "app/commands/replay.hpp"
#include "app/commands/run.hpp"
#include "app/complain.hpp"
#include "base/error.hpp"

namespace {

struct Command {
  std::string_view name, help;
  int (*run)(int argc, char** argv);  ///< argv[0] is the command's name
};
constexpr std::array commands{
    Command{"run", "meter live ports until it is told to stop", weir::app::run},
    Command{"ports", "list the ports that can be metered, and how to bind NICs to DPDK", weir::app::ports},
    Command{"replay", "meter captures into flows and export them", weir::app::replay},
    Command{"bench", "measure how fast this machine meters made traffic", weir::app::measure},
    Command{"dump", "show what is in IPFIX files and message streams", weir::app::dump},
    Command{"elements", "list what a template can name", weir::app::elements},
    Command{"ctl", "ask a running probe", weir::app::ctl},
};

void print_help(std::FILE* to) {
  fmt::print(to, "weir {}: meters packets into flows and exports them as IPFIX (RFC 7011)\n\n", WEIR_VERSION);
  for (const auto& command : commands) fmt::print(to, "  weir {:<8} {}\n", command.name, command.help);
  fmt::print(to, "\n`weir COMMAND --help` says more.\n");
}

/// Better a line than SIGILL.
void check_processor() {
  __builtin_cpu_init();
#ifdef __AVX2__
  const bool suffices = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("aes");
#else
  const bool suffices = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("aes");
#endif
  if (!suffices)
    throw weir::StartError{
        "this build needs a processor with AES and the instructions of its `meson configure -Dcpu=`; "
        "build it with -Dcpu=x86-64-v2"};
}

int run(int argc, char** argv) {
  check_processor();
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h" || name == "help") return print_help(stdout), 0;
  if (name == "--version") return fmt::print("weir {}\n", WEIR_VERSION), 0;
  const auto command = std::ranges::find(commands, name, &Command::name);
  if (command != commands.end()) return command->run(argc - 1, argv + 1);
  if (name.empty()) print_help(stderr);
  else weir::app::complain("weir: there is no command '{}'; `weir --help` lists them", name);
  return static_cast<int>(weir::ExitStatus::usage);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const weir::StartError& error) {
    weir::app::complain("weir: {}", error.what());
    return static_cast<int>(error.status);
  } catch (const std::exception& error) {
    weir::app::complain("weir: {}", error.what());
    return static_cast<int>(weir::ExitStatus::usage);
  }
}
