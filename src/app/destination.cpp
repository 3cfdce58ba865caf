// SPDX-License-Identifier: BSD-3-Clause
#include "app/destination.hpp"

#include <algorithm>
#include <utility>

#include "app/human.hpp"

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
  if (rotation_ && is_open() && !waits_for_space() && rotation_->is_due(options_.wall())) rotate();
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
      if (regular_file() || !wait_some_more()) give_up(was_interrupted() ? Loss::interrupted : Loss::collector_dead);
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
  if (regular_file()) {
    unwritten_.push_back(session_.accepted_last());
    count_written();
  } else {
    exported_ += session_.accepted_last();
  }
  if (is_stuck() && options_.patience == Patience::backlog) tell_outage(what_waits());
  else if (backlog_.empty()) tell_end_of_outage();
}

void Destination::count_written() noexcept {
  const auto* file = regular_file();
  if (!file || unwritten_.size() == file->unwritten()) return;
  const auto end = unwritten_.end() - static_cast<std::ptrdiff_t>(file->unwritten());
  for (auto message = unwritten_.begin(); message != end; ++message) unnamed_ += *message;
  unwritten_.erase(unwritten_.begin(), end);
}

void Destination::closed(Sent answer) noexcept {
  if (answer == Sent::failed) return give_up(Loss::file_failed);
  count_written();
  exported_ += std::exchange(unnamed_, {});
  tell_end_of_outage();
  if (answer == Sent::yes) return;
  error_ = trouble();
  std::visit([](auto& channel) { channel.abandon(); }, channel_);
  warn(name_ + ": " + error_ + "; the collector may miss the last records");
}

void Destination::give_up(Loss cause) noexcept {
  if (regular_file()) cause = Loss::file_failed;
  auto beside = let_go_of_channel();
  error_ = trouble();
  dead_ = true;
  dead_of_ = cause;
  half_sent_ = false;
  beside += backlog_.clear();
  const auto lost = session_.give_up(beside, now_);
  const bool another_comes = rotation_ && is_open();
  if (another_comes) tell_outage("records are lost until the next file");
  lose(cause, lost);
  if (!another_comes) warn(subject() + ": " + error_ + "; " + consequence(cause, lost));
}

/// Nothing more is sent. Returns the records that were taken and are lost: a file keeps the whole messages in it, and
/// what a collector took is its own.
Totals Destination::let_go_of_channel() noexcept {
  count_written();
  auto* file = regular_file();
  kept_ = file && file->keep_whole_messages();
  if (kept_) exported_ += std::exchange(unnamed_, {});
  if (!file) std::visit([](auto& channel) { channel.abandon(); }, channel_);
  auto lost = std::exchange(unnamed_, {});
  for (const auto& message : unwritten_) lost += message;
  unwritten_.clear();
  return lost;
}

/// For people: what it means that this much was lost as it was given up.
std::string Destination::consequence(Loss cause, const Totals& lost) const {
  const auto* file = regular_file();
  if (file && !file->left_as().empty()) return "its records are in " + file->left_as() + ", whole: rename it by hand";
  if (file && !kept_ && lost.records == 0) return "no record is lost, but there is no file";
  if (lost.records == 0) return "no record is lost, but it lacks the last statistics";
  const auto line =
      counted(lost.records, "record") + " lost: " + std::string{loss_texts[static_cast<std::size_t>(cause)].help};
  return kept_ ? "what was written before is whole; " + line : line;
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

transport::File* Destination::regular_file() noexcept {
  auto* file = std::get_if<transport::File>(&channel_);
  return file && file->is_whole_or_nothing() ? file : nullptr;
}

const transport::File* Destination::regular_file() const noexcept {
  const auto* file = std::get_if<transport::File>(&channel_);
  return file && file->is_whole_or_nothing() ? file : nullptr;
}

bool Destination::is_stuck() const noexcept {
  const auto* file = regular_file();
  return file && file->is_stuck();
}

std::string_view Destination::what_waits() const noexcept {
  return regular_file() ? "records wait, and it is tried again every second (export.backlog_octets)"
                        : "records wait for it (export.backlog_octets)";
}

/// Whose trouble it is: of files that follow one another, this one.
std::string Destination::subject() const { return rotation_ ? std::get<transport::File>(channel_).path() : name_; }

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
  for (const auto& message : unwritten_) report.waiting += message;
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
