// SPDX-License-Identifier: BSD-3-Clause
// The control socket of a running probe: one line of JSON in, one line of JSON out, on a Unix stream socket. Driven by
// the control thread; nothing that a client sends or omits can stop it for long.
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/flow_query.hpp"
#include "app/privileges.hpp"
#include "app/running_mark.hpp"
#include "base/descriptor.hpp"

namespace weir::app {

/// What a program and what a person is told. Where there is no text, `weir ctl` lays the JSON out in lines.
struct Answer {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  std::string text{};
};

/// {"error": line}: `weir ctl` prints the line and exits 1.
Answer refusal(const std::string& line);

/// That line; empty where nothing was refused.
std::string refusal_in(const Answer& answer);

/// Who answers: called by serve(), one at a time. Each takes a second at most.
class ControlHandlers {
 public:
  virtual ~ControlHandlers() = default;
  virtual Answer stats() = 0;
  virtual Answer ports() = 0;
  virtual Answer flows(const FlowQuery& query) = 0;
  virtual Answer expire_all() = 0;
  virtual Answer reload() = 0;
};

/// The answer to one request, whatever it is made of. {"command":"stats"|"ports"|"expire-all"|"reload"} or
/// {"command":"flows","filter":TEXT,"top":N,"by":"octets"|"packets"}; with "style":"text" the answer has the member
/// "text" where there is one.
std::string answer_to(std::string_view request, ControlHandlers& handlers);

class Control {
 public:
  static constexpr std::size_t request_octets_max = std::size_t{64} << 10, connections_max = 16;
  /// Of a longer request so much is heard out, so that its sender gets to read why it is refused.
  static constexpr std::size_t heard_out_max = std::size_t{4} << 20;
  static constexpr std::chrono::seconds patience{5};  ///< from the start of a connection to its end

  /// Makes the folder, takes the mark beside the socket, listens. An empty path: no socket. Throws StartError.
  explicit Control(const std::string& path);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control();

  /// Socket and mark belong to whom the probe will run as: whoever is of that group may use `weir ctl`.
  void give_to(const Identity& owner);

  /// The line to say about a probe before this one that did not end in order; empty if there is nothing to say.
  const std::string& lost_before() const noexcept { return lost_before_; }

  /// Waits up to `limit` for something to do, does it, and returns: one request is answered a call. Returns as well
  /// when there is something to read from `wake` (-1: nothing), which is left unread.
  void serve(std::chrono::milliseconds limit, ControlHandlers& handlers, int wake = -1);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Client {
    Descriptor socket;
    Time until;
    std::string request{}, answer{};
    std::size_t sent = 0;
    std::size_t left_to_hear = 0;  ///< after the answer: of a request that was too long
    bool is_over = false;

    short waits_for() const noexcept;
  };

  void listen_at(const std::string& path);
  void accept_clients(Time now);
  static bool receive(Client& client);
  static void send(Client& client);
  static void hear_out(Client& client);
  int milliseconds_to_wait(std::chrono::milliseconds limit, Time now) const;

  std::string path_, lost_before_;
  std::optional<RunningMark> mark_;
  Descriptor listener_;
  Time accept_again_{};  ///< after a failure
  std::vector<Client> clients_;
};

}  // namespace weir::app
