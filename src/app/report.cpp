// SPDX-License-Identifier: BSD-3-Clause
#include "app/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "app/human.hpp"

namespace weir::app {
namespace {

constexpr auto metered_at = static_cast<std::size_t>(Outcome::metered);
constexpr std::size_t first_reason = 1;  // EndReason counts from 1

Tally sum_of_outcomes(const Report& report) noexcept {
  Tally sum;
  for (const auto& tally : report.packets.became) sum += tally;
  return sum;
}

/// What the ledger's second line says was metered, and what a destination accounts for.
Tally metered_ip(const Report& report) noexcept {
  return {report.packets.became[metered_at].packets, report.metered_ip_octets};
}
Totals waiting_for(const Report& report, const DestinationReport& destination) noexcept {
  auto sum = destination.waiting;
  return sum += report.fragments_waiting;
}
Tally accounted(const Report& report, const DestinationReport& destination) noexcept {
  Totals sum = report.in_table;
  sum += destination.absent;
  sum += destination.exported;
  sum += waiting_for(report, destination);
  sum += destination.lost_in_all();
  return {sum.packets, sum.octets};
}

using Lines = std::string;
void line(Lines& out, std::string_view label, std::string_view rest) {
  out += fmt::format("  {:<20} {}\n", label, rest);
}

std::string tallied(const Tally& tally, std::string_view octets_are) {
  return fmt::format("{:>15} packets {:>19} {}", grouped(tally.packets), grouped(tally.octets), octets_are);
}

void put_packets(Lines& out, const Report& report) {
  const auto& received = report.packets.received;
  line(out, "received",
       fmt::format("{}  ({})", tallied(received, "octets"), scaled(static_cast<double>(received.octets), "B")));
  line(out, "metered", tallied(report.became(Outcome::metered), "octets"));
  line(out, "", fmt::format("{:>23} {:>19} of them in IP packets", "", grouped(report.metered_ip_octets)));
  for (std::size_t i = 0; i < outcome_texts.size(); ++i)
    if (const auto& tally = report.packets.became[i]; i != metered_at && tally.packets > 0)
      line(out, outcome_texts[i].name, fmt::format("{}  {}", tallied(tally, "octets"), outcome_texts[i].help));
  for (std::size_t i = 0; i < note_texts.size(); ++i)
    if (const auto count = report.packets.notes[i]; count > 0)
      line(out, "noted", fmt::format("{:>15} {}: {}", grouped(count), note_texts[i].name, note_texts[i].help));
}

void put_fragments(Lines& out, const Report& report) {
  if (report.fragments_joined > 0)
    line(out, "fragments",
         fmt::format("{:>15} later ones were counted into the flow of their first", grouped(report.fragments_joined)));
  if (report.fragments_waiting.packets > 0)
    line(out, "", fmt::format("{:>15} wait for their first", grouped(report.fragments_waiting.packets)));
}

void put_records(Lines& out, const Report& report) {
  std::string reasons;
  for (std::size_t i = first_reason; i < report.end_reasons.size(); ++i)
    if (const auto count = report.end_reasons[i]; count > 0)
      reasons += fmt::format("{}{} {}", reasons.empty() ? "  by " : ", ", end_reason_names[i], grouped(count));
  line(out, "records", fmt::format("{:>15}{}", grouped(report.records()), reasons));
}

void put_destination(Lines& out, const DestinationReport& destination) {
  line(out, "exported",
       fmt::format("{:>15} records in {}, {} ({}) to {}", grouped(destination.exported.records),
                   counted(destination.messages, "message"), counted(destination.octets, "octet"),
                   scaled(static_cast<double>(destination.octets), "B"), destination.name));
  for (const auto& [cause, totals] : destination.lost)
    if (totals != Totals{}) line(out, "lost", fmt::format("{:>15} records: {}", grouped(totals.records), cause));
  if (destination.sessions > 1) line(out, "sessions", fmt::format("{:>15}", grouped(destination.sessions)));
  if (destination.refusals > 0)
    line(out, "unheard",
         fmt::format("{:>15} times nobody listened there (ICMP port unreachable)", grouped(destination.refusals)));
  if (destination.unconfirmed_octets > 0)
    line(out, "unconfirmed",
         fmt::format("{:>15} octets that the collector may not have got when a session broke",
                     grouped(destination.unconfirmed_octets)));
}

void put_times(Lines& out, const Report& report) {
  if (report.clock_first != no_stamp)
    line(out, "captured",
         fmt::format("{} to {}: {}", date(report.clock_first), date(report.clock_last),
                     duration(report.clock_last - report.clock_first)));
  const auto seconds = std::chrono::duration<double>(report.took).count();
  const auto& received = report.packets.received;
  auto took = fmt::format("{} by {}", duration(report.took), counted(report.workers, "worker"));
  if (seconds > 0)
    took += fmt::format(": {} packets/s, {}",
                        grouped(static_cast<std::uint64_t>(static_cast<double>(received.packets) / seconds)),
                        scaled(static_cast<double>(received.octets) * 8 / seconds, "bit/s"));
  line(out, "took", took);
}

void put_counters(Lines& out, const Report& report) {
  out += text_of(report.ports);
  put_packets(out, report);
  put_fragments(out, report);
  put_records(out, report);
  for (const auto& destination : report.destinations) put_destination(out, destination);
  if (report.splits && report.splits->split > 0)
    line(out, "split",
         fmt::format("{:>15} flows were metered by two workers: more records, with the same sums",
                     grouped(report.splits->split)));
  put_times(out, report);
}

/// The terms of one line of the ledger. The first is the sum; of the others those that are 0 are left out.
struct Term {
  std::string_view name;
  Tally tally;
};
/// Before its end a run's terms are of different moments, and no equation.
enum class Moment : std::uint8_t { end, under_way };
void put_equation(Lines& out, std::string_view label, const std::vector<Term>& terms, std::string_view octets_are,
                  Moment moment = Moment::end) {
  const auto equation = [&](auto member) {
    const bool adds_up = moment == Moment::end;
    std::string rest = fmt::format("{} {}{}", terms[0].name, grouped(terms[0].tally.*member), adds_up ? " =" : ":");
    const auto sum = rest.size();
    for (std::size_t i = 1; i < terms.size(); ++i)
      if (const auto count = terms[i].tally.*member; count > 0)
        rest += fmt::format("{} {} {}", rest.size() == sum ? "" : adds_up ? " +" : ",", terms[i].name, grouped(count));
    return rest.size() == sum ? rest + " 0" : rest;
  };
  line(out, label, fmt::format("{:<10} {}", "packets", equation(&Tally::packets)));
  line(out, "", fmt::format("{:<10} {}", octets_are, equation(&Tally::octets)));
}

void put_ledger(Lines& out, const Report& report, Moment moment = Moment::end) {
  std::vector<Term> terms{{"received", report.packets.received}};
  for (std::size_t i = 0; i < outcome_texts.size(); ++i)
    terms.push_back({outcome_texts[i].name, report.packets.became[i]});
  put_equation(out, "ledger", terms, "octets");
  const auto tally = [](const Totals& totals) { return Tally{totals.packets, totals.octets}; };
  for (const auto& destination : report.destinations) {
    terms = {{"metered", metered_ip(report)},
             {"exported", tally(destination.exported)},
             {"in the table", tally(report.in_table)},
             {"absent", tally(destination.absent)},
             {"waiting", tally(waiting_for(report, destination))}};
    std::vector<std::string> causes;
    causes.reserve(destination.lost.size());  // terms look into them
    for (const auto& [cause, totals] : destination.lost)
      terms.push_back({causes.emplace_back("lost (" + cause + ")"), tally(totals)});
    put_equation(out, destination.name, terms, "IP octets", moment);
  }
}

/// "3 packets and 180 octets are missing from outcomes"
std::string gap(const Tally& expected, const Tally& found, std::string_view where) {
  const auto one = [](std::uint64_t wanted, std::uint64_t got, std::string_view unit) {
    return fmt::format("{} {} {}", grouped(wanted > got ? wanted - got : got - wanted), unit,
                       wanted >= got ? "missing" : "too many");
  };
  return fmt::format("{}: {}, {}", where, one(expected.packets, found.packets, "packets"),
                     one(expected.octets, found.octets, "octets"));
}

std::string verdict(const Report& report) {
  std::string gaps;
  const auto compare = [&](const Tally& expected, const Tally& found, std::string_view where) {
    if (expected != found) gaps += (gaps.empty() ? "" : "; ") + gap(expected, found, where);
  };
  compare(report.packets.received, sum_of_outcomes(report), "outcomes");
  for (const auto& destination : report.destinations)
    compare(metered_ip(report), accounted(report, destination), destination.name);
  return gaps.empty() ? "ledger: closed\n" : "ledger: OPEN: " + gaps + "\n";
}

using Json = nlohmann::ordered_json;

Json json_of(const Tally& tally) { return {{"packets", tally.packets}, {"octets", tally.octets}}; }
Json json_of(const Totals& totals) {
  return {{"records", totals.records}, {"packets", totals.packets}, {"ip_octets", totals.octets}};
}
Json json_of(const Report& report, const DestinationReport& destination) {
  auto lost = Json::object();
  for (const auto& [cause, totals] : destination.lost) lost[cause] = json_of(totals);
  return {{"name", destination.name},
          {"messages", destination.messages},
          {"octets", destination.octets},
          {"sessions", destination.sessions},
          {"data_records", destination.data_records},
          {"exported", json_of(destination.exported)},
          {"waiting", json_of(waiting_for(report, destination))},
          {"absent", json_of(destination.absent)},
          {"lost", lost},
          {"unconfirmed_octets", destination.unconfirmed_octets},
          {"refusals", destination.refusals}};
}

}  // namespace

std::uint64_t Report::records() const noexcept {
  return std::accumulate(end_reasons.begin(), end_reasons.end(), std::uint64_t{0});
}

Totals Report::lost() const noexcept {
  Totals sum;
  for (const auto& destination : destinations) sum += destination.lost_in_all();
  return sum;
}

void add_fragments(Report& report, const flow::FragmentCounters& counters, const Totals& waiting) noexcept {
  const auto note = [&report](Note which, std::uint64_t count) {
    report.packets.notes[static_cast<std::size_t>(which)] += count;
  };
  note(Note::fragment_without_first, counters.without_first);
  note(Note::fragment_table_full, counters.table_full);
  note(Note::fragment_forgotten, counters.firsts_forgotten);
  report.fragments_joined += counters.joined;
  report.fragments_waiting += waiting;
  report.metered_ip_octets += waiting.octets;
}

bool closes(const Report& report) noexcept {
  const auto balances = [&](const auto& destination) { return metered_ip(report) == accounted(report, destination); };
  return report.packets.received == sum_of_outcomes(report) &&
         std::all_of(report.destinations.begin(), report.destinations.end(), balances);
}

ExitStatus status_of(const Report& report) noexcept {
  const auto lost = report.lost() == Totals{} ? ExitStatus::good : ExitStatus::records_lost;
  return worse(lost, closes(report) ? ExitStatus::good : ExitStatus::ledger_open);
}

std::string text(const Report& report) {
  Lines out = report.interrupted ? "interrupted; what was metered until then has been ended and exported\n" : "";
  put_counters(out, report);
  put_ledger(out, report);
  return out + verdict(report);
}

std::string text_so_far(const Report& report) {
  Lines out =
      "as of now: terms are of moments that lie a little apart, and what is in the tables is in none; the ledger "
      "closes "
      "at the end\n";
  put_counters(out, report);
  put_ledger(out, report, Moment::under_way);
  return out;
}

nlohmann::ordered_json json(const Report& report) {
  auto metered = json_of(report.became(Outcome::metered));
  metered["ip_octets"] = report.metered_ip_octets;
  auto outcomes = Json::object(), notes = Json::object(), end_reasons = Json::object(), destinations = Json::array();
  for (std::size_t i = 0; i < outcome_texts.size(); ++i)
    if (i != metered_at) outcomes[std::string{outcome_texts[i].name}] = json_of(report.packets.became[i]);
  for (std::size_t i = 0; i < note_texts.size(); ++i) notes[std::string{note_texts[i].name}] = report.packets.notes[i];
  for (std::size_t i = first_reason; i < report.end_reasons.size(); ++i)
    end_reasons[std::string{end_reason_names[i]}] = report.end_reasons[i];
  for (const auto& destination : report.destinations) destinations.push_back(json_of(report, destination));
  Json out{{"ledger", closes(report) ? "closed" : "open"},
           {"interrupted", report.interrupted},
           {"seconds", std::chrono::duration<double>(report.took).count()},
           {"workers", report.workers},
           {"received", json_of(report.packets.received)},
           {"metered", metered},
           {"outcomes", outcomes},
           {"notes", notes},
           {"fragments", {{"joined", report.fragments_joined}, {"waiting", json_of(report.fragments_waiting)}}},
           {"records", report.records()},
           {"end_reasons", end_reasons},
           {"in_table", json_of(report.in_table)},
           {"destinations", destinations}};
  if (!report.ports.empty()) out["ports"] = json_of(report.ports);
  if (report.splits)
    out["splits"] = {{"keys", report.splits->keys_seen},
                     {"split", report.splits->split},
                     {"overwritten", report.splits->overwritten}};
  if (report.clock_first != no_stamp)
    out["clock"] = {{"first_ms", milliseconds_since_epoch(report.clock_first)},
                    {"last_ms", milliseconds_since_epoch(report.clock_last)}};
  return out;
}

std::string json_text(const Report& report) {
  return json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weir::app
