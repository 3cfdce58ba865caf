// SPDX-License-Identifier: BSD-3-Clause
// IPFIX Messages → templates and records, for one Transport Session. Octets in, events out; owns no socket and no
// clock. A message is walked twice: first to see that all of it is sound, then to hand out what is in it. So nothing
// comes out of a malformed message, and its templates are as if it had never come (RFC 7011 §9.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>
#include <weir/message.hpp>

#include "ipfix/learned_elements.hpp"
#include "ipfix/reader_framer.hpp"
#include "ipfix/reader_sequence.hpp"
#include "ipfix/reader_templates.hpp"

namespace weir::ipfix {

/// What is worth a remark in a sound message.
#define WEIR_REMARKS(X)                                                                                  \
  X(set_unknown, "reserved set id; set skipped")                                                         \
  X(no_template, "data set without a template; not decoded")                                             \
  X(record_of_nothing, "the template's records have no octets; data set not decoded")                    \
  X(values_limit, "more values than a message has octets, by fields of no length; data set not decoded") \
  X(template_replaced, "template defined otherwise without a withdrawal; replaced")                      \
  X(template_no_room, "too many templates or fields in one session; template not kept")                  \
  X(field_length, "a field of this template has a length that its type does not allow")                  \
  X(withdrawal_unknown, "withdrawal of a template that is not there; ignored")                           \
  X(withdrawal_ignored, "withdrawals do not count over UDP; ignored")

#define X(name, text) name,
enum class RemarkKind : std::uint8_t { WEIR_REMARKS(X) };
#undef X
std::string_view text_of(RemarkKind kind) noexcept;

struct Remark {
  RemarkKind kind{};
  std::uint16_t id = 0;      ///< of the set or template
  std::uint64_t offset = 0;  ///< of the set in the input
};

struct Record {
  const Message& message;
  const Template& layout;
  std::span<const Value> values;
  const TemplateStore& templates;  ///< for the lists of RFC 6313
};

/// Who listens. A message's events come after it; `damaged` comes alone. Everything handed over is valid during the
/// call.
class Events {
 public:
  virtual ~Events() = default;
  virtual void message(const Message&) {}
  virtual void sequence_jump(const Message&, SequenceJump) {}
  virtual void template_defined(const Message&, const Template&, TemplateStore::Put) {}
  /// `id` is 2 or 3 for all templates or all options templates of the domain.
  virtual void template_withdrawn(const Message&, TemplateKind, std::uint16_t /*id*/) {}
  virtual void record(const Record&) {}
  virtual void remark(const Message&, Remark) {}
  virtual void damaged(const Damaged&) {}
};

/// Files are read by the rules of streams (RFC 5655 §7.1); over UDP withdrawals are ignored and redefinition is usual
/// (RFC 7011 §8.4).
enum class Carrier : std::uint8_t { stream, datagrams };

struct ReaderOptions {
  Carrier carrier = Carrier::stream;
  TemplateLimits templates{};
  std::size_t domains = 65536;
};

class Reader {
 public:
  explicit Reader(ReaderOptions options = {}) : options_{options}, templates_{options.templates} {}

  /// One message, as a datagram or a Framer delivers it; `offset` is its place in the input.
  void read(Bytes octets, std::uint64_t offset, Events& events);

  const TemplateStore& templates() const noexcept { return templates_; }
  const LearnedElements& learned() const noexcept { return learned_; }
  std::size_t domains() const noexcept { return sequences_.size(); }

 private:
  struct Fault {
    Damage what{};
    std::size_t at = 0;  ///< from the start of the message
  };
  using Verdict = std::optional<Fault>;
  enum class Pass : std::uint8_t { rehearsal, performance };
  struct Walk;

  static Verdict judge_header(Bytes octets) noexcept;

  ReaderOptions options_;
  TemplateStore templates_;
  LearnedElements learned_;
  std::map<std::uint32_t, SequenceCheck> sequences_;
  std::vector<Value> values_;  ///< of the record at hand
};

/// The next value of a field that was announced with `length` octets, or nothing if it reaches beyond the octets.
std::optional<Bytes> take_value(Cursor& at, std::uint16_t length) noexcept;

/// The next Field Specifier (RFC 7011 §3.2), or nothing if it is cut short.
std::optional<FieldSpecifier> take_field(Cursor& at) noexcept;

/// The values of one record; false if it reaches beyond the octets.
bool take_record(Cursor& at, const Template& layout, std::vector<Value>& values);

}  // namespace weir::ipfix
