// SPDX-License-Identifier: BSD-3-Clause
#include "transport/whereabouts.hpp"

#include <netdb.h>

#include <utility>

namespace weir::transport {

/// Stays where it is until the resolver has done with it.
struct Whereabouts::Question {
  explicit Question(const Endpoint& endpoint)
      : host{endpoint.host}, port{std::to_string(endpoint.port)}, hints{hints_of(endpoint)} {
    call.ar_name = host.c_str();
    call.ar_service = port.c_str();
    call.ar_request = &hints;
  }
  ~Question() {
    if (call.ar_result) ::freeaddrinfo(call.ar_result);
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  std::string host, port;
  addrinfo hints;
  gaicb call{};
};

Whereabouts::Whereabouts(Endpoint endpoint, LookedUp known)
    : endpoint_{std::move(endpoint)}, known_{std::move(known)}, is_address_{is_address(endpoint_)} {}

/// A question that can no longer be taken back is left to the resolver, which still writes into it.
Whereabouts::~Whereabouts() {
  if (question_ && ::gai_cancel(&question_->call) == EAI_NOTCANCELED) (void)question_.release();
}

void Whereabouts::look_again() noexcept {
  if (is_address_ || question_) return;
  question_ = std::make_unique<Question>(endpoint_);
  gaicb* calls[]{&question_->call};
  if (const int error = ::getaddrinfo_a(GAI_NOWAIT, calls, 1, nullptr); error != 0) {
    question_.reset();
    if (known_.addresses.empty()) known_.problem = ::gai_strerror(error);
  }
}

bool Whereabouts::is_looking() noexcept {
  if (!question_) return false;
  const int error = ::gai_error(&question_->call);
  if (error == EAI_INPROGRESS) return true;
  auto found = looked_up(error, question_->call.ar_result);
  question_.reset();
  if (!found.addresses.empty() || known_.addresses.empty()) known_ = std::move(found);
  return false;
}

}  // namespace weir::transport
