// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <cstdlib>

#include "base/assert.hpp"

namespace weir {

void fail(const char* claim, const char* file, int line) noexcept {
  std::fprintf(stderr, "weir: %s:%d: this must be true and is not: %s\n", file, line, claim);
  std::abort();
}

}  // namespace weir
