// SPDX-License-Identifier: BSD-3-Clause
// Encoded records that wait for a collector, in order, in a ring of octets of fixed size. When it is full the oldest
// make room: what is new is worth more, and who waits for ever gets nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <weir/bytes.hpp>
#include <weir/record.hpp>
#include <weir/units.hpp>

namespace weir::app {

class Backlog {
 public:
  struct Kept {
    TemplateId id{};
    Bytes record{};
    Totals totals{};
  };

  /// Memory is reserved here and taken from the system when it is first written to: while all goes well, none is.
  explicit Backlog(std::size_t octets);

  /// What a record of so many octets takes.
  static constexpr std::size_t taken_by(std::size_t octets) noexcept {
    return (sizeof(Header) + octets + 7) & ~std::size_t{7};
  }

  /// Returns the oldest records that had to go, or the new one if it is longer than the ring. `totals` are one
  /// record's.
  Totals push(TemplateId id, Bytes record, const Totals& totals) noexcept;
  /// Valid until the next call of another function. Not while empty.
  Kept oldest() const noexcept;
  void pop() noexcept;
  /// Everything goes; returns what it was.
  Totals clear() noexcept;

  bool empty() const noexcept { return used_ == 0; }
  const Totals& waiting() const noexcept { return waiting_; }

 private:
  struct Header {
    std::uint64_t packets = 0, ip_octets = 0;
    std::uint32_t octets = 0;  ///< of the record
    std::uint16_t id = 0;      ///< 0: what is left up to the end of the ring is empty (no Data Record is of set 0)
    std::uint16_t unused = 0;
  };
  static_assert(sizeof(Header) == 24 && sizeof(Header) % 8 == 0);

  bool has_room(std::size_t octets) const noexcept;
  void leave_the_end_empty() noexcept;
  Header header_at(std::size_t at) const noexcept;
  void put(const Header& header) noexcept;

  std::size_t size_;
  std::unique_ptr<std::byte[]> ring_;
  std::size_t first_ = 0, next_ = 0, used_ = 0;  ///< multiples of 8
  Totals waiting_;
};

}  // namespace weir::app
