#pragma once

#include <string>
#include <vector>

#include "server/config/realm_config.h"
#include "server/store/store.h"

/// Which notices are due, and which are no longer needed.
namespace chancery::worker {

/// Those of one certificate at one time ahead of its end: one for each way and addressee. @param contact  of its ACME account, a
/// JSON array; empty: it has none.
std::vector<store::Notice> notices_for(const config::NoticesConfig& notices, const store::CertificateRecord& record,
                                       std::chrono::seconds ahead, const std::string& contact, Seconds now);

/// Those that a request has waited for its approvals so long: one for each way and addressee.
std::vector<store::Notice> reminders_for(const config::RealmConfig& realm, const store::RequestRow& row, std::chrono::seconds age,
                                         Seconds now);
/// Whether a notice is about a request that waits; else it is about a certificate.
bool is_reminder(const store::Notice& notice);

/// Whether a certificate is told about that long before its end, seen at `now`: not one that lived no longer from the start, and
/// not where a shorter time was passed, too, as after a long stop.
bool is_told(const config::NoticesConfig& notices, const store::CertificateRecord& record, std::chrono::seconds ahead,
             Seconds now);

/// Notes the notices of certificates whose time has come since the last call, a bounded number of them.
Status plan_notices(store::Store& store, const config::NoticesConfig& notices, Seconds now);

/// Why nobody has to be told any more; empty: somebody has to. A certificate is renewed when a later one is valid that has the
/// same subject, or without a subject the same names, and the same profile.
Result<std::string> why_dropped(store::Store& store, const store::Notice& notice, Seconds now);

/// How long after a failed attempt the next one is: 5 s, five times as long each time, at most six hours.
std::chrono::seconds pause_after(std::int64_t attempts);

}  // namespace chancery::worker
