// SPDX-License-Identifier: BSD-3-Clause
// `weir elements`: what a template in the settings can name.
#pragma once

namespace weir::app {

/// argv[0] is the command's name. Returns an ExitStatus; throws StartError.
int elements(int argc, char** argv);

}  // namespace weir::app
