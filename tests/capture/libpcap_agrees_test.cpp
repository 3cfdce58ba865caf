// SPDX-License-Identifier: BSD-3-Clause
// Captures of others, read by us and by libpcap.
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "read_capture.hpp"

namespace weir::capture::test {
namespace {

struct ClosePcap {
  void operator()(pcap_t* pcap) const { pcap_close(pcap); }
};

/// Packets until libpcap stops, and whether that was the end of the file. It stops at a second link type or snap
/// length.
struct Reference {
  std::vector<Read> packets;
  std::size_t snap_length = 0;
  bool whole = false;
};

Reference read_by_libpcap(const std::string& path) {
  Reference reference;
  char reason[PCAP_ERRBUF_SIZE];
  const std::unique_ptr<pcap_t, ClosePcap> pcap{
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, reason)};
  if (!pcap) return reference;
  pcap_pkthdr* header = nullptr;
  const unsigned char* octets = nullptr;
  int result = 0;
  while ((result = pcap_next_ex(pcap.get(), &header, &octets)) == 1) {
    const auto* bytes = reinterpret_cast<const std::byte*>(octets);
    auto& packet = reference.packets.emplace_back();
    packet.bytes = {bytes, bytes + header->caplen};
    packet.wire = header->len;
    packet.stamp = std::chrono::seconds{header->ts.tv_sec} + nanoseconds{header->ts.tv_usec};
  }
  reference.snap_length = static_cast<std::size_t>(pcap_snapshot(pcap.get()));
  reference.whole = result == PCAP_ERROR_BREAK;
  return reference;
}

void compare(const std::string& path) {
  const auto theirs = read_by_libpcap(path);
  const auto ours = read_files({path});
  if (theirs.whole) EXPECT_EQ(ours.packets.size(), theirs.packets.size());
  else ASSERT_GE(ours.packets.size(), theirs.packets.size());
  for (std::size_t i = 0; i < std::min(ours.packets.size(), theirs.packets.size()); ++i) {
    auto our = ours.packets[i];
    const auto& their = theirs.packets[i];
    ASSERT_EQ(our.wire, std::max<std::size_t>(their.wire, our.bytes.size())) << i;
    ASSERT_EQ(our.stamp, their.stamp) << i;
    our.bytes.resize(
        std::min(our.bytes.size(), theirs.snap_length));  // libpcap cuts what is longer than the file claims
    ASSERT_EQ(our.bytes, their.bytes) << i;
  }
}

TEST(Libpcap, reads_the_same_packets_from_the_shared_captures) {
  const char* shared = std::getenv("WEIR_SHARED");
  if (!shared) GTEST_SKIP() << "WEIR_SHARED is not set: no captures to compare with libpcap";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{std::filesystem::path{shared} / "pcaps"}) {
    if (!entry.path().extension().string().starts_with(".pcap")) continue;
    SCOPED_TRACE(entry.path().string());
    compare(entry.path().string());
    ++files;
  }
  EXPECT_GT(files, 0u);
}

}  // namespace
}  // namespace weir::capture::test
