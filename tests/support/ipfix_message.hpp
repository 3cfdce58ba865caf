// SPDX-License-Identifier: BSD-3-Clause
// IPFIX Messages written by hand for tests, sound or not; and a listener that writes down what a reader said, a line
// for each event.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>
#include <weir/bytes.hpp>

#include "ipfix/reader.hpp"
#include "ipfix/values_record.hpp"

namespace weir::test {

using Octets = std::vector<std::byte>;

/// "0a000001 ffff" → octets; blanks are for the eye.
inline Octets hex(std::string_view text) {
  Octets octets;
  unsigned value = 0, digits = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    value = value << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    if (++digits % 2 == 0) octets.push_back(static_cast<std::byte>(value & 0xff));
  }
  return octets;
}

inline Octets number(std::uint64_t value, std::size_t octets) {
  Octets out(octets);
  for (std::size_t i = 0; i < octets; ++i) out[octets - 1 - i] = static_cast<std::byte>(value >> (8 * i));
  return out;
}

inline Octets joined(std::initializer_list<Octets> parts) {
  Octets all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline Octets text_octets(std::string_view text) {
  Octets out;
  for (const char c : text) out.push_back(static_cast<std::byte>(c));
  return out;
}

struct FieldText {
  std::uint16_t id = 0, octets = 0;
  std::uint32_t pen = 0;
};

inline Octets field(const FieldText& f) {
  if (f.pen == 0) return joined({number(f.id, 2), number(f.octets, 2)});
  return joined({number(f.id | 0x8000u, 2), number(f.octets, 2), number(f.pen, 4)});
}

/// A template record, for a set with id 2.
inline Octets definition(std::uint16_t id, const std::vector<FieldText>& fields) {
  auto out = joined({number(id, 2), number(fields.size(), 2)});
  for (const auto& f : fields) out = joined({out, field(f)});
  return out;
}

/// An options template record, for a set with id 3.
inline Octets options_definition(std::uint16_t id, std::uint16_t scope_count, const std::vector<FieldText>& fields) {
  auto out = joined({number(id, 2), number(fields.size(), 2), number(scope_count, 2)});
  for (const auto& f : fields) out = joined({out, field(f)});
  return out;
}

inline Octets withdrawal(std::uint16_t id) { return joined({number(id, 2), number(0, 2)}); }

struct MessageText {
  std::uint32_t domain = 1, sequence = 0, export_time = 1'700'000'000;
  Octets sets{};

  MessageText& set(std::uint16_t id, const Octets& content) {
    sets = joined({sets, number(id, 2), number(content.size() + 4, 2), content});
    return *this;
  }
  Octets octets() const {
    return joined({number(10, 2), number(sets.size() + 16, 2), number(export_time, 4), number(sequence, 4),
                   number(domain, 4), sets});
  }
};

#define X(name, text) std::string_view{#name},
inline constexpr auto damage_names = std::to_array<std::string_view>({WEIR_DAMAGES(X)});
inline constexpr auto remark_names = std::to_array<std::string_view>({WEIR_REMARKS(X)});
#undef X

class Listener : public ipfix::Events {
 public:
  explicit Listener(ipfix::Style style = ipfix::Style::text) : printer_{style} {}
  std::vector<std::string> said;
  std::uint64_t start = 0;  ///< of the message in the input; places are given from there

  void sequence_jump(const ipfix::Message&, ipfix::SequenceJump jump) override {
    said.push_back(
        fmt::format("{} {}", jump.way == ipfix::SequenceJump::Way::ahead ? "missing" : "back", jump.records));
  }
  void template_defined(const ipfix::Message&, const ipfix::Template& layout, ipfix::TemplateStore::Put put) override {
    using Put = ipfix::TemplateStore::Put;
    const auto how = put == Put::added ? "defined" : put == Put::repeated ? "repeated" : "replaced";
    said.push_back(fmt::format("{} {}", how, layout.id));
  }
  void template_withdrawn(const ipfix::Message&, ipfix::TemplateKind, std::uint16_t id) override {
    said.push_back(fmt::format("withdrawn {}", id));
  }
  void record(const ipfix::Record& record) override {
    ipfix::Text text;
    printer_.append_members(text, record);
    said.push_back(fmt::format("{} {}", record.layout.id, fmt::to_string(text)));
  }
  void remark(const ipfix::Message&, ipfix::Remark remark) override {
    said.push_back(fmt::format("{} {} at {}", remark_names[static_cast<std::size_t>(remark.kind)], remark.id,
                               remark.offset - start));
  }
  void damaged(const ipfix::Damaged& damage) override {
    said.push_back(fmt::format("{} at {}", damage_names[static_cast<std::size_t>(damage.what)], damage.offset - start));
  }

 private:
  ipfix::RecordPrinter printer_;
};

/// One session: a reader, and what it said so far.
class Session {
 public:
  explicit Session(ipfix::ReaderOptions options = {}, ipfix::Style style = ipfix::Style::text)
      : listener_{style}, reader_{options} {}

  /// What is said of this message.
  std::vector<std::string> read(const Octets& octets) {
    listener_.said.clear();
    listener_.start += 1000;
    reader_.read(octets, listener_.start, listener_);
    return listener_.said;
  }
  std::vector<std::string> read(const MessageText& message) { return read(message.octets()); }
  const ipfix::Reader& reader() const { return reader_; }

 private:
  Listener listener_;
  ipfix::Reader reader_;
};

using Lines = std::vector<std::string>;

}  // namespace weir::test
