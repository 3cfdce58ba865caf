// SPDX-License-Identifier: BSD-3-Clause
#include "transport/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "base/error.hpp"
#include "support/scratch_directory.hpp"
#include "transport/leftovers.hpp"

namespace weir::transport {
namespace {

using test::contents;
using test::ScratchDirectory;

const std::atomic<bool> go_on{false};

std::vector<std::byte> message(std::size_t octets, int with = 1) {
  return std::vector<std::byte>(octets, static_cast<std::byte>(with));
}

std::string complaint(const std::string& path, const std::atomic<bool>& stop = go_on) {
  try {
    File file{path, stop};
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}

TEST(File, has_its_name_when_it_is_whole_and_not_before) {
  const ScratchDirectory directory;
  const auto path = directory / "flows.ipfix";
  File file{path, go_on};
  std::size_t octets = 0;
  for (int i = 0; i < 1000; ++i, octets += 1400) ASSERT_EQ(file.send(message(1400)), Sent::yes);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(file.finish(), Sent::yes);
  EXPECT_EQ(contents(path), message(octets));
  EXPECT_EQ(directory.entries(), 1u);
}

TEST(File, replaces_one_that_was_there_and_keeps_its_permissions) {
  const ScratchDirectory directory;
  const auto path = directory / "flows.ipfix";
  std::filesystem::copy_file("/proc/self/exe", path);
  ::chmod(path.c_str(), 0640);
  File file{path, go_on};
  EXPECT_EQ(file.send(message(10)), Sent::yes);
  EXPECT_GT(std::filesystem::file_size(path), 10u);
  EXPECT_EQ(file.finish(), Sent::yes);
  EXPECT_EQ(contents(path), message(10));
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms{0640});
}

TEST(File, goes_where_a_symbolic_link_leads) {
  const ScratchDirectory directory;
  std::filesystem::create_directory(directory / "there");
  std::filesystem::copy_file("/proc/self/status", directory / "there/real");
  std::filesystem::create_symlink("there/real", directory / "link");
  File file{directory / "link", go_on};
  EXPECT_EQ(file.send(message(10)), Sent::yes);
  EXPECT_EQ(file.finish(), Sent::yes);
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "link"));
  EXPECT_EQ(contents(directory / "there/real"), message(10));
}

