// SPDX-License-Identifier: BSD-3-Clause
// All templates of a run with their numbers: flow templates from 256 in the order of the layouts, options from 512, and
// behind them those of common properties.
// Made once at start; every session announces and encodes by it, so ids never change within a run.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "base/assert.hpp"
#include "ipfix/encode.hpp"
#include "ipfix/options.hpp"
#include "ipfix/properties.hpp"
#include "ipfix/vocabulary.hpp"

namespace weir::ipfix {

inline constexpr TemplateId flow_template_first{256}, option_template_first{512};

/// A template of flow records.
struct FlowTemplate {
  TemplateId id;
  EncodePlan plan;
  std::uint64_t keys;  ///< flowKeyIndicator
};

/// Only a live run has ports that lose packets.
enum class Run : std::uint8_t { offline, live };

struct CatalogueOptions {
  Run run = Run::offline;
  bool common_properties = false;  ///< RFC 5473
  std::optional<Vocabulary> types =
      {};  ///< what RFC 5610 records say of elements that are not IANA's; none: no records
};

class Catalogue {
 public:
  /// The layouts outlive it; records name them by address.
  explicit Catalogue(std::span<const RecordLayout> layouts, const CatalogueOptions& options = {});

  /// Indexed by RecordEnd::which_template. Empty for a layout that was not given at start.
  std::span<const FlowTemplate> of(const RecordLayout* layout) const noexcept;
  std::span<const FlowTemplate> flow_templates() const noexcept { return flow_templates_; }

  /// `use(id, totals, write)` for each of `ended`: its template, what it counts for, and `write(out)`, which writes it
  /// to `out`, where there is room for the longest, and returns its length. Interfaces without a name are numbers.
  template <class Use>
  void encode(const EndedRecords& ended, const InterfaceNames& names, Use use) const noexcept;

  static constexpr TemplateId id_of(Option option) noexcept {
    return {static_cast<std::uint16_t>(option_template_first.value + static_cast<unsigned>(option))};
  }
  const EncodePlan& plan_of(Option option) const noexcept { return option_plans_[static_cast<std::size_t>(option)]; }

  /// A record that never changes, as it is sent, and the set that it belongs to.
  struct Told {
    std::uint16_t set;
    std::vector<std::byte> record;
  };
  /// Types of elements (RFC 5610): their template, then a Data Record each. Empty where there is nothing to tell.
  std::span<const Told> types() const noexcept { return types_; }
  /// All other Template Records and Options Template Records in the order in which they are announced. Those that tell
  /// of sampling come last, so that they can follow later.
  std::span<const Told> announcements(bool sampled) const noexcept {
    return std::span{announcements_}.first(announcements_.size() - (sampled ? 0 : options_of_sampling.size()));
  }
  /// Data Records of common properties (RFC 5473).
  std::span<const Told> properties() const noexcept { return properties_told_; }

  /// The longest record of any kind.
  std::size_t record_octets_max() const noexcept { return longest_.octets; }
  /// Which one it is, for people.
  const std::string& longest_record() const noexcept { return longest_.what; }
  /// Length of the longest Data Record of a flow.
  std::size_t flow_octets_max() const noexcept { return flow_octets_max_; }

 private:
  static constexpr std::array options_of_sampling{Option::selection_sequence, Option::selection_statistics,
                                                  Option::selector_random, Option::selector_hash};
  struct Layout {
    const RecordLayout* layout;
    std::size_t first, count;
  };
  struct Longest {
    std::size_t octets = 0;
    std::string what;
  };
  void add(const RecordLayout& layout, bool common_properties);
  void announce(Option option, std::vector<Told>& among);
  void describe_types(const Vocabulary& words);
  void describe_properties();
  void note_length(std::size_t octets, const std::string& what);

  std::vector<Layout> layouts_;
  std::vector<FlowTemplate> flow_templates_;
  std::vector<std::vector<Field>> announced_;  ///< fields of the flow templates
  std::vector<EncodePlan> option_plans_;
  std::vector<Told> types_, announcements_, properties_told_;
  std::vector<CommonProperties> properties_;
  std::size_t flow_octets_max_ = 0;
  Longest longest_{std::max(interface_name_record_max, port_losses_record_max), "a name"};
};

template <class Use>
void Catalogue::encode(const EndedRecords& ended, const InterfaceNames& names, Use use) const noexcept {
  const auto count = ended.size();
  if (count == 0) return;
  const auto& layout = *ended.layout;
  const auto templates = of(&layout);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* record = ended[i];
    const auto which = layout.end_of(record).which_template;
    WEIR_ASSERT(which < templates.size());
    const auto& by = templates[which];
    use(by.id, layout.totals(record),
        [&by, record, &names](std::byte* out) { return by.plan.encode(record, out, &names); });
  }
}

}  // namespace weir::ipfix
