// SPDX-License-Identifier: BSD-3-Clause
// A destination of a live probe: nothing here sleeps. What is not taken at once waits in the session's open message
// and, behind it, in the backlog; service() tries again.
#include <algorithm>
#include <utility>

#include "app/destination.hpp"
#include "app/human.hpp"

namespace weir::app {

using std::chrono::milliseconds;
using transport::Sent;

namespace {

constexpr unsigned messages_a_turn = 256;  ///< of one service(), so that no destination keeps the others waiting
}  // namespace

bool Destination::service() noexcept {
  if (!begun_ || has_ended()) return false;
  blocked_ = false;
  if (!is_open()) end_some();
  else if (send_owed(messages_a_turn)) return false;
  return !blocked_ && !has_ended();
}

void Destination::keep(TemplateId id, Bytes record, const Totals& totals) noexcept {
  const auto dropped = backlog_.push(id, record, totals);
  outage_.count_waiting();
  if (dropped.records == 0) return;
  lose(Loss::backlog_full, dropped);
  session_.count_not_sent(dropped, now_);
  const bool is_news = outage_.is_news(Steady::now(), backlog_.waiting().records);
  if (!outage_.is_first_loss() && !is_news) return;
  warn(name_ + ": its backlog is full; the oldest records are lost from now on (export.backlog_octets)");
}

/// From the backlog into the session's message, as many as it takes.
void Destination::refill() noexcept {
  while (!backlog_.empty()) {
    const auto [id, record, totals] = backlog_.oldest();
    if (!session_.add(id, record, totals, now_)) return;
    backlog_.pop();
  }
}

void Destination::hold_up() noexcept {
  constexpr milliseconds worth_a_line{1000};
  blocked_ = true;
  const auto waited = time_without_progress();
  if (!is_open() && waited >= options_.wait_max_interrupted) give_up(cause_of_end_);
  else if (is_open() && waited >= worth_a_line) tell_outage(what_waits());
}

bool Destination::is_pending() const noexcept {
  return blocked_ || half_sent_ || !backlog_.empty() || (!is_open() && !has_ended());
}

void Destination::not_handed_over(const Totals& records) noexcept {
  if (!is_open()) {
    absent_ += records;
    return;
  }
  lose(Loss::ring_full, records);
  session_.count_not_sent(records, now_);
}

void Destination::begin_end(Loss cause) noexcept {
  if (!is_open()) return;
  stage_ = Stage::data;
  cause_of_end_ = cause;
  waiting_ = false;
  ends_at_ = cause == Loss::removed ? Steady::now() + options_.wait_max_interrupted : Steady::time_point::max();
}

bool Destination::is_past_its_time() const noexcept { return Steady::now() >= ends_at_; }

/// The next step of what finish() does in one go.
void Destination::end_some() noexcept {
  if (!dead_ && stage_ != Stage::closing && is_past_its_time()) give_up(cause_of_end_);
  if (stage_ == Stage::data) {
    session_.owe_data();
    if (!send_owed(messages_a_turn)) return;
    if (session_.waiting().records > 0) return;  // the last of the backlog fill no message: owed by the next turn
    session_.owe_statistics();
    stage_ = Stage::statistics;
  }
  if (stage_ == Stage::statistics) {
    if (!send_owed(messages_a_turn)) return;
    stage_ = Stage::closing;
    waiting_ = false;
  }
  if (!dead_) return close_some();
  stage_ = Stage::ended;
}

void Destination::close_some() noexcept {
  const auto answer = std::visit([](auto& channel) { return channel.finish(); }, channel_);
  if (answer == Sent::try_later && !is_past_its_time() && time_without_progress() < options_.wait_max_interrupted) {
    blocked_ = true;
    return;
  }
  closed(answer);
  stage_ = Stage::ended;
}

/// What waits for room on the disk belongs into this file, however late.
bool Destination::waits_for_space() const noexcept {
  const auto* file = regular_file();
  return !dead_ && file && file->is_disk_full();
}

/// This file ends, another begins; each is whole by itself (RFC 5655 §7.3.7).
void Destination::rotate() noexcept {
  if (!dead_) {
    session_.owe_data();
    send_owed(no_limit);
    session_.owe_statistics();
    send_owed(no_limit);
  }
  auto& file = std::get<transport::File>(channel_);
  if (!dead_) end_file(file.finish());
  if (!file.begin_next(rotation_->next(options_.wall()))) return give_up(Loss::file_failed);
  dead_ = blocked_ = waiting_ = false;
  session_.begin(now_);
  ++files_;
}

/// What did not come into this file yet goes into the next one; what it had taken and cannot keep is lost.
void Destination::end_file(Sent answer) noexcept {
  if (answer == Sent::yes) return closed(answer);
  const auto lost = let_go_of_channel();
  error_ = trouble();
  session_.count_not_sent(lost, now_);
  const bool is_news = outage_.is_news(Steady::now(), backlog_.waiting().records);
  if (outage_.is_first_loss() || is_news) warn(subject() + ": " + error_ + "; " + consequence(Loss::file_failed, lost));
  lose(Loss::file_failed, lost);
}

void Destination::tell_outage(std::string_view consequence) noexcept {
  if (!outage_.is_news(Steady::now(), backlog_.waiting().records)) return;
  auto line = subject() + ": " + trouble() + "; " + std::string{consequence};
  if (const auto times = outage_.times(); times > 1)
    line += " (" + counted(times, "time") + " since this was last said)";
  warn(line);
}

void Destination::tell_end_of_outage() noexcept {
  if (!outage_.is_over()) return;
  const auto lasted = static_cast<std::uint64_t>(outage_.lasted(Steady::now()).count());
  warn(subject() + ": takes records again after " + counted(lasted, "second") + "; " +
       counted(outage_.waited(), "record") + " waited, " + counted(outage_.lost(), "record") + " lost");
}

}  // namespace weir::app
