#pragma once

#include "server/master/account.h"

namespace chancery::master {

/// Whether the realms' rules may come into force, where people approve them: asked of the stores in a process that is `user`, as
/// workers are, since the master opens none (DESIGN 1). Those that may are noted there as in force.
/// @param user  null: the process stays who this one is
/// @errors BadConfig: which realm's rules nobody has approved; Timeout, Io: that cannot be known.
Status admit_rules(const config::Snapshot& snapshot, const Account* user);

}  // namespace chancery::master
