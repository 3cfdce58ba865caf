// SPDX-License-Identifier: BSD-3-Clause
// `weir dump` from the command line to what it prints and the status it leaves.
#include "app/commands/dump.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/ipfix_message.hpp"

namespace weir::test {
namespace {

class Dump : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path{testing::TempDir()} / fmt::format("weir-dump-{}", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const Octets& octets) const {
    const auto path = (folder_ / name).string();
    std::FILE* out = std::fopen(path.c_str(), "wb");
    std::fwrite(octets.data(), 1, octets.size(), out);
    std::fclose(out);
    return path;
  }

  std::string gzip_file(const std::string& name, const std::vector<Octets>& members) const {
    const auto path = (folder_ / name).string();
    for (const auto& octets : members) {
      gzFile out = gzopen(path.c_str(), "ab");
      gzwrite(out, octets.data(), static_cast<unsigned>(octets.size()));
      gzclose(out);
    }
    return path;
  }

  struct Result {
    int status = -1;
    std::string out, err;
  };
  Result run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "dump");
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = app::dump(static_cast<int>(argv.size()), argv.data());
    std::fflush(stderr);
    Result result{status, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
    for (auto place = result.err.find(folder_); place != std::string::npos; place = result.err.find(folder_))
      result.err.erase(place, folder_.string().size() + 1);
    return result;
  }

  std::filesystem::path folder_;
};

