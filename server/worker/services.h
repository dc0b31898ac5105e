#pragma once

#include <vector>

#include "server/worker/session.h"

/// The keys of a realm that are no CA's, as workers see them (doc/services.md).
namespace chancery::worker {

bool has_services(const config::RealmConfig& realm);
/// What ca.list and ca.service.renew say of each: kCa's fields.
Json describe_service(const Session& session, const signer::ServiceInfo& service);
/// As ca.list has them: also of those that have no key yet, or while the signer is away.
void add_services(Session& session, Json& list);
/// Each service that a generation in use has no key for, in words.
Result<std::vector<std::string>> missing_services(Session& session);

}  // namespace chancery::worker
