#pragma once

#include "server/base/code_pages.h"
#include "server/config/load.h"

namespace chancery::master {

/// Runs a server on a configuration that holds, until it is told to stop.
/// @param in_background  leave the terminal; the calling process exits when everything is ready
/// @param code  the program's own, on its way to where the workers share it
/// @return success when it was told to stop. @errors Busy: another master runs there; and what keeps a server from starting.
Status run_server(const std::shared_ptr<const config::Snapshot>& snapshot, bool in_background, base::CodeMove& code);

}  // namespace chancery::master
