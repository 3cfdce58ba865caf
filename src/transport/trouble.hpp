// SPDX-License-Identifier: BSD-3-Clause
// Why a transport could not do what it was told.
#pragma once

#include <string>
#include <system_error>

namespace weir::transport {

/// What went wrong last, and in doing what.
struct Trouble {
  const char* doing = "";
  int error = 0;

  std::string text() const {
    return error == 0 ? std::string{doing} : std::string{doing} + ": " + std::generic_category().message(error);
  }
};

}  // namespace weir::transport
