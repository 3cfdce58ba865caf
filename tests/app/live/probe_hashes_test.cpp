// SPDX-License-Identifier: BSD-3-Clause
// A port with RSS that keeps its word, and one that does not.
#include <gtest/gtest.h>

#include "app/live/null_port.hpp"

namespace weir::app {
namespace {

using capture::RssFields;
using capture::Toeplitz;

/// A request, its answer, and the hash of both.
struct Exchange {
  Frame request, answer;
  std::uint32_t hash;
};
Exchange exchange(unsigned i, const std::vector<std::byte>& key) {
  const auto client = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + ":2000";
  const auto request = test::frames::udp(client + " > 10.9.9.9:53");
  return {request, test::frames::udp("10.9.9.9:53 > " + client),
          Toeplitz{key}(request.headers(), RssFields::addresses)};
}

TEST(ProbeWithRss, leaves_packets_where_the_port_put_them_while_hashes_agree) {
  constexpr unsigned exchanges = 500;
  const auto key = capture::symmetric_key(40);
  NullPort port;
  LiveProbe probe{2, {port.setting(), "flow.direction=biflow"}};
  if (!port.take_key(key, 2)) GTEST_SKIP() << "net_null takes no key";
  const auto attached = port.attach(2);
  probe.start();
  EXPECT_FALSE(probe->reshards());
  EXPECT_TRUE(probe.was_said("RSS spreads packets over 2 workers"));
  for (unsigned i = 0; i < exchanges; ++i) {
    const auto [request, answer, hash] = exchange(i, key);
    port.send(request, hash % 2, hash);
    port.send(answer, hash % 2, hash);
  }
  EXPECT_TRUE(probe.comes_to(2 * exchanges));
  probe->watch();
  EXPECT_FALSE(probe->reshards());
  const auto report = probe.finish();
  EXPECT_EQ(report.records(), exchanges);
  EXPECT_EQ(report.splits.value().split, 0);
  for (const auto& worker : probe->workers()) EXPECT_EQ(worker.handed_over, 0);
  EXPECT_TRUE(port.all_buffers_are_back());
}

TEST(ProbeWithRss, spreads_packets_itself_from_the_first_hash_on_that_differs) {
  constexpr unsigned exchanges = 500;
  const auto key = capture::symmetric_key(40);
  NullPort port;
  LiveProbe probe{2, {port.setting(), "flow.direction=biflow"}};
  if (!port.take_key(key, 2)) GTEST_SKIP() << "net_null takes no key";
  const auto attached = port.attach(2);
  probe.start();
  ASSERT_FALSE(probe->reshards());
  const auto liar = exchange(0, key);
  port.send(liar.request, 0, liar.hash ^ 1);
  EXPECT_TRUE(soon([&] { return probe->watch(), probe->reshards(); }));
  EXPECT_TRUE(probe.was_said("the hashes of its packets are not those of the key"));
  for (unsigned i = 1; i <= exchanges; ++i) {
    const auto [request, answer, hash] = exchange(i, key);
    port.send(request, 0, hash ^ i);
    port.send(answer, 1, hash ^ i ^ 1);
  }
  EXPECT_TRUE(probe.comes_to(1 + 2 * exchanges));
  const auto report = probe.finish();
  EXPECT_EQ(report.records(), 1 + exchanges);
  EXPECT_EQ(report.splits.value().split, 0);
  EXPECT_EQ(status_of(report), ExitStatus::good);
  EXPECT_TRUE(port.all_buffers_are_back());
}

TEST(ProbeWithRss, spreads_packets_itself_where_the_ports_key_parts_the_directions) {
  NullPort port;  // comes with the key that Microsoft wrote down as an example
  LiveProbe probe{2, {port.setting()}};
  const auto attached = port.attach(2);
  probe.start();
  EXPECT_TRUE(probe->reshards());
  EXPECT_TRUE(probe.was_said("in software"));
  probe.finish();
}

}  // namespace
}  // namespace weir::app
