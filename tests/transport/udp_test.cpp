// SPDX-License-Identifier: BSD-3-Clause
#include "transport/udp.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/loopback.hpp"

namespace weir::transport {
namespace {

using test::Bound;

std::vector<std::byte> message(std::size_t octets, int with = 1) {
  return std::vector<std::byte>(octets, static_cast<std::byte>(with));
}

Endpoint at(const Bound& bound, const char* host) {
  return parse_endpoint(std::string{"udp://"} + host + ":" + std::to_string(bound.port()));
}

TEST(Udp, sends_one_message_in_one_datagram_over_ipv4_and_ipv6) {
  for (const auto& [family, host] : {std::pair{AF_INET, "127.0.0.1"}, std::pair{AF_INET6, "[::1]"}}) {
    Bound collector{SOCK_DGRAM, family};
    Udp udp{at(collector, host), {}};
    EXPECT_EQ(udp.send(message(1400, 1)), Sent::yes);
    EXPECT_EQ(udp.send(message(16, 2)), Sent::yes);
    EXPECT_EQ(collector.socket().read(65536), message(1400, 1));
    EXPECT_EQ(collector.socket().read(65536), message(16, 2));
  }
}

TEST(Udp, goes_on_from_the_same_port_while_nobody_listens) {
  Bound before{SOCK_DGRAM};
  const auto port = before.port();
  Udp udp{at(before, "127.0.0.1"), {}};
  const auto port_seen_by = [](Bound& collector) {
    sockaddr_in from{};
    socklen_t octets = sizeof from;
    std::byte octet;
    EXPECT_TRUE(collector.socket().readable());
    ::recvfrom(collector.socket().number(), &octet, 1, 0, reinterpret_cast<sockaddr*>(&from), &octets);
    return from.sin_port;
  };
  udp.send(message(16));
  const auto source = port_seen_by(before);
  before.socket().close();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(udp.send(message(16)), Sent::yes);
  EXPECT_GT(udp.refusals(), 0u);

  Bound after{SOCK_DGRAM, AF_INET, port};
  EXPECT_EQ(udp.send(message(16)), Sent::yes);
  EXPECT_EQ(port_seen_by(after), source);
}

TEST(Udp, keeps_to_its_rate) {
  Bound collector{SOCK_DGRAM};
  Udp udp{at(collector, "127.0.0.1"), {.rate = 500}};
  const auto start = std::chrono::steady_clock::now();
  constexpr int messages = 30;
  for (int i = 0; i < messages; ++i)
    ASSERT_TRUE(test::comes([&] { return udp.send(message(16)) == Sent::yes; }, [&] { udp.wait(milliseconds{100}); }));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, milliseconds{(messages - 1) * 2 - 7}) << "what may be caught up is less than 7 ms";
}

TEST(Udp, refuses_messages_that_the_path_would_have_to_cut) {
  Bound collector{SOCK_DGRAM};
  EXPECT_NO_THROW((Udp{at(collector, "127.0.0.1"), {.message_octets = 65507}}));
  try {
    Udp udp{at(collector, "127.0.0.1"), {.message_octets = 65508}};
    FAIL();
  } catch (const StartError& error) {
    EXPECT_NE(std::string{error.what()}.find("export.message_octets to 65507"), std::string::npos) << error.what();
  }
}

TEST(Udp, that_may_be_absent_is_looked_for_again_and_else_is_refused) {
  Bound collector{SOCK_DGRAM};
  auto named = at(collector, "localhost");
  const LookedUp unknown{.addresses = {}, .problem = "Temporary failure in name resolution"};
  EXPECT_THROW((Udp{named, unknown, {}}), StartError);
  Udp udp{named, unknown, {.absence = Absence::waited_for}};
  EXPECT_EQ(udp.trouble(), "Temporary failure in name resolution");
  EXPECT_EQ(udp.send(message(16)), Sent::try_later);
  EXPECT_TRUE(test::comes([&] { return udp.send(message(16)) == Sent::yes; }, [&] { udp.wait(milliseconds{20}); }));
  EXPECT_EQ(collector.socket().read(65536), message(16));

  const auto unreachable = parse_endpoint("udp://[fe80::1]:4739");  // link-local, and of no link
  EXPECT_THROW((Udp{unreachable, {}}), StartError);
  Udp away{unreachable, {.absence = Absence::waited_for}};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(away.send(message(16)), Sent::try_later);
  EXPECT_TRUE(away.trouble().starts_with("no way there: ")) << away.trouble();
}

TEST(Udp, a_message_too_long_for_a_datagram_is_refused_and_the_next_goes) {
  Bound collector{SOCK_DGRAM};
  Udp udp{at(collector, "127.0.0.1"), {}};
  EXPECT_EQ(udp.send(message(65535)), Sent::refused);
  EXPECT_EQ(udp.trouble(), "send: Message too long");
  EXPECT_EQ(udp.send(message(16)), Sent::yes);
}

}  // namespace
}  // namespace weir::transport
