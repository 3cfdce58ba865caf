// SPDX-License-Identifier: BSD-3-Clause
// Templates that are ready to name, in the notation of template_text.hpp. Both IP versions in one text: what the other
// version alone has is left out of a template, and so are reverse elements where records have one direction.
#pragma once

#include <span>
#include <string_view>

namespace weir::ipfix {

struct Profile {
  std::string_view name, help, fields;
};

std::span<const Profile> profiles() noexcept;

/// nullptr if there is none.
const Profile* find_profile(std::string_view name) noexcept;

}  // namespace weir::ipfix
