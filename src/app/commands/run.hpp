// SPDX-License-Identifier: BSD-3-Clause
// `weir run`: live ports in, IPFIX out, until it is told to stop.
#pragma once

namespace weir::app {

/// argv[0] is the command's name. Returns an ExitStatus; throws StartError.
int run(int argc, char** argv);

}  // namespace weir::app
