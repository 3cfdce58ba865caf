// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/dump_lines.hpp"

#include <string_view>

namespace weir::app {
namespace {

using ipfix::Style;

std::string_view kind_name(ipfix::TemplateKind kind) noexcept {
  return kind == ipfix::TemplateKind::options ? "options template" : "template";
}

/// Export Time and domain, which begin every line.
void append_head(ipfix::Text& out, const ipfix::Message& message, Style style) {
  ipfix::append(out, style == Style::json ? "{\"@exportTime\":\"" : "");
  ipfix::append_time(out, message.export_time, 0, 0);
  fmt::format_to(fmt::appender(out), fmt::runtime(style == Style::json ? "\",\"@domain\":{}" : " domain {}"),
                 message.domain);
}

std::string length_of(const ipfix::FieldSpecifier& field) {
  return field.octets == ipfix::variable_length ? "variable" : std::to_string(field.octets);
}

}  // namespace

void DumpRecords::begin_file(const std::string& name) {
  DumpView::begin_file(name);
  printer_ = ipfix::RecordPrinter{style_};
}

void DumpRecords::message(const ipfix::Message& message) {
  head_.clear();
  append_head(head_, message, style_);
  if (style_ == Style::json) fmt::format_to(fmt::appender(head_), ",\"@sequence\":{}", message.sequence);
}

void DumpRecords::record(const ipfix::Record& record) {
  auto& out = output_.text();
  out.append(head_.data(), head_.data() + head_.size());
  if (style_ == Style::json) {
    fmt::format_to(fmt::appender(out), ",\"@template\":{}", record.layout.id);
  } else {
    fmt::format_to(fmt::appender(out), " {} {} ", kind_name(record.layout.kind), record.layout.id);
  }
  printer_.append_members(out, record);
  ipfix::append(out, style_ == Style::json ? "}\n" : "\n");
  output_.flush_when_full();
}

void DumpTemplates::template_defined(const ipfix::Message& message, const ipfix::Template& layout,
                                     ipfix::TemplateStore::Put put) {
  if (put == ipfix::TemplateStore::Put::repeated) return;
  append_head(output_.text(), message, style_);
  style_ == Style::json ? append_json(layout) : append_text(layout);
  output_.flush_when_full();
}

void DumpTemplates::append_text(const ipfix::Template& layout) {
  const auto out = fmt::appender(output_.text());
  fmt::format_to(out, " {} {}:", kind_name(layout.kind), layout.id);
  for (std::size_t i = 0; i < layout.fields.size(); ++i) {
    const auto& field = layout.fields[i];
    fmt::format_to(out, " {}{}({}/{})[{}]", i < layout.scope_count ? "scope:" : "", name_of(field), field.pen, field.id,
                   length_of(field));
  }
  output_.text().push_back('\n');
}

void DumpTemplates::append_json(const ipfix::Template& layout) {
  const auto out = fmt::appender(output_.text());
  fmt::format_to(out, ",\"@template\":{},\"kind\":\"{}\",\"fields\":[", layout.id, kind_name(layout.kind));
  for (std::size_t i = 0; i < layout.fields.size(); ++i) {
    const auto& field = layout.fields[i];
    const auto length = field.octets == ipfix::variable_length ? "\"variable\"" : length_of(field);
    fmt::format_to(out, "{}{{\"name\":\"{}\",\"pen\":{},\"id\":{},\"length\":{}{}}}", i > 0 ? "," : "", name_of(field),
                   field.pen, field.id, length, i < layout.scope_count ? ",\"scope\":true" : "");
  }
  ipfix::append(output_.text(), "]}\n");
}

void DumpTemplates::template_withdrawn(const ipfix::Message& message, ipfix::TemplateKind kind, std::uint16_t id) {
  auto& out = output_.text();
  append_head(out, message, style_);
  if (style_ == Style::json) {
    fmt::format_to(fmt::appender(out), ",\"@template\":{},\"kind\":\"{}\",\"withdrawn\":true}}\n", id, kind_name(kind));
  } else if (id < ipfix::data_set_first) {
    fmt::format_to(fmt::appender(out), " all {}s withdrawn\n", kind_name(kind));
  } else {
    fmt::format_to(fmt::appender(out), " {} {} withdrawn\n", kind_name(kind), id);
  }
  output_.flush_when_full();
}

}  // namespace weir::app
