// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/eal_arguments.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.hpp"

namespace weir::capture {
namespace {

std::string complaint(const std::vector<std::string>& arguments) {
  try {
    check_eal_arguments(arguments);
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}

TEST(EalArguments, options_with_and_without_values_go_through) {
  EXPECT_EQ(complaint({}), "");
  EXPECT_EQ(complaint({"--log-level=pmd:debug", "-m", "512", "-m512", "--iova-mode", "va", "-v", "--legacy-mem"}), "");
  EXPECT_EQ(complaint({"-d", "/usr/lib/a driver.so", "--file-prefix=weir", "-n", "4", "--log-level=8"}), "");
}

TEST(EalArguments, what_eal_would_ignore_is_refused) {
  for (const auto& wrong : std::vector<std::vector<std::string>>{
           {"x y"}, {"512"}, {"-m", "512", "512"}, {"--log-level=pmd:debug", "8"}, {"-m512", "1"}, {"--"}, {"-"}})
    EXPECT_TRUE(complaint(wrong).starts_with("live.eal: '" + wrong.back() + "': ")) << complaint(wrong);
  EXPECT_NE(complaint({"--log-level=8 -m 512"}).find("one argument"), std::string::npos);
}

TEST(EalArguments, options_that_are_weirs_are_refused_with_the_setting_to_use) {
  const auto refused = [](const std::string& argument, std::string_view instead) {
    return complaint({argument}).find(instead) != std::string::npos;
  };
  for (const auto* cores : {"-l", "-l0-3", "-c", "-cff", "-s", "--lcores=0@0", "--lcores", "--lc", "--main-lcore=1"})
    EXPECT_TRUE(refused(cores, "live.worker_cpus")) << cores;
  for (const auto* device : {"-a", "-a0000:05:00.0", "-b", "--allow=0000:05:00.0", "--block", "--vdev=net_null0",
                             "--vd=net_null0", "--no-pci"})
    EXPECT_TRUE(refused(device, "live.ports")) << device;
  for (const auto* memory : {"--no-huge", "--in-memory", "--no-shconf"})
    EXPECT_TRUE(refused(memory, "live.memory")) << memory;
  EXPECT_TRUE(refused("--proc-type=secondary", "process of its own"));
  for (const auto* help : {"-h", "--help"}) EXPECT_TRUE(refused(help, "lists them")) << help;
}

}  // namespace
}  // namespace weir::capture
