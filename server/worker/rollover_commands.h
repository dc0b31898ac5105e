#pragma once

#include "server/realm/rollover.h"
#include "server/worker/params.h"
#include "server/worker/session.h"

/// The steps of a rollover, for whoever has established that they may be taken.
namespace chancery::worker {

/// @param params  those of ca.rollover.* @return kRollover's fields. @errors Conflict: not now; Unavailable: something is waited
/// for; what the signer refuses.
Result<Json> take_rollover_step(Session& session, const Params& params, realm::RolloverStep step);

/// What a rollover that starts now would make.
struct NextGeneration {
  std::string label;   ///< "ca-2"
  std::string source;  ///< who certifies it when nobody says so
};
/// @errors NotFound: no such CA.
Result<NextGeneration> next_generation(Session& session, const std::string& ca);

}  // namespace chancery::worker
