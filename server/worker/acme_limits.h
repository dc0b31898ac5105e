#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/worker/params.h"
#include "server/worker/session.h"
#include "server/x509/general_name.h"

/// What the policy of an ACME account lets it have: the store counts, server/realm/acme_policy.h decides.
namespace chancery::worker {

/// @errors PolicyRefused: the account's policy is no longer in the configuration.
Result<config::AcmePolicy> policy_of_account(Session& session, store::Store& store, const std::string& account);

/// @errors acme:rejectedIdentifier, with each identifier that the policy refuses.
Status check_names(const config::AcmePolicy& policy, const std::vector<x509::GeneralName>& names);

/// The profile that an order asks for, or gets without. @errors acme:invalidProfile.
Result<ProfileName> profile_by(const config::AcmePolicy& policy, const Session& session, const Params& params);

/// A new order, or a pre-authorization.
struct NewOrder {
  std::string account;
  const std::vector<x509::GeneralName>& names;
  std::size_t fresh_authorizations;
  bool is_order = true;  ///< it counts for the rate of orders
  std::string replaces;  ///< a certificate (RFC 9773 5): once it is due, there may be more of its names
};

/// How many certificates the names have; reserve_certificate decides. @errors acme:rateLimited.
Status check_limits(Session& session, store::Store& store, const config::AcmePolicy& policy, const NewOrder& order);

/// How many orders, failures and pending authorizations there are: asked where the order is written. Refers to all of them.
/// @errors acme:rateLimited.
store::Allowance allowance_for(Session& session, store::Store& store, const config::AcmePolicy& policy, const NewOrder& order);

/// How many validations of its name failed, or may fail yet: asked where one begins. Refers to all of them.
/// @errors acme:rateLimited.
store::Allowance allowance_for(Session& session, store::Store& store, const config::AcmePolicy& policy,
                               const store::AcmeAuthorization& authorization);

/// What may have changed since the order was made: its policy, and how many certificates its names have.
/// @errors as check_names, check_grants, profile_by and check_limits.
Status check_finalize(Session& session, store::Store& store, const store::AcmeOrder& order,
                      const std::vector<x509::GeneralName>& names);

/// Takes room for an order's certificate below the limit of its names, before it is signed: of orders that are finalized at once
/// no more pass than one after the other would. The certificate takes its place when it is stored; room that never became one
/// lapses after kReservationLife.
/// @errors acme:rateLimited.
Status reserve_certificate(Session& session, store::Store& store, const store::AcmeOrder& order,
                           const std::vector<x509::GeneralName>& names);

/// How long a signature may take with all that stands in its way: a signer that is restarted, a worker that died.
inline constexpr std::chrono::minutes kReservationLife{10};

/// A validation of an authorization's name, by the claim that a challenge has, and the failure that may come of it.
store::AcmeValidation validation_of(const store::AcmeAuthorization& authorization, const Json& challenge);
store::AcmeFailure failure_of(const store::AcmeValidation& validation, Seconds now);

/// Forgets what counts no more.
Status purge_limits(Session& session, store::Store& store);

}  // namespace chancery::worker
