// SPDX-License-Identifier: BSD-3-Clause
// A record in memory as the reader of messages would hand it out: so that live flows are shown like exported ones.
#pragma once

#include <cstddef>
#include <span>
#include <vector>
#include <weir/record.hpp>

#include "ipfix/encode.hpp"
#include "ipfix/reader.hpp"

namespace weir::app {

class RecordView {
 public:
  explicit RecordView(std::span<const RecordLayout> layouts);
  RecordView(const RecordView&) = delete;
  RecordView& operator=(const RecordView&) = delete;

  /// `which` is the index of the record's layout. What is handed out is valid until the next call.
  ipfix::Record of(std::size_t which, const std::byte* record);

 private:
  struct Shown {
    Shown(const RecordTemplate& from, const RecordLayout& layout, std::uint64_t serial);
    ipfix::Template layout;
    ipfix::EncodePlan plan;
    std::vector<std::byte> octets;  ///< as on the wire
    std::vector<ipfix::Value> values;
  };
  struct Family {
    const RecordLayout* layout;
    std::vector<Shown> templates;
  };
  std::vector<Family> families_;
  ipfix::Message message_{};
  ipfix::TemplateStore no_templates_{{}};
};

}  // namespace weir::app
