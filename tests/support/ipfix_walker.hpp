// SPDX-License-Identifier: BSD-3-Clause
// A decoder of IPFIX Messages written apart from weir's own, from RFC 7011 alone: what it cannot walk, is wrong.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>
#include <weir/bytes.hpp>

namespace weir::test {

using Octets = std::vector<std::byte>;

struct WalkedField {
  std::uint16_t id = 0, octets = 0;
  std::uint32_t pen = 0;
};
struct WalkedTemplate {
  std::uint16_t id = 0, scopes = 0;
  std::vector<WalkedField> fields;
};
struct WalkedRecord {
  std::uint16_t set = 0;
  std::vector<WalkedField> fields;
  std::vector<Octets> values;

  /// The n-th value of element `id` as a number.
  std::optional<std::uint64_t> number(std::uint16_t id, std::size_t n = 0) const {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].id != id || n-- > 0) continue;
      std::uint64_t value = 0;
      for (auto octet : values[i]) value = value << 8 | std::to_integer<std::uint64_t>(octet);
      return value;
    }
    return std::nullopt;
  }
  std::string text(std::uint16_t id) const {
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (fields[i].id == id) {
        std::string text;
        for (auto octet : values[i]) text += static_cast<char>(octet);
        return text;
      }
    return "(none)";
  }
};
struct WalkedMessage {
  std::uint32_t export_time = 0, sequence = 0, domain = 0;
  std::size_t octets = 0;
  std::vector<WalkedTemplate> templates;
  std::vector<WalkedRecord> records;
};

/// One transport session as a collector sees it. Throws std::runtime_error at the first thing that is not allowed.
class Walker {
 public:
  WalkedMessage walk(Bytes bytes) {
    WalkedMessage message;
    need(bytes.size() >= 16, "message shorter than its header");
    need(number(bytes, 0, 2) == 10, "version");
    need(number(bytes, 2, 2) == bytes.size(), "message length");
    message.octets = bytes.size();
    message.export_time = static_cast<std::uint32_t>(number(bytes, 4, 4));
    message.sequence = static_cast<std::uint32_t>(number(bytes, 8, 4));
    message.domain = static_cast<std::uint32_t>(number(bytes, 12, 4));
    for (bytes = bytes.subspan(16); !bytes.empty();) {
      need(bytes.size() >= 4, "octets behind the last set");
      const auto octets = number(bytes, 2, 2);
      need(octets > 4, "an empty set");
      need(octets <= bytes.size(), "set length");
      walk_set(static_cast<std::uint16_t>(number(bytes, 0, 2)), bytes.subspan(4, octets - 4), message);
      bytes = bytes.subspan(octets);
    }
    return message;
  }

  /// All messages of a stream or file.
  std::vector<WalkedMessage> walk_stream(Bytes bytes) {
    std::vector<WalkedMessage> messages;
    while (!bytes.empty()) {
      need(bytes.size() >= 16, "stream ends in a header");
      const auto octets = number(bytes, 2, 2);
      need(octets <= bytes.size(), "stream ends in a message");
      messages.push_back(walk(bytes.first(octets)));
      bytes = bytes.subspan(octets);
    }
    return messages;
  }

  static void need(bool claim, const char* what) {
    if (!claim) throw std::runtime_error{what};
  }

 private:
  static std::uint64_t number(Bytes bytes, std::size_t at, std::size_t octets) {
    need(at + octets <= bytes.size(), "octets missing");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
    return value;
  }

  void walk_set(std::uint16_t set, Bytes bytes, WalkedMessage& message) {
    need(set == 2 || set == 3 || set >= 256, "set id");
    while (!bytes.empty()) {
      if (set < 256) message.templates.push_back(walk_template(set == 3, bytes));
      else message.records.push_back(walk_record(set, bytes));
    }
  }

  WalkedTemplate walk_template(bool options, Bytes& bytes) {
    WalkedTemplate announced;
    announced.id = static_cast<std::uint16_t>(number(bytes, 0, 2));
    const auto count = number(bytes, 2, 2);
    if (options) {
      announced.scopes = static_cast<std::uint16_t>(number(bytes, 4, 2));
      need(announced.scopes > 0 && announced.scopes <= count, "scope field count");
    }
    bytes = bytes.subspan(options ? 6 : 4);
    need(announced.id >= 256 && count > 0, "template header");
    for (std::uint64_t i = 0; i < count; ++i) {
      WalkedField field{.id = static_cast<std::uint16_t>(number(bytes, 0, 2)),
                        .octets = static_cast<std::uint16_t>(number(bytes, 2, 2))};
      const bool enterprise = field.id & 0x8000;
      if (enterprise) field.pen = static_cast<std::uint32_t>(number(bytes, 4, 4));
      field.id &= 0x7fff;
      bytes = bytes.subspan(enterprise ? 8 : 4);
      announced.fields.push_back(field);
    }
    templates_[announced.id] = announced;
    return announced;
  }

  WalkedRecord walk_record(std::uint16_t set, Bytes& bytes) {
    need(templates_.contains(set), "data before its template");
    WalkedRecord record{.set = set, .fields = templates_[set].fields, .values = {}};
    for (const auto& field : record.fields) {
      std::size_t octets = field.octets;
      if (octets == 65535) {
        octets = number(bytes, 0, 1);
        need(octets < 255, "a length that the tests do not use");
        bytes = bytes.subspan(1);
      }
      need(octets <= bytes.size(), "record longer than its set");
      record.values.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(octets));
      bytes = bytes.subspan(octets);
    }
    return record;
  }

  std::map<std::uint16_t, WalkedTemplate> templates_;
};

}  // namespace weir::test
