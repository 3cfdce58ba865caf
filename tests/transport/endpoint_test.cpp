// SPDX-License-Identifier: BSD-3-Clause
#include "transport/endpoint.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace weir::transport {
namespace {

std::string complaint(std::string_view text) {
  try {
    parse_endpoint(text);
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}

TEST(Endpoint, has_scheme_host_and_port) {
  const auto endpoint = parse_endpoint("tcp://collector.example.org:9995");
  EXPECT_EQ(endpoint.scheme, Scheme::tcp);
  EXPECT_EQ(endpoint.host, "collector.example.org");
  EXPECT_EQ(endpoint.port, 9995);
}

TEST(Endpoint, listens_at_4739_unless_told_otherwise) {
  EXPECT_EQ(parse_endpoint("udp://192.0.2.1").port, 4739);
  EXPECT_EQ(parse_endpoint("udp://[2001:db8::1]").port, 4739);
}

TEST(Endpoint, takes_ipv6_addresses_in_brackets) {
  const auto endpoint = parse_endpoint("udp://[::1]:4740");
  EXPECT_EQ(endpoint.host, "::1");
  EXPECT_EQ(endpoint.port, 4740);
}

TEST(Endpoint, that_is_wrong_is_refused_with_its_option_and_an_example) {
  for (const auto* text : {"",
                           "localhost",
                           "localhost:4739",
                           "udp:/localhost",
                           "http://localhost",
                           "UDP://localhost",
                           "udp://",
                           "udp://:4739",
                           "udp://host:",
                           "udp://host:0",
                           "udp://host:65536",
                           "udp://host:47x",
                           "udp://host:-1",
                           "udp://host:4739/",
                           "udp://ho st",
                           "udp://::1:4739",
                           "udp://[::1",
                           "udp://[::1]4739",
                           "udp://[]:1",
                           "udp://user@host"}) {
    const auto line = complaint(text);
    EXPECT_TRUE(line.starts_with("--to " + std::string{text} + ": ")) << text << " gives " << line;
    EXPECT_NE(line.find("write it like udp://192.0.2.1:4739"), std::string::npos) << text;
  }
}

TEST(Endpoint, resolves_addresses_without_asking_anybody_and_refuses_what_does_not_resolve) {
  EXPECT_EQ(resolve(parse_endpoint("udp://127.0.0.1"))[0].family(), AF_INET);
  EXPECT_EQ(resolve(parse_endpoint("tcp://[::1]"))[0].family(), AF_INET6);
  EXPECT_THROW(resolve(parse_endpoint("udp://256.0.0.1.invalid")), StartError);
}

}  // namespace
}  // namespace weir::transport
