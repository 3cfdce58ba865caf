// SPDX-License-Identifier: BSD-3-Clause
#include "capture/format.hpp"

#include <array>

#include "capture/pcap.hpp"
#include "capture/pcapng.hpp"

namespace weir::capture {

namespace {

/// What people take for captures, by how it begins (most significant octet first).
struct Known {
  std::uint32_t begins;
  std::string_view reason;
};
constexpr std::array known_files{
    Known{0x28b5'2ffd, "is compressed with zstd; give its contents: zstd -dc FILE | weir replay -"},
    Known{0xfd37'7a58, "is compressed with xz; give its contents: xz -dc FILE | weir replay -"},
    Known{0x425a'6839, "is compressed with bzip2; give its contents: bzip2 -dc FILE | weir replay -"},
    Known{0x0422'4d18, "is compressed with lz4; give its contents: lz4 -dc FILE | weir replay -"},
    Known{0x736e'6f6f, "is a snoop capture; convert it: editcap -F pcapng FILE converted.pcapng"},
    Known{0x504b'0304, "is a zip archive; unpack it first"},
};
constexpr std::string_view no_capture = "is neither a pcap nor a pcapng capture";

std::string_view reason_for(std::uint32_t begins) noexcept {
  for (const auto& known : known_files)
    if (known.begins == begins) return known.reason;
  return no_capture;
}

bool is_gzip(Bytes first) noexcept { return load_be<std::uint16_t>(first.data()) == 0x1f8b; }

}  // namespace

Judged judge(Bytes first) noexcept {
  if (first.size() < 2) return {Format::too_short};
  if (is_gzip(first)) return {Format::gzip};
  if (first.size() < sizeof(std::uint32_t)) return {Format::too_short};

  const bool pcap = PcapReader::magic(first.data());
  const bool pcapng = load_be<std::uint32_t>(first.data()) == PcapngReader::section_header;
  if (!pcap && !pcapng) return {Format::other, reason_for(load_be<std::uint32_t>(first.data()))};
  if (first.size() < judged_octets) return {Format::too_short};
  if (pcap && PcapReader::reads_version(first.data())) return {Format::pcap};
  if (pcapng && PcapngReader::byte_order(first.data())) return {Format::pcapng};
  return {Format::other, pcap ? "is pcap, but not of version 2.4; convert it: editcap -F pcap FILE converted.pcap"
                              : "begins like pcapng, but its section header has no byte-order magic"};
}

}  // namespace weir::capture
