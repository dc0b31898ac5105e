#pragma once

#include "server/config/realm_config.h"
#include "server/store/store.h"
#include "server/wire/json.h"

/// Notices of what the nightly self-audit found, by the ways and to the addressees of `notices:`, certificates' own ones aside.
namespace chancery::worker {

inline constexpr std::string_view kAuditEvent = "self_audit.findings";

/// One for each way and addressee. @param started  when the night began, which tells nights apart
Status add_audit_notices(store::Store& store, const config::NoticesConfig& notices, std::int64_t started, Seconds now);
bool is_of_self_audit(const store::Notice& notice);
/// Why it is not sent any more; empty: it is. @param last  when the night began that audit.status shows
std::string why_audit_notice_dropped(const store::Notice& notice, std::int64_t last, Seconds now);

}  // namespace chancery::worker
