// SPDX-License-Identifier: BSD-3-Clause
#include "app/control.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>

#include "base/error.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

[[noreturn]] void fail(const std::string& path, std::string_view what) {
  throw StartError{
      fmt::format("live.control: {}: {}; give another path, or an empty one for no control socket", path, what)};
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    fail(path, fmt::format("longer than the {} octets of a socket's path", sizeof address.sun_path - 1));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Descriptor stream_socket() { return Descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)}; }

bool answers(const sockaddr_un& address) {
  const auto socket = stream_socket();
  return ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN;  // its queue is full
}

void make_folder(const std::string& path) {
  std::error_code error;
  const auto folder = std::filesystem::path{path}.parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) fail(path, fmt::format("the folder cannot be made: {}", error.message()));
}

/// What a probe left that could not clean up. Only a socket, and one that nobody answers at, may go.
void remove_stale(const std::string& path, const sockaddr_un& address, const std::string& busy) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) fail(path, "exists and is no socket");
  if (answers(address)) throw StartError{busy};
  ::unlink(path.c_str());
}

std::string_view word_in(const Json& request, const char* name, std::string_view otherwise) {
  const auto at = request.find(name);
  if (at == request.end()) return otherwise;
  return at->is_string() ? std::string_view{at->get_ref<const std::string&>()} : std::string_view{"?"};
}

Answer answer_flows(const Json& request, ControlHandlers& handlers) {
  FlowQuery query;
  const auto by = word_in(request, "by", "octets");
  if (by != "octets" && by != "packets") return refusal("by must be octets or packets");
  query.by = by == "octets" ? FlowQuery::By::octets : FlowQuery::By::packets;
  if (const auto top = request.find("top"); top != request.end()) {
    if (!top->is_number_unsigned() || top->get<std::uint64_t>() > FlowQuery::top_max)
      return refusal(fmt::format("top must be 0..{}", FlowQuery::top_max));
    query.top = top->get<std::size_t>();
  }
  if (const auto wrong = read_flow_filter(word_in(request, "filter", ""), query); !wrong.empty()) return refusal(wrong);
  return handlers.flows(query);
}

Answer answer_command(const Json& request, ControlHandlers& handlers) {
  const auto command = request.is_object() ? word_in(request, "command", "") : std::string_view{};
  if (command == "stats") return handlers.stats();
  if (command == "ports") return handlers.ports();
  if (command == "flows") return answer_flows(request, handlers);
  if (command == "expire-all") return handlers.expire_all();
  if (command == "reload") return handlers.reload();
  return refusal(
      "a request is one line, {\"command\":\"stats\"}; commands are stats, flows, expire-all, reload, ports");
}

}  // namespace

Answer refusal(const std::string& line) { return {{{"error", line}}}; }

std::string refusal_in(const Answer& answer) {
  const auto error = answer.json.find("error");
  return error != answer.json.end() && error->is_string() ? error->get<std::string>() : std::string{};
}

