#pragma once

#include "server/worker/session.h"

namespace chancery::worker {

/// What the realm's signer answers, asked once more where it was restarted since the last request: for what may be done twice.
/// @param ask  of a SignerClient&; gives a Result. @errors as Session::signer, and what it gives.
template <class Ask>
auto ask_signer(Session& session, Ask ask) -> decltype(ask(std::declval<signer::SignerClient&>())) {
  PKI_TRY(auto* signer, session.signer());
  auto answer = ask(*signer);
  if (answer.ok() || answer.error().code() != Code::Closed) return answer;
  PKI_TRY(signer, session.signer());
  return ask(*signer);
}

}  // namespace chancery::worker
