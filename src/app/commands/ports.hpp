// SPDX-License-Identifier: BSD-3-Clause
// `weir ports`: what can be metered, and what it takes.
#pragma once

namespace weir::app {

/// argv[0] is the command's name. Returns an ExitStatus; throws StartError.
int ports(int argc, char** argv);

}  // namespace weir::app
