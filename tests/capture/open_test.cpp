// SPDX-License-Identifier: BSD-3-Clause
// What is said of inputs that are no captures, before the first packet.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "read_capture.hpp"

namespace weir::capture::test {
namespace {

class Files : public testing::Test {
 protected:
  Files() {
    std::string pattern = testing::TempDir() + "weir_capture_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Files() override {
    for (const auto& path : paths_) ::unlink(path.c_str());
    ::rmdir(folder_.c_str());
  }
  std::string file(const std::string& name, const Octets& octets) {
    const auto path = paths_.emplace_back(folder_ + "/" + name);
    auto* out = std::fopen(path.c_str(), "wb");
    std::fwrite(octets.data(), 1, octets.size(), out);
    std::fclose(out);
    return path;
  }
  std::string folder_;
  std::vector<std::string> paths_;
};

Octets good() { return Pcap{}.packet(1, 0, payload(60)).octets(); }

TEST_F(Files, that_cannot_be_used_are_named_with_a_remedy_and_the_others_go_on) {
  const auto snoop = octets_of(std::string_view{"snoop\0\0\0\0\0\0\2\0\0\0\4aaaaaaaa", 24});
  const auto old = Pcap{{.version_minor = 2}}.packet(1, 0, payload(60)).octets();
  auto header = good();
  header.resize(23);
  const std::vector<std::pair<std::string, std::string>> bad{
      {folder_ + "/none.pcap", "does not exist"},
      {folder_, "is a directory"},
      {file("empty", {}), "is empty"},
      {file("text.pcap", octets_of("not a capture, whatever its name says")), "neither a pcap nor a pcapng"},
      {file("snoop", snoop), "snoop capture; convert it: editcap"},
      {file("zstd", octets_of("\x28\xb5\x2f\xfd and so on")), "zstd -dc"},
      {file("header", header), "ends within its capture header"},
      {file("old", old), "not of version 2.4"},
      {file("twice.gz", gzip(gzip(good()))), "gzip'd twice"},
      {file("text.gz", gzip(octets_of("not a capture, whatever its name says"))), "neither a pcap nor a pcapng"},
      {file("two\nlines", {}), "two?lines is empty"},
  };
  std::vector<std::string> names;
  for (const auto& one : bad) names.push_back(one.first);
  names.insert(names.begin() + 5, file("good.txt", good()));
  names.push_back(file("good.gz", gzip(good())));
  Input input{names, {}};
  EXPECT_EQ(input.opened(), 2u);
  ASSERT_EQ(input.problems().size(), bad.size());
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const auto& problem = input.problems()[i];
    EXPECT_EQ(problem.status, ExitStatus::unusable_input);
    EXPECT_NE(problem.line.find(bad[i].second), std::string::npos) << problem.line;
  }
  EXPECT_EQ(read_all(input).packets.size(), 2u);
}

TEST_F(Files, that_this_user_may_not_read_are_said_to_be_so) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const auto path = file("secret", good());
  ::chmod(path.c_str(), 0);
  EXPECT_NE(read_files({path}).problem().find("permission denied"), std::string::npos);
}

TEST_F(Files, may_be_more_than_the_soft_limit_of_open_ones) {
  rlimit before{}, few{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  few = before;
  few.rlim_cur = 16;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto all = read_files(std::vector<std::string>(100, file("good", good())));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(all.problems.empty()) << all.problem();
  EXPECT_EQ(all.packets.size(), 100u);
}

TEST_F(Files, say_how_much_of_them_was_read) {
  const auto plain = good(), packed = gzip(good());
  Input input{{file("one", plain), file("two", packed)}, {}};
  EXPECT_EQ(input.progress().octets, 0u);
  EXPECT_EQ(input.progress().total, plain.size() + packed.size());
  EXPECT_EQ(read_all(input).packets.size(), 2u);
  EXPECT_EQ(input.progress().octets, plain.size() + packed.size());
}

TEST_F(Files, are_read_from_standard_input_which_can_be_given_once) {
  const int kept = ::dup(STDIN_FILENO);
  ASSERT_NE(std::freopen(file("input", good()).c_str(), "rb", stdin), nullptr);
  const auto all = read_files({"-", "-"});
  ::dup2(kept, STDIN_FILENO);
  ::close(kept);
  EXPECT_EQ(all.packets.size(), 1u);
  EXPECT_EQ(all.problem(), "standard input is given twice; give it once");
}

}  // namespace
}  // namespace weir::capture::test
