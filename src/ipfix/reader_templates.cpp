// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/reader_templates.hpp"

#include <utility>

namespace weir::ipfix {
namespace {

bool same_definition(const Template& a, const Template& b) noexcept {
  return a.kind == b.kind && a.scope_count == b.scope_count && a.fields == b.fields;
}

}  // namespace

const Template* TemplateStore::find(std::uint32_t domain, std::uint16_t id) const noexcept {
  for (const auto kind : {TemplateKind::data, TemplateKind::options})
    if (const auto at = templates_.find({domain, kind, id}); at != templates_.end()) return at->second.get();
  return nullptr;
}

TemplateStore::Kept TemplateStore::put(Template&& definition) {
  const auto* before = find(definition.domain, definition.id);
  if (before && same_definition(*before, definition)) return {Put::repeated, before};

  const auto fields_before = before ? before->fields.size() : 0;
  const bool too_many_fields = fields_ - fields_before + definition.fields.size() > limits_.fields;
  if (too_many_fields || (!before && templates_.size() >= limits_.templates)) {
    // What the id meant before must not be used for what comes now.
    if (before) withdraw(before->domain, before->kind, before->id);
    return {Put::no_room, nullptr};
  }

  if (before) withdraw(before->domain, before->kind, before->id);
  const Key key{definition.domain, definition.kind, definition.id};
  definition.serial = ++serial_;
  fields_ += definition.fields.size();
  undo_.push_back({key, nullptr});
  const auto& kept = templates_[key] = std::make_unique<Template>(std::move(definition));
  return {fields_before > 0 ? Put::replaced : Put::added, kept.get()};
}

const Template& TemplateStore::name_fields(const Template& kept, const LearnedElements& learned) noexcept {
  if (kept.learned == learned.size()) return kept;
  auto& layout = *templates_.find({kept.domain, kept.kind, kept.id})->second;
  bool renamed = false;
  for (auto& field : layout.fields) {
    const auto* before = field.element;
    learned.name(field);
    renamed = renamed || field.element != before;
  }
  if (renamed) layout.serial = ++serial_;
  layout.learned = learned.size();
  return layout;
}

TemplateStore::Templates::iterator TemplateStore::take_away(Templates::iterator at) {
  fields_ -= at->second->fields.size();
  undo_.push_back({at->first, std::move(at->second)});
  return templates_.erase(at);
}

bool TemplateStore::withdraw(std::uint32_t domain, TemplateKind kind, std::uint16_t id) {
  const auto at = templates_.find({domain, kind, id});
  if (at == templates_.end()) return false;
  take_away(at);
  return true;
}

std::size_t TemplateStore::withdraw_all(std::uint32_t domain, TemplateKind kind) {
  const auto before = templates_.size();
  for (auto at = templates_.lower_bound({domain, kind, 0});
       at != templates_.end() && at->first.domain == domain && at->first.kind == kind;)
    at = take_away(at);
  return before - templates_.size();
}

void TemplateStore::roll_back() {
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
    auto& [key, before] = *undo;
    if (const auto now = templates_.find(key); now != templates_.end()) {
      fields_ -= now->second->fields.size();
      templates_.erase(now);
    }
    if (before) {
      fields_ += before->fields.size();
      templates_[key] = std::move(before);
    }
  }
  undo_.clear();
}

}  // namespace weir::ipfix
