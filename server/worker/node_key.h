#pragma once

#include <string>

#include "server/base/bytes.h"
#include "server/config/realm_config.h"

/// Keys that the server made, in nodes/<cn>/ (DESIGN 3).
namespace chancery::worker {

/// The directory of a common name, which is never a raw path (PROMISES F34): see crypto::file_name_of.
std::string node_directory_name(const std::string& cn);

/// Writes key.pem (0600) and cert.pem. @errors Io.
Status store_node_key(const config::RealmConfig& realm, const std::string& cn, const SecretBytes& key_pem,
                      const std::string& certificate_pem);

/// Whether store_node_key has stored one, and nobody deleted it.
bool has_node_key(const config::RealmConfig& realm, const std::string& cn);

/// Deletes the stored key; fine when there is none. @errors Io.
Status delete_node_key(const config::RealmConfig& realm, const std::string& cn);

}  // namespace chancery::worker
