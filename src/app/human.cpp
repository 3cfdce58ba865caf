// SPDX-License-Identifier: BSD-3-Clause
#include "app/human.hpp"

#include <fmt/format.h>

#include <ctime>

namespace weir::app {

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string counted(std::uint64_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string scaled(double number, const char* unit) {
  constexpr std::string_view prefixes[]{"", "k", "M", "G", "T", "P", "E"};
  std::size_t prefix = 0;
  while (number >= 999.5 && prefix + 1 < std::size(prefixes)) {
    number /= 1000;
    ++prefix;
  }
  const int decimals = prefix == 0 || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}{}", number, decimals, prefixes[prefix], unit);
}

std::string duration(std::chrono::nanoseconds length) {
  const auto s = std::chrono::floor<std::chrono::seconds>(length).count();
  if (s < 10) return fmt::format("{:.2f} s", static_cast<double>(length.count()) / 1e9);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
  return fmt::format("{} d {} h", s / 86'400, s / 3600 % 24);
}

std::string date(Instant at) {
  const auto s = static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count());
  std::tm parts{};
  ::gmtime_r(&s, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace weir::app
