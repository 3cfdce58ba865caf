// SPDX-License-Identifier: BSD-3-Clause
#include "transport/tcp.hpp"

#include <gtest/gtest.h>

#include "support/loopback.hpp"

namespace weir::transport {
namespace {

using test::Bound;
using test::comes;

constexpr TcpOptions hasty{
    .retry_min = milliseconds{5}, .stall_max = std::chrono::seconds{60}, .close_max = milliseconds{50}};

Endpoint endpoint_of(const Bound& collector) {
  return parse_endpoint("tcp://127.0.0.1:" + std::to_string(collector.port()));
}

struct TcpUnderTest {
  explicit TcpUnderTest(const TcpOptions& options = hasty)
      : tcp{endpoint_of(collector), look_up(endpoint_of(collector)), options} {}

  /// Waits as long as it takes; the answer is yes or broken.
  Sent send(const std::vector<std::byte>& message) {
    auto answer = Sent::try_later;
    EXPECT_TRUE(comes([&] { return (answer = tcp.send(message)) != Sent::try_later; }, [&] { wait(); }));
    return answer;
  }
  Sent finish() {
    auto answer = Sent::try_later;
    EXPECT_TRUE(comes([&] { return (answer = tcp.finish()) != Sent::try_later; }, [&] { wait(); }));
    return answer;
  }
  void wait() { tcp.wait(milliseconds{20}); }

