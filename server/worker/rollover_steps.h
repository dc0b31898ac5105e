#pragma once

#include "server/realm/rollover.h"
#include "server/store/store.h"
#include "server/worker/session.h"

/// What the steps of a rollover do (realm/rollover.h): the state is stored before a step is done and after it, each time with
/// compare-and-set, and what a step does can be done again.
namespace chancery::worker {

realm::RolloverState state_of(const store::CaRollover& row);

/// Stores that state of it, in the name of whoever asks. @errors Conflict: somebody else did meanwhile.
Status put_rollover(Session& session, store::CaRollover& row, realm::RolloverState state);

/// That certificates of a new generation, or of a further CA, would point to a CRL of their own: with that of another one they
/// would count as good when they are revoked. @errors BadConfig.
Status check_urls(const Session& session, const std::string& ca, bool is_first);

/// Does what is begun, or begins a step and does it. @errors Conflict: it may not be taken now; those of what the step needs.
Status complete_step(Session& session, store::CaRollover& row, const realm::RolloverRow& step);
Status take_step(Session& session, store::CaRollover& row, realm::RolloverStep step);

/// When the last certificate of a draining generation expires, by the signer's journal; none: nothing keeps it from being
/// retired. @errors Unavailable, StoreFailed.
Result<std::optional<Seconds>> drains_until(Session& session, const std::string& label);

}  // namespace chancery::worker
