// SPDX-License-Identifier: BSD-3-Clause
// What other exporters wrote, against what other collectors read in it.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "support/ipfix_message.hpp"

namespace weir::test {
namespace {

using ipfix::Framer;

std::string shared_file(const std::string& name) {
  return std::string{std::getenv("WEIR_SHARED")} + "/ipfix-samples/" + name;
}

Octets octets_of_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  EXPECT_TRUE(file) << path;
  const std::string all{std::istreambuf_iterator<char>{file}, {}};
  return text_octets(all);
}

/// What a whole file or stream came to.
class Tally : public ipfix::Events {
 public:
  std::size_t messages = 0, records = 0, options_records = 0, damages = 0, undecodable = 0;

  void message(const ipfix::Message&) override { ++messages; }
  void record(const ipfix::Record& record) override {
    ++(record.layout.kind == ipfix::TemplateKind::options ? options_records : records);
    ipfix::Text text;
    printer_.append_members(text, record);
    EXPECT_GT(text.size(), 0u);
  }
  void remark(const ipfix::Message&, ipfix::Remark remark) override {
    if (remark.kind == ipfix::RemarkKind::no_template) ++undecodable;
  }
  void damaged(const ipfix::Damaged&) override { ++damages; }

 private:
  ipfix::RecordPrinter printer_{ipfix::Style::json};
};

/// Frames and reads all of it; framing damage is told as damage.
void read_all(Bytes input, ipfix::Events& events) {
  Framer framer;
  ipfix::Reader reader;
  for (;;) {
    const auto step = framer.next(input, Framer::Input::ends_here);
    if (step.found == Framer::Found::end) return;
    if (step.found == Framer::Found::message) reader.read(step.message, step.offset, events);
    if (step.found == Framer::Found::damage) events.damaged(step.damaged);
    ASSERT_NE(step.found, Framer::Found::more_needed);
    input = input.subspan(step.consumed);
  }
}

Tally tally_of(const Octets& input) {
  Tally tally;
  read_all(input, tally);
  return tally;
}

class Samples : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::getenv("WEIR_SHARED")) GTEST_SKIP() << "WEIR_SHARED is not set: no samples to read";
  }
};

struct Sample {
  std::string file, needs_first;
};

/// The IPFIX files and messages that the list of samples names.
std::vector<Sample> ipfix_samples() {
  std::ifstream list{shared_file("MANIFEST.tsv")};
  std::vector<Sample> samples;
  for (std::string line; std::getline(list, line);) {
    std::vector<std::string> columns;
    std::istringstream row{line};
    for (std::string column; std::getline(row, column, '\t');) columns.push_back(column);
    const bool is_stream = columns.size() > 5 && (columns[1].starts_with("raw-messages") || columns[1] == "ipfix-file");
    if (is_stream && columns[2] == "10") samples.push_back({columns[0], columns[5]});
  }
  EXPECT_GT(samples.size(), 30u);
  return samples;
}

Octets octets_of(const Sample& sample) {
  auto input = octets_of_file(shared_file(sample.file));
  return sample.needs_first.empty() ? input : joined({octets_of_file(shared_file(sample.needs_first)), input});
}

TEST_F(Samples, are_all_read_and_decoded) {
  const std::set<std::string> broken{"ic_bad-length-in-set.ipfix", "ic_header-and-zeros.ipfix",
                                     "gi_validTemplatePacketWrongVersion.bin"};
  const std::set<std::string> without_templates{"ic_only-data-no-templates.ipfix", "gi_validDataPacket.bin",
                                                "gi_validDataPacketIPv6.bin", "tg_ipfix_example_4.bin",
                                                "tg_ipfix_example_5.bin"};
  for (const auto& sample : ipfix_samples()) {
    const auto tally = tally_of(octets_of(sample));
    EXPECT_EQ(tally.damages > 0, broken.contains(sample.file)) << sample.file;
    EXPECT_EQ(tally.undecodable > 0, without_templates.contains(sample.file)) << sample.file;
    const bool has_data = sample.file.find("data") != std::string::npos && !without_templates.contains(sample.file);
    EXPECT_TRUE(!has_data || tally.records + tally.options_records > 0) << sample.file;
  }
}

TEST_F(Samples, cut_anywhere_in_the_last_message_keep_all_before) {
  for (const auto& sample : ipfix_samples()) {
    const auto whole = octets_of(sample);
    Framer framer;
    std::size_t last = 0;
    for (auto input = Bytes{whole};;) {
      const auto step = framer.next(input, Framer::Input::ends_here);
      if (step.found != Framer::Found::message) break;
      last = step.offset;
      input = input.subspan(step.consumed);
    }
    if (whole.size() > 9'000) continue;  // the long ones say nothing more
    const auto before = tally_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(last)});
    for (auto size = last + 1; size < whole.size(); ++size) {
      const auto tally = tally_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
      ASSERT_EQ(tally.records, before.records) << sample.file << " cut at " << size;
      ASSERT_EQ(tally.damages, before.damages + 1) << sample.file << " cut at " << size;
    }
  }
}

