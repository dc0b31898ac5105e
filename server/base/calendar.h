#pragma once

#include "server/base/clock.h"

namespace chancery::base {

/// Whether its year has four digits: what RFC 3339 and certificates (RFC 5280 4.1.2.5) can say. Of other times the calendar wraps
/// around, and the text or the DER would be of another year.
bool has_text(Seconds time);

/// from_epoch of what somebody else says: no span of two such times overflows, and each is encoded as itself.
/// @errors Malformed: a time without has_text.
Result<Seconds> time_from_epoch(std::int64_t seconds);

}  // namespace chancery::base
