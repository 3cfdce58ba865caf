// SPDX-License-Identifier: BSD-3-Clause
// Where a collector is, as far as is known. A name is looked up again by a thread of the resolver's (getaddrinfo_a):
// nobody here waits for it.
#pragma once

#include <memory>
#include <vector>

#include "transport/endpoint.hpp"

namespace weir::transport {

class Whereabouts {
 public:
  /// `known` may be nothing, with the reason.
  Whereabouts(Endpoint endpoint, LookedUp known);
  Whereabouts(const Whereabouts&) = delete;
  Whereabouts& operator=(const Whereabouts&) = delete;
  ~Whereabouts();

  /// Asks the resolver. Of a host that was given as an address everything is known already.
  void look_again() noexcept;
  /// It has not answered yet. Once it has, addresses() are the new ones, or, where it knows none, the old ones.
  bool is_looking() noexcept;

  const std::vector<Address>& addresses() const noexcept { return known_.addresses; }
  /// Why there are none.
  const char* problem() const noexcept { return known_.problem; }
  const Endpoint& endpoint() const noexcept { return endpoint_; }

 private:
  struct Question;

  Endpoint endpoint_;
  LookedUp known_;
  bool is_address_;
  std::unique_ptr<Question> question_;
};

}  // namespace weir::transport
