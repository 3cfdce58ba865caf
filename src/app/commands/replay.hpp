// SPDX-License-Identifier: BSD-3-Clause
// `weir replay`: capture files in, IPFIX out.
#pragma once

namespace weir::app {

/// argv[0] is the command's name. Returns an ExitStatus.
int replay(int argc, char** argv);

}  // namespace weir::app
