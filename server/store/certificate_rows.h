#pragma once

#include "server/store/driver.h"
#include "server/store/records.h"

namespace chancery::store {

/// Reads {certificate_columns} of sql/query/certificate.sql. @errors Corrupt.
Result<CertificateRecord> read_certificate(const Outcome& outcome, std::size_t index);

}  // namespace chancery::store
