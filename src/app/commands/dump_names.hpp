// SPDX-License-Identifier: BSD-3-Clause
// Names that people know better than the numbers: protocols, services by well-known port (IANA's registries).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::app {

struct NumberName {
  std::uint16_t number = 0;
  std::string_view name;
};

inline constexpr auto protocol_names = std::to_array<NumberName>({
    {1, "ICMP"},  {2, "IGMP"},   {4, "IPIP"},  {6, "TCP"},    {8, "EGP"},    {17, "UDP"},   {33, "DCCP"},
    {41, "IPv6"}, {46, "RSVP"},  {47, "GRE"},  {50, "ESP"},   {51, "AH"},    {58, "ICMP6"}, {88, "EIGRP"},
    {89, "OSPF"}, {97, "EthIP"}, {103, "PIM"}, {112, "VRRP"}, {115, "L2TP"}, {132, "SCTP"}, {136, "UDPLite"},
});

inline constexpr auto service_names = std::to_array<NumberName>({
    {20, "ftp-data"},     {21, "ftp"},          {22, "ssh"},          {23, "telnet"},        {25, "smtp"},
    {43, "whois"},        {49, "tacacs"},       {53, "dns"},          {67, "dhcp"},          {68, "dhcp"},
    {69, "tftp"},         {80, "http"},         {88, "kerberos"},     {110, "pop3"},         {111, "rpcbind"},
    {119, "nntp"},        {123, "ntp"},         {137, "netbios-ns"},  {138, "netbios-dgm"},  {139, "netbios-ssn"},
    {143, "imap"},        {161, "snmp"},        {162, "snmptrap"},    {179, "bgp"},          {389, "ldap"},
    {443, "https"},       {445, "smb"},         {465, "smtps"},       {500, "isakmp"},       {514, "syslog"},
    {515, "lpd"},         {520, "rip"},         {546, "dhcpv6"},      {547, "dhcpv6"},       {554, "rtsp"},
    {587, "submission"},  {631, "ipp"},         {636, "ldaps"},       {853, "dns-tls"},      {873, "rsync"},
    {993, "imaps"},       {995, "pop3s"},       {1194, "openvpn"},    {1433, "mssql"},       {1521, "oracle"},
    {1645, "radius"},     {1701, "l2tp"},       {1812, "radius"},     {1813, "radius-acct"}, {1883, "mqtt"},
    {1900, "ssdp"},       {2049, "nfs"},        {2055, "netflow"},    {2152, "gtp-u"},       {3128, "proxy"},
    {3306, "mysql"},      {3389, "rdp"},        {3478, "stun"},       {4500, "ipsec-nat"},   {4739, "ipfix"},
    {4789, "vxlan"},      {5060, "sip"},        {5061, "sips"},       {5222, "xmpp"},        {5353, "mdns"},
    {5355, "llmnr"},      {5432, "postgresql"}, {5672, "amqp"},       {5900, "vnc"},         {6081, "geneve"},
    {6343, "sflow"},      {6379, "redis"},      {6443, "kubernetes"}, {6881, "bittorrent"},  {8080, "http-alt"},
    {8443, "https-alt"},  {9092, "kafka"},      {9200, "elastic"},    {11211, "memcached"},  {27017, "mongodb"},
    {51820, "wireguard"},
});

/// Empty if it is not in the table.
constexpr std::string_view name_in(std::span<const NumberName> table, std::uint16_t number) noexcept {
  const auto at = std::ranges::lower_bound(table, number, {}, &NumberName::number);
  return at != table.end() && at->number == number ? at->name : std::string_view{};
}
static_assert(std::ranges::is_sorted(protocol_names, {}, &NumberName::number));
static_assert(std::ranges::is_sorted(service_names, {}, &NumberName::number));

}  // namespace weir::app
