// SPDX-License-Identifier: BSD-3-Clause
// What one transport session owes its collector, in which order, and the messages that pay it. Pure: it owns no socket
// and no clock. Its owner takes next(), sends it, and says accepted(); or says begin() when the connection broke, and
// everything that was not accepted is owed anew, with a new sequence.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "ipfix/builder.hpp"
#include "ipfix/catalogue.hpp"
#include "ipfix/options.hpp"

namespace weir::ipfix {

/// Datagrams may be lost: templates and options data are repeated (RFC 7011 §8.4). A stream gets them once.
enum class Delivery : std::uint8_t { stream, datagram };

/// Which clock the session is given, and so how Export Time is made of it. The packets' clock is rounded up to a
/// second, so that no flow ends after its export; the wall's is cut.
enum class ExportClock : std::uint8_t { packets, wall };

struct SessionOptions {
  Delivery delivery = Delivery::stream;
  ExportClock clock = ExportClock::packets;
  DomainId domain{1};
  std::uint16_t message_octets = 1400;
  nanoseconds flush = std::chrono::seconds{1};              ///< a record waits no longer for its message to fill
  nanoseconds template_refresh = std::chrono::seconds{60};  ///< datagram only
  std::uint32_t template_refresh_messages = 1000;           ///< datagram only
  nanoseconds statistics = std::chrono::seconds{60};
  std::uint32_t sequence_first = 0;  ///< for tests of the wrap
};

class Session {
 public:
  /// Throws StartError if a template or record is longer than a message may be. `catalogue` and `surroundings` outlive
  /// the session.
  Session(const SessionOptions& options, const Catalogue& catalogue, const Surroundings& surroundings);

  /// A transport session begins: templates and options are owed, the sequence starts anew. Records that were added and
  /// not accepted stay.
  void begin(Instant now) noexcept;

  /// Adds an encoded Data Record, or says false: the message is full, and owed. Then take next() until it is empty.
  bool add(TemplateId id, Bytes record, const Totals& totals, Instant now) noexcept;

  /// At the end of a slice or burst: what the time has come for is owed, each thing at most once a tick.
  void tick(Instant now) noexcept;
  /// The records that wait, full message or not, are owed.
  void owe_data() noexcept { data_owed_ = !data_.empty(); }
  void owe_statistics() noexcept { next_[statistics] = 0; }
  /// The selection in the surroundings is another one now. Templates that it needs and that are not announced yet are
  /// owed by that alone.
  void owe_selection() noexcept;

  /// The next message that is owed; empty if none is. Until it is accepted the next call makes it anew, with the time
  /// and the figures of then.
  Bytes next(Instant now) noexcept;
  /// The last next() went out.
  void accepted() noexcept;
  /// The last next() will not go out. RFC 7011 §10.2.2: its Data Records are a gap in the sequence, and counted.
  /// Returns the flow records among them.
  Totals lost(Instant now) noexcept;
  /// Records that were added and will never be sent: those of the open message, and `beside` it.
  Totals give_up(const Totals& beside, Instant now) noexcept;

  /// Records that were never added: what exporting reliability tells of them (RFC 7011 §4.3).
  void count_not_sent(const Totals& records, Instant now) noexcept;

  const Totals& waiting() const noexcept { return waiting_; }
  /// What left in the message that was accepted last; empty for templates and options.
  const Totals& accepted_last() const noexcept { return accepted_last_; }

  /// Over all sessions with this collector (RFC 7011 §4.1): messages, octets, Data Records, options included.
  std::uint64_t messages() const noexcept { return messages_; }
  std::uint64_t octets() const noexcept { return octets_; }
  std::uint64_t data_records() const noexcept { return data_records_; }

 private:
  /// Parts in the order in which they are owed; all but data are made when it is their turn. next_ counts what went.
  enum Part : std::uint8_t {
    types,
    announcement,
    types_repeated,
    repetition,
    properties,
    flow_keys,
    selection,
    interfaces,
    statistics,
    parts
  };
  enum class Last : std::uint8_t { none, control, data };
  static constexpr std::size_t statistics_records = 3;  ///< and one a Selection Sequence

  std::size_t records_of(Part part) const noexcept;
  bool owes(Part part) const noexcept { return next_[part] < records_of(part); }
  void announce_again(Instant now) noexcept;
  void put_part(Part part, Instant now) noexcept;
  bool put_record(Part part, std::size_t index, Instant now) noexcept;
  bool put_told(const Catalogue::Told& told) noexcept;
  bool put_flow_keys(const FlowTemplate& of) noexcept;
  bool put_selection(std::size_t index) noexcept;
  bool put_interface(const InterfaceName& name) noexcept;
  bool put_statistics(std::size_t index, Instant now) noexcept;
  bool put_port_losses(const PortLosses& losses) noexcept;
  template <class Record>
  bool put_option(Option option, const Record& record) noexcept;
  Bytes seal(MessageBuilder& message, Last last, Instant now) noexcept;

  SessionOptions options_;
  const Catalogue& catalogue_;
  const Surroundings& surroundings_;
  MessageBuilder control_, data_;
  std::array<std::size_t, parts> next_{}, after_{};
  bool data_owed_ = false;
  Last last_ = Last::none;
  Totals waiting_, accepted_last_, not_sent_;
  Instant not_sent_first_ = no_stamp, not_sent_last_ = no_stamp;
  Instant opened_{}, announced_{}, statistics_at_{};
  std::uint64_t export_seconds_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint32_t messages_since_announcement_ = 0;
  std::uint64_t messages_ = 0, octets_ = 0, data_records_ = 0, flows_ = 0;
};

}  // namespace weir::ipfix
