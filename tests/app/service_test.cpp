// SPDX-License-Identifier: BSD-3-Clause
// What a service owes the machine that it runs on: its supervisor, its signals, its privileges.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <fstream>

#include "app/privileges.hpp"
#include "app/signals.hpp"
#include "app/supervisor.hpp"
#include "base/error.hpp"
#include "support/scratch_directory.hpp"
#include "transport/folder.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

/// systemd's end of the notification socket. '@' begins an abstract name.
class Systemd {
 public:
  explicit Systemd(const std::string& name) : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<sockaddr*>(&address), length), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Systemd() {
    for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  std::string heard() const {
    std::array<char, 1024> text{};
    const auto length = ::recv(socket_.number(), text.data(), text.size(), 0);
    return length > 0 ? std::string{text.data(), static_cast<std::size_t>(length)} : "";
  }

 private:
  Descriptor socket_;
};

TEST(Supervisor, hears_when_a_service_is_ready_reloads_and_stops) {
  const test::ScratchDirectory scratch;
  for (const auto& name : {scratch / "notify", "@weir-test-" + std::to_string(::getpid())}) {
    const Systemd systemd{name};
    Supervisor supervisor;
    ASSERT_TRUE(supervisor.is_there());
    supervisor.ready("meters 2 ports");
    EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=meters 2 ports\n");
    supervisor.status("two\nlines");
    EXPECT_EQ(systemd.heard(), "STATUS=two lines\n");
    supervisor.reloading();
    const auto reloading = systemd.heard();
    EXPECT_TRUE(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << reloading;
    EXPECT_GT(std::stoull(reloading.substr(27)), 0u);
    supervisor.stopping("ends flows");
    EXPECT_EQ(systemd.heard(), "STOPPING=1\nSTATUS=ends flows\n");
  }
}

TEST(Supervisor, is_told_of_life_at_half_of_the_watchdogs_time) {
  const Systemd systemd{"@weir-watchdog-" + std::to_string(::getpid())};
  ::setenv("WATCHDOG_USEC", "2000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  Supervisor supervisor;
  EXPECT_EQ(supervisor.watchdog(), 2s);
  const Supervisor::Time start{1h};
  supervisor.alive(start);
  EXPECT_EQ(systemd.heard(), "WATCHDOG=1\n");
  supervisor.alive(start + 999ms);
  EXPECT_EQ(systemd.heard(), "");
  supervisor.alive(start + 1s);
  EXPECT_EQ(systemd.heard(), "WATCHDOG=1\n");

  ::setenv("WATCHDOG_PID", "1", 1);  // somebody else is watched
  Supervisor unwatched;
  EXPECT_EQ(unwatched.watchdog(), 0s);
  unwatched.alive(start);
  EXPECT_EQ(systemd.heard(), "");
}

TEST(Supervisor, that_is_not_there_or_has_gone_stops_nobody) {
  for (const auto* name : {"", "relative", "/no/such/socket", "vsock:2:1"}) {
    ::setenv("NOTIFY_SOCKET", name, 1);
    Supervisor supervisor;
    supervisor.ready("x");
    supervisor.alive(Supervisor::Time{1h});
  }
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(Supervisor{}.is_there());
}

bool is_readable(int descriptor) {
  pollfd polled{descriptor, POLLIN, 0};
  return ::poll(&polled, 1, 0) == 1;
}

TEST(Signals, wake_who_waits_and_are_remembered) {
  Signals signals;
  EXPECT_FALSE(signals.is_asked_to_end());
  EXPECT_FALSE(is_readable(signals.wake()));
  ::raise(SIGHUP);
  ::raise(SIGHUP);
  EXPECT_TRUE(is_readable(signals.wake()));
  signals.calm();
  EXPECT_FALSE(is_readable(signals.wake()));
  EXPECT_TRUE(signals.take_reload());
  EXPECT_FALSE(signals.take_reload());
  ::raise(SIGTERM);
  EXPECT_TRUE(is_readable(signals.wake()));
  EXPECT_TRUE(signals.is_asked_to_end());
  ::raise(SIGPIPE);
  for (int i = 0; i < 100'000; ++i) ::raise(SIGHUP);  // more than the pipe holds
}

/// How a child that does this ends: its status, or minus the signal.
template <class Do>
int end_of_child(Do act) {
  const auto child = ::fork();
  if (child == 0) {
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(Signals, the_second_that_asks_to_end_ends_the_process_at_once_unless_it_came_with_the_first) {
  static std::int64_t milliseconds = 0;
  const auto with = [](int first, int second, std::int64_t apart) {
    return end_of_child([=] {
      const Signals signals{[]() noexcept { return milliseconds; }};
      ::raise(first);
      milliseconds += apart;
      ::raise(second);
    });
  };
  EXPECT_EQ(with(SIGINT, SIGINT, 600), -SIGINT);
  EXPECT_EQ(with(SIGTERM, SIGINT, 600), -SIGINT);
  EXPECT_EQ(with(SIGINT, SIGINT, 0), 0);
  EXPECT_EQ(with(SIGHUP, SIGINT, 0), 0);
}

std::string complaint(const std::string& user, const std::string& group) {
  try {
    identity_of(user, group);
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}

TEST(Privileges, users_and_groups_are_names_or_numbers_and_unknown_ones_are_refused) {
  EXPECT_FALSE(identity_of("", ""));
  EXPECT_EQ(identity_of("nobody", "").value().name, "nobody");
  const auto numbers = identity_of("4000000", "4000001").value();
  EXPECT_EQ(numbers.user, 4'000'000u);
  EXPECT_EQ(numbers.group, 4'000'001u);
  EXPECT_EQ(complaint("no-such", ""), "live.user: there is no user 'no-such'; `useradd --system no-such` makes it");
  EXPECT_EQ(complaint("nobody", "no-such"),
            "live.group: there is no group 'no-such'; `groupadd --system no-such` makes it");
  EXPECT_EQ(complaint("", "daemon"), "live.group is set without live.user; set both, or neither");
  EXPECT_EQ(complaint("4000000", ""), "live.user: 4000000 is no user with a group of its own; set live.group");
  EXPECT_NE(complaint("root", ""), "");
  EXPECT_NE(complaint("4294967295", "1"), "");  // setresuid would leave it as it is
}

TEST(Privileges, what_another_may_do_in_a_folder_is_known_before_they_are_dropped) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const test::ScratchDirectory scratch;
  const auto nobody = identity_of("nobody", "").value();
  const auto file = scratch / "flows.ipfix";
  const auto tried = [&] { return result_as(nobody, [&] { return transport::try_folder_of(file); }); };
  EXPECT_EQ(tried(), EACCES);
  EXPECT_EQ(::geteuid(), 0u);
  ASSERT_EQ(::chown((scratch / ".").c_str(), nobody.user, nobody.group), 0);
  EXPECT_EQ(tried(), 0);
  EXPECT_EQ(scratch.entries(), 0u);
  ASSERT_EQ(::chown((scratch / ".").c_str(), 0, 0), 0);
  ASSERT_EQ(::chmod((scratch / ".").c_str(), 01777), 0);
  EXPECT_EQ(tried(), 0);
  { std::ofstream{file} << "root's"; }
  EXPECT_EQ(tried(), EPERM) << "in a folder like /tmp nobody replaces what is another's";
}

TEST(Privileges, once_dropped_are_gone_and_only_named_capabilities_stay) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto has = [](int capability) { return ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1; };
  const auto raw_socket = [] { return Descriptor{::socket(AF_INET, SOCK_RAW, 1)}; };
  const bool can_raw = has(13) && raw_socket();
  const auto child = [&](const std::vector<std::string>& keep) {
    return end_of_child([&] {
      const auto line = drop_privileges(identity_of("4000000", "4000001", keep).value());
      const bool dropped = ::getuid() == 4'000'000 && ::getegid() == 4'000'001 && ::getgroups(0, nullptr) == 1 &&
                           ::setuid(0) != 0 && ::seteuid(0) != 0 && ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
                           line.starts_with("runs as 4000000:4000001 (user 4000000");
      if (!dropped) ::_exit(1);
      ::_exit(raw_socket() ? 3 : 2);
    });
  };
  EXPECT_EQ(child({}), 2);
  EXPECT_EQ(child({"CAP_NET_RAW"}), can_raw ? 3 : 2);
  EXPECT_THROW(identity_of("nobody", "", std::vector<std::string>{"net_rwa"}), StartError);
  const auto of_nobody = end_of_child([] {
    if (::setuid(4'000'000) != 0) ::_exit(1);
    ::_exit(drop_privileges(*identity_of("nobody", "")).find("no privileges to drop") == std::string::npos);
  });
  EXPECT_EQ(of_nobody, 0);
}

}  // namespace
}  // namespace weir::app
