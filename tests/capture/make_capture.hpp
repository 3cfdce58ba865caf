// SPDX-License-Identifier: BSD-3-Clause
// Captures made octet by octet, as the formats' drafts say and without anything of the readers.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>
#include <weir/bytes.hpp>

namespace weir::capture::test {

using Octets = std::vector<std::byte>;

enum class Endian { little, big };

inline Octets octets_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

/// A payload that says which packet it is of.
inline Octets payload(std::size_t octets, unsigned number = 0) {
  Octets bytes(octets);
  for (std::size_t i = 0; i < octets; ++i) bytes[i] = static_cast<std::byte>(number * 31 + i);
  return bytes;
}

class Maker {
 public:
  explicit Maker(Endian endian) : endian_{endian} {}

  template <std::unsigned_integral T>
  void number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      const auto place = endian_ == Endian::little ? i : sizeof(T) - 1 - i;
      octets_.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * place)));
    }
  }
  void append(const Octets& more) { octets_.insert(octets_.end(), more.begin(), more.end()); }
  const Octets& octets() const { return octets_; }

 protected:
  Endian endian_;
  Octets octets_;
};

struct PcapOptions {
  Endian endian = Endian::little;
  std::uint32_t magic = 0xa1b2c3d4, network = 1;
  std::uint16_t version_minor = 4;
};

class Pcap : public Maker {
 public:
  explicit Pcap(PcapOptions options = {}) : Maker{options.endian}, modified_{options.magic == 0xa1b2cd34} {
    number(options.magic);
    number(std::uint16_t{2});
    number(options.version_minor);
    number(std::uint32_t{0});
    number(std::uint32_t{0});
    number(std::uint32_t{65535});
    number(options.network);
  }
  Pcap& record(std::uint32_t seconds, std::uint32_t fraction, std::uint32_t captured, std::uint32_t wire,
               const Octets& bytes) {
    number(seconds);
    number(fraction);
    number(captured);
    number(wire);
    if (modified_) append(Octets(8));
    append(bytes);
    return *this;
  }
  Pcap& packet(std::uint32_t seconds, std::uint32_t fraction, const Octets& bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    return record(seconds, fraction, size, size, bytes);
  }

 private:
  bool modified_;
};

struct Option {
  std::uint16_t code;
  Octets value;
};

class Pcapng : public Maker {
 public:
  explicit Pcapng(Endian endian = Endian::little) : Maker{endian} { section(endian); }

  Pcapng& section(Endian endian, std::uint16_t version = 1) {
    endian_ = endian;
    Maker body{endian};
    body.number(std::uint32_t{0x1a2b3c4d});
    body.number(version);
    body.number(std::uint16_t{0});
    body.number(std::uint64_t{0xffff'ffff'ffff'ffff});
    return block(0x0a0d0d0a, body.octets());
  }
  Pcapng& interface(std::uint16_t link, const std::vector<Option>& options = {}, std::uint32_t snap_length = 0) {
    Maker body{endian_};
    body.number(link);
    body.number(std::uint16_t{0});
    body.number(snap_length);
    for (const auto& option : options) {
      body.number(option.code);
      body.number(static_cast<std::uint16_t>(option.value.size()));
      body.append(option.value);
      body.append(Octets((4 - option.value.size() % 4) % 4));
    }
    return block(1, body.octets());
  }
  Pcapng& interface(std::uint16_t link, std::string_view name) { return interface(link, {{2, octets_of(name)}}); }

  Pcapng& packet(std::uint32_t interface, std::uint64_t units, const Octets& bytes, std::size_t option_octets = 0) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    return enhanced(interface, units, size, size, bytes, option_octets);
  }
  Pcapng& enhanced(std::uint32_t interface, std::uint64_t units, std::uint32_t captured, std::uint32_t wire,
                   const Octets& bytes, std::size_t option_octets = 0) {
    Maker body{endian_};
    body.number(interface);
    stamped(body, units, captured, wire, bytes);
    body.append(Octets(option_octets));
    return block(6, body.octets());
  }
  Pcapng& obsolete(std::uint16_t interface, std::uint16_t drops, std::uint64_t units, const Octets& bytes) {
    Maker body{endian_};
    body.number(interface);
    body.number(drops);
    const auto size = static_cast<std::uint32_t>(bytes.size());
    stamped(body, units, size, size, bytes);
    return block(2, body.octets());
  }
  Pcapng& simple(std::uint32_t wire, const Octets& bytes) {
    Maker body{endian_};
    body.number(wire);
    body.append(bytes);
    return block(3, body.octets());
  }
  Pcapng& block(std::uint32_t type, Octets body) {
    body.resize((body.size() + 3) / 4 * 4);
    const auto total = static_cast<std::uint32_t>(body.size() + 12);
    number(type);
    number(total);
    append(body);
    number(total);
    return *this;
  }

 private:
  static void stamped(Maker& body, std::uint64_t units, std::uint32_t captured, std::uint32_t wire,
                      const Octets& bytes) {
    body.number(static_cast<std::uint32_t>(units >> 32));
    body.number(static_cast<std::uint32_t>(units));
    body.number(captured);
    body.number(wire);
    body.append(bytes);
    body.append(Octets((4 - bytes.size() % 4) % 4));
  }
};

inline Octets gzip(const Octets& plain) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error{"deflateInit2"};
  Octets packed(deflateBound(&stream, plain.size()) + 64);
  auto copy = plain;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error{"deflate"};
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Octets that a gzip file, maybe cut, still holds.
inline std::size_t inflated(const Octets& packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::runtime_error{"inflateInit2"};
  std::vector<Bytef> plain(1 << 20);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = plain.data();
  stream.avail_out = static_cast<uInt>(plain.size());
  inflate(&stream, Z_NO_FLUSH);
  inflateEnd(&stream);
  return plain.size() - stream.avail_out;
}

inline Octets operator+(Octets left, const Octets& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace weir::capture::test
