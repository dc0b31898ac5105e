#pragma once

#include "server/config/node.h"
#include "server/config/realm_config.h"
#include "server/config/report.h"

/// What `key_store`, the passphrase settings, `secret:` and `pkcs11:` must be to each other and to the files that they name.
namespace chancery::config {

void check_keys(const RealmConfig& realm, const Node& root, Report& report);

}  // namespace chancery::config
