// SPDX-License-Identifier: BSD-3-Clause
#include "app/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/human.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

/// 1,000 packets: 990 metered into 30 records, 10 not IP. One file took all, one collector lost a few.
Report balanced() {
  Report report;
  report.packets.received = {1000, 100'000};
  report.packets.became[static_cast<std::size_t>(Outcome::metered)] = {990, 99'400};
  report.packets.became[static_cast<std::size_t>(Outcome::not_ip)] = {10, 600};
  report.packets.notes[static_cast<std::size_t>(Note::late)] = 4;
  report.metered_ip_octets = 85'540;
  report.end_reasons = {0, 20, 6, 3, 1, 0};
  report.destinations = {{.name = "flows.ipfix", .messages = 2, .octets = 2800, .sessions = 1},
                         {.name = "tcp://[::1]:4739", .messages = 1, .octets = 1400, .sessions = 2}};
  report.destinations[0].exported = {30, 990, 85'540};
  report.destinations[1].exported = {26, 980, 85'000};
  report.destinations[1].lost = {{"no_connection", {4, 10, 540}}, {"broken", {}}};
  report.clock_first = Instant{1'278'275'056s};
  report.clock_last = Instant{1'278'275'368s};
  report.took = 250ms;
  report.workers = 2;
  return report;
}

std::string last_line(const std::string& text) { return text.substr(text.rfind('\n', text.size() - 2) + 1); }
bool has(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

TEST(Report, closes_when_both_lines_of_the_ledger_balance_at_every_destination) {
  EXPECT_TRUE(closes(balanced()));
  EXPECT_EQ(last_line(text(balanced())), "ledger: closed\n");

  auto unequal = balanced();
  unequal.packets.received.packets += 1;
  EXPECT_FALSE(closes(unequal));

  auto under_way = balanced();  // the table holds a little, and a destination has not got all yet
  under_way.in_table = {1, 2, 80};
  EXPECT_FALSE(closes(under_way));
  for (auto& destination : under_way.destinations) {
    destination.exported.packets -= 5;
    destination.exported.octets -= 200;
    destination.waiting = {1, 3, 120};
  }
  EXPECT_TRUE(closes(under_way));
}

TEST(Report, counts_fragments_that_are_in_no_flow_yet_as_waiting_for_every_destination) {
  auto report = balanced();
  for (auto& destination : report.destinations) {
    destination.exported.packets -= 4;
    destination.exported.octets -= 400;
  }
  report.metered_ip_octets -= 400;  // in no meter yet
  EXPECT_FALSE(closes(report));
  add_fragments(report, {.joined = 7, .without_first = 2, .table_full = 3, .firsts_forgotten = 5},
                {.packets = 4, .octets = 400});
  EXPECT_TRUE(closes(report));
  EXPECT_TRUE(has(text(report), "waiting 4"));
  EXPECT_EQ(json(report)["destinations"][1]["waiting"]["ip_octets"], 400);
  EXPECT_EQ(json(report)["fragments"]["joined"], 7);
  EXPECT_EQ(json(report)["notes"]["fragment_without_first"], 2);
  EXPECT_EQ(json(report)["notes"]["fragment_table_full"], 3);
  EXPECT_EQ(json(report)["notes"]["fragment_forgotten"], 5);
}

TEST(Report, while_it_runs_it_has_the_lines_of_the_end_but_no_equation_of_what_is_still_in_the_tables) {
  auto under_way = balanced();
  under_way.destinations[1].exported = {20, 600, 50'000};
  under_way.destinations[1].waiting = {2, 20, 900};
  const auto so_far = text_so_far(under_way);
  EXPECT_TRUE(so_far.starts_with("as of now: ")) << so_far;
  EXPECT_TRUE(has(so_far, "received 1,000 = metered 990 + not_ip 10\n")) << so_far;
  EXPECT_TRUE(has(so_far, "packets    metered 990: exported 600, waiting 20, lost (no_connection) 10\n")) << so_far;
  EXPECT_TRUE(has(so_far, "records in 1 message")) << so_far;
  EXPECT_FALSE(has(so_far, "ledger: ")) << so_far;
}

TEST(Report, a_queue_has_the_losses_that_its_device_names_after_it) {
  const capture::NamedCounters named{{"rx_missed_errors", 9}, {"rx_q0_packets", 100}, {"rx_q1_errors", 4},
                                     {"rx_q1_drop_total", 5}, {"rx_q10_errors", 6},   {"rx_q1_bytes", 7}};
  EXPECT_TRUE(losses_of_queue(0, named).empty());
  EXPECT_EQ(losses_of_queue(1, named), (capture::NamedCounters{{"errors", 4}, {"drop_total", 5}}));
  auto report = balanced();
  report.ports = {{.name = "net0", .driver = "net_x", .queues = {{0, 0, 1000, losses_of_queue(1, named)}}}};
  EXPECT_TRUE(has(text(report), "1,000 by worker 0, errors 4, drop_total 5\n")) << text(report);
  EXPECT_EQ(json(report)["ports"][0]["queues"][0]["lost"]["drop_total"], 5);
  report.ports[0].queues[0].lost.clear();
  EXPECT_FALSE(has(text(report), "by worker 0"));
}

TEST(Report, a_destination_that_came_late_accounts_for_what_came_later) {
  auto report = balanced();
  report.destinations[0].exported = {20, 600, 50'000};
  EXPECT_FALSE(closes(report));
  report.destinations[0].absent = {10, 390, 35'540};
  EXPECT_TRUE(closes(report));
  EXPECT_TRUE(has(text(report), "metered 990 = exported 600 + absent 390"));
  EXPECT_EQ(json(report)["destinations"][0]["absent"]["packets"], 390);
}

TEST(Report, an_open_ledger_says_where_and_by_how_much) {
  auto report = balanced();
  report.packets.received.octets += 60;
  report.destinations[0].exported.packets += 5;
  EXPECT_FALSE(closes(report));
  EXPECT_EQ(last_line(text(report)),
            "ledger: OPEN: outcomes: 0 packets missing, 60 octets missing; flows.ipfix: 5 packets too many, 0 octets "
            "missing\n");
  EXPECT_EQ(json(report)["ledger"], "open");
}

TEST(Report, the_exit_status_is_the_worst_of_what_happened) {
  auto report = balanced();
  EXPECT_EQ(status_of(report), ExitStatus::records_lost);
  report.destinations.pop_back();
  EXPECT_EQ(status_of(report), ExitStatus::good);
  report.interrupted = true;
  EXPECT_EQ(status_of(report), ExitStatus::good);
  report.metered_ip_octets += 1;
  EXPECT_EQ(status_of(report), ExitStatus::ledger_open);
}

TEST(Report, the_summary_names_every_term_that_is_not_zero_and_no_other) {
  const auto summary = text(balanced());
  EXPECT_TRUE(has(summary, "packets    received 1,000 = metered 990 + not_ip 10\n")) << summary;
  EXPECT_TRUE(has(summary, "IP octets  metered 85,540 = exported 85,000 + lost (no_connection) 540\n")) << summary;
  EXPECT_TRUE(has(summary, "by idle_timeout 20, active_timeout 6, end_of_flow 3, forced_end 1\n")) << summary;
  EXPECT_TRUE(has(summary, "2010-07-04 20:24:16 UTC to 2010-07-04 20:29:28 UTC: 5 min 12 s\n")) << summary;
  EXPECT_TRUE(has(summary, "0.25 s by 2 workers: 4,000 packets/s, 3.20 Mbit/s\n")) << summary;
  EXPECT_TRUE(has(summary, "late: ")) << summary;
  EXPECT_FALSE(has(summary, "truncated")) << summary;
  EXPECT_FALSE(has(summary, "broken")) << summary;
  EXPECT_FALSE(has(summary, "interrupted")) << summary;
}

TEST(Report, says_that_nobody_listened_to_datagrams) {
  auto report = balanced();
  EXPECT_FALSE(has(text(report), "nobody listened"));
  report.destinations[1].refusals = 46;
  EXPECT_TRUE(has(text(report), "46 times nobody listened there")) << text(report);
  EXPECT_EQ(json(report)["destinations"][1]["refusals"], 46);
}

TEST(Report, json_has_every_outcome_and_reason_by_name_zeros_too) {
  const auto out = json(balanced());
  EXPECT_EQ(out["received"], (nlohmann::ordered_json{{"packets", 1000}, {"octets", 100'000}}));
  EXPECT_EQ(out["metered"], (nlohmann::ordered_json{{"packets", 990}, {"octets", 99'400}, {"ip_octets", 85'540}}));
  EXPECT_EQ(out["outcomes"].size(), outcome_texts.size() - 1);
  EXPECT_FALSE(out["outcomes"].contains("metered"));
  EXPECT_EQ(out["outcomes"]["truncated"]["packets"], 0);
  EXPECT_EQ(out["outcomes"]["not_ip"]["octets"], 600);
  EXPECT_EQ(out["records"], 30);
  EXPECT_EQ(out["end_reasons"].size(), 5u);
  EXPECT_EQ(out["end_reasons"]["idle_timeout"], 20);
  EXPECT_EQ(out["notes"]["late"], 4);
  EXPECT_EQ(out["destinations"][1]["lost"]["no_connection"]["ip_octets"], 540);
  EXPECT_EQ(out["seconds"], 0.25);
  EXPECT_EQ(out["ledger"], "closed");
  EXPECT_EQ(out["interrupted"], false);
}

TEST(Report, a_run_without_packets_or_destinations_closes_and_prints) {
  const Report nothing;
  EXPECT_EQ(status_of(nothing), ExitStatus::good);
  EXPECT_TRUE(has(text(nothing), "received 0 = 0\n")) << text(nothing);
  EXPECT_FALSE(has(text(nothing), "1970"));
}

TEST(Report, a_name_that_is_not_utf8_still_makes_json) {
  auto report = balanced();
  report.destinations[0].name = "flows\xff.ipfix";
  EXPECT_TRUE(nlohmann::json::accept(json_text(report)));
}

TEST(Human, numbers_are_grouped_scaled_and_spelled) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(18'446'744'073'709'551'615u), "18,446,744,073,709,551,615");
  EXPECT_EQ(scaled(999, "B"), "999 B");
  EXPECT_EQ(scaled(999'999, "B"), "1.00 MB");
  EXPECT_EQ(scaled(12'345, "B"), "12.3 kB");
  EXPECT_EQ(duration(59'999ms), "59 s");
  EXPECT_EQ(duration(25h), "1 d 1 h");
}

}  // namespace
}  // namespace weir::app
