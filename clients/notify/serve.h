#pragma once

#include "clients/notify/settings.h"

namespace chancery::notify {

/// Sends what is due, realm by realm, until the master is gone or SIGTERM comes; what is under way then is finished.
/// @param life  read end of the master's life pipe; -1: none
int serve(const Settings& settings, int life);

}  // namespace chancery::notify
