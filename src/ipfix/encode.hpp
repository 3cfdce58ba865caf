// SPDX-License-Identifier: BSD-3-Clause
// One list of fields makes both the template that is announced and the records that are sent (RFC 7011 §3.4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <weir/bytes.hpp>
#include <weir/message.hpp>
#include <weir/record.hpp>
#include <weir/units.hpp>

namespace weir::ipfix {

class InterfaceNames;

/// How a run of fields of fixed length is written. Each octet on the wire is an octet of the record in memory, some of
/// its bits, or a constant; so sixteen at a time are gathered by byte shuffles, without a branch per field.
class FixedPlan {
 public:
  /// `record_octets` is the size of a record in memory, sixteen at least; nothing beyond it is read.
  FixedPlan(std::span<const Field> fields, std::size_t record_octets);

  /// Length on the wire.
  std::size_t octets() const noexcept { return octets_; }
  /// Writes octets() octets to `out`, and none behind them.
  void encode(const std::byte* record, std::byte* out) const noexcept;

 private:
  using Sixteen = std::array<std::uint8_t, 16>;
  /// Where one octet of the wire comes from.
  struct Origin {
    std::uint16_t from = 0;
    std::uint8_t mask = 0, constant = 0;
  };
  /// Sixteen octets of the record, and where in the chunk each goes: control[i] is the index of octet i, 0x80 for none.
  struct Window {
    Sixteen control;
    std::size_t from;
  };
  /// Sixteen octets of the wire, made from the windows up to `windows_end`.
  struct Chunk {
    Sixteen mask, constant;
    std::size_t to, windows_end;
  };
  /// A number that is longer in memory than on the wire.
  struct Reduced {
    std::size_t from, stored, to, octets;
  };

  static void append_origins(const Field& field, std::vector<Origin>& origins);
  void add_chunk(std::span<const Origin> origins, std::size_t to, std::size_t record_octets);
  void gather(const std::byte* record, std::byte* out) const noexcept;

  std::size_t octets_ = 0;
  std::vector<Window> windows_;
  std::vector<Chunk> chunks_;
  std::vector<Reduced> reduced_;
};

/// How the Data Records of one template are written: a run of fixed fields, and after it any number of texts, each with
/// a run behind it.
class EncodePlan {
 public:
  /// `record_octets` as of FixedPlan.
  EncodePlan(std::span<const Field> fields, std::size_t record_octets);

  /// Length of the longest Data Record on the wire.
  std::size_t octets_max() const noexcept { return octets_max_; }
  /// Writes a Data Record to `out`, which has room for the longest, and returns its length. Interfaces without a name,
  /// and all where `names` is nullptr, are numbers.
  std::size_t encode(const std::byte* record, std::byte* out, const InterfaceNames* names = nullptr) const noexcept {
    begin_.encode(record, out);
    return texts_.empty() ? begin_.octets() : encode_texts(record, out, names);
  }

 private:
  struct Text {
    Field field;
    FixedPlan behind;
  };
  std::size_t encode_texts(const std::byte* record, std::byte* out, const InterfaceNames* names) const noexcept;

  FixedPlan begin_;
  std::vector<Text> texts_;
  std::size_t octets_max_ = 0;
};

/// Octets of the longest value of variable length, with the length before it (RFC 7011 §7).
std::size_t variable_octets_max(const Field& field) noexcept;

/// Field Specifiers of `fields`, RFC 7011 §3.2.
std::size_t field_specifier_octets(std::span<const Field> fields) noexcept;

/// A Template Record, RFC 7011 §3.4.1.
std::vector<std::byte> template_record(TemplateId id, std::span<const Field> fields);

/// An Options Template Record, RFC 7011 §3.4.2; the first `scopes` fields are the scope.
std::vector<std::byte> options_template_record(TemplateId id, std::span<const Field> fields, std::uint16_t scopes);

/// RFC 7011 §4.4: bit n, counted from the least significant, stands for field n. Keys beyond 64 fields have no bit.
std::uint64_t flow_key_indicator(std::span<const Field> fields) noexcept;

}  // namespace weir::ipfix
