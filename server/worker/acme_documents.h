#pragma once

#include "server/config/realm_config.h"
#include "server/store/records.h"
#include "server/wire/json.h"

/// ACME objects as the acme.* commands show them.
namespace chancery::worker {

/// kAcmeAccount. @param created  whether this call made it
Json describe_account(const store::AcmeAccount& account, bool created);

/// A challenge's status as of now: one whose validator has not reported for long is pending again.
std::string challenge_status(const Json& challenge, Seconds now);

/// What it is of and what it is now.
Json describe_without_challenges(const store::AcmeAuthorization& authorization, Seconds now);
/// kAcmeAuthorization; what is only for validators (claims, evidence) is left out.
Json describe_authorization(const store::AcmeAuthorization& authorization, Seconds now);

/// kAcmeRealm: what front ends have to know, and by what rules they prove names.
Json describe_rules(const config::AcmeConfig& acme);

/// kAcmeOrder.
Json describe_order(const store::AcmeOrder& order);

}  // namespace chancery::worker
