// SPDX-License-Identifier: BSD-3-Clause
// Addresses of both versions as values of one type.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace weir::test {

/// The address's octets, and zeros.
inline std::array<std::byte, 16> padded(std::span<const std::byte> address) {
  std::array<std::byte, 16> octets{};
  std::ranges::copy(address, octets.begin());
  return octets;
}

}  // namespace weir::test