const auto flow_template =
    definition(256, {{8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {6, 2}, {2, 8}, {1, 8}, {152, 8}, {153, 8}, {136, 1}});

Octets flow(std::uint16_t port, std::uint64_t octets) {
  return joined({hex("0a000001 0a000002"), number(port, 2), number(443, 2), hex("06 001b"), number(10, 8),
                 number(octets, 8), number(1'700'000'000'000, 8), number(1'700'000'001'500, 8), hex("03")});
}

MessageText flows(std::uint32_t sequence = 0) {
  return MessageText{.sequence = sequence}
      .set(2, flow_template)
      .set(256, joined({flow(1000, 500), flow(2000, 1'500'000)}));
}

const MessageText options = MessageText{.sequence = 2}
                                .set(3, options_definition(257, 1, {{145, 2}, {173, 8}, {210, 2}}))
                                .set(257, joined({number(256, 2), number(31, 8), number(0, 2)}));

TEST_F(Dump, prints_a_record_a_line) {
  const auto result = run({file("a", joined({flows().octets(), options.octets()}))});
  EXPECT_EQ(result.out,
            "2023-11-14T22:13:20Z domain 1 template 256 sourceIPv4Address=10.0.0.1 destinationIPv4Address=10.0.0.2 "
            "sourceTransportPort=1000 destinationTransportPort=443 protocolIdentifier=6 tcpControlBits=0x1b "
            "packetDeltaCount=10 octetDeltaCount=500 flowStartMilliseconds=2023-11-14T22:13:20.000Z "
            "flowEndMilliseconds=2023-11-14T22:13:21.500Z flowEndReason=3\n"
            "2023-11-14T22:13:20Z domain 1 template 256 sourceIPv4Address=10.0.0.1 destinationIPv4Address=10.0.0.2 "
            "sourceTransportPort=2000 destinationTransportPort=443 protocolIdentifier=6 tcpControlBits=0x1b "
            "packetDeltaCount=10 octetDeltaCount=1500000 flowStartMilliseconds=2023-11-14T22:13:20.000Z "
            "flowEndMilliseconds=2023-11-14T22:13:21.500Z flowEndReason=3\n"
            "2023-11-14T22:13:20Z domain 1 options template 257 [templateId=256] flowKeyIndicator=0x1f\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.status, 0);
}

TEST_F(Dump, prints_json_that_keeps_numbers_exact) {
  const auto huge = MessageText{.domain = 4'294'967'295u, .sequence = 9}
                        .set(2, definition(300, {{1, 8}, {82, 65535}, {7, 2, 99999}}))
                        .set(300, joined({hex("ffffffffffffffff"), hex("04 61 22 0a ff"), hex("0001")}));
  const auto result = run({"--json", file("a", joined({options.octets(), huge.octets()}))});
  const auto second = result.out.find('\n') + 1;
  const auto first_line = nlohmann::json::parse(result.out.substr(0, second));
  EXPECT_EQ(first_line, nlohmann::json::parse(R"({"@exportTime":"2023-11-14T22:13:20Z","@domain":1,"@sequence":2,
    "@template":257,"@scope":["templateId"],"templateId":256,"flowKeyIndicator":31})"));
  const auto line = nlohmann::json::parse(result.out.substr(second));
  EXPECT_EQ(line["@domain"], 4'294'967'295u);
  EXPECT_EQ(line["octetDeltaCount"], 18'446'744'073'709'551'615u);
  EXPECT_EQ(line["interfaceName"], "a\"\n\xef\xbf\xbd");
  EXPECT_EQ(line["99999/7"], "0x0001");
}

TEST_F(Dump, prints_templates_when_they_come_and_change) {
  const auto input =
      joined({flows().octets(), flows(2).octets(), MessageText{.sequence = 4}.set(2, withdrawal(256)).octets(),
              MessageText{.sequence = 4}.set(3, options_definition(257, 1, {{82, 65535}, {5, 2, 99999}})).octets(),
              MessageText{.sequence = 4}.set(3, withdrawal(3)).octets()});
  EXPECT_EQ(run({"--templates", file("a", input)}).out,
            "2023-11-14T22:13:20Z domain 1 template 256: sourceIPv4Address(0/8)[4] destinationIPv4Address(0/12)[4] "
            "sourceTransportPort(0/7)[2] destinationTransportPort(0/11)[2] protocolIdentifier(0/4)[1] "
            "tcpControlBits(0/6)[2] packetDeltaCount(0/2)[8] octetDeltaCount(0/1)[8] flowStartMilliseconds(0/152)[8] "
            "flowEndMilliseconds(0/153)[8] flowEndReason(0/136)[1]\n"
            "2023-11-14T22:13:20Z domain 1 template 256 withdrawn\n"
            "2023-11-14T22:13:20Z domain 1 options template 257: scope:interfaceName(0/82)[variable] "
            "99999/5(99999/5)[2]\n"
            "2023-11-14T22:13:20Z domain 1 all options templates withdrawn\n");
  const auto json = run({"--templates", "--json", file("b", flows().octets())}).out;
  EXPECT_EQ(nlohmann::json::parse(json)["fields"][0],
            nlohmann::json::parse(R"({"name":"sourceIPv4Address","pen":0,"id":8,"length":4})"));
}

TEST_F(Dump, counts_what_is_there_and_what_is_missing) {
  auto bad = flows(7).octets();
  bad[18] = std::byte{0xff};
  const auto input = joined({flows().octets(), options.octets(), flows(7).octets(), bad, flows(20).octets(),
                             MessageText{.domain = 5}.set(300, hex("00")).set(99, {}).octets()});
  const auto path = file("a", input);
  const auto counts = nlohmann::json::parse(run({"--stats", "--json", path}).out);
  EXPECT_EQ(counts["messages"], 5);
  EXPECT_EQ(counts["data_records"], 6);
  EXPECT_EQ(counts["options_records"], 1);
  EXPECT_EQ(counts["templates"], 1);
  EXPECT_EQ(counts["templates_repeated"], 2);
  EXPECT_EQ(counts["sequence_gaps"], 2) << "before 7, and from 9 to 20, in which the damaged message fell";
  EXPECT_EQ(counts["missing_records"], 4 + 11);
  EXPECT_EQ(counts["damaged_messages"], 1);
  EXPECT_EQ(counts["undecodable_sets"], 1);
  EXPECT_EQ(counts["unknown_sets"], 1);
  EXPECT_EQ(counts["octets"].get<std::size_t>() + counts["skipped_octets"].get<std::size_t>(), input.size());
  EXPECT_EQ(counts["domains"], nlohmann::json::array({1, 5}));
  const auto text = run({"--stats", path}).out;
  EXPECT_NE(text.find("             6 data records\n"), std::string::npos) << text;
  EXPECT_NE(text.find("             2 observation domains: 1 5\n"), std::string::npos) << text;
}

TEST_F(Dump, names_damage_by_its_offset_and_goes_on) {
  auto bad = flows().octets();
  bad[bad.size() - 2 * flow(0, 0).size() - 1] = std::byte{200};  // the data set's length
  const auto path = file("a", joined({flows().octets(), bad, hex("deadbeef"), flows(2).octets(), flows(4).octets()}));
  const auto result = run({path});
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 6);
  const auto message = flows().octets().size();
  EXPECT_EQ(result.err,
            fmt::format("a: offset {}: the sets do not fill the message as its length says; {} octets skipped\n",
                        message, message + 4));
  EXPECT_EQ(result.status, 3);

  const auto short_data = MessageText{.sequence = 2}.set(256, hex("0a0000")).octets();
  const auto malformed = run({file("b", joined({flows().octets(), short_data}))});
  EXPECT_EQ(malformed.err, fmt::format("b: offset {}: a data set is shorter than one record of its template; message "
                                       "skipped\n",
                                       message + 16));
  EXPECT_EQ(malformed.status, 3);
}

TEST_F(Dump, reports_a_file_that_is_cut_and_prints_all_before) {
  auto input = joined({flows().octets(), flows(2).octets()});
  input.pop_back();
  const auto result = run({file("a", input)});
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 2);
  EXPECT_NE(result.err.find("the input ends inside of the message"), std::string::npos) << result.err;
  EXPECT_EQ(result.status, 3);
}

TEST_F(Dump, refuses_what_is_no_ipfix_in_one_line_and_goes_on_with_the_next_file) {
  const auto good = file("good", flows().octets());
  const auto refused = [&](const std::string& path) {
    auto result = run({path, good});
    EXPECT_EQ(result.status, 1) << path;
    EXPECT_EQ(std::ranges::count(result.out, '\n'), 2) << path;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    return result.err;
  };
  EXPECT_EQ(refused(file("empty", {})), "empty: is empty\n");
  EXPECT_EQ(refused(file("one", hex("00"))), "one: is not IPFIX: there is no message (version 10) in it\n");
  EXPECT_EQ(refused(file("pcap", joined({hex("d4c3b2a1"), Octets(1000)}))),
            "pcap: is not IPFIX: there is no message (version 10) in it\n");
  EXPECT_EQ(refused((folder_ / "nowhere").string()), "nowhere: cannot open: No such file or directory\n");
  EXPECT_NE(refused(folder_.string()).find("is a directory"), std::string::npos);
}

TEST_F(Dump, refuses_a_command_line_that_it_does_not_understand) {
  EXPECT_EQ(run({}).status, 2);
  EXPECT_EQ(run({"--such", "x"}).status, 2);
  EXPECT_EQ(run({"--json", "--top", "3", "x"}).status, 2);
  EXPECT_EQ(run({"--stats", "--templates", "x"}).status, 2);
  EXPECT_EQ(run({"--top", "0", "x"}).status, 2);
  EXPECT_EQ(run({"--help"}).status, 0);
}

TEST_F(Dump, reads_gzip_of_several_members_by_its_first_octets) {
  const auto result = run({gzip_file("a", {flows().octets(), flows(2).octets()})});
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 4);
  EXPECT_EQ(result.status, 0) << result.err;

  const auto path = gzip_file("b", {flows().octets(), flows(2).octets()});
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 10);
  const auto cut = run({path});
  EXPECT_EQ(cut.out.find('\n') == std::string::npos, false);
  EXPECT_NE(cut.err.find("the gzip data end too early"), std::string::npos) << cut.err;
  EXPECT_EQ(cut.status, 3);
}