std::string answer_to(std::string_view request, ControlHandlers& handlers) {
  const auto json = Json::parse(request, nullptr, false);
  Answer answer;
  try {
    answer = answer_command(json, handlers);
  } catch (const std::exception& error) {
    answer = refusal(error.what());
  }
  const bool as_text = json.is_object() && word_in(json, "style", "json") == "text";
  if (as_text && !answer.text.empty()) answer.json = {{"text", answer.text}};
  return answer.json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Control::Control(const std::string& path) : path_{path} {
  if (path.empty()) return;
  const auto address = address_of(path);
  make_folder(path);
  const auto busy = fmt::format("another probe answers at {}; give this one its own live.control", path);
  mark_.emplace(path + ".pid", busy);
  if (mark_->left_by() > 0)
    lost_before_ = fmt::format(
        "the probe before this one (process {}) did not end in order: the flows that it had in memory are lost",
        mark_->left_by());
  remove_stale(path, address, busy);
  listen_at(path);
  clients_.reserve(connections_max);
}

void Control::listen_at(const std::string& path) {
  const auto address = address_of(path);
  listener_ = stream_socket();
  // The mode that the socket is born with: nobody slips in before chmod, which undoes a umask.
  ::fchmod(listener_.number(), 0660);
  if (::bind(listener_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0660) != 0 || ::listen(listener_.number(), 64) != 0)
    fail(path, std::strerror(errno));
}

Control::~Control() {
  if (listener_) ::unlink(path_.c_str());  // who has dropped privileges may not; the next probe replaces it
}

void Control::give_to(const Identity& owner) {
  if (!mark_) return;
  mark_->give_to(owner);
  if (::chown(path_.c_str(), owner.user, owner.group) != 0) return;  // not root: it is ours already
}

int Control::milliseconds_to_wait(milliseconds limit, Time now) const {
  auto until = now + limit;
  for (const auto& client : clients_) until = std::min(until, client.until);
  if (now < accept_again_) until = std::min(until, accept_again_);
  const auto wait = std::chrono::ceil<milliseconds>(until - now).count();
  return static_cast<int>(std::clamp<long>(wait, 0, 60'000));
}

short Control::Client::waits_for() const noexcept { return sent < answer.size() ? POLLOUT : POLLIN; }

void Control::serve(milliseconds limit, ControlHandlers& handlers, int wake) {
  auto now = std::chrono::steady_clock::now();
  std::array<pollfd, connections_max + 2> polled{};
  const bool may_accept = listener_ && clients_.size() < connections_max && now >= accept_again_;
  polled[0] = {wake, POLLIN, 0};
  polled[1] = {may_accept ? listener_.number() : -1, POLLIN, 0};
  for (std::size_t i = 0; i < clients_.size(); ++i)
    polled[i + 2] = {clients_[i].socket.number(), clients_[i].waits_for(), 0};
  ::poll(polled.data(), clients_.size() + 2, milliseconds_to_wait(limit, now));

  bool answered = false;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    auto& client = clients_[i];
    if (polled[i + 2].revents == 0) continue;
    if (client.answer.empty() && !answered && receive(client)) {
      client.answer = answer_to(client.request, handlers);
      answered = true;
    }
    if (client.sent < client.answer.size()) send(client);
    else if (client.left_to_hear > 0) hear_out(client);
  }
  now = std::chrono::steady_clock::now();
  std::erase_if(clients_, [now](const Client& client) { return client.is_over || now >= client.until; });
  if (polled[1].revents != 0) accept_clients(now);
}

void Control::accept_clients(Time now) {
  while (clients_.size() < connections_max) {
    Descriptor socket{::accept4(listener_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket) {
      clients_.push_back({std::move(socket), now + patience});
    } else {
      if (errno != EAGAIN && errno != ECONNABORTED) accept_again_ = now + milliseconds{100};  // out of descriptors
      return;
    }
  }
}

/// True when the request is whole: a line, or all that came before the client stopped sending.
bool Control::receive(Client& client) {
  std::array<char, 4096> piece;
  for (;;) {
    const auto length = ::recv(client.socket.number(), piece.data(), piece.size(), 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return client.is_over = errno != EAGAIN, false;
    if (length == 0) return client.is_over = client.request.empty(), !client.is_over;
    client.request.append(piece.data(), static_cast<std::size_t>(length));
    if (const auto end = client.request.find('\n'); end != client.request.npos) return client.request.resize(end), true;
    if (client.request.size() <= request_octets_max) continue;
    client.request.clear();
    client.left_to_hear = heard_out_max;
    client.answer = refusal(fmt::format("a request has at most {} octets", request_octets_max)).json.dump() + "\n";
    return false;
  }
}

void Control::send(Client& client) {
  while (client.sent < client.answer.size()) {
    const auto rest = std::string_view{client.answer}.substr(client.sent);
    const auto length = ::send(client.socket.number(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) {
      client.is_over = errno != EAGAIN;
      return;
    }
    client.sent += static_cast<std::size_t>(length);
  }
  client.is_over = client.left_to_hear == 0;
  ::shutdown(client.socket.number(), SHUT_WR);
}

/// A socket that is closed with something unread in it tells its peer of an error instead of the answer.
void Control::hear_out(Client& client) {
  std::array<char, 65'536> piece;
  while (client.left_to_hear > 0) {
    const auto length = ::recv(client.socket.number(), piece.data(), std::min(piece.size(), client.left_to_hear), 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) break;
    client.left_to_hear -= static_cast<std::size_t>(length);
  }
  client.is_over = true;
}

}  // namespace weir::app
