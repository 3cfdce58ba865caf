// SPDX-License-Identifier: BSD-3-Clause
#include "app/destination.hpp"

#include <algorithm>
#include <utility>

namespace weir::app {

using std::chrono::milliseconds;
using transport::Sent;

namespace {

constexpr unsigned messages_an_add = 2;    ///< a backlog shrinks while records come in
constexpr unsigned messages_a_tick = 256;  ///< about a millisecond

}  // namespace

void Destination::observe(Instant packet_clock) noexcept {
  packet_clock_ = std::max(packet_clock_, packet_clock);
  now_ = now();
  if (std::exchange(begun_, true)) return;
  session_.begin(now_);
}

void Destination::add(TemplateId id, Bytes record, const Totals& totals) noexcept {
  if (add_to_session(id, record, totals)) return;
  if (!is_open()) {
    absent_ += totals;
    return;
  }
  if (!blocked_) send_owed(options_.patience == Patience::wait ? no_limit : messages_an_add);
  if (add_to_session(id, record, totals)) return;
  if (!dead_) return keep(id, record, totals);
  lose(dead_of_, totals);
  session_.count_not_sent(totals, now_);
}

bool Destination::add_to_session(TemplateId id, Bytes record, const Totals& totals) noexcept {
  const bool in_order = backlog_.empty() && !half_sent_;
  return is_open() && !dead_ && in_order && session_.add(id, record, totals, now_);
}

void Destination::tick() noexcept {
  if (rotation_ && is_open() && rotation_->is_due(options_.wall())) rotate();
  if (!half_sent_) session_.tick(now_);
  if (!blocked_) send_owed(options_.patience == Patience::wait ? no_limit : messages_a_tick);
}

void Destination::settle() noexcept {
  session_.owe_data();
  const auto messages = options_.patience == Patience::wait ? no_limit : messages_a_tick;
  if (blocked_ || half_sent_ || !send_owed(messages)) return;
  session_.owe_statistics();
  send_owed(messages);
}

/// Sends until nothing is owed (true), nothing is taken, or so many messages went. A message that has to wait is made
/// anew before each attempt, so that it carries the time at which it leaves; one that is half sent must stay as it is.
bool Destination::send_owed(unsigned messages) noexcept {
  for (; messages > 0 && !dead_ && !blocked_; --messages) {
    now_ = now();
    if (!half_sent_) {
      refill();
      message_ = session_.next(now_);
    }
    if (message_.empty()) return true;
    const auto answer = std::visit([this](auto& channel) { return channel.send(message_); }, channel_);
    half_sent_ = std::visit([](const auto& channel) { return channel.half_sent(); }, channel_);
    take_answer(answer);
  }
  return dead_;
}

void Destination::take_answer(Sent answer) noexcept {
  const bool waits = options_.patience == Patience::wait;
  switch (answer) {
    case Sent::yes:
      waiting_ = false;
      session_.accepted();
      count_accepted();
      return;
    case Sent::try_later:
      if (!waits) return hold_up();
      if (!wait_some_more()) give_up(was_interrupted() ? Loss::interrupted : Loss::collector_dead);
      return;
    case Sent::paced:
      if (was_interrupted() && !std::exchange(slow_end_told_, true))
        warn(name_ + ": the last records go at export.udp.rate; a second interrupt leaves them");
      waiting_ = false;
      if (waits) wait_for_pace();
      else blocked_ = true;
      return;
    case Sent::broken:
      error_ = trouble();
      if (waits) warn(name_ + ": " + error_ + "; connecting again");
      else tell_outage("connecting again");
      session_.begin(now_);
      return;
    case Sent::refused:
      error_ = trouble();
      if (lost_[static_cast<std::size_t>(Loss::message_refused)].records == 0)
        warn(name_ + ": " + error_ + "; try a smaller export.message_octets");
      lose(Loss::message_refused, session_.lost(now_));
      return;
    case Sent::failed: give_up(Loss::file_failed); return;
  }
}

/// A regular file's records are exported when the file has its name: if it never gets it, they are lost.
void Destination::count_accepted() noexcept {
  const bool is_final = !is_whole_or_nothing();
  (is_final ? exported_ : unnamed_) += session_.accepted_last();
  if (is_final && backlog_.empty()) tell_end_of_outage();
}

void Destination::closed(Sent answer) noexcept {
  if (answer == Sent::failed) return give_up(Loss::file_failed);
  exported_ += std::exchange(unnamed_, {});
  tell_end_of_outage();
  if (answer == Sent::yes) return;
  error_ = trouble();
  std::visit([](auto& channel) { channel.abandon(); }, channel_);
  warn(name_ + ": " + error_ + "; the collector may miss the last records");
}

void Destination::give_up(Loss cause) noexcept {
  error_ = trouble();
  dead_ = true;
  dead_of_ = cause;
  half_sent_ = false;
  std::visit([](auto& channel) { channel.abandon(); }, channel_);
  auto beside = std::exchange(unnamed_, {});
  beside += backlog_.clear();
  const auto lost = session_.give_up(beside, now_);
  if (rotation_) tell_outage("this file's records are lost, and those until the next one");
  lose(cause, lost);
  if (rotation_) return;
  const std::string help{loss_texts[static_cast<std::size_t>(cause)].help};
  const bool harmless = !is_open() && lost.records == 0;
  warn(name_ + ": " + error_ +
       (harmless ? "; no record is lost, but it lacks the last statistics" : "; records are lost: " + help));
}

void Destination::lose(Loss cause, const Totals& records) noexcept {
  lost_[static_cast<std::size_t>(cause)] += records;
  outage_.count_lost(records);
}

/// For how long it has taken nothing. Any progress begins the time anew.
milliseconds Destination::time_without_progress() noexcept {
  const auto progress = std::visit([](const auto& channel) { return channel.progress(); }, channel_);
  const auto time = Steady::now();
  if (!waiting_ || progress != progress_) {
    waiting_ = true;
    warned_ = false;
    waiting_since_ = time;
    progress_ = progress;
  }
  return std::chrono::duration_cast<milliseconds>(time - waiting_since_);
}

/// At the end, when only statistics are left (and, after a break, templates): nothing that is worth a long wait.
bool Destination::owes_no_more_records() const noexcept {
  const bool is_ending = stage_ == Stage::data || stage_ == Stage::statistics;
  return is_ending && backlog_.empty() && session_.waiting().records == 0;
}

bool Destination::is_whole_or_nothing() const noexcept {
  const auto* file = std::get_if<transport::File>(&channel_);
  return file && file->is_whole_or_nothing();
}

Instant Destination::now() const noexcept {
  return clock_ == ipfix::ExportClock::packets ? packet_clock_ : options_.wall();
}

void Destination::warn(const std::string& line) const noexcept {
  if (options_.warn) options_.warn(line);
}

std::string Destination::trouble() const {
  return std::visit([](const auto& channel) { return channel.trouble(); }, channel_);
}

DestinationReport Destination::report() const {
  DestinationReport report;
  report.name = name_;
  report.sessions = begun_ ? files_ : 0;
  report.messages = session_.messages();
  report.octets = session_.octets();
  report.data_records = session_.data_records();
  report.exported = exported_;
  report.waiting = session_.waiting();
  report.waiting += unnamed_;
  report.waiting += backlog_.waiting();
  report.absent = absent_;
  for (std::size_t i = 0; i < lost_.size(); ++i)
    if (lost_[i].records > 0) report.lost.emplace_back(loss_texts[i].name, lost_[i]);
  report.error = error_;
  if (const auto* udp = std::get_if<transport::Udp>(&channel_)) report.refusals = udp->refusals();
  if (const auto* tcp = std::get_if<transport::Tcp>(&channel_)) {
    report.sessions = tcp->connections();
    report.unconfirmed_octets = tcp->unconfirmed();
  }
  return report;
}

}  // namespace weir::app
