#include "server/worker/confine.h"

#include <array>

#include "server/base/landlock.h"
#include "server/base/log.h"

namespace chancery::worker {

void confine_to_realm(const config::RealmConfig& realm, const config::ServerConfig& server) {
  using Access = base::Landlock::Access;
  // Libraries and name services read these after the session is open (NSS, OpenSSL's configuration, time zones).
  constexpr std::array kReadable{"/etc", "/usr", "/lib", "/proc/self", "/dev/urandom", "/run/systemd/userdb"};
  const base::Landlock landlock;
  // The store and the nodes' keys are the workers' own. Of the CA's files they need what everybody may see; ca.key, its
  // passphrase and the journal are the signer's, also where both run as one user (PROMISES C22).
  landlock.allow(realm.database_file().parent_path(), Access::ReadWrite);
  landlock.allow(realm.node_directory(), Access::ReadWrite);
  for (const auto& file : {realm.ca_certificate_file(), realm.directory / "ca.csr"}) landlock.allow(file, Access::Read);
  if (!realm.seed_file.empty()) landlock.allow(realm.seed_file, Access::Read);
  landlock.allow(realm.list_directory(), Access::Read);
  for (const auto& [name, stack] : realm.people.logins) {
    for (const auto& file : {stack.tls_ca_file, stack.bind_password_file}) {
      if (!file.empty()) landlock.allow(file, Access::Read);
    }
  }
  for (const auto& [name, secret] : realm.enrolment.secrets) landlock.allow(secret.file, Access::Read);
  for (const auto& [name, one] : realm.enrolment.look_ups) {
    for (const auto& file : {one.tls_ca_file, one.bind_password_file, one.token_file}) {
      if (!file.empty()) landlock.allow(file, Access::Read);
    }
    if (one.file.empty()) continue;
    for (const auto* suffix : {"", "-wal", "-shm"}) landlock.allow(one.file + suffix, Access::Read);
  }
  for (const auto& [name, profile] : realm.profiles) {
    if (!profile.approval.auto_hosts.empty()) landlock.allow(profile.approval.auto_hosts, Access::Read);
  }
  for (const auto* path : kReadable) landlock.allow(path, Access::Read);
  if (server.log_destination.starts_with('/')) landlock.allow(server.log_destination, Access::Write);
  const auto enforced = landlock.enforce();
  if (!enforced.ok()) base::log_warning(enforced.error().message());
  if (enforced.ok() && !*enforced) base::log_debug("this kernel has no Landlock: the worker keeps its view of the file system");
}

}  // namespace chancery::worker
