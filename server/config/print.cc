#include "server/config/print.h"

#include "server/config/profile_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/server_settings.h"
#include "server/config/source.h"

namespace chancery::config {

std::string print_config(const Snapshot& snapshot) { return print_server(snapshot.server); }
std::string print_server(const ServerConfig& server) { return to_xml(write_server(server)); }
std::string print_realm(const RealmConfig& realm) { return to_yaml(write_realm(realm)); }
std::string print_profile(const Profile& profile) { return to_yaml(write_profile(profile)); }

}  // namespace chancery::config
