// SPDX-License-Identifier: BSD-3-Clause
#include "capture/input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace weir::capture {

namespace {

constexpr std::uint64_t expected_first = 64 * 1024;
constexpr std::size_t step = 16 * 1024;  // beyond what was expected: little, for what is not used must be carried
constexpr std::size_t warnings_max = 100;

std::string describe(const Interface& interface, std::uint16_t number) {
  const auto name = printable(interface.name);
  const auto link = link_name(interface.link_number);
  return fmt::format("interface {}{}{}{} of link type {}{}{}{}", number, name.empty() ? "" : " (", name,
                     name.empty() ? "" : ")", interface.link_number, link.empty() ? "" : " (", link,
                     link.empty() ? "" : ")");
}

}  // namespace

Input::Input(const std::vector<std::string>& names, const InputOptions& options)
    : Input{std::vector<Source>{}, options} {
  raise_open_files_limit();
  bool standard_input_taken = false;
  for (const auto& name : names) {
    if (name == "-" && std::exchange(standard_input_taken, true)) {
      problems_.push_back({ExitStatus::unusable_input, "standard input is given twice; give it once"});
      continue;
    }
    auto opened = open_source(name);
    if (auto* problem = std::get_if<Problem>(&opened)) problems_.push_back(std::move(*problem));
    else add(std::move(std::get<Source>(opened)));
  }
}

Input::Input(std::vector<Source> sources, const InputOptions& options)
    : selector_{options.filter},
      carry_{std::make_unique_for_overwrite<std::byte[]>(Slice::capacity)},
      expected_{expected_first} {
  warnings_.reserve(warnings_max + 1);
  for (auto& source : sources) add(std::move(source));
}

void Input::add(Source source) {
  if (auto problem = judge_source(source)) return problems_.push_back(std::move(*problem));
  if (!source.regular && source.file) total_.reset();
  else if (total_) *total_ += source.file ? source.octets : source.head.size();
  sources_.push_back(std::move(source));
}

bool Input::next(Slice& slice) noexcept {
  auto filling = begin_slice(slice);
  while (!filling.full() && !octets_.stopped() && (source_ || begin_file(filling))) advance(filling);
  end_slice(slice, filling);
  return slice.count_ > 0;
}

Filling Input::begin_slice(Slice& slice) noexcept {
  std::memcpy(slice.buffer_.get(), carry_.get(), carried_);
  slice_begin_ = read_total_ - carried_;
  return {.packets = slice.packets_.data(), .buffer = slice.buffer_.get(), .end = carried_, .stream_end = stream_end_};
}

void Input::end_slice(Slice& slice, const Filling& filling) noexcept {
  slice.count_ = filling.count;
  carried_ = filling.left();
  std::memcpy(carry_.get(), filling.unread(), carried_);
  stream_end_ = filling.stream_end;
  expect_after(read_total_ - carried_ - slice_begin_);
  if (!selector_.active()) return;
  for (const auto& packet : slice.packets())
    if (packet.link == Link::null || packet.link == Link::loop)
      write_family_as_this_host(packet.link,
                                {slice.buffer_.get() + (packet.bytes - slice.buffer_.get()), packet.captured});
}

void Input::advance(Filling& filling) {
  const auto first = filling.count;
  const auto jumps = timer_.jumps();
  const auto halt = take(filling);
  packets_ += filling.count - first;
  for (const auto number : interfaces_.newly_used()) warn_of_interface(number);
  if (timer_.jumps() != jumps && !std::exchange(jump_warned_, true)) warn_of_jump(filling, first);

  switch (halt.why) {
    case Halt::Why::full: return;
    case Halt::Why::needs: return read_on(filling, halt.needs);
    case Halt::Why::unusable:
      problems_.push_back({ExitStatus::unusable_input, fmt::format("{} {}", source_->name, halt.reason)});
      return end_file(filling);
    case Halt::Why::damaged:
      report_damage(filling, fmt::format(fmt::runtime(halt.reason), halt.number));
      return end_file(filling);
  }
}

