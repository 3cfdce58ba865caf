// SPDX-License-Identifier: BSD-3-Clause
#include "app/backlog.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.hpp"

namespace weir::app {

Backlog::Backlog(std::size_t octets) : size_{octets & ~std::size_t{7}}, ring_{new std::byte[size_]} {}

Totals Backlog::push(TemplateId id, Bytes record, const Totals& totals) noexcept {
  const auto taken = taken_by(record.size());
  if (taken > size_) return totals;
  Totals dropped;
  for (; !has_room(taken); pop()) dropped += oldest().totals;
  if (next_ + taken > size_) leave_the_end_empty();
  put({.packets = totals.packets,
       .ip_octets = totals.octets,
       .octets = static_cast<std::uint32_t>(record.size()),
       .id = id.value});
  std::copy_n(record.data(), record.size(), ring_.get() + next_ + sizeof(Header));
  next_ = (next_ + taken) % size_;
  used_ += taken;
  waiting_ += totals;
  return dropped;
}

/// A record lies in one piece: behind the youngest, or at the ring's begin.
bool Backlog::has_room(std::size_t octets) const noexcept {
  if (used_ == 0) return true;  // pop() has put both ends to the begin
  if (next_ <= first_) return octets <= first_ - next_;
  return octets <= size_ - next_ || octets <= first_;
}

void Backlog::leave_the_end_empty() noexcept {
  const auto left = size_ - next_;
  if (left >= sizeof(Header)) put({});
  used_ += left;
  next_ = 0;
}

Backlog::Kept Backlog::oldest() const noexcept {
  WEIR_ASSERT(!empty());
  const auto header = header_at(first_);
  return {.id = {header.id},
          .record = {ring_.get() + first_ + sizeof(Header), header.octets},
          .totals = {.records = 1, .packets = header.packets, .octets = header.ip_octets}};
}

void Backlog::pop() noexcept {
  const auto [id, record, totals] = oldest();
  waiting_.records -= 1;
  waiting_.packets -= totals.packets;
  waiting_.octets -= totals.octets;
  used_ -= taken_by(record.size());
  first_ = (first_ + taken_by(record.size())) % size_;
  const auto left = size_ - first_;
  if (used_ > 0 && first_ > next_ && (left < sizeof(Header) || header_at(first_).id == 0)) {
    used_ -= left;
    first_ = 0;
  }
  if (used_ == 0) first_ = next_ = 0;  // so that a short backlog touches little memory
}

Totals Backlog::clear() noexcept {
  first_ = next_ = used_ = 0;
  return std::exchange(waiting_, {});
}

Backlog::Header Backlog::header_at(std::size_t at) const noexcept {
  Header header;
  std::memcpy(&header, ring_.get() + at, sizeof header);
  return header;
}

void Backlog::put(const Header& header) noexcept { std::memcpy(ring_.get() + next_, &header, sizeof header); }

}  // namespace weir::app
