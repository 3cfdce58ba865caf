// SPDX-License-Identifier: BSD-3-Clause
// The exporter's part without a network: ended records into IPFIX Messages, which are thrown away.
#pragma once

#include <cstdint>
#include <span>
#include <vector>
#include <weir/bytes.hpp>
#include <weir/record.hpp>

#include "ipfix/catalogue.hpp"
#include "ipfix/session.hpp"

namespace weir::app::bench {

class Encoder {
 public:
  /// The layouts outlive it.
  explicit Encoder(std::span<const RecordLayout> layouts)
      : catalogue_{layouts}, session_{{}, catalogue_, surroundings_}, scratch_(catalogue_.flow_octets_max()) {
    session_.begin({});
    drain({});
  }
  Encoder(const Encoder&) = delete;  // the session knows where the catalogue lies
  Encoder& operator=(const Encoder&) = delete;

  /// `look` is shown each record as it will be on the wire: (index of its template, octets).
  template <class Look>
  void add(const EndedRecords& ended, Instant now, Look look) noexcept {
    const auto templates = catalogue_.of(ended.layout);
    catalogue_.encode(ended, surroundings_.interfaces, [&](TemplateId id, const Totals& totals, auto write) {
      const auto record = Bytes{scratch_}.first(write(scratch_.data()));
      look(static_cast<std::size_t>(id.value - templates.front().id.value), record);
      encoded_ += totals;
      while (!session_.add(id, record, totals, now)) drain(now);
    });
  }
  void add(const EndedRecords& ended, Instant now) noexcept {
    add(ended, now, [](auto, const auto&) {});
  }

  /// Sends what still waits. Returns how many flow records were sent in all.
  std::uint64_t finish(Instant now) noexcept {
    session_.owe_data();
    drain(now);
    return sent_;
  }

  const Totals& encoded() const noexcept { return encoded_; }
  std::uint64_t messages() const noexcept { return session_.messages(); }

 private:
  void drain(Instant now) noexcept {
    while (!session_.next(now).empty()) {
      session_.accepted();
      sent_ += session_.accepted_last().records;
    }
  }

  ipfix::Surroundings surroundings_;
  ipfix::Catalogue catalogue_;
  ipfix::Session session_;
  std::vector<std::byte> scratch_;
  Totals encoded_;
  std::uint64_t sent_ = 0;
};

}  // namespace weir::app::bench
