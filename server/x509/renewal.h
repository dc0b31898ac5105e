#pragma once

#include "server/base/clock.h"

namespace chancery::x509 {

/// When a certificate is to be replaced: two thirds of its life after its start.
constexpr Seconds renewal_time(Seconds not_before, Seconds not_after) { return not_before + (not_after - not_before) * 2 / 3; }

}  // namespace chancery::x509
