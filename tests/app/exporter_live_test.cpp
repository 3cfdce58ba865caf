// SPDX-License-Identifier: BSD-3-Clause
#include "exporter_live.hpp"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <tuple>

#include "base/error.hpp"
#include "support/scratch_directory.hpp"

namespace weir::app {
namespace {

using test::contents;
using test::ScratchDirectory;

TEST(LiveExporter, keeps_records_for_a_collector_that_is_absent_at_start) {
  Collector collector;
  LiveExporter live{{.files = {}, .collectors = {collector.url()}}};
  for (int i = 0; i < 10; ++i) {
    live.add(100);
    live.turn();
  }
  EXPECT_EQ(live.exporter.report()[0].waiting, live.metered);
  EXPECT_TRUE(live.exporter.is_pending());
  collector.listen();
  EXPECT_TRUE(comes([&] { return live.exporter.report()[0].exported == live.metered; },
                    [&] {
                      wall += 1s;
                      live.turn();
                    }));
  live.finish();
  collector.read_to_end();
  EXPECT_EQ(flows_of(collector.streams.at(0)), from_to(1, 1000)) << "all of them, in their order";
}

TEST(LiveExporter, keeps_records_for_a_collector_without_a_route_or_a_name_and_says_so) {
  const std::vector<std::string> absent{"udp://[fe80::1]:4739", "udp://no.such.name.invalid",
                                        "tcp://no.such.name.invalid"};
  LiveExporter live{{.files = {}, .collectors = absent}};
  live.add(1000);
  EXPECT_TRUE(
      comes([&] { return std::ranges::all_of(absent, [&](const auto& url) { return live.was_told(url + ": "); }); },
            [&] { live.turn(); }));
  for (const auto& report : live.exporter.report()) EXPECT_EQ(report.waiting, live.metered) << report.name;
  for (const auto& line : live.warnings)
    EXPECT_TRUE(line.ends_with("records wait for it (export.backlog_octets)")) << line;
  live.finish();
  for (std::size_t i = 0; i < absent.size(); ++i) EXPECT_EQ(live.lost(i, "interrupted"), live.metered);
  EXPECT_THROW(LiveExporter({.files = {}, .collectors = {"udp://host:x"}}), StartError) << "that is a mistake";
}

/// With long messages, which leave before they are full, one of them is half sent when the next records come.
class StoppedCollector : public testing::TestWithParam<std::uint16_t> {};
INSTANTIATE_TEST_SUITE_P(LiveExporter, StoppedCollector, testing::Values(1400, 60'000));

TEST_P(StoppedCollector, hears_of_another_selection_and_keeps_nobody_waiting_when_it_comes) {
  Collector stopped;
  stopped.take_little();
  stopped.listen();
  LiveExporter live{{.files = {}, .collectors = {stopped.url()}}, {.message_octets = GetParam()}};
  while (live.exporter.report()[0].waiting.records < 5'000) {
    live.add(1000);
    live.turn();
  }
  live.exporter.set_selection({ipfix::RandomSelector{.population = 5}, {1, 1}}, wall);
  live.add(100);
  EXPECT_TRUE(comes([&] { return !live.exporter.is_pending(); },
                    [&] {
                      stopped.read();
                      live.turn();
                    }));
  live.finish();
  stopped.read_to_end();
  const auto messages = Walker{}.walk_stream(stopped.streams.at(0));
  EXPECT_EQ(flows_of(messages), from_to(1, live.metered.records));
  std::vector<std::uint64_t> selectors, sequences;
  for (const auto& message : messages)
    for (const auto& record : message.records) {
      if (record.set == 516 || record.set == 520) selectors.push_back(record.number(302).value());
      if (record.set == 518) sequences.push_back(record.number(301).value());
    }
  EXPECT_EQ(selectors, from_to(1, 2));
  EXPECT_EQ(sequences, from_to(1, 2));
}

TEST_P(StoppedCollector, delays_no_other_and_loses_the_oldest) {
  Collector stopped;
  stopped.take_little();
  stopped.listen();
  Bound udp{SOCK_DGRAM};
  LiveExporter live{{.files = {}, .collectors = {stopped.url(), "udp://127.0.0.1:" + std::to_string(udp.port())}},
                    {.message_octets = GetParam(), .backlog_octets = 50'000}};
  Walker walker;
  std::vector<WalkedMessage> datagrams;
  while (live.lost(0, "backlog_full").records < 5'000) {
    live.add(100);
    wall += 1s;
    live.turn();
    EXPECT_EQ(live.exporter.report()[1].exported, live.metered) << "at once, in every turn";
    EXPECT_LE(live.exporter.report()[0].waiting.records, (50'000u + GetParam()) / 24) << "bounded";
    while (udp.socket().readable(0)) datagrams.push_back(walker.walk(udp.socket().read(65536)));
    ASSERT_LT(live.metered.records, 10'000'000u);
  }
  const auto lost_before = live.lost(0, "backlog_full");
  EXPECT_TRUE(live.was_told("its backlog is full; the oldest records are lost from now on (export.backlog_octets)"));
  const auto all_is_taken = [&] {
    return comes([&] { return !live.exporter.is_pending(); },
                 [&] {
                   stopped.read();
                   live.turn();
                 });
  };
  EXPECT_TRUE(all_is_taken());
  wall += 60s;  // statistics are due
  live.turn();
  EXPECT_TRUE(all_is_taken()) << "while finish() waits, nobody here reads";
  live.finish();
  stopped.read_to_end();
  EXPECT_EQ(live.lost(0, "backlog_full"), lost_before);
  EXPECT_EQ(flows_of(datagrams), from_to(1, live.metered.records));

  const auto messages = Walker{}.walk_stream(stopped.streams.at(0));
  const auto got = flows_of(messages);
  EXPECT_TRUE(std::ranges::is_sorted(got));
  EXPECT_EQ(got.size() + lost_before.records, live.metered.records);
  EXPECT_EQ(got.front(), 1u);
  EXPECT_EQ(got.back(), live.metered.records) << "the newest are kept";
  const auto& last = messages.back().records.back();
  ASSERT_EQ(last.set, reliability);
  EXPECT_EQ(last.number(166), lost_before.records) << "notSentFlowTotalCount";
  EXPECT_EQ(last.number(168), lost_before.octets) << "notSentOctetTotalCount";
  EXPECT_TRUE(live.was_told("takes records again after"));
  EXPECT_LE(live.warnings.size(), 3u);
}

TEST(LiveExporter, after_a_restart_of_the_collector_sends_what_waited_in_a_session_that_stands_alone) {
  Collector collector;
  collector.listen();
  LiveExporter live{{.files = {}, .collectors = {collector.url()}}, {.wait_max_interrupted = 3s}};
  for (int restart = 0; restart < 5; ++restart) {
    EXPECT_TRUE(comes(
        [&] {
          collector.read();
          return collector.streams.size() > static_cast<std::size_t>(restart);
        },
        [&] {
          live.add(50);
          wall += 1s;
          live.turn();
        }));
    live.add(50);
    collector.hang_up();
  }
  live.finish();
  collector.read_to_end();
  std::uint64_t last = 0;
  for (const auto& stream : collector.streams) {
    const auto messages = whole_messages(stream);
    if (messages.empty()) continue;
    EXPECT_FALSE(messages[0].templates.empty());
    for (const auto flow : flows_of(messages)) {
      EXPECT_GT(flow, last);
      last = flow;
    }
  }
  EXPECT_EQ(live.exporter.report()[0].lost_in_all(), Totals{});
  EXPECT_EQ(live.exporter.report()[0].exported, live.metered);
  EXPECT_LE(live.warnings.size(), 2u) << "it broke, it is back; the next pair in ten minutes";
}

TEST(LiveExporter, ends_all_destinations_side_by_side_and_counts_what_was_not_taken) {
  const ScratchDirectory directory;
  const Bound nobody{SOCK_STREAM}, none{SOCK_STREAM};
  Collector collector;
  collector.listen();
  LiveExporter live{{.files = {directory / "flows.ipfix"},
                     .collectors = {"tcp://127.0.0.1:" + std::to_string(nobody.port()), collector.url(),
                                    "tcp://127.0.0.1:" + std::to_string(none.port())}}};
  live.add(500);
  live.turn();
  live.finish();
  collector.read_to_end();
  const auto all = from_to(1, 500);
  EXPECT_EQ(flows_of(contents(directory / "flows.ipfix")), all);
  EXPECT_EQ(flows_of(collector.streams.at(0)), all);
  EXPECT_EQ(live.lost(1, "interrupted"), live.metered);
  EXPECT_EQ(live.lost(3, "interrupted"), live.metered);
}

TEST(LiveExporter, reports_what_was_lost_before_it_at_every_destination) {
  const ScratchDirectory directory;
  LiveExporter live{{.files = {directory / "flows.ipfix"}, .collectors = {}}};
  live.add(10);
  live.lose_before({3, 30, 300});
  live.add(10);
  live.turn();
  live.finish();
  EXPECT_EQ(live.lost(0, "ring_full"), (Totals{3, 30, 300}));
  const auto messages = Walker{}.walk_stream(contents(directory / "flows.ipfix"));
  EXPECT_EQ(messages.back().records.back().number(167), 30u) << "notSentPacketTotalCount";
}

struct Rotated {
  Rotated() { wall = Instant{1'700'000'101s}; }
  std::string pattern() const { return directory / "flows-%H%M%S.ipfix"; }
  std::string file(const char* time) const { return directory / (std::string{"flows-"} + time + ".ipfix"); }
  ScratchDirectory directory;
};

TEST(LiveExporter, reports_what_each_port_lost_by_cause) {
  const ScratchDirectory scratch;
  LiveExporter live{{.files = {scratch / "flows.ipfix"}, .collectors = {}}};
  live.exporter.count_missed(1, "missed", 3);
  live.exporter.count_missed(1, "errors", 0);
  live.exporter.count_missed(2, "missed", 5);
  live.exporter.count_missed(1, "missed", 7);  // since the start, not since the last time
  live.turn();
  live.finish();
  constexpr std::uint16_t ingress_interface = 10, selector_name = 335, dropped_packets = 135;
  using Lost = std::tuple<std::uint64_t, std::string, std::uint64_t>;
  std::vector<Lost> told;
  for (const auto& message : Walker{}.walk_stream(contents(scratch / "flows.ipfix")))
    for (const auto& record : message.records)
      if (const auto packets = record.number(dropped_packets)) {
        std::string cause;
        for (std::size_t i = 0; i < record.fields.size(); ++i)
          if (record.fields[i].id == selector_name)
            for (const auto octet : record.values[i]) cause += static_cast<char>(octet);
        told.emplace_back(record.number(ingress_interface).value(), cause, *packets);
      }
  const std::vector<Lost> last{{1, "missed", 7}, {1, "errors", 0}, {2, "missed", 5}};
  ASSERT_GE(told.size(), last.size());
  EXPECT_TRUE(std::equal(last.rbegin(), last.rend(), told.rbegin()));
}

TEST(LiveExporter, rotates_files_that_are_each_whole_and_never_replaces_one) {
  const Rotated rotated;
  LiveExporter live{{.files = {rotated.pattern()}, .collectors = {}}, {.rotate = 60s}};
  live.add(100);
  live.turn();
  EXPECT_EQ(live.exporter.report()[0].waiting, live.metered) << "no file has its name yet";
  for (const auto period : {1, 2}) {
    wall = Instant{1'700'000'100s} + period * 60s;
    live.turn();
    EXPECT_EQ(live.exporter.report()[0].exported, live.metered);
    live.add(100);
    live.turn();
  }
  wall -= 60s;  // the clock is set back: that name exists
  live.turn();
  live.add(100);
  live.finish();
  EXPECT_EQ(rotated.directory.entries(), 4u);
  EXPECT_EQ(flows_of(contents(rotated.file("221501"))), from_to(1, 100));
  EXPECT_EQ(flows_of(contents(rotated.file("221600"))), from_to(101, 200));
  EXPECT_EQ(flows_of(contents(rotated.file("221700"))), from_to(201, 300));
  EXPECT_EQ(flows_of(contents(rotated.file("221600-1"))), from_to(301, 400));
}

/// Flow records in all files of a folder.
std::vector<std::uint64_t> flows_in(const ScratchDirectory& directory) {
  std::vector<std::uint64_t> all;
  for (const auto& file : std::filesystem::directory_iterator{directory / "."}) {
    const auto some = flows_of(contents(file.path().string()));
    all.insert(all.end(), some.begin(), some.end());
  }
  std::ranges::sort(all);
  return all;
}

TEST(LiveExporter, a_file_that_takes_no_more_costs_what_it_held_and_the_rest_goes_into_the_next) {
  const Rotated rotated;
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  LiveExporter live{{.files = {rotated.pattern()}, .collectors = {}}, {.rotate = 60s}};
  const rlimit little{.rlim_cur = 10'000, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  for (int period = 0; period < 3; ++period, wall += 60s) {
    live.turn();
    live.add(30'000);
    live.turn();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  for (int period = 0; period < 2; ++period, wall += 60s) live.turn();
  live.add(100);
  live.finish();
  const auto lost = live.lost(0, "file_failed").records;
  EXPECT_GT(lost, 0u);
  EXPECT_LT(lost, 30'000u) << "what two files had taken; the rest waited";
  const auto flows = flows_in(rotated.directory);
  EXPECT_EQ(std::ranges::adjacent_find(flows), flows.end());
  EXPECT_EQ(flows.size() + lost, live.metered.records);
  EXPECT_TRUE(live.warnings.at(0).starts_with(rotated.file("221501") + ": write: File too large; records wait"))
      << live.warnings[0] << " (the file, not the pattern)";
  EXPECT_TRUE(live.was_told("what was written before is whole"));
  EXPECT_TRUE(live.was_told("takes records again after"));
  EXPECT_EQ(live.warnings.size(), 3u) << "that it failed, what was lost, that it is well";
}

/// 64 kB, of which `ballast` takes all but a little.
struct FullDisk {
  FullDisk() { is_there = ::mount("none", (directory / ".").c_str(), "tmpfs", 0, "size=64k") == 0; }
  ~FullDisk() {
    if (is_there) ::umount((directory / ".").c_str());
  }
  void fill() const { std::ofstream{directory / "ballast"} << std::string(48 << 10, 'x'); }
  void make_room() const {
    ASSERT_EQ(::mount("none", (directory / ".").c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
    std::filesystem::remove(directory / "ballast");
  }
  ScratchDirectory directory;
  bool is_there = false;
};

TEST(LiveExporter, waits_for_room_on_a_full_disk_and_then_loses_nothing) {
  for (const auto rotate : {0s, 60s}) {
    const FullDisk disk;
    if (!disk.is_there) GTEST_SKIP() << "may not mount";
    disk.fill();
    wall = Instant{1'700'000'101s};
    LiveExporter live{{.files = {disk.directory / "flows-%H%M%S.ipfix"}, .collectors = {}}, {.rotate = rotate}};
    for (int second = 0; second < 90; ++second, wall += 1s) {
      live.add(1'000);
      live.turn();
    }
    EXPECT_TRUE(live.was_told("write: No space left on device; records wait, and it is tried again"));
    EXPECT_EQ(live.exporter.report()[0].waiting, live.metered) << "also while another file would be due";
    disk.make_room();
    EXPECT_TRUE(comes([&] { return !live.exporter.is_pending(); },
                      [&] {
                        wall += 1s;
                        live.turn();
                      }));
    wall += 2s;  // the last of them leave
    live.turn();
    EXPECT_TRUE(live.was_told("takes records again after"));
    live.finish();
    EXPECT_EQ(live.exporter.report()[0].lost_in_all(), Totals{});
    EXPECT_EQ(flows_in(disk.directory), from_to(1, live.metered.records));
  }
}

TEST(LiveExporter, ends_on_a_full_disk_with_a_whole_file_of_what_there_was_room_for) {
  const FullDisk disk;
  if (!disk.is_there) GTEST_SKIP() << "may not mount";
  LiveExporter live{{.files = {disk.directory / "flows.ipfix"}, .collectors = {}}};
  live.add(50'000);
  live.turn();
  live.finish();
  const auto flows = flows_in(disk.directory);
  EXPECT_GT(flows.size(), 2'000u) << "64 kB of records of 24 octets";
  EXPECT_EQ(flows, from_to(1, flows.size()));
  EXPECT_EQ(live.lost(0, "file_failed").records, 50'000 - flows.size());
  EXPECT_TRUE(live.was_told("what was written before is whole; "));
}

TEST(LiveExporter, a_folder_that_is_away_for_a_while_costs_the_files_of_that_time) {
  const Rotated rotated;
  const auto folder = rotated.directory / "there";
  std::filesystem::create_directory(folder);
  LiveExporter live{{.files = {folder + "/%H%M%S"}, .collectors = {}}, {.rotate = 60s}};
  live.turn();
  live.add(10);
  std::filesystem::remove_all(folder);
  wall += 60s;
  live.turn();
  live.add(10);
  live.turn();
  EXPECT_EQ(live.lost(0, "file_failed"), live.metered);
  std::filesystem::create_directory(folder);
  wall += 60s;
  live.turn();
  live.add(10);
  live.finish();
  EXPECT_EQ(live.lost(0, "file_failed").records, 20u);
  EXPECT_EQ(live.exporter.report()[0].exported.records, 10u);
}

TEST(LiveExporter, names_what_a_killed_process_left_and_nothing_that_is_being_written) {
  const ScratchDirectory directory;
  std::ofstream{directory / ".weir-1-0.part"} << "half a file";
  LiveExporter first{{.files = {directory / "a.ipfix"}, .collectors = {}}};
  ASSERT_EQ(first.warnings.size(), 1u);
  EXPECT_TRUE(first.warnings[0].starts_with(directory / ".weir-1-0.part" + ": left by a process that was killed"));
  EXPECT_TRUE(std::filesystem::exists(directory / ".weir-1-0.part"));
  std::filesystem::remove(directory / ".weir-1-0.part");
  const LiveExporter second{{.files = {directory / "b.ipfix"}, .collectors = {}}};
  EXPECT_TRUE(second.warnings.empty()) << "the first one lives and writes beside it";
}

TEST(LiveExporter, changes_its_destinations_and_the_ledger_of_each_still_closes) {
  const ScratchDirectory directory;
  Collector stays, goes, stopped;
  for (auto* collector : {&stays, &goes}) collector->listen();
  LiveExporter live{{.files = {}, .collectors = {stays.url(), goes.url(), stopped.url()}}};
  const auto turns = [&] {
    wall += 1s;
    live.turn();
  };
  live.add(100);
  turns();
  const auto before = live.metered;
  live.reconfigure({.files = {directory / "new.ipfix"}, .collectors = {stays.url()}});
  live.add(100);
  EXPECT_TRUE(comes([&] { return live.exporter.report()[2].name == goes.url() && !live.exporter.is_pending(); },
                    [&] {
                      turns();
                      goes.read();
                      stays.read();
                    }));
  live.add(100);
  turns();
  live.finish();
  for (auto* collector : {&stays, &goes}) collector->read_to_end();

  const auto reports = live.exporter.report();
  EXPECT_EQ(reports[0].name, stays.url());
  EXPECT_EQ(reports[0].sessions, 1u) << "what stays keeps its session";
  EXPECT_EQ(flows_of(stays.streams.at(0)), from_to(1, 300));
  EXPECT_EQ(reports[1].absent, before) << "what comes late accounts for what came later";
  EXPECT_EQ(flows_of(contents(directory / "new.ipfix")), from_to(101, 300));
  EXPECT_EQ(reports[2].exported, before);
  EXPECT_EQ(flows_of(goes.streams.at(0)), from_to(1, 100));
  EXPECT_EQ(reports[3].name, stopped.url());
  ASSERT_EQ(reports[3].lost.size(), 1u);
  EXPECT_EQ(reports[3].lost[0], (std::pair{std::string{"removed"}, before}));
}

TEST(LiveExporter, refuses_new_destinations_before_it_touches_the_old_ones) {
  const ScratchDirectory directory;
  LiveExporter live{{.files = {directory / "old.ipfix"}, .collectors = {}}};
  live.add(10);
  live.turn();
  EXPECT_THROW(
      live.reconfigure({.files = {directory / "new.ipfix", directory / "no/such/folder.ipfix"}, .collectors = {}}),
      StartError);
  EXPECT_THROW(live.reconfigure({.files = {}, .collectors = {"tcp://no.such.name.invalid"}}), StartError);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(live.reconfigure({.files = {directory / "pipe"}, .collectors = {}}), StartError)
      << "a FIFO that nobody reads would be waited for";
  live.add(10);
  live.finish();
  EXPECT_EQ(directory.entries(), 2u);
  EXPECT_EQ(flows_of(contents(directory / "old.ipfix")), from_to(1, 20));
}

TEST(LiveExporter, everything_goes_by_the_wall_clock) {
  const ScratchDirectory directory;
  wall = Instant{1'800'000'000s + 900ms};
  LiveExporter live{{.files = {directory / "flows.ipfix"}, .collectors = {}}};
  live.exporter.tick(Instant{1'000'000'000s}, {});
  live.add(10);
  wall -= 3600s;  // set back an hour
  live.finish();
  for (const auto& message : Walker{}.walk_stream(contents(directory / "flows.ipfix")))
    EXPECT_EQ(message.export_time, 1'800'000'000u) << "never turns back (RFC 7011 section 8.2)";
}

/// Whatever collectors do, and whenever destinations change, every record is accounted for.
TEST(LiveExporter, accounts_for_every_record_whatever_collectors_do) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937 random{seed};
    const ScratchDirectory directory;
    std::array<Collector, 3> collectors;
    for (auto& collector : collectors)
      if (random() % 2 == 0) collector.take_little();
    const std::vector<std::string> urls{collectors[0].url(), collectors[1].url(), collectors[2].url()};
    LiveExporter live{{.files = {directory / "%H%M%S"}, .collectors = urls},
                      {.message_octets = static_cast<std::uint16_t>(seed % 2 == 0 ? 1400 : 65535),
                       .backlog_octets = 1'000 + random() % 200'000,
                       .rotate = 20s}};
    for (int step = 0; step < 400; ++step) {
      auto& collector = collectors[random() % collectors.size()];
      switch (random() % 9) {
        case 0: collector.listen(); break;
        case 1: collector.accept_one(); break;
        case 2:
        case 3: collector.read(); break;
        case 4: collector.hang_up(); break;
        case 5: live.lose_before({1, 2, 3}); break;
        case 6:
          if (random() % 10 == 0) live.reconfigure({.files = {}, .collectors = {urls[random() % 3]}});
          if (random() % 10 == 0) live.reconfigure({.files = {directory / "%H%M%S"}, .collectors = urls});
          break;
        case 7: wall += std::chrono::milliseconds{random() % 3000}; break;
        default: live.add(random() % 2000); break;
      }
      live.turn();
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
    live.finish();
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
    for (const auto& collector : collectors)
      for (const auto& stream : collector.streams)
        EXPECT_TRUE(std::ranges::is_sorted(flows_of(whole_messages(stream)))) << "every session stands alone";
    for (const auto& file : std::filesystem::directory_iterator{directory / "."})
      EXPECT_TRUE(std::ranges::is_sorted(flows_of(contents(file.path().string()))));
  }
}

}  // namespace
}  // namespace weir::app
