// SPDX-License-Identifier: BSD-3-Clause
// Who a probe runs as once its devices are open.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace weir::app {

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::string name;                ///< "weir:weir", as it was set
  std::uint64_t capabilities = 0;  ///< a bit for each that is kept
  std::string capability_names{};
};

/// The settings live.user and live.group, names or numbers: nothing where both are empty; without a group, the user's
/// own. `capabilities` to keep are named as in capabilities(7): "net_raw", "CAP_NET_ADMIN". Throws StartError where a
/// name is unknown.
std::optional<Identity> identity_of(const std::string& user, const std::string& group,
                                    std::span<const std::string> capabilities = {});

/// What `act` returns, 0 to 255, where `identity` does it: in a process of its own, so that nothing is given up yet.
/// For a time before there are threads.
int result_as(const Identity& identity, const std::function<int()>& act);

/// Becomes `identity` for good, all threads of the process, and lets no program that it executes have more. Of the
/// identity's capabilities the calling thread keeps those that it has, and so do threads that it starts later. Returns
/// the line to log: who it runs as now, or, where the process is not root, that there was nothing to drop. Throws
/// StartError where it fails: better no probe than one that is still root.
std::string drop_privileges(const Identity& identity);

}  // namespace weir::app