/// The number before `word` in the last line of the tool's output, or nothing if there is no such tool.
std::optional<std::size_t> number_said_by(const std::string& command, const std::string& word) {
  std::FILE* tool = ::popen((command + " 2>/dev/null").c_str(), "r");
  if (!tool) return {};
  std::string all;
  for (std::array<char, 4096> part; const auto got = std::fread(part.data(), 1, part.size(), tool);)
    all.append(part.data(), got);
  ::pclose(tool);
  const auto place = all.rfind(word);
  if (place == std::string::npos) return {};
  const auto start = all.find_last_of(" \n", place - 2);
  return std::stoul(all.substr(start + 1));
}

TEST_F(Samples, have_as_many_records_as_libfixbuf_finds) {
  if (std::system("command -v ipfixDump >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "ipfixDump (libfixbuf-tools) is not here";
  for (const char* name : {"ic_01-odid0.ipfix", "ic_02-odid0.ipfix", "ic_03-odid0-a.ipfix", "ic_03-odid0-b.ipfix",
                           "ic2_example_flows.ipfix", "ls_ipfix.dat", "py_packet_ipfix_template.bin"}) {
    const auto tally = tally_of(octets_of_file(shared_file(name)));
    const auto theirs = number_said_by("ipfixDump --in " + shared_file(name), " Data Records, ");
    ASSERT_TRUE(theirs) << name;
    EXPECT_EQ(tally.records + tally.options_records, *theirs) << name;
  }
}

// The expected output of telegraf's collector for a stream of yaf: "name=value" for some elements by names of its own,
// type_PEN_ID="0x…" for those that it does not know.

using Values = std::map<std::string, std::string>;

class Gathered : public ipfix::Events {
 public:
  std::vector<Values> records;
  void record(const ipfix::Record& record) override {
    auto& values = records.emplace_back();
    for (const auto& value : record.values) {
      ipfix::Text text;
      const auto number = ipfix::number_of(value.octets);
      const auto type = value.type();
      if (type == DataType::ipv4_address) ipfix::append_value(text, value, ipfix::Style::json);
      else if (number && value.field->pen == 0) fmt::format_to(fmt::appender(text), "{}u", *number);
      else ipfix::append_hexadecimal(text, value.octets, ipfix::Style::json);
      values.emplace(fmt::format("{}/{}", value.field->pen, value.field->id), fmt::to_string(text));
    }
  }
};

Values telegraf_values(const std::string& line) {
  const std::map<std::string, std::string> known{
      {"src", "0/8"},
      {"dst", "0/12"},
      {"src_port", "0/7"},
      {"dst_port", "0/11"},
      {"vlan_src", "0/58"},
      {"in_total_bytes", "0/85"},
      {"in_total_packets", "0/86"},
      {"flow_start_ms", "0/152"},
      {"flow_end_ms", "0/153"},
      {"exporting_pid", "0/144"},
      {"total_flows_exported", "0/42"},
  };
  Values values;
  std::istringstream fields{line.substr(line.find(' ') + 1)};
  for (std::string item; std::getline(fields, item, ',');) {
    const auto equals = item.find('=');
    auto name = item.substr(0, equals), value = item.substr(equals + 1);
    if (value.find("\" 1") != std::string::npos || value.find("u 1") != std::string::npos)
      value.resize(value.find(' '));
    unsigned pen = 0, id = 0;
    if (std::sscanf(name.c_str(), "type_%u_rev_%u", &pen, &id) == 2) id |= 0x4000u;
    else if (std::sscanf(name.c_str(), "type_%u_%u", &pen, &id) == 2) id &= 0x7fffu;
    else pen = 0;
    if (pen != 0 && id < 0x4000u + 100) values[fmt::format("{}/{}", pen, id)] = value;
    else if (known.contains(name)) values[known.at(name)] = value;
  }
  return values;
}

TEST_F(Samples, of_yaf_have_the_values_that_telegraf_finds) {
  Gathered gathered;
  Octets stream;
  for (int i = 0; i < 7; ++i)
    stream = joined({stream, octets_of_file(shared_file("tg_ipfix_example_" + std::to_string(i) + ".bin"))});
  read_all(stream, gathered);

  std::ifstream expected{shared_file("tg_ipfix_example.expected.out")};
  std::size_t compared = 0, record = 0;
  for (std::string line; std::getline(expected, line); ++record) {
    ASSERT_LT(record, gathered.records.size());
    for (const auto& [name, value] : telegraf_values(line)) {
      const auto& ours = gathered.records[record];
      if (!ours.contains(name)) continue;  // telegraf puts elements of the list at the record's end beside the others
      EXPECT_EQ(ours.at(name), value) << "record " << record << ", " << name;
      ++compared;
    }
  }
  EXPECT_EQ(record, gathered.records.size());
  EXPECT_GT(compared, 400u);
}

}  // namespace
}  // namespace weir::test
