#pragma once

#include "server/realm/acme_states.h"
#include "server/store/records.h"
#include "server/wire/json.h"

/// How ACME's objects change: by the tables of server/realm/acme_states.h, and in no other way.
/// @errors Conflict of each: nothing of that kind happens in its state; it stays as it was.
namespace chancery::worker {

Status happen(store::AcmeAccount& account, realm::AcmeAccountEvent event);
Status happen(store::AcmeOrder& order, realm::AcmeOrderEvent event);
Status happen(store::AcmeAuthorization& authorization, realm::AcmeAuthorizationEvent event);
/// One of an authorization's challenges, as the store keeps it.
Status happen(Json& challenge, realm::AcmeChallengeEvent event);

}  // namespace chancery::worker
