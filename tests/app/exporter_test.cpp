// SPDX-License-Identifier: BSD-3-Clause
#include "app/exporter.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "base/error.hpp"
#include "support/allocation_guard.hpp"
#include "support/ipfix_walker.hpp"
#include "support/loopback.hpp"
#include "support/scratch_directory.hpp"
#include "support/small_layout.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using test::Bound;
using test::contents;
using test::ScratchDirectory;
using test::small_records;
using test::small_totals;
using test::WalkedMessage;
using test::Walker;

constexpr Instant start{1'700'000'000s + 500ms};

std::string url(const char* scheme, const Bound& bound) {
  return std::string{scheme} + "://127.0.0.1:" + std::to_string(bound.port());
}

struct ExporterUnderTest {
  explicit ExporterUnderTest(const Destinations& destinations, ExporterOptions options = {})
      : exporter{with_warnings(std::move(options)), destinations, {&layout, 1}, stop} {}

  /// `count` records in slices of a hundred, one slice a second.
  void run(std::size_t count) {
    const auto records = small_records(count);
    auto now = start;
    for (std::size_t i = 0; i < count; i += 100, now += 1s) {
      const auto slice = Bytes{records}.subspan(i * 64, std::min<std::size_t>(100, count - i) * 64);
      exporter.add({&layout, slice}, now);
      exporter.tick(now, {});
    }
    exporter.finish(now);
  }

  ExporterOptions with_warnings(ExporterOptions options) {
    options.warn = [this](std::string_view line) { warnings.emplace_back(line); };
    return options;
  }

  /// metered = exported + waiting + lost, whatever happened.
  void expect_closed_ledger(const Totals& metered) const {
    for (const auto& report : exporter.report()) {
      auto sum = report.exported;
      sum += report.waiting;
      sum += report.lost_in_all();
      EXPECT_EQ(sum, metered) << report.name;
    }
  }

  RecordLayout layout = test::small_layout();
  std::atomic<bool> stop{false};
  std::vector<std::string> warnings;
  Exporter exporter;
};

std::size_t flows_in(const std::vector<WalkedMessage>& messages) {
  std::size_t count = 0;
  for (const auto& message : messages) count += std::ranges::count(message.records, 256, &test::WalkedRecord::set);
  return count;
}

/// Every record of small_records(count) once, in order, and an unbroken sequence.
void expect_complete(const std::vector<WalkedMessage>& messages, std::size_t count) {
  std::uint32_t sequence = 0;
  std::size_t next = 0;
  for (const auto& message : messages) {
    ASSERT_EQ(message.sequence, sequence);
    sequence += static_cast<std::uint32_t>(message.records.size());
    for (const auto& record : message.records)
      if (record.set == 256) {
        ASSERT_EQ(record.number(1), 100 * ++next);
      }
  }
  EXPECT_EQ(next, count);
}

TEST(Exporter, writes_a_file_that_stands_alone_and_closes_the_ledger) {
  const ScratchDirectory directory;
  const auto path = directory / "flows.ipfix";
  ExporterUnderTest under_test{{.files = {path}, .collectors = {}}};
  under_test.exporter.add_interface(1, "eth0");
  under_test.run(1000);
  const auto bytes = contents(path);
  const auto messages = Walker{}.walk_stream(bytes);
  expect_complete(messages, 1000);
  EXPECT_FALSE(messages[0].templates.empty());
  EXPECT_EQ(messages.back().records[0].set, 512) << "statistics at the end";
  EXPECT_EQ(messages.back().records[0].number(42), 1000u);
  EXPECT_EQ(messages.back().records[0].number(41), messages.size() - 1);
  for (const auto& message : messages) EXPECT_GE(message.export_time, 1'700'000'001u) << "rounded up";

  const auto report = under_test.exporter.report().at(0);
  EXPECT_EQ(report.name, path);
  EXPECT_EQ(report.messages, messages.size());
  EXPECT_EQ(report.octets, bytes.size());
  EXPECT_EQ(report.sessions, 1u);
  EXPECT_EQ(report.exported, small_totals(1000));
  EXPECT_EQ(report.waiting, Totals{});
  EXPECT_EQ(report.error, "");
}

TEST(Exporter, records_that_others_have_encoded_make_the_same_file) {
  const ScratchDirectory directory;
  const auto records = small_records(1000);
  const auto file_of = [&](const char* name, auto add) {
    ExporterUnderTest under_test{{.files = {directory / name}, .collectors = {}}};
    add(under_test, EndedRecords{&under_test.layout, records});
    under_test.exporter.finish(start);
    under_test.expect_closed_ledger(small_totals(1000));
    return contents(directory / name);
  };
  const auto here =
      file_of("here.ipfix", [](auto& under_test, const EndedRecords& ended) { under_test.exporter.add(ended, start); });
  const auto elsewhere = file_of("elsewhere.ipfix", [](auto& under_test, const EndedRecords& ended) {
    const auto& catalogue = under_test.exporter.catalogue();
    ipfix::DataRecords encoded{ended.size(), catalogue.flow_octets_max()};
    under_test.exporter.add(encoded, start);  // nothing yet
    encoded.add(catalogue, ended, {});
    under_test.exporter.add(encoded, start);
  });
  expect_complete(Walker{}.walk_stream(here), 1000);
  EXPECT_EQ(here, elsewhere);
}

TEST(Exporter, tells_of_another_selection_behind_all_that_was_selected_by_the_one_before) {
  const ScratchDirectory directory;
  ExporterOptions options;
  options.selection = {ipfix::SystematicSelector{.space = 9}, {1}};
  ExporterUnderTest under_test{{.files = {directory / "flows.ipfix"}, .collectors = {}}, options};
  const auto records = small_records(2);
  under_test.exporter.count_selection(0, 20, 2);
  under_test.exporter.add({&under_test.layout, Bytes{records}.first(64)}, start);
  under_test.exporter.set_selection({ipfix::RandomSelector{.population = 5}, {1}}, start);
  under_test.exporter.add({&under_test.layout, Bytes{records}.last(64)}, start);
  under_test.exporter.finish(start);

  std::string order;  // of the file's records
  for (const auto& message : Walker{}.walk_stream(contents(directory / "flows.ipfix")))
    for (const auto& record : message.records) {
      if (record.set == 256) order += "flow ";
      if (record.set == 516 || record.set == 520) order += "selector " + std::to_string(*record.number(302)) + " ";
      if (record.set == 519)
        order += std::to_string(*record.number(301)) + ":" + std::to_string(*record.number(318)) + " ";
    }
  EXPECT_EQ(order, "selector 1 1:20 flow 1:20 selector 2 flow 2:0 ");
}

TEST(Exporter, writes_the_same_octets_twice) {
  const ScratchDirectory directory;
  for (const auto* name : {"one", "two"}) {
    ExporterUnderTest under_test{{.files = {directory / name}, .collectors = {}}, {.template_refresh = 1s}};
    under_test.run(500);
  }
  EXPECT_EQ(contents(directory / "one"), contents(directory / "two"));
}

TEST(Exporter, counts_a_files_records_as_waiting_until_the_file_has_its_name) {
  const ScratchDirectory directory;
  ExporterUnderTest under_test{{.files = {directory / "flows.ipfix"}, .collectors = {}}};
  const auto records = small_records(300);
  under_test.exporter.add({&under_test.layout, records}, start);
  EXPECT_EQ(under_test.exporter.report()[0].waiting, small_totals(300));
  EXPECT_EQ(under_test.exporter.report()[0].exported, Totals{});
  under_test.expect_closed_ledger(small_totals(300));
  under_test.exporter.finish(start);
  EXPECT_EQ(under_test.exporter.report()[0].exported, small_totals(300));
}

TEST(Exporter, takes_no_memory_once_it_stands) {
  Bound udp{SOCK_DGRAM};
  ExporterUnderTest under_test{{.files = {"/dev/null"}, .collectors = {url("udp", udp)}}};
  const auto records = small_records(10'000);
  const test::AllocationGuard guard;
  for (int i = 0; i < 10; ++i) {
    under_test.exporter.add({&under_test.layout, records}, start + std::chrono::seconds{i});
    under_test.exporter.tick(start + std::chrono::seconds{i}, {});
    under_test.exporter.add_interface(static_cast<std::uint32_t>(i), "eth0");
  }
  under_test.exporter.finish(start + 10s);
  EXPECT_EQ(guard.allocations(), 0u);
}

TEST(Exporter, gives_every_destination_a_complete_stream_of_its_own) {
  const ScratchDirectory directory;
  Bound udp{SOCK_DGRAM}, tcp{SOCK_STREAM};
  tcp.listen();
  std::vector<std::byte> over_tcp;
  std::jthread collector{[&] { over_tcp = tcp.accept().read_to_end(1000); }};
  {
    ExporterUnderTest under_test{
        {.files = {directory / "flows.ipfix"}, .collectors = {url("udp", udp), url("tcp", tcp)}}};
    under_test.run(500);
    under_test.expect_closed_ledger(small_totals(500));
    EXPECT_EQ(under_test.exporter.report()[1].exported, small_totals(500));
    EXPECT_EQ(under_test.exporter.report()[2].exported, small_totals(500));
    EXPECT_EQ(under_test.exporter.report()[2].unconfirmed_octets, 0u);
  }
  collector.join();
  expect_complete(Walker{}.walk_stream(contents(directory / "flows.ipfix")), 500);
  expect_complete(Walker{}.walk_stream(over_tcp), 500);
  Walker walker;
  std::vector<WalkedMessage> datagrams;
  while (udp.socket().readable(0)) datagrams.push_back(walker.walk(udp.socket().read(65536)));
  expect_complete(datagrams, 500);
}

TEST(Exporter, after_a_break_begins_a_session_that_stands_alone) {
  Bound tcp{SOCK_STREAM};
  tcp.listen();
  std::vector<std::byte> after;
  std::jthread collector{[&] {
    auto first = tcp.accept();
    first.read(1);
    first.reset();
    after = tcp.accept().read_to_end();
  }};
  ExporterUnderTest under_test{{.files = {}, .collectors = {url("tcp", tcp)}}, {.tcp_retry_min = 5ms}};
  // Slice by slice until the collector has hung up, then the rest.
  const auto records = small_records(100);
  std::size_t slices = 0;
  for (; slices < 100'000 && under_test.exporter.report()[0].sessions < 2; ++slices) {
    under_test.exporter.add({&under_test.layout, records}, start);
    under_test.exporter.tick(start, {});
  }
  under_test.exporter.finish(start);
  collector.join();
  const auto messages = Walker{}.walk_stream(after);
  EXPECT_FALSE(messages[0].templates.empty());
  std::uint32_t sequence = 0;
  for (const auto& message : messages) {
    EXPECT_EQ(message.sequence, sequence);
    sequence += static_cast<std::uint32_t>(message.records.size());
  }
  EXPECT_GT(flows_in(messages), 0u);
  const auto report = under_test.exporter.report()[0];
  EXPECT_EQ(report.sessions, 2u);
  EXPECT_EQ(report.lost_in_all(), Totals{});
  EXPECT_EQ(report.exported.records, slices * 100);
  EXPECT_EQ(messages.back().records[0].number(42), slices * 100) << "§4.1 counts over all sessions";
}

TEST(Exporter, waits_for_a_dead_collector_as_long_as_it_may_then_counts_and_harms_no_other) {
  const ScratchDirectory directory;
  const Bound nobody{SOCK_STREAM};
  ExporterUnderTest under_test{{.files = {directory / "flows.ipfix"}, .collectors = {url("tcp", nobody)}},
                               {.tcp_retry_min = 1ms, .wait_max = 30ms}};
  under_test.run(500);
  under_test.expect_closed_ledger(small_totals(500));
  const auto reports = under_test.exporter.report();
  expect_complete(Walker{}.walk_stream(contents(directory / "flows.ipfix")), 500);
  EXPECT_EQ(reports[1].exported, Totals{});
  ASSERT_EQ(reports[1].lost.size(), 1u);
  EXPECT_EQ(reports[1].lost[0].first, "collector_dead");
  EXPECT_EQ(reports[1].lost[0].second, small_totals(500));
  EXPECT_EQ(reports[1].error, "connect: Connection refused");
  ASSERT_EQ(under_test.warnings.size(), 1u);
  EXPECT_NE(under_test.warnings[0].find("export.wait_max"), std::string::npos);
}

TEST(Exporter, a_rate_is_no_reason_to_give_a_collector_up) {
  Bound udp{SOCK_DGRAM};
  ExporterUnderTest under_test{{.files = {}, .collectors = {url("udp", udp)}}, {.udp_rate = 200, .wait_max = 0ms}};
  under_test.run(200);
  EXPECT_EQ(under_test.exporter.report()[0].exported, small_totals(200));
}

TEST(Exporter, keeps_to_the_rate_after_an_interrupt_and_says_once_why_it_takes_so_long) {
  Bound udp{SOCK_DGRAM};
  ExporterUnderTest under_test{{.files = {}, .collectors = {url("udp", udp)}}, {.udp_rate = 200}};
  under_test.stop = true;
  under_test.run(200);
  EXPECT_EQ(under_test.exporter.report()[0].exported, small_totals(200));
  ASSERT_EQ(under_test.warnings.size(), 1u);
  EXPECT_NE(under_test.warnings[0].find("export.udp.rate"), std::string::npos);
}

TEST(Exporter, does_not_wait_long_for_a_dead_collector_once_interrupted) {
  const Bound nobody{SOCK_STREAM};
  ExporterUnderTest under_test{{.files = {}, .collectors = {url("tcp", nobody)}},
                               {.wait_max = std::chrono::hours{1}, .wait_max_interrupted = 10ms}};
  std::jthread interrupt{[&] { under_test.stop = true; }};
  under_test.run(500);
  under_test.expect_closed_ledger(small_totals(500));
  EXPECT_EQ(under_test.exporter.report()[0].lost.at(0).first, "interrupted");
}

TEST(Exporter, a_collector_that_dies_before_the_last_statistics_is_not_waited_for_long_and_nothing_is_lost) {
  std::optional<Bound> tcp{SOCK_STREAM};
  tcp->listen();
  ExporterUnderTest under_test{{.files = {}, .collectors = {url("tcp", *tcp)}},
                               {.tcp_retry_min = 1ms,
                                .wait_max = std::chrono::hours{1},
                                .wait_max_interrupted = 30ms,
                                .clock = ClockChoice::packets}};
  const auto records = small_records(100);
  under_test.exporter.add({&under_test.layout, records}, start);
  under_test.exporter.tick(start + 1s, {});
  {
    const auto connection = tcp->accept();
    while (connection.readable(0)) connection.read(65536);
    tcp.reset();
  }
  under_test.exporter.finish(start + 1s);
  const auto report = under_test.exporter.report()[0];
  EXPECT_EQ(report.exported, small_totals(100));
  EXPECT_EQ(report.lost_in_all(), Totals{});
  ASSERT_FALSE(under_test.warnings.empty());
  EXPECT_NE(under_test.warnings.back().find("; no record is lost, but it lacks the last statistics"), std::string::npos)
      << under_test.warnings.back();
}

TEST(Exporter, writes_one_file_for_a_replay) {
  EXPECT_THROW((ExporterUnderTest{{.files = {"flows-%H"}, .collectors = {}}, {.rotate = 60s}}), StartError);
}

TEST(Exporter, a_collector_that_takes_nothing_more_is_given_up_and_what_it_had_stays_exported) {
  Bound tcp{SOCK_STREAM};
  tcp.take_little();
  tcp.listen();
  ExporterUnderTest under_test{{.files = {}, .collectors = {url("tcp", tcp)}},
                               {.message_octets = 65535, .wait_max = 50ms}};
  const auto records = small_records(10'000);
  std::uint64_t slices = 0;
  for (; under_test.exporter.report()[0].lost.empty() && slices < 10'000; ++slices)
    under_test.exporter.add({&under_test.layout, records}, start);
  under_test.exporter.finish(start);
  const auto one = small_totals(10'000);
  under_test.expect_closed_ledger({slices * one.records, slices * one.packets, slices * one.octets});
  const auto report = under_test.exporter.report()[0];
  EXPECT_GT(report.exported.records, 0u);
  EXPECT_GT(report.lost_in_all().records, 0u);
  EXPECT_GT(report.unconfirmed_octets, 0u);
}

TEST(Exporter, keeps_the_whole_messages_of_a_file_that_takes_no_more_and_loses_nothing_elsewhere) {
  const ScratchDirectory directory;
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  const auto path = directory / "flows.ipfix";
  ExporterUnderTest under_test{{.files = {path, "/dev/null", "/dev/full"}, .collectors = {}}};
  const rlimit little{.rlim_cur = 300'000, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  under_test.run(30'000);
  ::setrlimit(RLIMIT_FSIZE, &before);
  under_test.expect_closed_ledger(small_totals(30'000));
  const auto reports = under_test.exporter.report();
  const auto size = std::filesystem::file_size(path);
  EXPECT_LE(size, 300'000u);
  EXPECT_GT(size, 300'000u - 1400u) << "not a whole message less than there was room for";
  std::size_t flows = 0;
  for (const auto& message : Walker{}.walk_stream(contents(path)))
    for (const auto& record : message.records) flows += record.set == 256;
  EXPECT_EQ(flows, reports[0].exported.records);
  EXPECT_EQ(reports[0].lost.at(0).first, "file_failed");
  EXPECT_EQ(reports[0].error, "write: File too large");
  EXPECT_EQ(directory.entries(), 1u) << "nothing half is left behind";
  EXPECT_EQ(reports[1].exported, small_totals(30'000));
  EXPECT_EQ(reports[2].lost_in_all(), small_totals(30'000));
  ASSERT_EQ(under_test.warnings.size(), 2u);
  EXPECT_TRUE(under_test.warnings[0].starts_with("/dev/full: write: No space left on device; "))
      << under_test.warnings[0];
  EXPECT_TRUE(under_test.warnings[1].starts_with(path + ": write: File too large; what was written before is whole; "))
      << under_test.warnings[1];
}

TEST(Exporter, says_where_a_whole_file_is_that_could_not_have_its_name) {
  const ScratchDirectory directory;
  const auto path = directory / "flows.ipfix";
  ExporterUnderTest under_test{{.files = {path}, .collectors = {}}};
  std::filesystem::create_directory(path);  // meanwhile somebody took it
  under_test.run(100);
  under_test.expect_closed_ledger(small_totals(100));
  EXPECT_EQ(under_test.exporter.report()[0].lost_in_all(), small_totals(100));
  ASSERT_EQ(under_test.warnings.size(), 1u);
  const auto left = directory / ".weir-" + std::to_string(::getpid()) + "-0.part";
  EXPECT_EQ(under_test.warnings[0],
            path + ": rename: Is a directory; its records are in " + left + ", whole: rename it by hand");
  EXPECT_FALSE(Walker{}.walk_stream(contents(left)).empty());
}

TEST(Exporter, collectors_live_by_the_wall_clock_unless_told_otherwise) {
  for (const auto& [clock, time] :
       {std::pair{ClockChoice::automatic, 1'800'000'000u}, std::pair{ClockChoice::packets, 1'700'000'001u}}) {
    Bound udp{SOCK_DGRAM};
    ExporterOptions options{.clock = clock};
    options.wall = []() noexcept { return Instant{1'800'000'000s + 900ms}; };
    ExporterUnderTest under_test{{.files = {}, .collectors = {url("udp", udp)}}, options};
    under_test.exporter.finish(start);
    EXPECT_EQ(Walker{}.walk(udp.socket().read(65536)).export_time, time);
  }
}

TEST(Exporter, refuses_destinations_that_cannot_be) {
  const auto complaint = [](const Destinations& destinations) -> std::string {
    try {
      ExporterUnderTest under_test{destinations};
    } catch (const StartError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(complaint({.files = {"a", "b", "a"}, .collectors = {}}), "--out a is given twice; leave one out");
  EXPECT_TRUE(
      complaint({.files = {}, .collectors = {"sctp://localhost"}}).starts_with("--to sctp://localhost: unknown"));
}

}  // namespace
}  // namespace weir::app
