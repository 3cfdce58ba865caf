// SPDX-License-Identifier: BSD-3-Clause
#include "app/signals.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.hpp"

namespace weir::app {
namespace {

std::atomic<bool> end_asked{false}, reload_asked{false};
std::atomic<std::int64_t> end_asked_at{0};
std::atomic<int> ring_descriptor{-1};
std::atomic<Signals::Clock> milliseconds_now{Signals::monotonic_clock};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
                  std::atomic<Signals::Clock>::is_always_lock_free,
              "a signal handler may touch nothing else");

void ring() noexcept {
  const auto before = errno;
  if (::write(ring_descriptor, "", 1) < 0) errno = before;  // the pipe is full: it wakes already
  errno = before;
}

/// The second one ends the process at once. What comes together with the first (timeout(1) signals a process and then
/// its whole group) is the same wish.
void on_end(int number) noexcept {
  constexpr std::int64_t one_wish = 500;
  if (!end_asked) {
    end_asked_at = milliseconds_now.load()();
    end_asked = true;
  } else if (milliseconds_now.load()() - end_asked_at > one_wish) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
  ring();
}

void on_reload(int) noexcept {
  reload_asked = true;
  ring();
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;  // other threads need not know
  ::sigaction(number, &action, nullptr);
}

}  // namespace

std::int64_t Signals::monotonic_clock() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

Signals::Signals(Clock clock) {
  milliseconds_now = clock;
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
    throw StartError{fmt::format("a pipe for signals: {}", std::strerror(errno))};
  wake_ = Descriptor{ends[0]};
  ring_ = Descriptor{ends[1]};
  ring_descriptor = ends[1];
  end_asked = reload_asked = false;
  handle(SIGINT, on_end);
  handle(SIGTERM, on_end);
  handle(SIGHUP, on_reload);
  handle(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  for (const auto number : {SIGINT, SIGTERM, SIGHUP}) handle(number, SIG_DFL);
  ring_descriptor = -1;
}

const std::atomic<bool>& Signals::is_asked_to_end() const noexcept { return end_asked; }
bool Signals::take_reload() noexcept { return reload_asked.exchange(false); }

void Signals::calm() noexcept {
  std::array<char, 64> rung;
  while (::read(wake_.number(), rung.data(), rung.size()) > 0) continue;
}

}  // namespace weir::app
