// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/cpus.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include "base/error.hpp"

namespace weir::app {
namespace {

using Numbers = std::vector<unsigned>;

const std::vector<int> near_none{-1}, near_0{0}, near_1{1};

/// CPUs 0 to `count` - 1, the upper half of them on node 1.
std::vector<Cpu> two_nodes(unsigned count) {
  std::vector<Cpu> cpus;
  for (unsigned cpu = 0; cpu < count; ++cpu) cpus.push_back({cpu, cpu < count / 2 ? 0 : 1});
  return cpus;
}

std::vector<Cpu> one_node(unsigned count) {
  auto cpus = two_nodes(count);
  for (auto& cpu : cpus) cpu.node = 0;
  return cpus;
}

template <class Work>
std::string refusal(Work work) {
  try {
    work();
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}

std::string refused(std::string_view text) {
  return refusal([text] { parse_cpus("live.worker_cpus", text); });
}

std::string refused(const CpuChoice& choice, const std::vector<Cpu>& usable) {
  return refusal([&] { plan_cpus(choice, usable, near_0); });
}

bool says(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

TEST(Cpus, lists_and_ranges_are_read_in_the_order_in_which_they_are_written) {
  const auto read = [](std::string_view text) { return parse_cpus("live.worker_cpus", text); };
  EXPECT_EQ(read("3"), (Numbers{3}));
  EXPECT_EQ(read("2-5,8"), (Numbers{2, 3, 4, 5, 8}));
  EXPECT_EQ(read("8,2-2,0"), (Numbers{8, 2, 0}));
  EXPECT_EQ(read("1,1,0-1"), (Numbers{1, 1, 0, 1})) << "workers may share a CPU";
  EXPECT_EQ(read("0-1023").size(), 1024u);
}

TEST(Cpus, what_is_no_list_is_refused_by_the_settings_name_and_what_it_says) {
  for (const auto* text : {"all", "1;2", "-1", "1-", "-", "1--2", "5-2", "1,,2", ",1", " 1", "1 ", "+1", "0x1", "1.5",
                           "1024", "0-1024", "99999999999999999999", "4294967297", "2-5,x"}) {
    const auto line = refused(text);
    EXPECT_TRUE(says(line, "live.worker_cpus must be")) << text;
    EXPECT_TRUE(line.ends_with(std::string{"not '"}.append(text).append("'"))) << line;
  }
  EXPECT_TRUE(says(refused(""), "live.worker_cpus is empty"));
  EXPECT_LT(refused(std::string(1 << 20, 'x')).size(), 200u) << "a long one is not said whole";
}

TEST(Cpus, a_long_list_that_names_every_cpu_again_and_again_is_refused) {
  std::string text = "0-1023";
  for (int i = 0; i < 1000; ++i) text += ",0-1023";
  EXPECT_NE(refused(text), "");
}

TEST(Cpus, one_cpu_does_for_all) {
  const auto plan = plan_cpus({}, one_node(1), near_0);
  EXPECT_EQ(plan.lcores(), (Numbers{0, 0, 0}));
  EXPECT_EQ(plan_cpus({.workers = 3}, one_node(1), near_0).workers, (Numbers{0, 0, 0}));
}

TEST(Cpus, of_two_cpus_exporter_and_control_share_the_first_and_a_worker_has_the_other) {
  const auto plan = plan_cpus({}, one_node(2), near_0);
  EXPECT_EQ(plan.control, 0u);
  EXPECT_EQ(plan.exporter, 0u);
  EXPECT_EQ(plan.workers, (Numbers{1}));
  EXPECT_EQ(plan.lcores(), (Numbers{0, 0, 1}));
}

TEST(Cpus, workers_that_are_not_counted_get_all_cpus_but_the_first) {
  EXPECT_EQ(plan_cpus({}, one_node(4), near_0).workers, (Numbers{1, 2, 3}));
  EXPECT_EQ(plan_cpus({}, {{5, 0}, {7, 0}, {9, 0}}, near_0).workers, (Numbers{7, 9}));
  EXPECT_EQ(plan_cpus({}, one_node(200), near_0).workers.size(), 64u);
}

TEST(Cpus, more_workers_than_cpus_share_them_in_turn_the_first_cpu_last) {
  EXPECT_EQ(plan_cpus({.workers = 7}, one_node(3), near_0).workers, (Numbers{1, 2, 0, 1, 2, 0, 1}));
}

TEST(Cpus, workers_are_near_the_ports) {
  EXPECT_EQ(plan_cpus({.workers = 2}, two_nodes(8), near_1).workers, (Numbers{4, 5}));
  EXPECT_EQ(plan_cpus({.workers = 3}, two_nodes(8), near_0).workers, (Numbers{1, 2, 3}));
  EXPECT_EQ(plan_cpus({.workers = 5}, two_nodes(8), near_1).workers, (Numbers{4, 5, 6, 7, 4})) << "rather than far";
  EXPECT_EQ(plan_cpus({}, two_nodes(8), near_1).workers, (Numbers{4, 5, 6, 7})) << "no CPU of theirs does other work";
  EXPECT_EQ(plan_cpus({}, two_nodes(8), near_0).workers, (Numbers{1, 2, 3}));
  EXPECT_EQ(plan_cpus({}, two_nodes(8), {0, 1}).workers, (Numbers{1, 2, 3, 4, 5, 6, 7}));
}

TEST(Cpus, ports_without_a_node_or_on_one_without_cpus_are_served_by_all) {
  EXPECT_EQ(plan_cpus({}, two_nodes(4), near_none).workers, (Numbers{1, 2, 3}));
  EXPECT_EQ(plan_cpus({}, two_nodes(4), {7}).workers, (Numbers{1, 2, 3}));
  EXPECT_EQ(plan_cpus({}, two_nodes(4), {-1, 1}).workers, (Numbers{2, 3})) << "one port's node is enough to prefer it";
}

TEST(Cpus, named_ones_are_taken_as_they_are) {
  const auto plan = plan_cpus({.worker_cpus = "3,1", .exporter_cpu = "2", .control_cpu = "3"}, two_nodes(4), near_0);
  EXPECT_EQ(plan.control, 3u);
  EXPECT_EQ(plan.exporter, 2u);
  EXPECT_EQ(plan.workers, (Numbers{3, 1})) << "a node away, for it was asked for";
  EXPECT_EQ(plan.lcores(), (Numbers{3, 2, 3, 1}));
}

TEST(Cpus, several_workers_share_named_ones_in_turn_and_fewer_leave_the_last) {
  EXPECT_EQ(plan_cpus({.workers = 5, .worker_cpus = "1-2"}, one_node(4), near_0).workers, (Numbers{1, 2, 1, 2, 1}));
  EXPECT_EQ(plan_cpus({.workers = 1, .worker_cpus = "1-2"}, one_node(4), near_0).workers, (Numbers{1}));
}

TEST(Cpus, one_that_may_not_be_used_is_refused_by_the_settings_name) {
  const std::vector<Cpu> usable{{2, 0}, {3, 0}};
  EXPECT_TRUE(says(refused({.worker_cpus = "2-4"}, usable), "live.worker_cpus: CPU 4 "));
  EXPECT_TRUE(says(refused({.exporter_cpu = "0"}, usable), "live.exporter_cpu: CPU 0 "));
  EXPECT_TRUE(says(refused({.control_cpu = "1"}, usable), "live.control_cpu: CPU 1 "));
  EXPECT_TRUE(says(refused({.control_cpu = "1"}, usable), "taskset -p"));
}

TEST(Cpus, more_named_ones_than_there_may_be_workers_are_refused_unless_the_workers_are_counted) {
  EXPECT_EQ(plan_cpus({.worker_cpus = "0-63"}, one_node(100), near_0).workers.size(), 64u);
  EXPECT_TRUE(says(refused({.worker_cpus = "0-64"}, one_node(100)), "live.worker_cpus names 65 CPUs"));
  EXPECT_EQ(plan_cpus({.workers = 2, .worker_cpus = "0-64"}, one_node(100), near_0).workers, (Numbers{0, 1}));
}

TEST(Cpus, exporter_and_control_take_one_cpu_each) {
  EXPECT_TRUE(says(refused({.exporter_cpu = "0-1"}, one_node(4)), "live.exporter_cpu must be auto or one CPU"));
  EXPECT_TRUE(says(refused({.control_cpu = "0,1"}, one_node(4)), "live.control_cpu must be auto or one CPU"));
  EXPECT_TRUE(says(refused({.control_cpu = ""}, one_node(4)), "live.control_cpu is empty"));
}

TEST(Cpus, nothing_runs_where_no_cpu_may_be_used) { EXPECT_TRUE(says(refused({}, {}), "no CPU")); }

TEST(Cpus, the_usable_ones_are_those_of_the_affinity_mask) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const auto all = usable_cpus();
  ASSERT_FALSE(all.empty());
  for (const auto& cpu : all) EXPECT_TRUE(CPU_ISSET(cpu.number, &before));
  EXPECT_EQ(all.size(), static_cast<std::size_t>(CPU_COUNT(&before)));
  CPU_ZERO(&one);
  CPU_SET(all.back().number, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const auto left = usable_cpus();
  sched_setaffinity(0, sizeof before, &before);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].number, all.back().number);
}

}  // namespace
}  // namespace weir::app
