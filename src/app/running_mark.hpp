// SPDX-License-Identifier: BSD-3-Clause
// A file that says which process is the running probe. It is locked as long as the process lives, whatever ends it, and
// empty when it ended in order: so a second probe is told, and the next start knows of a loss.
#pragma once

#include <string>

#include "app/privileges.hpp"
#include "base/descriptor.hpp"

namespace weir::app {

class RunningMark {
 public:
  /// Takes the mark. `busy` says what a second probe should do. Throws StartError.
  RunningMark(const std::string& path, const std::string& busy);
  RunningMark(const RunningMark&) = delete;
  RunningMark& operator=(const RunningMark&) = delete;
  /// The process ends in order.
  ~RunningMark();

  void give_to(const Identity& owner);
  /// Number of the process that had the mark before and did not end in order; 0 if there was none.
  long left_by() const noexcept { return left_by_; }

 private:
  Descriptor file_;
  long left_by_ = 0;
};

}  // namespace weir::app
