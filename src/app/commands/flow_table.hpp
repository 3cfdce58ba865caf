// SPDX-License-Identifier: BSD-3-Clause
// A table of flows for people: one flow a line, columns aligned.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "app/commands/dump_flow.hpp"
#include "ipfix/values.hpp"

namespace weir::app {

/// "1.50 kB"
std::string flow_octets_text(std::uint64_t octets);

/// Titles and a line for each flow; nothing if there is none. The columns of the way back stand where a biflow needs
/// them.
void append_flow_table(ipfix::Text& out, std::span<const DumpFlow> flows);

}  // namespace weir::app
