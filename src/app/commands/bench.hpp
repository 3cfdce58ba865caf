// SPDX-License-Identifier: BSD-3-Clause
// `weir bench`: how fast this machine meters traffic that is made in memory.
#pragma once

namespace weir::app {

/// argv[0] is the command's name. Returns an ExitStatus.
int measure(int argc, char** argv);

}  // namespace weir::app
