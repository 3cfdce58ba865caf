// SPDX-License-Identifier: BSD-3-Clause
// Files that follow one another: when the next one begins, and what it is called.
#pragma once

#include <string>
#include <weir/units.hpp>

namespace weir::app {

class Rotation {
 public:
  /// `pattern` is a file's name with conversions of strftime(3) in it, such as flows-%Y%m%d-%H%M%S.ipfix; times are
  /// UTC. Throws StartError if it says nothing of the time.
  Rotation(std::string pattern, nanoseconds period);

  /// The name of the first file is the time at which it begins; that of later ones is the whole period they begin with.
  std::string first(Instant now);
  std::string next(Instant now);
  /// A new period has come. A clock that was set back is in another period, too: one file more, never a wrong name.
  bool is_due(Instant now) const noexcept { return begin_of(now) != period_at_; }

 private:
  Instant begin_of(Instant now) const noexcept { return now - now.time_since_epoch() % period_; }
  std::string name_at(Instant at) const;

  std::string pattern_;
  nanoseconds period_;
  Instant period_at_{};
};

}  // namespace weir::app
