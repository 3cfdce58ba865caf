// SPDX-License-Identifier: BSD-3-Clause
// What a transport is: it takes whole messages, answers at once, and waits only when it is told to.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <weir/bytes.hpp>

namespace weir::transport {

using std::chrono::milliseconds;

enum class Sent : std::uint8_t {
  yes,        ///< the whole message is the kernel's, or in the file's buffer
  try_later,  ///< wait(), then send it again
  paced,      ///< the same, but only because a rate was asked for
  broken,     ///< the connection is gone: what follows is a new transport session
  refused,    ///< this message will never be taken, the next one may
  failed,     ///< nothing will be taken any more
};

template <class T>
concept Transport = requires(T transport, const T& told, Bytes message, milliseconds limit) {
  { transport.send(message) }
  noexcept->std::same_as<Sent>;
  /// Part of a message is on its way: the same octets must be sent again.
  { told.half_sent() }
  noexcept->std::same_as<bool>;
  /// Returns when something may have changed, or after `limit`.
  { transport.wait(limit) }
  noexcept->std::same_as<void>;
  /// After the last message; repeated until it is something else than try_later.
  { transport.finish() }
  noexcept->std::same_as<Sent>;
  /// Instead of finish(): nothing more will be sent.
  { transport.abandon() }
  noexcept->std::same_as<void>;
  /// Grows whenever the other side, or the kernel, took something.
  { told.progress() }
  noexcept->std::same_as<std::uint64_t>;
  /// Why the last answer was not yes; for people.
  { told.trouble() } -> std::same_as<std::string>;
};

}  // namespace weir::transport
