// SPDX-License-Identifier: BSD-3-Clause
#include "app/control.hpp"

#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include "app/commands/ctl.hpp"
#include "app/json_lines.hpp"
#include "app/live/starting.hpp"
#include "base/error.hpp"
#include "support/loopback.hpp"
#include "support/scratch_directory.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

struct Canned : ControlHandlers {
  Answer stats() override { return {{{"packets", 3}}, "three packets\n"}; }
  Answer ports() override { return {{{"ports", {{{"name", "a"}, {"queues", 2}}}}}}; }
  Answer flows(const FlowQuery& query) override {
    asked = query;
    return {{{"flows", std::string(octets, 'x')}}};
  }
  Answer expire_all() override { throw std::runtime_error{"no worker answers"}; }
  Answer reload() override { return refusal("weir.yaml:3: no"); }

  FlowQuery asked;
  std::size_t octets = 1;
};

Json answer_of(std::string_view request) {
  Canned handlers;
  const auto text = answer_to(request, handlers);
  EXPECT_EQ(text.find('\n'), text.size() - 1) << request;
  return Json::parse(text);
}

/// A probe that answers in a thread of its own.
struct Running {
  explicit Running(const std::string& path) : control{path}, thread{[this] { serve(); }} {}
  ~Running() {
    over = true;
    thread.join();
  }
  void serve() {
    while (!over) control.serve(5ms, handlers);
  }

  Canned handlers;
  Control control;
  std::atomic<bool> over{false};
  std::thread thread;
};

