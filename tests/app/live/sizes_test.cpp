// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/sizes.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "flow/layout.hpp"
#include "support/scratch_directory.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t gigabit = 1'000'000'000, mebi = 1 << 20;

PortNeeds port(std::uint64_t gigabits, unsigned queues) {
  return {.name = "0000:05:00.0",
          .queues = queues,
          .link_bits_per_second = gigabits * gigabit,
          .descriptors_min = 64,
          .descriptors_max = 4096,
          .descriptors_align = 32};
}

Needs one_port(std::uint64_t gigabits, unsigned queues) {
  return {.ports = {port(gigabits, queues)}, .workers = std::vector<WorkerNeeds>(queues), .pause_max = 500us};
}

Machine machine_with(std::uint64_t pages_free, std::uint64_t pages_all, std::uint64_t available) {
  const HugePages pages{2 * mebi, pages_all, pages_free, "/sys/devices/system/node/node0/hugepages/hugepages-2048kB"};
  return {.nodes = {{.number = 0, .pages = {pages}, .available = available}}, .available = available};
}

std::string refusal(const Needs& needs, const Machine& machine) {
  try {
    refuse_what_does_not_fit(reckon(needs), needs, machine);
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}

bool says(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

TEST(Sizes, descriptors_follow_the_link_within_what_the_device_takes) {
  const auto descriptors = [](const PortNeeds& needs) { return reckon({.ports = {needs}}).descriptors[0]; };
  EXPECT_EQ(descriptors(port(1, 1)), 2048u);
  EXPECT_EQ(descriptors(port(100, 4)), 4096u);
  EXPECT_EQ(descriptors(port(0, 1)), 1024u) << "a speed that is not known";
  auto small = port(10, 1);
  small.descriptors_max = 500;
  EXPECT_EQ(descriptors(small), 480u) << "a multiple of 32";
  small.descriptors_asked = 1;
  EXPECT_EQ(descriptors(small), 64u);
  small.descriptors_asked = 65;
  EXPECT_EQ(descriptors(small), 96u);
}

TEST(Sizes, buffers_are_all_descriptors_and_what_workers_hold) {
  const auto pool = reckon(one_port(100, 4)).pools.at(0);
  EXPECT_GE(pool.buffers, 4u * 4096 + 4 * (512 * 3 / 2 + 32));
  EXPECT_EQ(pool.buffers, 20u * 1024 - 1);
  EXPECT_EQ(pool.data_room, 2176u);
  EXPECT_EQ(pool.octets_each, 2368u);
  // 885 buffers fit on a page: 24; their ring, the device's and DPDK's own: 3.
  EXPECT_EQ(pool.pages(2 * mebi), 24u + 3);
  EXPECT_EQ(pool.pages(1024 * mebi), 2u);
  auto needs = one_port(100, 4);
  for (auto& worker : needs.workers) worker = {.ring_octets = 8 * mebi, .held = 1024};
  EXPECT_EQ(reckon(needs).pools[0].buffers, 24u * 1024 - 1);
  EXPECT_GE(reckon(needs).pools[0].pages(2 * mebi), 27u + 16 + 4);
}

TEST(Sizes, fewer_buffers_than_queues_and_workers_hold_are_warned_of) {
  auto needs = one_port(100, 4);
  needs.buffers_asked = 100'000;
  const auto warns = [](const Needs& of) {
    return std::ranges::any_of(lines_of(reckon(of), of), [](const auto& line) { return says(line, "will be lost"); });
  };
  EXPECT_EQ(reckon(needs).pools.at(0).buffers, 100'000u);
  EXPECT_FALSE(warns(needs));
  needs.buffers_asked = 4 * 4096;
  EXPECT_TRUE(warns(needs));
  needs.buffers_asked = 0;
  EXPECT_FALSE(warns(needs));
}

TEST(Sizes, a_frame_that_no_usual_buffer_holds_needs_a_longer_one_unless_the_port_scatters) {
  auto needs = one_port(10, 1);
  needs.ports[0].frame_max = 9022;
  EXPECT_EQ(reckon(needs).pools[0].data_room, 9024u + 128);
  needs.burst = 256;
  needs.ports[0].scatters = true;
  EXPECT_EQ(reckon(needs).pools[0].data_room, 2176u);
  EXPECT_GE(reckon(needs).pools[0].buffers, 4096u + 256 * 3 / 2 + 5 * 256) << "five to each frame in the worker's hand";
}

TEST(Sizes, every_node_has_its_own_pool_and_rings) {
  auto needs = one_port(10, 2);
  needs.ports.push_back(port(10, 2));
  needs.ports[1].node = 1;
  needs.workers[1].node = 2;
  const auto sizes = reckon(needs);
  ASSERT_EQ(sizes.pools.size(), 3u);
  EXPECT_EQ(sizes.pools[0].buffers, sizes.pools[1].buffers);
  EXPECT_EQ(sizes.pools[2].buffers, 0u);
  EXPECT_EQ(sizes.pools[2].pages(2 * mebi), 1u);
  const auto warnings = node_warnings(needs);
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_TRUE(says(warnings[0], "on node 0, worker 1 on node 2")) << warnings[0];
}

TEST(Sizes, a_pause_is_half_of_what_the_descriptors_hold_at_the_highest_rate) {
  auto needs = one_port(10, 2);
  EXPECT_NEAR(static_cast<double>(reckon(needs).pause_longest.count()), 2048 / 14.88e6 * 1e9, 100);
  needs.ports[0].link_bits_per_second = 0;
  EXPECT_EQ(reckon(needs).pause_longest, 500us);
  needs.ports[0].link_bits_per_second = 400 * gigabit;
  needs.ports[0].descriptors_asked = 64;
  EXPECT_EQ(reckon(needs).pause_longest, 10us) << "a shorter sleep is none";
  needs.pause_max = 1us;
  EXPECT_EQ(reckon(needs).pause_longest, 1us);
}

TEST(Sizes, a_pause_goes_by_what_a_virtual_device_can_bring_and_by_the_kernels_ring) {
  auto needs = one_port(10, 1);
  needs.pause_max = 10ms;
  needs.ports[0].packets_per_second_max = 4'000'000;
  EXPECT_EQ(reckon(needs).pause_longest, 512us) << "4096 descriptors";
  needs.ports[0].frames_outside = 32'768;
  EXPECT_EQ(reckon(needs).pause_longest, 4096us);
  needs.pause_max = 1ms;
  EXPECT_EQ(reckon(needs).pause_longest, 1ms);
}

TEST(Sizes, tables_are_as_large_as_the_meters) {
  const auto layouts = flow::make_layouts({});
  Needs needs = one_port(10, 2);
  needs.capacity_of_worker = 1u << 20;
  needs.record_octets = {layouts[0].octets, layouts[1].octets};
  EXPECT_EQ(reckon(needs).table_octets, ((1u << 20) / 4 + 1) * 64 + (1u << 20) * (64 + 128));
}

TEST(Sizes, what_fits_is_not_refused) {
  const auto needs = one_port(100, 4);
  EXPECT_EQ(refusal(needs, machine_with(27, 27, 8192 * mebi)), "");
  EXPECT_NE(refusal(needs, machine_with(26, 26, 8192 * mebi)), "");
  auto machine = machine_with(0, 0, 8192 * mebi);
  machine.nodes[0].pages.push_back({1024 * mebi, 1, 1, "/sys/…"});
  EXPECT_EQ(refusal(needs, machine), "") << "a page of 1 GiB does as well";
  auto ordinary = needs;
  ordinary.buffers_from = BuffersFrom::ordinary_memory;
  EXPECT_EQ(refusal(ordinary, machine_with(0, 0, 8192 * mebi)), "");
}

TEST(Sizes, missing_pages_are_refused_with_the_arithmetic_and_the_command) {
  const auto line = refusal(one_port(100, 4), machine_with(3, 10, 8192 * mebi));
  EXPECT_TRUE(says(line,
                   "0000:05:00.0: 4 queues x 4,096 descriptors + 4 workers x (768 cached + 32 in hand) = 19,584, "
                   "rounded up to 20,479 buffers x 2,368 octets = 46.2 MiB on node 0"))
      << line;
  EXPECT_TRUE(says(line, "27 huge pages of 2 MiB")) << line;
  EXPECT_TRUE(says(line,
                   "3 are free: `echo 34 > "
                   "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages`"))
      << line;
  EXPECT_EQ(line.find('\n'), line.npos);
  EXPECT_TRUE(says(refusal(one_port(100, 4), machine_with(0, 0, 8 * mebi)), "lower live.descriptors"));
  auto elsewhere = one_port(100, 4);
  elsewhere.ports[0].node = 1;
  EXPECT_TRUE(says(refusal(elsewhere, machine_with(100, 100, mebi)), "node 1, which has no huge pages"));
}

TEST(Sizes, tables_beyond_memory_are_refused_with_a_capacity_that_fits) {
  auto needs = one_port(10, 2);
  needs.capacity = 64u << 20;
  needs.capacity_of_worker = 32u << 20;
  const auto machine = machine_with(100, 100, 2048 * mebi);
  const auto line = refusal(needs, machine);
  EXPECT_TRUE(says(line,
                   "flow.capacity 67,108,864 needs 2 workers x 6.5 GiB of tables = 13.0 GiB; 2.0 GiB of memory "
                   "are available: set flow.capacity to "))
      << line;
  needs.capacity = std::stoull(line.substr(line.rfind("to ") + 3));
  needs.capacity_of_worker = needs.capacity / 2;
  EXPECT_GT(needs.capacity, 8u << 20);
  EXPECT_EQ(refusal(needs, machine), "");
}

TEST(Sizes, the_plan_is_a_few_lines_each_of_one_line) {
  const auto needs = one_port(100, 4);
  const auto lines = lines_of(reckon(needs), needs);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(says(lines[0], "27 huge pages of 2 MiB or 2 of 1 GiB")) << lines[0];
  for (const auto& line : lines) EXPECT_EQ(line.find('\n'), line.npos);
}

TEST(Sizes, the_plan_names_huge_pages_only_where_buffers_lie_on_them) {
  auto needs = one_port(100, 4);
  needs.buffers_from = BuffersFrom::ordinary_memory;
  const auto line = lines_of(reckon(needs), needs).at(0);
  EXPECT_FALSE(says(line, "huge")) << line;
  EXPECT_TRUE(says(line, "20,479 buffers x 2,368 octets = 46.2 MiB; with rings 48.5 MiB of ordinary memory")) << line;
}

TEST(Sizes, one_queue_and_one_worker_are_said_as_one) {
  const auto needs = one_port(10, 1);
  const auto lines = lines_of(reckon(needs), needs);
  EXPECT_TRUE(says(lines.at(0), "0000:05:00.0: 1 queue x 4,096 descriptors + 1 worker x (768 cached")) << lines[0];
  EXPECT_TRUE(says(lines.at(1), "tables: 1 worker x ")) << lines[1];
}

struct FakeTree {
  void write(const std::string& path, const std::string& text) const {
    const auto whole = std::filesystem::path{directory / path};
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream{whole} << text;
  }
  test::ScratchDirectory directory;
};

TEST(Machine, is_read_from_the_kernels_files) {
  const FakeTree tree;
  const std::string node = "sys/devices/system/node/node";
  for (const auto* number : {"0", "1", "10"}) {
    tree.write(node + number + "/hugepages/hugepages-1048576kB/nr_hugepages", "2\n");
    tree.write(node + number + "/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
    tree.write(node + number + "/hugepages/hugepages-2048kB/nr_hugepages", "20\n");
    tree.write(node + number + "/hugepages/hugepages-2048kB/free_hugepages", "7\n");
    tree.write(node + number + "/meminfo",
               "Node 0 MemTotal:        5466324 kB\nNode 0 MemFree:         4000 kB\nNode 0 Active(file):     300 kB\n"
               "Node 0 Inactive(file):   20 kB\nNode 0 SReclaimable:     1 kB\n");
  }
  tree.write("sys/devices/system/node/online", "0-1,10\n");
  tree.write("proc/meminfo", "MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable:   50 kB\n");
  const auto machine = read_machine(tree.directory / "");
  ASSERT_EQ(machine.nodes.size(), 3u);
  EXPECT_EQ(machine.available, 50u * 1024);
  ASSERT_NE(machine.node(10), nullptr);
  EXPECT_EQ(machine.node(2), nullptr);
  const auto& last = *machine.node(10);
  EXPECT_EQ(last.available, 4321u * 1024);
  ASSERT_EQ(last.pages.size(), 2u);
  EXPECT_EQ(last.pages[0].octets_each, 2 * mebi);
  EXPECT_EQ(last.pages[0].all, 20u);
  EXPECT_EQ(last.pages[0].free, 7u);
  EXPECT_EQ(last.pages[0].folder, "/sys/devices/system/node/node10/hugepages/hugepages-2048kB");
  EXPECT_EQ(last.huge_octets_free(), 1038 * mebi);
}

TEST(Machine, without_nodes_is_one_node) {
  const FakeTree tree;
  tree.write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "7\n");
  tree.write("proc/meminfo", "MemAvailable:   50 kB\n");
  const auto machine = read_machine(tree.directory / "");
  ASSERT_EQ(machine.nodes.size(), 1u);
  EXPECT_EQ(machine.node(0)->pages.at(0).free, 7u);
  EXPECT_EQ(machine.node(0)->available, 50u * 1024);
  EXPECT_TRUE(read_machine(tree.directory / "nowhere").node(0)->pages.empty());
}

}  // namespace
}  // namespace weir::app
