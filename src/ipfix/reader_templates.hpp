// SPDX-License-Identifier: BSD-3-Clause
// The templates of one Transport Session, by observation domain and id (RFC 7011 §8). Changes are held open until the
// message that made them proves sound, and can be taken back.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>
#include <weir/message.hpp>

#include "ipfix/learned_elements.hpp"

namespace weir::ipfix {

struct TemplateLimits {
  std::size_t templates = 65536;   ///< of one session, all domains together
  std::size_t fields = 1u << 20u;  ///< of all templates together: 16 MiB
};

class TemplateStore {
 public:
  explicit TemplateStore(TemplateLimits limits) : limits_{limits} {}

  /// The template with this id, of either kind: they share one space of ids (RFC 7011 §3.4.1).
  const Template* find(std::uint32_t domain, std::uint16_t id) const noexcept;

  enum class Put : std::uint8_t { added, repeated, replaced, no_room };
  /// Keeps it. `kept` is the definition now valid, nullptr if there was no room.
  struct Kept {
    Put put{};
    const Template* kept = nullptr;
  };
  Kept put(Template&& definition);

  /// Names fields anew if more elements have been learned since.
  const Template& name_fields(const Template& kept, const LearnedElements& learned) noexcept;

  /// False if there is none of that kind.
  bool withdraw(std::uint32_t domain, TemplateKind kind, std::uint16_t id);
  /// RFC 7011 §8.1, "all templates": of one kind, in one domain. How many there were.
  std::size_t withdraw_all(std::uint32_t domain, TemplateKind kind);

  /// Ends a message: its changes stay, and templates that it took away are given up; or everything is as before it.
  void commit() noexcept { undo_.clear(); }
  void roll_back();

  std::size_t size() const noexcept { return templates_.size(); }

 private:
  struct Key {
    std::uint32_t domain = 0;
    TemplateKind kind{};
    std::uint16_t id = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Undo {
    Key key;
    std::unique_ptr<Template> before;  ///< nullptr: there was none
  };
  using Templates = std::map<Key, std::unique_ptr<Template>>;

  Templates::iterator take_away(Templates::iterator at);

  TemplateLimits limits_;
  Templates templates_;
  std::size_t fields_ = 0;
  std::uint64_t serial_ = 0;
  std::vector<Undo> undo_;
};

}  // namespace weir::ipfix