bool Input::begin_file(Filling& filling) {
  if (next_source_ == sources_.size()) return false;
  source_ = &sources_[next_source_];
  octets_.begin(sources_[next_source_++]);
  format_ = Format::too_short;
  packets_ = 0;
  jump_warned_ = false;
  filling.at = filling.end = filling.kept;
  filling.stream_end = 0;
  return true;
}

void Input::end_file(Filling& filling) noexcept {
  octets_.end();
  source_ = nullptr;
  filling.at = filling.end;
}

Halt Input::take(Filling& filling) {
  switch (format_) {
    case Format::pcap: return pcap_.take(filling, interfaces_, timer_);
    case Format::pcapng: return pcapng_.take(filling, interfaces_, timer_);
    default: return identify(filling);
  }
}

/// Judged once more: at the start little was seen of what is gzip'd.
Halt Input::identify(Filling& filling) {
  if (filling.left() < judged_octets) return Halt::until(judged_octets);
  const auto judged = judge({filling.unread(), filling.left()});
  format_ = judged.format;
  if (format_ == Format::pcap) return pcap_.begin(filling, interfaces_);
  if (format_ != Format::pcapng) return {.why = Halt::Why::unusable, .reason = "is no capture once its gzip is undone"};
  pcapng_.begin();
  return Halt::nothing();
}

/// As much as the last slice, and a little more where slices differ: what is read too much must be copied into the next
/// slice, but what is read too little takes another read, and a whole step of it.
void Input::expect_after(std::uint64_t needed) noexcept {
  expected_ = needed == needed_ ? needed : needed + needed / 64;
  needed_ = needed;
}

/// Reads as much as is expected that the slice needs.
void Input::read_on(Filling& filling, std::size_t needs) {
  if (needs <= filling.left()) return;
  filling.make_room(needs);
  const auto planned = slice_begin_ + expected_;
  const auto plan = planned > read_total_ ? planned - read_total_ : step;
  const auto wanted = std::max<std::uint64_t>(plan, needs - filling.left());
  const auto room = std::min<std::uint64_t>(wanted, Slice::capacity - filling.end);
  const auto got = octets_.read({filling.buffer + filling.end, room});
  filling.end += got.octets;
  filling.stream_end += got.octets;
  read_total_ += got.octets;
  if (got.octets == 0 && !octets_.stopped()) at_end(filling, got.fault);
}

void Input::at_end(Filling& filling, const std::string& fault) {
  const bool between_records = format_ == Format::pcapng ? pcapng_.between_records(filling)
                                                         : format_ == Format::pcap && pcap_.between_records(filling);
  if (!fault.empty()) report_damage(filling, fault);
  else if (!between_records) report_damage(filling, "the file ends in the middle of it");
  end_file(filling);
}

void Input::report_damage(const Filling& filling, std::string_view reason) {
  const auto offset = format_ == Format::pcapng ? pcapng_.record_offset(filling) : pcap_.record_offset(filling);
  problems_.push_back(
      {ExitStatus::damaged_input,
       fmt::format(
           "{}: damaged at packet {}, octet {}: {}; the {} packets before it count, the rest of the file does not",
           source_->name, packets_ + 1, offset, reason, packets_)});
}

void Input::warn(std::string line) {
  if (warnings_.size() < warnings_max) warnings_.push_back(std::move(line));
  else if (warnings_.size() == warnings_max)
    warnings_.push_back("there are more warnings of this kind; they are left out");
}

void Input::warn_of_interface(std::uint16_t number) {
  const auto& interface = interfaces_.all()[number];
  if (interface.link == Link::unsupported)
    warn(fmt::format("{}: {} cannot be read; its packets count as link_unsupported", source_->name,
                     describe(interface, number)));
  else if (const auto& refusal = selector_.refusal(interface.link); !refusal.empty())
    warn(fmt::format("{}: filter '{}' cannot be compiled for {}: {}; its packets count as filtered", source_->name,
                     selector_.filter(), describe(interface, number), refusal));
}

void Input::warn_of_jump(const Filling& filling, std::size_t first) {
  std::size_t i = first;
  while (!(filling.packets[i].notes & note_bit(Note::clock_jump))) ++i;
  warn(fmt::format("{}: packet {} is stamped over an hour away from the packet before it; such jumps are counted",
                   source_->name, packets_ - (filling.count - i) + 1));
}

}  // namespace weir::capture
