// SPDX-License-Identifier: BSD-3-Clause
// Files that never became whole, because the process that wrote them was killed.
#pragma once

#include <string>
#include <vector>

namespace weir::transport {

/// The temporary files beside `path` that no living process writes, in order of their names. A process holds a lock on
/// its own for as long as it lives; its number alone would not tell, for in containers every process has the same.
std::vector<std::string> leftovers_beside(const std::string& path);

}  // namespace weir::transport
