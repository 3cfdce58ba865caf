// SPDX-License-Identifier: BSD-3-Clause
// Records → text (`name=value name=value`) and JSON members (`"name":value,"name":value`), with the lists of RFC 6313.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ipfix/reader.hpp"
#include "ipfix/values.hpp"

namespace weir::ipfix {

/// For the records of one session. In JSON an element that occurs several times in a record becomes an array, in order.
/// paddingOctets are left out. A list that is damaged or nested too deep is shown as its octets.
class RecordPrinter {
 public:
  explicit RecordPrinter(Style style) : style_{style} {}

  /// Text: without newline; the scope of an options record stands in brackets. JSON: without braces, a comma before
  /// each member, for the caller's own come first.
  void append_members(Text& out, const Record& record);

 private:
  struct Member {
    std::string label;                  ///< as it is printed before the value
    std::vector<std::uint16_t> fields;  ///< text: one; JSON: all that have this name
  };
  struct Plan {
    std::string scope;              ///< JSON: the member that names the scope fields
    std::size_t scope_members = 0;  ///< text: how many of the members are scope
    std::vector<Member> members;
  };
  struct Nesting {
    std::uint32_t domain = 0;
    const TemplateStore& templates;
    int depth = 0;
  };

  const Plan& plan_of(const Template& layout);
  Plan text_plan(const Template& layout) const;
  Plan json_plan(const Template& layout) const;
  void append_record(Text& out, const Template& layout, std::span<const Value> values, Nesting nesting);
  void append_array(Text& out, const Member& member, std::span<const Value> values, Nesting nesting);
  void append_any(Text& out, const Value& value, Nesting nesting);
  bool append_list(Text& out, const Value& value, Nesting nesting);
  bool append_basic_list(Text& out, Cursor at, Nesting nesting);
  bool append_one_template(Text& out, Cursor at, Nesting nesting);
  bool append_many_templates(Text& out, Cursor at, Nesting nesting);
  bool append_sub_records(Text& out, std::uint16_t id, Bytes content, Nesting nesting);
  bool spend(std::size_t values) noexcept;
  bool is_json() const noexcept { return style_ == Style::json; }

  Style style_;
  std::unordered_map<std::uint64_t, Plan> plans_;  ///< by Template::serial
  std::size_t planned_fields_ = 0;
  std::uint64_t message_ = ~std::uint64_t{0};  ///< offset of the message that the budget is for
  std::size_t values_left_ = 0;
};

}  // namespace weir::ipfix