  Bound collector{SOCK_STREAM};
  Tcp tcp;
};

/// Octets that differ, so that a lost or repeated one shows.
std::vector<std::byte> message(std::size_t octets, std::size_t with) {
  std::vector<std::byte> bytes(octets);
  for (std::size_t i = 0; i < octets; ++i) bytes[i] = static_cast<std::byte>(i * 7 + with * 13);
  return bytes;
}

TEST(Tcp, finishes_what_the_kernel_took_half_to_a_collector_that_reads_little_at_a_time) {
  TcpUnderTest under_test;
  under_test.collector.listen();
  std::vector<std::byte> sent, received;
  std::optional<test::Socket> connection;
  bool was_half_sent = false;
  const auto read_a_little = [&] {
    if (!connection) connection.emplace(under_test.collector.accept());
    for (int i = 0; i < 100 && connection->readable(0); ++i) received.push_back(connection->read(1).at(0));
    const auto some = connection->read(100'000);
    received.insert(received.end(), some.begin(), some.end());
  };
  for (std::size_t i = 0; sent.size() < 20'000'000; ++i) {
    const auto bytes = message(65535, i);
    ASSERT_TRUE(comes(
        [&] {
          const auto answer = under_test.tcp.send(bytes);
          was_half_sent |= under_test.tcp.half_sent();
          return answer == Sent::yes;
        },
        read_a_little));
    sent.insert(sent.end(), bytes.begin(), bytes.end());
  }
  EXPECT_TRUE(was_half_sent) << "or the test shows nothing";
  EXPECT_EQ(under_test.tcp.finish(), Sent::try_later);
  const auto rest = connection->read_to_end();
  received.insert(received.end(), rest.begin(), rest.end());
  EXPECT_EQ(received, sent);
  connection->close();
  EXPECT_EQ(under_test.finish(), Sent::yes);
  EXPECT_EQ(under_test.tcp.unconfirmed(), 0u);
}

TEST(Tcp, waits_for_a_collector_that_is_not_there_yet) {
  TcpUnderTest under_test;
  EXPECT_TRUE(comes(
      [&] {
        return under_test.tcp.send(message(16, 0)) == Sent::try_later &&
               under_test.tcp.trouble() == "connect: Connection refused";
      },
      [&] { under_test.wait(); }));
  under_test.collector.listen();
  EXPECT_EQ(under_test.send(message(16, 0)), Sent::yes);
  EXPECT_EQ(under_test.collector.accept().read(16), message(16, 0));
}

TEST(Tcp, does_not_try_more_often_than_it_may) {
  TcpUnderTest under_test{{.retry_min = std::chrono::hours{1}}};
  EXPECT_TRUE(comes(
      [&] {
        return under_test.tcp.send(message(16, 0)) == Sent::try_later &&
               under_test.tcp.trouble() == "connect: Connection refused";
      },
      [&] { under_test.wait(); }));
  under_test.collector.listen();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(under_test.tcp.send(message(16, 0)), Sent::try_later);
    under_test.tcp.wait(milliseconds{1});
  }
  EXPECT_FALSE(under_test.collector.socket().readable(0)) << "an attempt was made";
}

TEST(Tcp, after_a_break_begins_a_new_connection_with_a_whole_message) {
  TcpUnderTest under_test;
  under_test.collector.take_little();
  under_test.collector.listen();
  const auto half = message(65535, 1);
  EXPECT_EQ(under_test.send(message(100, 0)), Sent::yes);
  auto connection = under_test.collector.accept();
  ASSERT_TRUE(comes([&] { return under_test.tcp.send(half) == Sent::try_later && under_test.tcp.half_sent(); }, [&] {}))
      << "the kernel takes a message of this length only by and by";
  connection.reset();
  EXPECT_EQ(under_test.send(half), Sent::broken);
  EXPECT_FALSE(under_test.tcp.half_sent());

  const auto next = message(200, 2);
  EXPECT_EQ(under_test.send(next), Sent::yes);
  EXPECT_EQ(under_test.collector.accept().read(65536), next);
  EXPECT_EQ(under_test.tcp.connections(), 2u);
}

TEST(Tcp, tells_what_the_kernel_still_held_at_a_break) {
  TcpUnderTest under_test;
  under_test.collector.take_little();
  under_test.collector.listen();
  std::uint64_t taken = 0;
  for (bool full = false; !full;) {
    const auto bytes = message(1400, 3);
    EXPECT_TRUE(comes([&] { return under_test.tcp.send(bytes) == Sent::yes || (full = taken > 0); },
                      [&] { under_test.wait(); }));
    if (!full) taken += bytes.size();
  }
  auto connection = under_test.collector.accept();
  // Whatever the collector's kernel has is confirmed or about to be; the rest waits here.
  EXPECT_TRUE(connection.readable());
  connection.reset();
  EXPECT_EQ(under_test.send(message(1400, 3)), Sent::broken);
  EXPECT_GT(under_test.tcp.unconfirmed(), 0u);
  EXPECT_LT(under_test.tcp.unconfirmed(), taken);
}

TEST(Tcp, notices_that_the_collector_closed_before_it_sends_into_the_void) {
  TcpUnderTest under_test;
  under_test.collector.listen();
  EXPECT_EQ(under_test.send(message(100, 0)), Sent::yes);
  auto connection = under_test.collector.accept();
  EXPECT_EQ(connection.read(1000).size(), 100u);
  connection.close();
  EXPECT_TRUE(comes([&] { return under_test.tcp.send({}) == Sent::broken; }, [&] { under_test.wait(); }));
  EXPECT_EQ(under_test.tcp.trouble(), "the collector closed the connection");
  EXPECT_EQ(under_test.tcp.unconfirmed(), 0u);
}

TEST(Tcp, closes_behind_the_last_message_without_a_reset_though_the_collector_talks) {
  TcpUnderTest under_test;
  under_test.collector.listen();
  EXPECT_EQ(under_test.send(message(1000, 0)), Sent::yes);
  auto connection = under_test.collector.accept();
  EXPECT_EQ(::send(connection.number(), "hello", 5, MSG_NOSIGNAL), 5);
  EXPECT_EQ(under_test.tcp.finish(), Sent::try_later);
  EXPECT_EQ(connection.read_to_end(), message(1000, 0));
  EXPECT_EQ(under_test.tcp.finish(), Sent::try_later) << "the collector has not closed yet";
  connection.close();
  EXPECT_EQ(under_test.finish(), Sent::yes);
}

TEST(Tcp, does_not_wait_forever_for_a_collector_to_close) {
  TcpUnderTest under_test;
  under_test.collector.listen();
  EXPECT_EQ(under_test.send(message(1000, 0)), Sent::yes);
  auto connection = under_test.collector.accept();
  EXPECT_EQ(under_test.finish(), Sent::yes);
  EXPECT_EQ(under_test.tcp.unconfirmed(), 0u);
  EXPECT_EQ(connection.read_to_end(), message(1000, 0));
}

TEST(Tcp, tries_all_addresses_of_a_host_in_one_attempt) {
  const Bound silent{SOCK_STREAM};
  Bound collector{SOCK_STREAM};
  collector.listen();
  auto known = look_up(endpoint_of(silent));
  known.addresses.push_back(resolve(endpoint_of(collector))[0]);
  Tcp tcp{endpoint_of(silent), known, {.retry_min = std::chrono::hours{1}}};
  EXPECT_TRUE(comes([&] { return tcp.send(message(16, 0)) == Sent::yes; }, [&] { tcp.wait(milliseconds{20}); }));
}

TEST(Tcp, looks_up_the_name_again_before_it_tries_again_and_waits_for_no_resolver) {
  Bound collector{SOCK_STREAM};
  collector.listen();
  auto endpoint = endpoint_of(collector);
  endpoint.host = "localhost";
  Tcp tcp{endpoint, {.addresses = {}, .problem = "Temporary failure in name resolution"}, hasty};
  EXPECT_EQ(tcp.send(message(16, 0)), Sent::try_later) << "the answer is for a later call";
  EXPECT_TRUE(comes([&] { return tcp.send(message(16, 0)) == Sent::yes; }, [&] { tcp.wait(milliseconds{20}); }));

  endpoint.host = "no.such.name.invalid";
  Tcp nowhere{endpoint, look_up(endpoint), hasty};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(nowhere.send(message(16, 0)), Sent::try_later);
    nowhere.wait(milliseconds{5});
  }
  EXPECT_EQ(nowhere.trouble(), look_up(endpoint).problem);
}

}  // namespace
}  // namespace weir::transport
