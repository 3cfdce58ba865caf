// SPDX-License-Identifier: BSD-3-Clause
// Any octets are templates and elements, or one line that refuses them. What is accepted can be written down and means
// the same when it is read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "base/error.hpp"
#include "ipfix/element_text.hpp"
#include "ipfix/template_text.hpp"

namespace {

using namespace weir;
using namespace weir::ipfix;

bool is_one_line(std::string_view text) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  return !text.empty() && text.size() < 1000 && std::none_of(text.begin(), text.end(), is_control);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (; !text.empty(); text.remove_prefix(std::min(out.back().size() + 1, text.size())))
    out.emplace_back(text.substr(0, text.find('\n')));
  return out;
}

void check_written_down(const WantedTemplate& wanted, const Vocabulary& words) {
  const auto again = template_from(text_of(wanted, words), words);
  WEIR_ASSERT(again.size() == 1);
  WEIR_ASSERT(again[0].version == wanted.version);
  WEIR_ASSERT(again[0].protocols == wanted.protocols);
  const auto same = [](const WantedField& a, const WantedField& b) {
    return a.pen == b.pen && a.id == b.id && a.octets == b.octets && a.source == b.source;
  };
  WEIR_ASSERT(std::ranges::equal(again[0].fields, wanted.fields, same));
}

}  // namespace

/// The first octet says whether records have both directions; lines that begin with '+' are elements.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 2000) return 0;
  Vocabulary words{.enterprise = 4711, .biflow = data[0] % 2 == 0};
  try {
    std::vector<std::string> templates;
    for (const auto& line : lines_of({reinterpret_cast<const char*>(data + 1), size - 1})) {
      if (line.starts_with('+')) words.user.push_back(user_element_from(line.substr(1), words));
      else templates.push_back(line);
    }
    for (const auto& wanted : templates_from(templates, words)) check_written_down(wanted, words);
  } catch (const StartError& error) {
    WEIR_ASSERT(error.status == ExitStatus::usage);
    WEIR_ASSERT(is_one_line(error.what()));
  }
  return 0;
}
