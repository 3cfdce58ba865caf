// SPDX-License-Identifier: BSD-3-Clause
// Owns one file descriptor.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace weir {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_{number} {}
  Descriptor(Descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }

  explicit operator bool() const noexcept { return number_ >= 0; }
  int number() const noexcept { return number_; }
  /// 0, or what went wrong; a file may learn of a full disk only now.
  int close() noexcept { return number_ >= 0 && ::close(std::exchange(number_, -1)) != 0 ? errno : 0; }

 private:
  int number_ = -1;
};

}  // namespace weir
