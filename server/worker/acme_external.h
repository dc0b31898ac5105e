#pragma once

#include <optional>

#include "server/worker/acme_common.h"
#include "server/worker/params.h"

/// External account binding (RFC 8555 7.3.4): who asks for an account shows by a MAC that he was given a key of this realm. The
/// MAC is checked here, so that no front end ever has the key.
namespace chancery::worker {

/// The key that binds a new account, by acme.external_account of the realm.
///
/// @param key  the account's own, which the binding must name
/// @return none: the account is not bound to anybody.
/// @errors acme:externalAccountRequired: there is no binding, and the realm wants one; acme:malformed: it has another form, names
/// another URL or another key; acme:unauthorized: an unknown key, a wrong MAC, or a key that is used up or expired.
Result<std::optional<store::AcmeEab>> read_external_account(Session& session, store::Store& store, const Params& params,
                                                            const AccountKey& key);

}  // namespace chancery::worker
