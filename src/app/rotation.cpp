// SPDX-License-Identifier: BSD-3-Clause
#include "app/rotation.hpp"

#include <ctime>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace weir::app {
namespace {

[[noreturn]] void refuse(const std::string& pattern, std::string_view why) {
  throw StartError{"--out " + pattern + ": " + std::string{why} +
                   "; with export.rotate write it like flows-%Y%m%d-%H%M%S.ipfix (UTC)"};
}

void check(const std::string& pattern) {
  const std::string_view name{pattern};
  const auto file_at = name.rfind('/') == name.npos ? 0 : name.rfind('/') + 1;
  std::size_t times = 0;
  for (auto at = name.find('%'); at != name.npos; at = name.find('%', at + 2)) {
    if (at < file_at) refuse(pattern, "only a file's own name may hold the time, not its directory's");
    constexpr std::string_view known = "YymdHMSjFT%";
    if (at + 1 == name.size() || known.find(name[at + 1]) == known.npos)
      refuse(pattern, "the conversions are %Y %y %m %d %H %M %S %j %F %T and %%");
    times += name[at + 1] != '%';
  }
  if (times == 0) refuse(pattern, "every file of a rotation needs a name of its own");
}

}  // namespace

Rotation::Rotation(std::string pattern, nanoseconds period) : pattern_{std::move(pattern)}, period_{period} {
  check(pattern_);
}

std::string Rotation::first(Instant now) {
  period_at_ = begin_of(now);
  return name_at(now);
}

std::string Rotation::next(Instant now) {
  period_at_ = begin_of(now);
  return name_at(period_at_);
}

std::string Rotation::name_at(Instant at) const {
  const auto seconds =
      static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::string name(pattern_.size() * 5 + 1, '\0');  // no conversion makes more than five of one octet
  name.resize(std::strftime(name.data(), name.size(), pattern_.c_str(), &parts));
  return name;
}

}  // namespace weir::app