Descriptor client_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval patience{60, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  EXPECT_EQ(::connect(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return socket;
}
bool says_all(const Descriptor& socket, std::string_view text) {
  while (!text.empty()) {
    const auto length = ::send(socket.number(), text.data(), text.size(), MSG_NOSIGNAL);
    if (length <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}
std::string hear(const Descriptor& socket) {
  std::string all;
  std::array<char, 4096> piece;
  for (ssize_t length; (length = ::recv(socket.number(), piece.data(), piece.size(), 0)) > 0;)
    all.append(piece.data(), static_cast<std::size_t>(length));
  return all;
}
std::string ask(const std::string& path, std::string_view request) {
  const auto socket = client_of(path);
  says_all(socket, request);
  return hear(socket);
}

std::string complaint(const std::string& path) {
  try {
    Control control{path};
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}

constexpr std::string_view stats = "{\"command\":\"stats\"}\n";
constexpr std::string_view stats_answer = "{\"packets\":3}\n";

TEST(Control, answers_each_command_in_json_and_with_the_text_for_people_where_there_is_one) {
  EXPECT_EQ(answer_of(stats)["packets"], 3);
  EXPECT_EQ(answer_of(R"({"command":"stats","style":"text"})"), (Json{{"text", "three packets\n"}}));
  EXPECT_EQ(answer_of(R"({"command":"ports","style":"text"})")["ports"][0]["queues"], 2);
  EXPECT_EQ(answer_of(R"({"command":"expire-all"})")["error"], "no worker answers");
  EXPECT_EQ(answer_of(R"({"command":"reload"})")["error"], "weir.yaml:3: no");
}

TEST(Control, hands_on_what_is_asked_of_the_flows_and_refuses_what_is_not_understood) {
  Canned handlers;
  answer_to(R"({"command":"flows","filter":"port 53","top":1000,"by":"packets"})", handlers);
  EXPECT_EQ(handlers.asked.ports.at(0), 53);
  EXPECT_EQ(handlers.asked.top, 1000u);
  EXPECT_EQ(handlers.asked.by, FlowQuery::By::packets);
  for (const auto* wrong :
       {R"("top":1001)", R"("top":-1)", R"("top":1.5)", R"("top":"9")", R"("top":99999999999999999999)",
        R"("by":"size")", R"("by":1)", R"("filter":[1])", R"("filter":"port x")", R"("filter":"host \u0000")"})
    EXPECT_TRUE(answer_of(std::string{R"({"command":"flows",)"} + wrong + "}").contains("error")) << wrong;
}

TEST(Control, whatever_a_request_is_made_of_it_is_answered_in_one_line_of_json) {
  for (const auto* wrong : {"", "{", "[]", "null", "1", "\"stats\"", "{}", R"({"command":1})", R"({"command":"stat"})",
                            "\xff\xfe", R"({"command":"\ud800"})", R"({"command":{"command":"stats"}})"})
    EXPECT_TRUE(answer_of(wrong).contains("error")) << wrong;
  EXPECT_TRUE(answer_of(std::string(60'000, '[')).contains("error"));
  EXPECT_TRUE(answer_of(std::string(30'000, '[') + std::string(30'000, ']')).contains("error"));

  std::mt19937_64 random{1};
  for (int i = 0; i < 20'000; ++i) {
    std::string text = R"({"command":"flows","filter":"host 10.0.0.1 port 1","top":5,"by":"octets","style":"text"})";
    for (auto n = random() % 6; n > 0; --n) text[random() % text.size()] = static_cast<char>(random());
    ASSERT_TRUE(answer_of(text).is_object()) << text;
  }
}

TEST(Control, who_asks_while_the_probe_starts_hears_so_at_once) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  Control control{path};
  {
    const Starting starting{control};
    for (const auto* command : {"stats", "ports", "flows", "expire-all", "reload"})
      EXPECT_NE(ask(path, std::string{R"({"command":")"} + command + "\"}\n").find("starting"), std::string::npos);
  }
  const auto late = client_of(path);  // waits for whoever serves next
  EXPECT_TRUE(says_all(late, stats));
  Canned handlers;
  for (int turn = 0; turn < 3; ++turn) control.serve(100ms, handlers);
  EXPECT_EQ(hear(late), stats_answer);
}

TEST(Control, makes_its_folder_and_a_socket_for_owner_and_group_and_takes_it_away_again) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "run/weir.sock";
  {
    const Running probe{path};
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode, static_cast<mode_t>(S_IFSOCK | 0660));
    EXPECT_EQ(ask(path, stats), stats_answer);
    EXPECT_EQ(probe.control.lost_before(), "");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(Control{path}.lost_before(), "");
  Canned handlers;
  Control{""}.serve(0ms, handlers);
}

TEST(Control, a_line_may_come_in_pieces_and_the_last_may_lack_its_end) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  const Running probe{path};
  const auto slow = client_of(path);
  const auto is_taken = [&] {
    int waiting = -1;
    return ::ioctl(slow.number(), SIOCOUTQ, &waiting) == 0 && waiting == 0;
  };
  for (const char c : stats) {
    says_all(slow, {&c, 1});
    ASSERT_TRUE(test::comes(is_taken, [] { std::this_thread::yield(); })) << "the next one would come with this one";
  }
  EXPECT_EQ(hear(slow), stats_answer);

  const auto without_end = client_of(path);
  says_all(without_end, stats.substr(0, stats.size() - 1));
  ::shutdown(without_end.number(), SHUT_WR);
  EXPECT_EQ(hear(without_end), stats_answer);

  EXPECT_EQ(ask(path, std::string{stats} + std::string{stats}), stats_answer);  // one line, one answer
  EXPECT_NE(ask(path, std::string(70'000, ' ')).find("at most 65536 octets"), std::string::npos);
  for (const std::size_t octets : {70'000u, 1'000'000u, 3'000'000u}) {
    const auto socket = client_of(path);
    EXPECT_TRUE(says_all(socket, std::string(octets, 'x') + "\n")) << octets << ": " << std::strerror(errno);
    EXPECT_NE(hear(socket).find("at most 65536 octets"), std::string::npos) << octets;
  }
}

TEST(Control, clients_that_say_nothing_or_read_nothing_do_not_keep_others_waiting) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  Running probe{path};
  probe.handlers.octets = 10'000'000;  // more than a socket holds
  const auto no_reader = client_of(path), silent = client_of(path), half = client_of(path);
  says_all(no_reader, "{\"command\":\"flows\"}\n");
  says_all(half, stats.substr(0, 5));
  EXPECT_EQ(ask(path, stats), stats_answer);
  EXPECT_EQ(ask(path, "{\"command\":\"flows\"}\n").size(), 10'000'013u);
}

TEST(Control, a_thousand_connections_are_all_answered_in_their_turn) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  const Running probe{path};
  std::atomic<int> answered{0};
  std::vector<std::thread> askers;
  for (int thread = 0; thread < 4; ++thread)
    askers.emplace_back([&] {
      std::vector<Descriptor> many;
      for (int i = 0; i < 250; ++i) {
        many.push_back(client_of(path));
        says_all(many.back(), stats);
      }
      for (const auto& socket : many) answered += hear(socket) == stats_answer;
    });
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(answered, 1000);
}

TEST(Control, no_client_outstays_its_time_however_many_hold_their_places) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  const Running probe{path};
  std::vector<Descriptor> silent;
  for (std::size_t i = 0; i < Control::connections_max + 5; ++i) silent.push_back(client_of(path));
  EXPECT_EQ(ask(path, stats), stats_answer);  // when the first ones were sent away
  EXPECT_EQ(hear(silent[0]), "");
}

TEST(Control, returns_at_once_when_there_is_something_to_wake_it) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Descriptor wake{ends[0]}, ring{ends[1]};
  ASSERT_EQ(::write(ring.number(), "", 1), 1);
  Canned handlers;
  Control control{""};
  control.serve(1h, handlers, wake.number());
}

TEST(Control, a_second_probe_is_told_and_a_socket_that_nobody_answers_at_is_replaced) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  {
    const Running probe{path};
    EXPECT_EQ(complaint(path), "another probe answers at " + path + "; give this one its own live.control (process " +
                                   std::to_string(::getpid()) + ")");
    std::filesystem::remove(path + ".pid");  // then the socket itself says so
    EXPECT_EQ(complaint(path), "another probe answers at " + path + "; give this one its own live.control");
    EXPECT_EQ(ask(path, stats), stats_answer);
  }
  { std::ofstream{path} << "notes"; }
  EXPECT_NE(complaint(path).find("exists and is no socket"), std::string::npos);
  EXPECT_NE(complaint("/proc/weir/weir.sock").find("the folder cannot be made"), std::string::npos);
  EXPECT_NE(complaint(std::string(200, 'x')).find("longer than the 107 octets"), std::string::npos);
}

TEST(Control, after_a_probe_was_killed_the_next_says_what_is_lost_and_takes_its_place) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  const auto child = ::fork();
  if (child == 0) {
    Control control{path};
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(std::filesystem::exists(path));
  {
    const Running probe{path};
    EXPECT_EQ(probe.control.lost_before(), "the probe before this one (process " + std::to_string(child) +
                                               ") did not end in order: the flows that it had in memory are lost");
    EXPECT_EQ(ask(path, stats), stats_answer);
  }
  EXPECT_EQ(Control{path}.lost_before(), "");
}

TEST(Control, gives_the_mark_to_a_group_and_the_next_start_needs_no_capability_to_take_it) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  if (::geteuid() == 0) {
    Control control{path};
    control.give_to({.user = 65534, .group = 65534, .name = "nobody"});
  } else {
    GTEST_SKIP() << "needs root";
  }
  struct stat mark {};
  ASSERT_EQ(::stat((path + ".pid").c_str(), &mark), 0);
  EXPECT_EQ(mark.st_uid, 0u) << "without CAP_DAC_OVERRIDE root could not open another's";
  EXPECT_EQ(mark.st_gid, 65534u);
  EXPECT_EQ(mark.st_mode & 0777, 0664u);
}

/// `weir ctl` with these arguments: what it prints and how it exits.
std::pair<int, std::string> ctl_with(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ctl");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  int status = 0;
  std::string complaint;
  try {
    status = ctl(static_cast<int>(argv.size()), argv.data());
  } catch (const StartError& error) {
    status = static_cast<int>(error.status);
    complaint = error.what();
  }
  return {status, testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr() + complaint};
}

TEST(Ctl, prints_lines_for_people_and_json_for_programs) {
  const test::ScratchDirectory scratch;
  const auto path = scratch / "weir.sock";
  Running probe{path};
  using Outcome = std::pair<int, std::string>;
  EXPECT_EQ(ctl_with({"--socket", path, "stats"}), (Outcome{0, "three packets\n"}));
  EXPECT_EQ(ctl_with({"--socket", path, "stats", "--json"}), (Outcome{0, std::string{stats_answer}}));
  EXPECT_EQ(ctl_with({"--socket", path, "ports"}), (Outcome{0, "ports:\nname  queues\na     2\n"}));
  EXPECT_EQ(ctl_with({"--socket", path, "reload"}), (Outcome{1, "weir ctl: weir.yaml:3: no\n"}));
  EXPECT_EQ(ctl_with({"--socket", path, "flows", "--top", "7", "--by", "packets", "proto", "udp", "port", "53"}).first,
            0);
  EXPECT_EQ(probe.handlers.asked.top, 7u);
  EXPECT_EQ(probe.handlers.asked.protocol, 17);
}

TEST(Ctl, says_in_one_line_that_no_probe_answers) {
  const auto [status, said] = ctl_with({"--socket", "/no/weir.sock", "stats"});
  EXPECT_EQ(status, 1);
  EXPECT_TRUE(said.starts_with("no probe answers at /no/weir.sock: No such file or directory; --socket")) << said;
  EXPECT_EQ(ctl_with({"flows", "port", "x"}), (std::pair<int, std::string>{2, "port 'x': must be 0..65535"}));
}

TEST(JsonLines, are_aligned_and_lists_of_objects_are_tables) {
  const auto json = Json::parse(R"({"a":{"packets":1234567,"b":true,"empty":{}},"name":"x","list":[1,"y"],"none":null,
                                    "ports":[{"name":"eth","queues":2},{"name":"e","loss":{"x":1}}]})");
  EXPECT_EQ(lines_of(json),
            "a.packets  1,234,567\na.b        yes\na.empty    {}\nname       x\nlist       1, y\nnone       -\n"
            "\nports:\nname  queues  loss\neth   2       -\ne     -       {\"x\":1}\n");
}

}  // namespace
}  // namespace weir::app