TEST(File, that_did_not_become_whole_leaves_nothing_behind_and_the_old_one_in_place) {
  const ScratchDirectory directory;
  const auto path = directory / "flows.ipfix";
  std::filesystem::copy_file("/proc/self/exe", path);
  const auto before = contents(path);
  {
    File file{path, go_on};
    file.send(message(1'000));
  }
  EXPECT_EQ(contents(path), before);
  EXPECT_EQ(directory.entries(), 1u);
}

TEST(File, writes_into_devices_as_they_are) {
  File nothing{"/dev/null", go_on};
  EXPECT_EQ(nothing.send(message(1400)), Sent::yes);
  EXPECT_EQ(nothing.finish(), Sent::yes);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(File, says_that_the_disk_is_full_and_stays_failed) {
  File full{"/dev/full", go_on};
  EXPECT_EQ(full.send(message(1400)), Sent::failed);
  EXPECT_EQ(full.trouble(), "write: No space left on device");
  EXPECT_EQ(full.send(message(1400)), Sent::failed);
  EXPECT_EQ(full.finish(), Sent::failed);
}

TEST(File, that_takes_half_of_a_message_keeps_those_before_it_and_may_go_on_later) {
  std::signal(SIGXFSZ, SIG_IGN);
  const ScratchDirectory directory;
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto limit_to = [&](rlim_t octets) {
    const rlimit limit{.rlim_cur = octets, .rlim_max = before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  };
  File cut{directory / "cut", go_on}, whole{directory / "whole", go_on}, none{directory / "none", go_on};
  for (auto* file : {&cut, &whole})
    for (int i = 0; i < 3; ++i) ASSERT_EQ(file->send(message(1000)), Sent::yes);
  ASSERT_EQ(none.send(message(3000)), Sent::yes);
  limit_to(2500);
  for (auto* file : {&cut, &whole}) {
    EXPECT_EQ(file->finish(), Sent::failed);
    EXPECT_EQ(file->trouble(), "write: File too large");
    EXPECT_EQ(file->unwritten(), 1u);
  }
  EXPECT_EQ(none.finish(), Sent::failed);
  EXPECT_TRUE(cut.keep_whole_messages());
  EXPECT_FALSE(none.keep_whole_messages());
  limit_to(before.rlim_cur);
  EXPECT_EQ(whole.send(message(1000)), Sent::yes);
  EXPECT_EQ(whole.finish(), Sent::yes);
  EXPECT_EQ(contents(directory / "cut"), message(2000));
  EXPECT_EQ(contents(directory / "whole"), message(4000));
  EXPECT_EQ(directory.entries(), 2u);
}

TEST(File, waits_for_the_reader_of_a_pipe_and_loses_no_octet) {
  const ScratchDirectory directory;
  const auto path = directory / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const Descriptor reader{::open(path.c_str(), O_RDONLY | O_NONBLOCK)};
  File file{path, go_on};
  std::vector<std::byte> sent, received;
  bool waited = false;
  const auto read_all = [&] {
    std::vector<std::byte> some(65536);
    for (auto octets = ::read(reader.number(), some.data(), some.size()); octets > 0;
         octets = ::read(reader.number(), some.data(), some.size()))
      received.insert(received.end(), some.begin(), some.begin() + octets);
  };
  for (int i = 0; i < 20; ++i) {
    const auto bytes = message(30'000, i);
    while (file.send(bytes) == Sent::try_later) {
      waited = true;
      read_all();
    }
    sent.insert(sent.end(), bytes.begin(), bytes.end());
  }
  EXPECT_TRUE(waited);
  EXPECT_EQ(file.finish(), Sent::yes);
  read_all();
  EXPECT_EQ(received, sent);
}

TEST(File, fails_when_the_reader_of_a_pipe_goes_away) {
  std::signal(SIGPIPE, SIG_IGN);
  const ScratchDirectory directory;
  const auto path = directory / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Descriptor reader{::open(path.c_str(), O_RDONLY | O_NONBLOCK)};
  File file{path, go_on};
  EXPECT_EQ(file.send(message(10)), Sent::yes);
  reader.close();
  EXPECT_EQ(file.send(message(10)), Sent::failed);
  EXPECT_EQ(file.trouble(), "write: Broken pipe");
}

TEST(File, that_may_not_replace_another_gets_a_number_in_front_of_its_ending) {
  const ScratchDirectory directory;
  const auto path = directory / "flows.ipfix";
  File file{path, go_on, {.replace = false}};
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(file.send(message(10, i)), Sent::yes);
    EXPECT_EQ(file.finish(), Sent::yes);
    EXPECT_TRUE(file.begin_next(path));
  }
  EXPECT_EQ(contents(path), message(10, 1));
  EXPECT_EQ(contents(directory / "flows-1.ipfix"), message(10, 2));
  EXPECT_EQ(contents(directory / "flows-2.ipfix"), message(10, 3));
}

TEST(File, that_failed_is_followed_by_one_that_starts_empty) {
  const ScratchDirectory directory;
  File file{directory / "one", go_on, {.replace = false}};
  EXPECT_EQ(file.send(message(10, 1)), Sent::yes);
  file.abandon();
  EXPECT_FALSE(file.begin_next(directory / "no/such/folder"));
  EXPECT_EQ(file.trouble(), "creating a file in its directory: No such file or directory");
  EXPECT_EQ(file.send(message(10, 2)), Sent::failed);
  EXPECT_TRUE(file.begin_next(directory / "two"));
  EXPECT_EQ(file.send(message(10, 3)), Sent::yes);
  EXPECT_EQ(file.finish(), Sent::yes);
  EXPECT_EQ(contents(directory / "two"), message(10, 3));
  EXPECT_EQ(directory.entries(), 1u);
}

TEST(File, that_a_killed_process_left_is_told_from_one_that_is_being_written) {
  const ScratchDirectory directory;
  const auto left = directory / ".weir-1-0.part";
  const Descriptor created{::open(left.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  const File file{directory / "flows.ipfix", go_on};
  EXPECT_EQ(directory.entries(), 2u);
  EXPECT_EQ(leftovers_beside(directory / "other.ipfix"), std::vector{left});
}

TEST(File, that_cannot_be_written_is_refused_by_name_with_what_to_do) {
  const ScratchDirectory directory;
  EXPECT_EQ(complaint(directory / "."), "--out " + directory / "." + ": is a directory; give the name of a file in it");
  const auto missing = complaint(directory / "no/flows.ipfix");
  EXPECT_NE(missing.find("No such file or directory; give a name in a directory that exists"), std::string::npos)
      << missing;
  if (::geteuid() == 0) {
    ::chmod((directory / ".").c_str(), 0755);
    ASSERT_EQ(::seteuid(65534), 0);
    const auto forbidden = complaint(directory / "flows.ipfix");
    ASSERT_EQ(::seteuid(0), 0);
    EXPECT_TRUE(forbidden.find("Permission denied; `chown 65534 " + directory / ".` lets it") != std::string::npos)
        << forbidden;
  }
  const auto pipe = directory / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::atomic<bool> stop{true};
  EXPECT_NE(complaint(pipe, stop).find("interrupted while it waited for a reader"), std::string::npos);
}

}  // namespace
}  // namespace weir::transport
