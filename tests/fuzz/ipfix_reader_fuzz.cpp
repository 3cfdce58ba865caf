// SPDX-License-Identifier: BSD-3-Clause
// Any octets as an IPFIX file: the reader ends, accounts for every octet, keeps its limits and prints nothing endless.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "ipfix/reader.hpp"
#include "ipfix/values_record.hpp"

namespace weir {
namespace {

using ipfix::Framer;

constexpr ipfix::TemplateLimits limits{.templates = 8, .fields = 64};

class Checker : public ipfix::Events {
 public:
  void template_defined(const ipfix::Message&, const ipfix::Template& layout, ipfix::TemplateStore::Put) override {
    WEIR_ASSERT(layout.id >= ipfix::data_set_first);
    WEIR_ASSERT(layout.scope_count <= layout.fields.size());
    WEIR_ASSERT(layout.fields.size() <= limits.fields);
  }
  void record(const ipfix::Record& record) override {
    WEIR_ASSERT(record.values.size() == record.layout.fields.size());
    WEIR_ASSERT(record.layout.domain == record.message.domain);
    std::size_t octets = 0;
    for (const auto& value : record.values) {
      const auto all = record.message.octets;
      WEIR_ASSERT(value.octets.data() >= all.data());
      WEIR_ASSERT(value.octets.data() + value.octets.size() <= all.data() + all.size());
      octets += value.octets.size();
    }
    WEIR_ASSERT(octets <= record.message.octets.size());
    print(record);
  }

 private:
  void print(const ipfix::Record& record) {
    ipfix::Text text, json;
    text_.append_members(text, record);
    json_.append_members(json, record);
    for (const char c : text) WEIR_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    const auto line = "{\"@\":0" + fmt::to_string(json) + "}";
    WEIR_ASSERT(nlohmann::json::accept(line));
    // The longest name stands before one octet, a few times over where lists are nested.
    WEIR_ASSERT(text.size() <= 256 * (record.message.octets.size() + record.values.size()));
  }

  ipfix::RecordPrinter text_{ipfix::Style::text}, json_{ipfix::Style::json};
};

struct Piece {
  std::uint64_t offset = 0;
  std::size_t octets = 0;
  bool is_message = false;
  friend bool operator==(const Piece&, const Piece&) = default;
};

/// Messages and gaps, one after another, when so many octets come at a time.
std::vector<Piece> pieces_of(Bytes input, std::size_t octets_at_a_time) {
  Framer framer;
  std::vector<Piece> pieces;
  std::size_t begin = 0, end = 0;
  for (;;) {
    const auto after = end == input.size() ? Framer::Input::ends_here : Framer::Input::goes_on;
    const auto step = framer.next(input.subspan(begin, end - begin), after);
    WEIR_ASSERT(step.consumed <= end - begin);
    if (step.found == Framer::Found::end) return pieces;
    if (step.found == Framer::Found::message) pieces.push_back({step.offset, step.message.size(), true});
    if (step.found == Framer::Found::damage)
      pieces.push_back({step.damaged.offset, static_cast<std::size_t>(step.damaged.octets_skipped), false});
    begin += step.consumed;
    WEIR_ASSERT(step.found != Framer::Found::more_needed || after == Framer::Input::goes_on);
    if (step.found == Framer::Found::more_needed) end += std::min(octets_at_a_time, input.size() - end);
  }
}

void run(Bytes input) {
  const auto pieces = pieces_of(input, input.size() + 1);
  WEIR_ASSERT(pieces == pieces_of(input, 7));

  Checker checker;
  ipfix::Reader reader{{.templates = limits, .domains = 4}};
  std::uint64_t accounted = 0;
  for (const auto& piece : pieces) {
    WEIR_ASSERT(piece.offset == accounted);
    WEIR_ASSERT(piece.octets > 0);
    accounted += piece.octets;
    if (piece.is_message) reader.read(input.subspan(piece.offset, piece.octets), piece.offset, checker);
    WEIR_ASSERT(reader.templates().size() <= limits.templates);
    WEIR_ASSERT(reader.domains() <= 4);
  }
  WEIR_ASSERT(accounted == input.size());

  ipfix::Reader datagrams{{.carrier = ipfix::Carrier::datagrams, .templates = limits, .domains = 4}};
  datagrams.read(input, 0, checker);
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::run(std::as_bytes(std::span{data, size}));
  return 0;
}
