// SPDX-License-Identifier: BSD-3-Clause
#include "app/destination.hpp"

#include <algorithm>
#include <utility>

namespace weir::app {

using std::chrono::milliseconds;
using transport::Sent;

constexpr milliseconds look_up{100};  ///< how long to sleep at most before seeing whether there was an interrupt

void Destination::observe(Instant packet_clock) noexcept {
  packet_clock_ = std::max(packet_clock_, packet_clock);
  now_ = now();
  if (std::exchange(begun_, true)) return;
  session_.begin(now_);
}

void Destination::add(TemplateId id, Bytes record, const Totals& totals) noexcept {
  if (!dead_ && session_.add(id, record, totals, now_)) return;
  drain();
  if (dead_ || !session_.add(id, record, totals, now_)) lose(dead_of_, totals);
}

void Destination::tick() noexcept {
  session_.tick(now_);
  drain();
}

void Destination::settle() noexcept {
  session_.owe_data();
  drain();
  session_.owe_statistics();
  drain();
}

void Destination::finish() noexcept {
  settle();
  if (!dead_) close();
}

/// Sends until nothing is owed. A message that has to wait is made anew before each attempt, so that it carries the
/// time at which it leaves; one that is half sent must stay as it is.
void Destination::drain() noexcept {
  Bytes message;
  while (!dead_) {
    now_ = now();
    const bool half_sent = std::visit([](const auto& channel) { return channel.half_sent(); }, channel_);
    if (!half_sent) message = session_.next(now_);
    if (message.empty()) return;
    take_answer(std::visit([message](auto& channel) { return channel.send(message); }, channel_));
  }
}

void Destination::take_answer(Sent answer) noexcept {
  switch (answer) {
    case Sent::yes:
      waiting_ = false;
      session_.accepted();
      count_accepted();
      return;
    case Sent::try_later:
      if (!wait_some_more()) give_up(was_interrupted() ? Loss::interrupted : Loss::collector_dead);
      return;
    case Sent::paced:
      if (was_interrupted() && !std::exchange(slow_end_told_, true))
        warn(name_ + ": the last records go at export.udp.rate; a second interrupt leaves them");
      std::visit([](auto& channel) { channel.wait(look_up); }, channel_);
      return;
    case Sent::broken:
      error_ = trouble();
      warn(name_ + ": " + error_ + "; connecting again");
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
  (is_whole_or_nothing() ? unnamed_ : exported_) += session_.accepted_last();
}

void Destination::close() noexcept {
  waiting_ = false;
  auto answer = Sent::try_later;
  while (true) {
    answer = std::visit([](auto& channel) { return channel.finish(); }, channel_);
    if (answer != Sent::try_later || !wait_some_more()) break;
  }
  if (answer == Sent::failed) return give_up(Loss::file_failed);
  exported_ += std::exchange(unnamed_, {});
  if (answer == Sent::yes) return;
  error_ = trouble();
  std::visit([](auto& channel) { channel.abandon(); }, channel_);
  warn(name_ + ": " + error_ + "; the collector may miss the last records");
}

/// False: it has taken nothing for as long as we wait. Any progress begins the time anew.
bool Destination::wait_some_more() noexcept {
  const auto progress = std::visit([](const auto& channel) { return channel.progress(); }, channel_);
  const auto time = Steady::now();
  if (!waiting_ || progress != progress_) {
    waiting_ = true;
    warned_ = false;
    waiting_since_ = time;
    progress_ = progress;
  }
  const auto limit = was_interrupted() ? std::min(options_.wait_max, options_.wait_max_interrupted) : options_.wait_max;
  const auto waited = std::chrono::duration_cast<milliseconds>(time - waiting_since_);
  if (waited >= limit) return false;
  warn_of_waiting(waited);
  std::visit([&](auto& channel) { channel.wait(std::min(look_up, limit - waited)); }, channel_);
  return true;
}

void Destination::warn_of_waiting(milliseconds waited) noexcept {
  constexpr milliseconds worth_a_line{1000};
  if (waited < worth_a_line || std::exchange(warned_, true)) return;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(options_.wait_max).count();
  warn(name_ + ": " + trouble() + "; waiting for up to " + std::to_string(seconds) + " s (export.wait_max)");
}

void Destination::give_up(Loss cause) noexcept {
  error_ = trouble();
  dead_ = true;
  dead_of_ = cause;
  std::visit([](auto& channel) { channel.abandon(); }, channel_);
  lose(cause, session_.give_up(std::exchange(unnamed_, {}), now_));
  const auto& text = loss_texts[static_cast<std::size_t>(cause)];
  warn(name_ + ": " + error_ + "; records are lost: " + std::string{text.help});
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
  report.sessions = begun_;
  report.messages = session_.messages();
  report.octets = session_.octets();
  report.data_records = session_.data_records();
  report.exported = exported_;
  report.waiting = session_.waiting();
  report.waiting += unnamed_;
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
