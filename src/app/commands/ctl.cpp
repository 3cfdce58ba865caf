// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/ctl.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/complain.hpp"
#include "app/flow_query.hpp"
#include "app/json_lines.hpp"
#include "app/print.hpp"
#include "app/settings.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr timeval patience{30, 0};
constexpr std::size_t answer_octets_max = std::size_t{64} << 20;

struct CommandLine {
  std::string socket, by = "octets";
  std::size_t top = 20;
  std::vector<std::string> filter;
  bool json = false;
};

[[noreturn]] void no_answer(const std::string& path, std::string_view why) {
  throw StartError{
      fmt::format("no probe answers at {}: {}; --socket names another (its setting live.control)", path, why),
      ExitStatus::unusable_input};
}

Descriptor connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) no_answer(path, "this is no path of a socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    no_answer(path, errno == ECONNREFUSED ? "it has ended" : std::strerror(errno));
  return socket;
}

/// All that the probe says until it closes.
std::string ask(const std::string& path, const std::string& request) {
  const auto socket = connect_to(path);
  for (std::size_t sent = 0; sent < request.size();) {
    const auto length = ::send(socket.number(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) break;  // it may have said why
    sent += static_cast<std::size_t>(length);
  }
  std::string answer;
  std::array<char, 65'536> piece;
  while (answer.size() < answer_octets_max) {
    const auto length = ::recv(socket.number(), piece.data(), piece.size(), 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) no_answer(path, "it has said nothing for 30 s");
    if (length <= 0) break;
    answer.append(piece.data(), static_cast<std::size_t>(length));
  }
  return answer;
}

int ask_and_print(const CommandLine& line, Json request) {
  request["style"] = line.json ? "json" : "text";
  const auto text = ask(line.socket, request.dump() + "\n");
  const auto answer = Json::parse(text, nullptr, false);
  if (!answer.is_object()) no_answer(line.socket, "what it says is not JSON");
  const auto printed = line.json ? print(text) : ExitStatus::good;
  if (const auto error = answer.find("error"); error != answer.end() && error->is_string()) {
    complain("weir ctl: {}", error->get<std::string>());
    return static_cast<int>(ExitStatus::unusable_input);
  }
  if (line.json) return static_cast<int>(printed);
  const auto ready = answer.find("text");
  return static_cast<int>(
      print(ready != answer.end() && ready->is_string() ? ready->get<std::string>() : lines_of(answer)));
}

Json flows_request(const CommandLine& line) {
  std::string filter;
  for (const auto& word : line.filter) filter.append(filter.empty() ? "" : " ").append(word);
  FlowQuery query;
  if (const auto wrong = read_flow_filter(filter, query); !wrong.empty()) throw StartError{wrong};
  return {{"command", "flows"}, {"filter", filter}, {"top", line.top}, {"by", line.by}};
}

struct Command {
  const char *name, *help;
};
constexpr std::array plain_commands{
    Command{"stats", "what came in, and what became of it, since the start"},
    Command{"expire-all", "end and export all flows now"},
    Command{"reload", "read the settings anew; flows live on"},
    Command{"ports", "ports, their links, queues and losses"},
};

void describe(CLI::App& app, CommandLine& line) {
  line.socket = Settings{}.live.control;
  app.add_option("--socket", line.socket, "the probe's control socket (its setting live.control)")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_flag("--json", line.json, "the answer for programs");
  app.require_subcommand(1);
  app.fallthrough();  // --json may also come last
  for (const auto& command : plain_commands) app.add_subcommand(command.name, command.help);
  auto* flows = app.add_subcommand("flows", "the largest flows in the table now");
  flows->add_option("--top", line.top, "how many")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{0}, FlowQuery::top_max))
      ->capture_default_str();
  flows->add_option("--by", line.by, "what makes a flow large")
      ->check(CLI::IsMember({"octets", "packets"}))
      ->capture_default_str();
  flows->add_option("FILTER", line.filter, std::string{flow_filter_help});
}

}  // namespace

int ctl(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"Asks a running probe (weir run).", "weir ctl"};
  describe(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::usage);
  }
  const auto name = app.get_subcommands().front()->get_name();
  return ask_and_print(line, name == "flows" ? flows_request(line) : Json{{"command", name}});
}

}  // namespace weir::app
