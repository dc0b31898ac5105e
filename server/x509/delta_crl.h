#pragma once

#include "server/x509/crl.h"

namespace chancery::x509 {

/// What a delta CRL has to say (RFC 5280 5.2.4): what changed from the entries of the full CRL to those that a full one would
/// have now. What was on hold and is not listed any more is removed from the CRL; what is missing for another reason is left
/// alone, since revoked is for ever: it has expired.
/// @param at  the delta's thisUpdate
std::vector<RevokedEntry> changes_since(const std::vector<RevokedEntry>& full, const std::vector<RevokedEntry>& now, Seconds at);

}  // namespace chancery::x509
