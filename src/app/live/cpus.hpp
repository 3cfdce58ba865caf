// SPDX-License-Identifier: BSD-3-Clause
// Which CPU each thread of the probe runs on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

/// A CPU that this process may use, and the memory node it belongs to.
struct Cpu {
  unsigned number = 0;
  int node = 0;
};

/// Those of this process's affinity mask.
std::vector<Cpu> usable_cpus();

struct CpuChoice {
  unsigned workers = 0;             ///< 0: as many as there are CPUs left on the ports' nodes, at least one
  std::string worker_cpus{"auto"};  ///< "auto", or a list like "2-5,8"
  std::string exporter_cpu{"auto"}, control_cpu{"auto"};
};

struct CpuPlan {
  unsigned control = 0, exporter = 0;
  std::vector<unsigned> workers;  ///< several may share one

  /// CPUs by lcore: control, exporter, workers.
  std::vector<unsigned> lcores() const;
};

/// "2-5,8" → 2, 3, 4, 5, 8. Throws StartError naming `setting`.
std::vector<unsigned> parse_cpus(std::string_view setting, std::string_view text);

/// `nodes` are those of the ports; -1 is none. Throws StartError where a CPU that is named may not be used.
CpuPlan plan_cpus(const CpuChoice& choice, const std::vector<Cpu>& usable, const std::vector<int>& nodes);

}  // namespace weir::app
