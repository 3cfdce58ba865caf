// SPDX-License-Identifier: BSD-3-Clause
// What a template in the settings may name: the registry's elements, weir's own under the enterprise number that the
// settings give, and those that the settings add. Used at start only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <weir/element.hpp>

namespace weir::ipfix {

/// An element that the settings announce under a number of their own; its value is another's.
struct UserElement {
  std::string name;
  std::uint32_t pen = 0;
  std::uint16_t id = 0;
  DataType type = DataType::octet_array;
  std::uint16_t octets = 0;  ///< 0: the usual length
  std::string source;        ///< name of the element that gives the value
};

struct Vocabulary {
  std::uint32_t enterprise = enterprise::own;  ///< weir's own elements are announced under it
  bool biflow = false;                         ///< records have another direction
  std::vector<UserElement> user{};
  /// Names of the elements that have values; those beyond them are refused. Empty: all of the registry.
  std::span<const std::string_view> sources{};
};

/// An element as a vocabulary has it.
struct KnownElement {
  Element element;           ///< numbers as they are announced
  std::string_view source;   ///< the registry's name of what gives the value
  std::uint16_t octets = 0;  ///< 0: the usual length
};

/// The names are those of the registry or of `words`, and live as long.
std::optional<KnownElement> find(const Vocabulary& words, std::string_view name);
std::optional<KnownElement> find(const Vocabulary& words, std::uint32_t pen, std::uint16_t id);

/// Whether something gives the element its value.
bool has_value(const Vocabulary& words, const KnownElement& known);

/// Of the names that can be written, the one with the fewest letters to change.
std::string_view nearest(const Vocabulary& words, std::string_view wrong);

/// An element that describes the other direction (RFC 5103), or both together.
bool needs_biflow(const KnownElement& known) noexcept;

/// 4 or 6 for elements that only records of that IP version can fill; 0 for all others.
std::uint8_t version_of(const KnownElement& known) noexcept;

}  // namespace weir::ipfix
