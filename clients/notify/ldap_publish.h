#pragma once

#include <map>
#include <string>

#include "clients/lib/client.h"
#include "clients/notify/back_off.h"
#include "clients/notify/directory.h"
#include "clients/notify/publish.h"

namespace chancery::notify {

/// Keeps an LDAP server as the realm is (RFC 4523): CRLs, delta CRLs and certificates of each generation in the entry of that
/// generation, holders' certificates in theirs. What the server has is the memory: a value that is there is not written again,
/// also after a restart, and one that somebody changed is put right.
class LdapPublisher {
 public:
  /// @param realm  outlives it
  explicit LdapPublisher(const RealmSettings& realm) : realm_(realm) {}

  /// Nothing while the server is left alone after a failure. What goes wrong with one entry keeps no other back.
  Status take_turn(client::Client& client, const Publisher::Complain& complain);

 private:
  Status publish_authority(client::Client& client, Directory& directory, const std::string& ca);
  Status publish_certificates(client::Client& client, Directory& directory, const Publisher::Complain& complain);
  Status publish_certificate(client::Client& client, Directory& directory, const Json& row);

  const RealmSettings& realm_;
  BackOff server_;
  std::string certificates_since_;  ///< time of issue; what is older is there
};

}  // namespace chancery::notify