TEST_F(Dump, treats_each_file_as_a_session_of_its_own) {  // RFC 5655 §7.1
  const auto data = MessageText{}.set(256, flow(1, 2)).octets();
  const auto result = run({file("a", flows().octets()), file("b", data)});
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 2);
  EXPECT_NE(result.err.find("data set without a template"), std::string::npos);
}

TEST_F(Dump, ends_quietly_when_nobody_reads_on) {
  Octets many = flows().octets();
  while (many.size() < 3'000'000) many = joined({many, many});
  const auto path = file("a", many);
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const auto child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(pipe[1], STDERR_FILENO);
    ::close(pipe[0]);
    ::close(pipe[1]);
    std::string command = "dump", quiet = "--json", name = path;
    char* argv[]{command.data(), quiet.data(), name.data()};
    ::_exit(app::dump(3, argv));
  }
  ::close(pipe[1]);
  char some[100];
  EXPECT_GT(::read(pipe[0], some, sizeof some), 0);
  ::close(pipe[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The table for people.

TEST_F(Dump, shows_the_largest_flows_first) {
  const auto result = run({"--top", "1", file("a", joined({flows().octets(), options.octets()}))});
  EXPECT_EQ(
      result.out,
      "start (UTC)              duration  protocol         source   destination   service  packets   octets  flags "
      "    end\n"
      "2023-11-14 22:13:20.000    1.50 s  TCP       10.0.0.1:2000 → 10.0.0.2:443  https         10  1.50 MB  "
      "...AP.SF  finished\n"
      "1 of 2 flows shown; all of them: 20 packets, 1.50 MB\n");
  const auto other = file("b", flows().octets());
  for (const auto& arguments : {Lines{"--top", other}, Lines{other, "--top"}, Lines{other, "--top=20"}})
    EXPECT_NE(run(arguments).out.find("2 of 2 flows"), std::string::npos);
}

TEST_F(Dump, shows_both_directions_and_icmp_in_the_table) {
  const auto biflow =
      definition(256, {{27, 16}, {28, 16}, {4, 1}, {139, 2}, {86, 4}, {85, 4}, {86, 4, 29305}, {85, 4, 29305}});
  const auto record = joined({hex("20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002 3a 8000"),
                              number(1234, 4), number(98'765, 4), number(7, 4), number(700, 4)});
  const auto out = run({"--top", file("a", MessageText{}.set(2, biflow).set(256, record).octets())}).out;
  EXPECT_EQ(
      out,
      "start (UTC)  duration  protocol       source   destination  service          packets   octets  packets back "
      " octets back  flags  end\n"
      "-                   -  ICMP6     2001:db8::1 → 2001:db8::2  type 128 code 0    1,234  98.8 kB             7 "
      "       700 B  -      -\n"
      "1 of 1 flows shown; all of them: 1,241 packets, 99.5 kB\n");
}

TEST_F(Dump, keeps_the_earlier_of_equal_flows_in_the_table) {
  auto message = MessageText{}.set(2, flow_template);
  for (std::uint16_t port = 1; port <= 50; ++port)
    message.set(256, flow(port, port <= 5 ? 10 : port % 2 ? 1000 : 2000));
  const auto out = run({"--top=3", file("a", message.octets())}).out;
  const auto at = [&](int port) { return out.find(fmt::format("10.0.0.1:{} ", port)); };
  EXPECT_LT(at(6), at(8));
  EXPECT_LT(at(8), at(10));
  EXPECT_EQ(at(12), std::string::npos);
}

}  // namespace
}  // namespace weir::test
