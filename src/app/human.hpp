// SPDX-License-Identifier: BSD-3-Clause
// Numbers as a person reads them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <weir/units.hpp>

namespace weir::app {

std::string grouped(std::uint64_t number);                    ///< "1,234,567"
std::string counted(std::uint64_t number, const char* what);  ///< "1 record", "12 records"
std::string scaled(double number, const char* unit);          ///< "9.22 MB", "1.20 Gbit/s": powers of 1000
std::string duration(std::chrono::nanoseconds length);        ///< "0.12 s", "5 min 12 s", "3 d 4 h"
std::string date(Instant at);                                 ///< "2010-07-04 20:24:16 UTC"

}  // namespace weir::app
