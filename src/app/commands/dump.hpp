// SPDX-License-Identifier: BSD-3-Clause
// `weir dump`: IPFIX files and message streams → text, JSON lines, tables.
#pragma once

namespace weir::app {

/// argv[0] is the command's name. Returns an ExitStatus.
int dump(int argc, char** argv);

}  // namespace weir::app
