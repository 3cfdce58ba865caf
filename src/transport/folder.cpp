// SPDX-License-Identifier: BSD-3-Clause
#include "transport/folder.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/descriptor.hpp"

namespace weir::transport {

std::string target_of(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> real{::realpath(path.c_str(), nullptr), &::free};
  return real ? std::string{real.get()} : path;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash + 1);
}

bool may_replace(const std::string& target) noexcept {
  struct stat file {
  }, folder{};
  const auto directory = directory_of(target) + ".";
  if (::stat(target.c_str(), &file) != 0 || ::stat(directory.c_str(), &folder) != 0) return true;
  const auto user = ::geteuid();
  return (folder.st_mode & S_ISVTX) == 0 || user == 0 || file.st_uid == user || folder.st_uid == user;
}

int try_folder_of(const std::string& path) {
  const auto target = target_of(path);
  struct stat about {};
  if (::stat(target.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) return 0;
  const auto made = directory_of(target) + ".weir-" + std::to_string(::getpid()) + "-trial.part";
  const auto renamed = made + "-renamed";
  if (const Descriptor file{::open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)}; !file) return errno;
  if (std::rename(made.c_str(), renamed.c_str()) != 0) {
    const int error = errno;
    ::unlink(made.c_str());
    return error;
  }
  if (::unlink(renamed.c_str()) != 0) return errno;
  return may_replace(target) ? 0 : EPERM;
}

}  // namespace weir::transport
