// SPDX-License-Identifier: BSD-3-Clause
// Any octets are settings or one line that refuses them. What is accepted can be written down and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.hpp"
#include "base/assert.hpp"
#include "base/error.hpp"

namespace {

using namespace weir;
using namespace weir::app;

bool is_one_line(std::string_view text) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  return !text.empty() && text.size() < 1000 && std::none_of(text.begin(), text.end(), is_control);
}

/// All settings as the command line would give them.
std::vector<std::string> written_down(Settings all) {
  std::vector<std::string> out;
  for (const auto& setting : setting_table()) {
    const auto begin = std::string{setting.name} + "=";
    const auto* list = std::get_if<Member<std::vector<std::string>>>(&setting.member);
    if (!list) out.push_back(begin + value_of(setting, all));
    else
      for (const auto& item : (*list)(all)) out.push_back(begin + item);
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (; !text.empty(); text.remove_prefix(std::min(out.back().size() + 1, text.size())))
    out.emplace_back(text.substr(0, text.find('\n')));
  return out;
}

}  // namespace

/// The first octet says whether the rest is a file or the --set arguments of a command line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  const bool file = data[0] != '=';
  Settings all;
  try {
    all = file ? settings_from(text, "weir.yaml", {}) : settings_from("", "weir.yaml", lines_of(text));
  } catch (const StartError& error) {
    WEIR_ASSERT(error.status == ExitStatus::usage);
    WEIR_ASSERT(is_one_line(error.what()));
    return 0;
  }
  const auto again = settings_from("", "weir.yaml", written_down(all));
  for (const auto& setting : setting_table()) WEIR_ASSERT(value_of(setting, all) == value_of(setting, again));
  return 0;
}
