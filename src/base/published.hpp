// SPDX-License-Identifier: BSD-3-Clause
// A value that one thread has at hand and others want to see now and then. The owner never waits: if somebody is just
// reading, it publishes the next time.
#pragma once

#include <mutex>

namespace weir {

template <class T>
class Published {
 public:
  /// Owner. False: a reader was there; nothing was published.
  bool offer(const T& value) noexcept {
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (lock) value_ = value;
    return lock.owns_lock();
  }
  /// Owner, at the end: waits for a reader.
  void settle(const T& value) noexcept {
    const std::lock_guard lock{mutex_};
    value_ = value;
  }
  T read() const noexcept {
    const std::lock_guard lock{mutex_};
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace weir
