// SPDX-License-Identifier: BSD-3-Clause
// Where slices end, and what of memory they take.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "read_capture.hpp"
#include "support/allocation_guard.hpp"

namespace weir::capture::test {
namespace {

/// Some thousand packets of many lengths, the same in both formats.
struct Both {
  Pcap pcap;
  Pcapng pcapng;
};

Both mixed_packets(std::size_t count) {
  std::mt19937 random{1};
  Both both;
  both.pcapng.interface(1);
  for (unsigned i = 0; i < count; ++i) {
    const auto kind = random() % 400;
    const auto bytes = payload(kind == 0 ? random() % 262'145 : kind < 100 ? 1500 : random() % 120, i);
    both.pcap.packet(i, 0, bytes);
    both.pcapng.packet(0, i * std::uint64_t{1'000'000}, bytes, 4 * (random() % (kind < 5 ? 100'000 : 30)));
  }
  return both;
}

TEST(Slices, end_after_1024_packets_or_256_kib_captured) {
  Pcap small, large;
  for (unsigned i = 0; i < 2500; ++i) small.packet(i, 0, payload(60));
  for (unsigned i = 0; i < 400; ++i) large.packet(i, 0, payload(2048));
  EXPECT_EQ(read_octets(small.octets()).slices, (std::vector<std::size_t>{1024, 1024, 452}));
  EXPECT_EQ(read_octets(large.octets()).slices, (std::vector<std::size_t>{128, 128, 128, 16}));
}

TEST(Slices, are_the_same_whatever_the_format_the_packing_and_the_reads) {
  const auto both = mixed_packets(6000);
  const auto expected = read_octets(both.pcap.octets());
  ASSERT_EQ(expected.packets.size(), 6000u);
  ASSERT_GT(expected.slices.size(), 6u);
  const auto agree = [&](const AllRead& all) {
    EXPECT_TRUE(all.problems.empty()) << all.problem();
    EXPECT_EQ(all.slices, expected.slices);
    EXPECT_TRUE(all.packets == expected.packets);
  };
  agree(read_octets(both.pcapng.octets()));
  agree(read_octets(gzip(both.pcap.octets())));
  for (const std::size_t read_max : {1, 1000, 70'000}) {
    std::vector<Source> sources;
    sources.push_back(memory(both.pcapng.octets(), "memory", read_max));
    agree(read_sources(std::move(sources)));
  }
}

TEST(Slices, span_files) {
  Pcap first, second, third;
  for (unsigned i = 0; i < 700; ++i) first.packet(i, 0, payload(60, i)), second.packet(i, 0, payload(61, i));
  const auto all = read_octets(std::vector{first.octets(), third.octets(), second.octets()});
  EXPECT_EQ(all.slices, (std::vector<std::size_t>{1024, 376}));
  EXPECT_EQ(all.packets[699].bytes, payload(60, 699));
  EXPECT_EQ(all.packets[700].bytes, payload(61, 0));
}

TEST(Slices, come_from_a_pipe_that_gives_one_octet_at_a_time) {
  Pcap pcap;
  for (unsigned i = 0; i < 1100; ++i) pcap.packet(i, 0, payload(10, i));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::jthread writer{[&] {
    for (const auto octet : pcap.octets())
      if (::write(ends[1], &octet, 1) != 1) break;
    ::close(ends[1]);
  }};
  const auto all = read_files({"/dev/fd/" + std::to_string(ends[0])});
  ::close(ends[0]);
  EXPECT_TRUE(all.problems.empty()) << all.problem();
  EXPECT_EQ(all.slices, (std::vector<std::size_t>{1024, 76}));
  EXPECT_TRUE(all.packets == read_octets(pcap.octets()).packets);
}

TEST(Slices, stop_ends_the_wait_for_a_pipe) {
  const auto pcap = Pcap{}.packet(1, 0, payload(60)).octets();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], pcap.data(), pcap.size()), static_cast<ssize_t>(pcap.size()));
  Input input{std::vector<std::string>{"/dev/fd/" + std::to_string(ends[0])}, {}};
  Slice slice;
  std::jthread stopper{[&] {
    while (input.progress().octets < pcap.size() - 24) std::this_thread::yield();
    input.stop();
  }};
  while (input.next(slice)) EXPECT_EQ(slice.packets().size(), 1u);
  EXPECT_TRUE(input.problems().empty());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Slices, take_no_memory_once_the_input_is_open) {
  const auto both = mixed_packets(5000);
  for (const auto& octets : {both.pcap.octets(), both.pcapng.octets(), gzip(both.pcap.octets())}) {
    std::vector<Source> sources;
    sources.push_back(memory(octets));
    Input input{std::move(sources), {.filter = "ip"}};
    Slice slice;
    ASSERT_TRUE(input.next(slice));  // the interface came with it
    const weir::test::AllocationGuard guard;
    std::size_t slices = 1;
    while (input.next(slice)) {
      input.selector().select(slice.packets());
      ++slices;
    }
    EXPECT_EQ(guard.allocations(), 0u);
    EXPECT_GT(slices, 5u);
  }
}

}  // namespace
}  // namespace weir::capture::test
