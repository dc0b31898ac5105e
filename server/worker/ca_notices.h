#pragma once

#include <optional>
#include <span>
#include <string>

#include "server/realm/generations.h"
#include "server/store/store.h"
#include "server/worker/session.h"

/// Notices that a CA's own certificate ends, with which all end that it issued. A root is no row of the store, so what is told is
/// read from the realm's generations, anew each time: there is nothing that a clock that jumps could pass over.
namespace chancery::worker {

/// The shortest of the times that has begun, of those shorter than the certificate's whole life; none: it is not yet time, or the
/// certificate has ended.
std::optional<std::chrono::seconds> time_begun(std::span<const std::chrono::seconds> times, Seconds not_before, Seconds not_after,
                                               Seconds now);

/// Notes the notices that are due now; those that are there stay as they are.
Status plan_ca_notices(Session& session, store::Store& store, Seconds now);

/// What the notice is about, when that is a CA of the realm. @return none: it is not.
Result<std::optional<store::CertificateRecord>> told_ca(Session& session, const store::Notice& notice);

/// Why nobody has to be told any more that a CA ends; empty: somebody has to. It is followed when a later generation of the same
/// name issues, and lasts longer.
Result<std::string> why_ca_dropped(Session& session, const store::Notice& notice, Seconds now);

}  // namespace chancery::worker
