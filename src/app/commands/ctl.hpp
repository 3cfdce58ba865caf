// SPDX-License-Identifier: BSD-3-Clause
// `weir ctl`: asks a running probe over its control socket.
#pragma once

namespace weir::app {

/// argv[0] is the command's name. Returns an ExitStatus.
int ctl(int argc, char** argv);

}  // namespace weir::app
