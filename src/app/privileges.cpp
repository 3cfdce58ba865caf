// SPDX-License-Identifier: BSD-3-Clause
#include "app/privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/error.hpp"

namespace weir::app {
namespace {

struct Capability {
  std::string_view name;
  unsigned number;
};
/// Those that a device may need after start.
constexpr std::array capabilities_known{
    Capability{"net_admin", CAP_NET_ADMIN},
    Capability{"net_raw", CAP_NET_RAW},
    Capability{"ipc_lock", CAP_IPC_LOCK},
    Capability{"sys_rawio", CAP_SYS_RAWIO},
    Capability{"sys_nice", CAP_SYS_NICE},
    Capability{"sys_admin", CAP_SYS_ADMIN},
    Capability{"bpf", CAP_BPF},
    Capability{"perfmon", CAP_PERFMON},
};

std::optional<std::uint32_t> number_from(const std::string& text) {
  std::uint32_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const bool whole = error == std::errc{} && stop == end && number != ~std::uint32_t{0};  // -1 means "as it is"
  return whole ? std::optional{number} : std::nullopt;
}

[[noreturn]] void fail(std::string_view what, const Identity& identity) {
  throw StartError{fmt::format("live.user: cannot become {}: {}: {}; start as root, or leave live.user empty",
                               identity.name, what, std::strerror(errno))};
}

unsigned capability_number(const std::string& name) {
  std::string lower;
  for (const char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.starts_with("cap_")) lower.erase(0, 4);
  const auto at = std::ranges::find(capabilities_known, lower, &Capability::name);
  if (at != capabilities_known.end()) return at->number;
  std::string known;
  for (const auto& each : capabilities_known) known.append(known.empty() ? "" : ", ").append(each.name);
  throw StartError{fmt::format("live.capabilities: there is no '{}' to keep; there are {}", name, known)};
}

/// Sets of capabilities are 64 bits, lower half first. glibc has no wrapper.
std::array<__user_cap_data_struct, 2> capabilities_now() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  ::syscall(SYS_capget, &header, data.data());
  return data;
}

void keep_only(const Identity& identity) {
  auto data = capabilities_now();
  for (std::size_t half = 0; half < data.size(); ++half) {
    data[half].permitted &= static_cast<std::uint32_t>(identity.capabilities >> 32 * half);
    data[half].effective = data[half].permitted;
    data[half].inheritable = 0;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  if (::syscall(SYS_capset, &header, data.data()) != 0) fail("capset", identity);
}

/// Neither real, effective nor saved ids are others, and none leads back.
void prove(const Identity& identity) {
  uid_t user[3];
  gid_t group[3];
  const bool read = ::getresuid(&user[0], &user[1], &user[2]) == 0 && ::getresgid(&group[0], &group[1], &group[2]) == 0;
  const auto is_user = [&](uid_t id) { return id == identity.user; };
  const auto is_group = [&](gid_t id) { return id == identity.group; };
  const bool gone = read && std::ranges::all_of(user, is_user) && std::ranges::all_of(group, is_group);
  if (!gone || ::setresuid(0, 0, 0) == 0) {
    errno = EPERM;
    fail("root could be regained", identity);
  }
}

}  // namespace

std::optional<Identity> identity_of(const std::string& user, const std::string& group,
                                    std::span<const std::string> capabilities) {
  Identity identity;
  for (const auto& name : capabilities) {
    identity.capabilities |= std::uint64_t{1} << capability_number(name);
    identity.capability_names.append(identity.capability_names.empty() ? ", keeps " : " ").append(name);
  }
  if (user.empty() && group.empty()) return std::nullopt;
  if (user.empty()) throw StartError{"live.group is set without live.user; set both, or neither"};
  identity.name = group.empty() ? user : user + ":" + group;
  const auto* entry = ::getpwnam(user.c_str());
  const auto number = number_from(user);
  if (!entry && !number)
    throw StartError{fmt::format("live.user: there is no user '{}'; `useradd --system {}` makes it", user, user)};
  if (!entry && group.empty())
    throw StartError{fmt::format("live.user: {} is no user with a group of its own; set live.group", user)};
  identity.user = entry ? entry->pw_uid : *number;
  if (entry) identity.group = entry->pw_gid;
  if (identity.user == 0) throw StartError{"live.user: root is who is to be left; name another, or leave it empty"};
  if (group.empty()) return identity;

  const auto* group_entry = ::getgrnam(group.c_str());
  const auto group_number = number_from(group);
  if (!group_entry && !group_number)
    throw StartError{fmt::format("live.group: there is no group '{}'; `groupadd --system {}` makes it", group, group)};
  identity.group = group_entry ? group_entry->gr_gid : *group_number;
  return identity;
}

int result_as(const Identity& identity, const std::function<int()>& act) {
  const auto child = ::fork();
  if (child == 0) {
    try {
      drop_privileges(identity);
      ::_exit(act());
    } catch (const StartError&) {
      ::_exit(0);  // who becomes it for good will say so
    }
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

std::string drop_privileges(const Identity& identity) {
  if (::geteuid() != 0)
    return fmt::format("does not run as root: no privileges to drop, live.user {} has no effect", identity.name);
  if (identity.capabilities && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) fail("keeping capabilities", identity);
  if (::setgroups(1, &identity.group) != 0) fail("setgroups", identity);
  if (::setresgid(identity.group, identity.group, identity.group) != 0) fail("setresgid", identity);
  if (::setresuid(identity.user, identity.user, identity.user) != 0) fail("setresuid", identity);
  keep_only(identity);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no new privileges", identity);
  prove(identity);
  return fmt::format("runs as {} (user {}, group {}{})", identity.name, identity.user, identity.group,
                     identity.capability_names);
}

}  // namespace weir::app
