#pragma once

#include <string>
#include <vector>

#include "server/store/store.h"

/// Nodes that are announced before they have a certificate (node.announce).
namespace chancery::worker {

/// The alternative names ("DNS:x") that were announced with a DN in slash form. @errors NotFound: it is not announced.
Result<std::vector<std::string>> announced_names(store::Store& store, const std::string& dn);

/// Forgets what was announced for a DN in slash form, if anything was.
Status forget_announcement(store::Store& store, const std::string& dn);

}  // namespace chancery::worker
