// SPDX-License-Identifier: BSD-3-Clause
// Where an IPFIX File is made: beside its place, under another name.
#pragma once

#include <string>

namespace weir::transport {

/// What a name leads to, symbolic links followed, so that it is the link's target that is replaced.
std::string target_of(const std::string& path);
/// With the slash at its end; empty: the working directory.
std::string directory_of(const std::string& path);
/// In a folder with the sticky bit (/tmp) only the owner of a file, or of the folder, may replace it.
bool may_replace(const std::string& target) noexcept;

/// Makes, renames and removes a file where that of this name will be. 0, or why that does not go. What exists and is no
/// regular file is not tried: it is written into as it is.
int try_folder_of(const std::string& path);

}  // namespace weir::transport
