// SPDX-License-Identifier: BSD-3-Clause
// Octets and how they are read and written: by function, never by cast, never past the end.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace weir {

using Bytes = std::span<const std::byte>;

template <std::unsigned_integral T>
constexpr T swap_bytes(T value) noexcept {
  T swapped = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    swapped = static_cast<T>(static_cast<std::uint64_t>(swapped) << 8 | (value & 0xffu));
    value = static_cast<T>(static_cast<std::uint64_t>(value) >> 8);
  }
  return swapped;
}

template <std::unsigned_integral T>
constexpr T load_native(const std::byte* at) noexcept {
  std::array<std::byte, sizeof(T)> raw{};
  std::copy_n(at, raw.size(), raw.begin());
  return std::bit_cast<T>(raw);
}

/// The number in network order (most significant octet first) at `at`.
template <std::unsigned_integral T>
constexpr T load_be(const std::byte* at) noexcept {
  const auto value = load_native<T>(at);
  return std::endian::native == std::endian::little ? swap_bytes(value) : value;
}

/// The number stored least significant octet first at `at`.
template <std::unsigned_integral T>
constexpr T load_le(const std::byte* at) noexcept {
  const auto value = load_native<T>(at);
  return std::endian::native == std::endian::little ? value : swap_bytes(value);
}

template <std::unsigned_integral T>
constexpr void store_native(std::byte* at, T value) noexcept {
  const auto raw = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  std::copy_n(raw.begin(), raw.size(), at);
}

template <std::unsigned_integral T>
constexpr void store_be(std::byte* at, T value) noexcept {
  store_native(at, std::endian::native == std::endian::little ? swap_bytes(value) : value);
}

/// Reads a run of octets from the front. It cannot run off the end: one comparison a header.
class Cursor {
 public:
  constexpr explicit Cursor(Bytes bytes) noexcept : left_{bytes} {}

  /// The next `octets`, or nullptr (and nothing taken) if fewer are left.
  constexpr const std::byte* take(std::size_t octets) noexcept {
    if (octets > left_.size()) return nullptr;
    return std::exchange(left_, left_.subspan(octets)).data();
  }

  constexpr std::size_t left() const noexcept { return left_.size(); }
  constexpr Bytes rest() const noexcept { return left_; }

 private:
  Bytes left_;
};

/// Writes a run of octets into memory that somebody else owns. What does not fit is not written and `full()` says so.
class Writer {
 public:
  constexpr explicit Writer(std::span<std::byte> room) noexcept : room_{room} {}

  template <std::unsigned_integral T>
  constexpr void number(T value) noexcept {
    if (auto* at = take(sizeof(T))) store_be(at, value);
  }
  /// The low `octets` (0 to 8) of `value`, most significant first: reduced-size encoding, RFC 7011 §6.2.
  constexpr void number(std::uint64_t value, std::size_t octets) noexcept {
    auto* at = take(octets);
    if (!at) return;
    for (std::size_t i = 0; i < octets; ++i) at[i] = static_cast<std::byte>(value >> (8 * (octets - 1 - i)));
  }
  constexpr void bytes(Bytes value) noexcept {
    if (auto* at = take(value.size())) std::copy_n(value.data(), value.size(), at);
  }
  constexpr void zeros(std::size_t octets) noexcept {
    if (auto* at = take(octets)) std::fill_n(at, octets, std::byte{0});
  }
  /// The next `octets` of the room, to be written by the caller; nullptr if they do not fit.
  constexpr std::byte* take(std::size_t octets) noexcept {
    if (octets > room_.size() - written_) {
      full_ = true;
      return nullptr;
    }
    return room_.data() + std::exchange(written_, written_ + octets);
  }

  constexpr std::size_t written() const noexcept { return written_; }
  constexpr std::size_t left() const noexcept { return room_.size() - written_; }
  constexpr bool full() const noexcept { return full_; }

 private:
  std::span<std::byte> room_;
  std::size_t written_ = 0;
  bool full_ = false;
};

}  // namespace weir
