#pragma once

#include "server/store/records.h"
#include "server/wire/json.h"
#include "server/worker/session.h"

/// CAA is looked at when a name is proved, and once more before a certificate is issued when that was long ago (the CA/Browser
/// Forum's Baseline Requirements 4.2.2.1: 8 hours). Looking is the front end's, deciding when is here.
namespace chancery::worker {

inline constexpr std::chrono::hours kCaaLife{8};

struct CaaChecks {
  bool is_fresh = true;         ///< nothing is to be looked at before the order is issued
  Json checks = Json::array();  ///< what the caller is to look at and report, each claimed for it; others may have the rest
};

/// What stands between an order and its certificate. Only names that were proved to this server's validators count: what an RA
/// vouched for is the RA's to check, what is taken unproven has no check at all; and nothing counts in a realm without
/// acme.caa_identities.
Result<CaaChecks> claim_caa_checks(Session& session, store::Store& store, const store::AcmeOrder& order);

}  // namespace chancery::worker
