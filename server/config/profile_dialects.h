#pragma once

#include "server/config/node.h"
#include "server/config/report.h"

namespace chancery::config {

/// uPKI's programs and its documentation name the same settings of a profile differently (UPKI.md section 3): keyType and
/// key_type. A file speaks one of both; a name of the other is a finding that says what it is called there. So is a setting
/// that says again what subject_alt_name says.
void check_one_dialect(const Node& profile, Report& report);

}  // namespace chancery::config
