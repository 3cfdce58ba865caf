// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings_file.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace weir::app {
namespace {

constexpr std::size_t line_octets_max = 16'384;

/// Settings nest three deep. The parser calls itself at every nest, so this bound also keeps it on its stack.
constexpr std::size_t maps_deep_max = 8;

[[noreturn]] void refuse(const std::string& file_name, std::size_t line, std::string_view what) {
  throw StartError{fmt::format("{}:{}: {}", file_name, line, what)};
}

/// What can be judged without a parser, and what the parser must not be given.
void judge_line(std::string_view line, const std::string& file_name, std::size_t number) {
  if (line.size() > line_octets_max)
    refuse(file_name, number, fmt::format("a line of {} octets; at most {} are read", line.size(), line_octets_max));
  const auto start = std::min(line.find_first_not_of(" \t\r"), line.size());
  if (line.substr(0, start).find('\t') != line.npos)
    refuse(file_name, number, "a tab before the text; YAML indents with spaces");
  for (const char c : line) {
    const auto octet = static_cast<unsigned char>(c);
    const bool text = (octet >= ' ' && octet < 0x7f) || c == '\t' || c == '\r' || (octet >= 0x80 && octet < 0xfe);
    if (!text) refuse(file_name, number, fmt::format("the octet 0x{:02x}; settings are plain text (UTF-8)", octet));
  }
}

void judge(std::string_view text, const std::string& file_name) {
  if (text.size() > settings_file_octets_max)
    throw StartError{
        fmt::format("{}: larger than {} octets; is it a settings file?", file_name, settings_file_octets_max)};
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    judge_line(text.substr(0, end), file_name, number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Takes the parser's events one by one, so that nothing is built before it is judged: an alias is refused, not
/// followed, and a nest that settings cannot have stops the parser where it begins.
class Collector : public YAML::EventHandler {
 public:
  explicit Collector(const std::string& file_name) : file_name_{file_name} {}
  std::vector<Assignment> take() { return std::move(assignments_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_at(mark, "an alias (*); write it out"); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (maps_.empty()) return;  // an empty document
    plain(mark, {}, anchor);
    if (!has_key_) refuse_at(mark, "a value without a name");
    const auto& [name, line] = *lines_.find(path_of(key_));  // the mark is already at what follows
    refuse(file_name_, line, fmt::format("{} has no value; give one or take the line out", printable(name)));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    plain(mark, tag, anchor);
    if (maps_.empty()) refuse_at(mark, "not a list of settings; write `name: value`");
    if (in_list_) return assignments_.back().values.push_back(value);
    if (!has_key_) return take_key(mark, value);
    assignments_.push_back({path_of(key_), {value}, Assignment::Shape::scalar, where(mark)});
    has_key_ = false;
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    plain(mark, tag, anchor);
    if (maps_.empty()) refuse_at(mark, "a list where `name: value` must stand");
    if (in_list_ || !has_key_) refuse_at(mark, "a list inside a list or in the place of a name");
    assignments_.push_back({path_of(key_), {}, Assignment::Shape::list, where(mark)});
    in_list_ = true;
  }
  void OnSequenceEnd() override { in_list_ = has_key_ = false; }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    plain(mark, tag, anchor);
    if (in_list_ || (!maps_.empty() && !has_key_)) refuse_at(mark, "a map inside a list or in the place of a name");
    if (maps_.size() >= maps_deep_max) refuse_at(mark, "too many maps in each other");
    maps_.push_back(maps_.empty() ? std::string{} : path_of(key_) + ".");
    has_key_ = false;
  }
  void OnMapEnd() override {
    maps_.pop_back();
    has_key_ = false;
  }

 private:
  std::string path_of(const std::string& key) const { return maps_.back() + key; }
  static std::size_t line_of(const YAML::Mark& mark) { return static_cast<std::size_t>(std::max(mark.line, 0)) + 1; }
  std::string where(const YAML::Mark& mark) const { return fmt::format("{}:{}", file_name_, line_of(mark)); }
  [[noreturn]] void refuse_at(const YAML::Mark& mark, std::string_view what) const {
    refuse(file_name_, line_of(mark), what);
  }

  void plain(const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor) const {
    if (anchor != YAML::NullAnchor) refuse_at(mark, "an anchor (&); write the value out where it is needed");
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse_at(mark, fmt::format("a tag ({}); leave it out", printable(tag)));
  }

  void take_key(const YAML::Mark& mark, const std::string& key) {
    if (key.empty()) refuse_at(mark, "a value without a name");
    const auto [at, fresh] = lines_.emplace(path_of(key), line_of(mark));
    if (!fresh)
      refuse_at(mark, fmt::format("{} is given twice, first in line {}; keep one", printable(at->first), at->second));
    key_ = key;
    has_key_ = true;
  }

  const std::string& file_name_;
  std::vector<Assignment> assignments_;
  std::map<std::string, std::size_t> lines_;  ///< of every name so far, sections too
  std::vector<std::string> maps_;             ///< the names of the maps that are open, each with a dot at its end
  std::string key_;
  bool has_key_ = false;
  bool in_list_ = false;
};

std::vector<Assignment> parse(std::string_view text, const std::string& file_name) {
  std::istringstream stream{std::string{text}};  // the parser reads from nothing else
  YAML::Parser parser{stream};
  Collector collector{file_name};
  if (!parser.HandleNextDocument(collector)) return {};
  Collector second{file_name};
  if (parser.HandleNextDocument(second))
    throw StartError{fmt::format("{}: more than one document; take the second `---` out", file_name)};
  return collector.take();
}

}  // namespace

std::vector<Assignment> read_assignments(std::string_view text, const std::string& file_name) {
  judge(text, file_name);
  try {
    return parse(text, file_name);
  } catch (const YAML::Exception& error) {
    refuse(file_name, static_cast<std::size_t>(std::max(error.mark.line, 0)) + 1,
           fmt::format("not YAML: {}", printable(error.msg)));
  } catch (const StartError&) {
    throw;
  } catch (const std::exception& error) {  // the library has thrown others as well
    throw StartError{fmt::format("{}: not YAML: {}", file_name, printable(error.what()))};
  }
}

std::string read_settings_file(const std::string& file_name) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(file_name.c_str(), "rb"), close};
  std::string text(settings_file_octets_max + 1, '\0');
  if (file) text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (!file || std::ferror(file.get()))
    throw StartError{fmt::format("{}: cannot be read: {}", file_name, std::strerror(errno))};
  return text;
}

}  // namespace weir::app
