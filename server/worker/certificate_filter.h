#pragma once

#include "server/store/records.h"
#include "server/worker/params.h"

namespace chancery::worker {

/// What certificate.search and certificate.revoke_many look for. @errors Malformed: a serial or name that is none.
Result<store::CertificateFilter> filter_from(const Params& params, Seconds now);

}  // namespace chancery::worker
