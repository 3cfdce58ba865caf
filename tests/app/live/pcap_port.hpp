// SPDX-License-Identifier: BSD-3-Clause
// A port that reads a capture (net_pcap): it takes each packet first and looks for a buffer then, as fast as it is
// asked.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/live/live_probe.hpp"
#include "capture/make_capture.hpp"
#include "support/packet_builder.hpp"

namespace weir::app {

class PcapPort {
 public:
  explicit PcapPort(const std::vector<test::frames::Frame>& frames) {
    eal();
    capture::test::Pcap capture;
    for (std::uint32_t i = 0; i < frames.size(); ++i) capture.packet(1'700'000'000, i, frames[i].bytes());
    const auto& octets = capture.octets();
    std::ofstream{scratch_ / "frames.pcap", std::ios::binary}.write(reinterpret_cast<const char*>(octets.data()),
                                                                    static_cast<std::streamsize>(octets.size()));
    static unsigned made = 0;
    name_ = "net_pcap_weir" + std::to_string(made++);
    if (rte_vdev_init(name_.c_str(), arguments().c_str()) != 0) throw std::runtime_error{"no net_pcap"};
  }
  PcapPort(const PcapPort&) = delete;
  PcapPort& operator=(const PcapPort&) = delete;
  /// After the probe.
  ~PcapPort() { rte_vdev_uninit(name_.c_str()); }

  std::string setting() const { return "live.ports=" + name_ + "," + arguments(); }

 private:
  std::string arguments() const { return "rx_pcap=" + (scratch_ / "frames.pcap"); }

  test::ScratchDirectory scratch_;
  std::string name_;
};

}  // namespace weir::app
