#pragma once

#include "server/base/fd.h"

namespace chancery::master {

/// Goes on in a child in a session of its own. The parent waits until report_ready was called there, or until the child ends,
/// and exits with 0 or with its status. @return in the child: what report_ready takes. @errors Io.
Result<base::UniqueFd> go_to_background();

/// Lets the waiting parent exit with 0.
void report_ready(base::UniqueFd parent);

}  // namespace chancery::master
