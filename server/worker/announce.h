#pragma once

#include <string>

#include "server/store/store.h"

/// Nodes that are announced before they have a certificate (node.announce).
namespace chancery::worker {

/// Whether a DN in slash form is announced.
Result<bool> is_announced(store::Store& store, const std::string& dn);

/// Forgets what was announced for a DN in slash form, if anything was.
Status forget_announcement(store::Store& store, const std::string& dn);

}  // namespace chancery::worker
