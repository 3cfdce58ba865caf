// SPDX-License-Identifier: BSD-3-Clause
// What is the same in every record of a template is told once, in an options record, and the records refer to it by its
// commonPropertiesId (RFC 5473).
#pragma once

#include <cstddef>
#include <span>
#include <vector>
#include <weir/record.hpp>

namespace weir::ipfix {

/// One set of properties: the options template begins with its commonPropertiesId, which is the scope.
struct CommonProperties {
  std::vector<Field> fields;  ///< constants only
};

/// Takes the constants out of `fields`, puts the id of their set in the place of the first, and adds the set to `known`
/// if it is new. Nothing changes where that would save no octets.
void share_constants(std::vector<Field>& fields, std::vector<CommonProperties>& known);

}  // namespace weir::ipfix
