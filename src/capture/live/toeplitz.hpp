// SPDX-License-Identifier: BSD-3-Clause
// The hash by which NICs spread packets over receive queues (Receive Side Scaling), in software: to prove before the
// first packet, and to check on the first packets, that both directions of a flow meet in one queue.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>

namespace weir::capture {

/// What of a packet the port hashes. With ports: of TCP, UDP and SCTP packets that are no fragments; of all others the
/// address pair.
enum class RssFields : std::uint8_t { addresses, addresses_and_ports };

/// 0x6d5a again and again. The window of key bits that an input bit selects is then the same for every input bit 16
/// further on, so that exchanging two words of the input (addresses, ports) leaves the hash as it is.
std::vector<std::byte> symmetric_key(std::size_t octets);

/// Microsoft's Toeplitz hash: for each bit set in the input, the 32 bits of the key that begin at that bit, added
/// without carry.
class Toeplitz {
 public:
  /// IPv6 addresses and ports.
  static constexpr std::size_t input_octets_max = 36;
  static constexpr std::size_t key_octets_min = input_octets_max + 4;

  /// Of a longer key (52 octets on some NICs) no more is used; one that is too short counts as followed by zeros.
  explicit Toeplitz(Bytes key) noexcept;

  /// `input`: at most input_octets_max.
  std::uint32_t operator()(Bytes input) const noexcept;
  /// Source, destination, and ports where `fields` has them.
  std::uint32_t operator()(const Headers& headers, RssFields fields) const noexcept;

 private:
  std::array<std::byte, key_octets_min> key_{};
};

/// The redirection table's answer. The table is not empty.
inline std::uint16_t queue_of(std::uint32_t hash, std::span<const std::uint16_t> redirection) noexcept {
  return redirection[hash % redirection.size()];
}

/// Entries in turn, as drivers fill their tables.
std::vector<std::uint16_t> redirection_in_turn(std::size_t entries, unsigned queues);

/// For the log: "66.9.149.187:2794 → 161.142.100.80:1766".
std::string tuple_text(const Headers& headers);

/// What a port answers when it is asked how it spreads packets.
struct RssSetup {
  Bytes key;
  RssFields fields = RssFields::addresses;
  std::span<const std::uint16_t> redirection;  ///< empty: not known, taken as in turn
  unsigned queues = 1;
};

struct RssProof {
  bool holds = false;
  std::string sentence;  ///< for the log: what was shown, or why not
};

/// Hashes sample tuples (pseudo-random, always the same; IPv4 and IPv6) both ways. Fails where a pair differs, where
/// the table names a queue that is not there or leaves one out, and where the spread is far from what the table
/// promises.
RssProof prove_symmetry(const RssSetup& setup);

}  // namespace weir::capture
