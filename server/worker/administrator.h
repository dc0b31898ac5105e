#pragma once

#include <vector>

#include "server/worker/session.h"

/// Administrators by certificate: a name on the realm's list, and the keys that are bound to it.
namespace chancery::worker {

/// The certificate must be this realm's own, in its store, valid now and not revoked.
/// @return its record. @errors AuthFailed; what the store says.
Result<store::CertificateRecord> check_living(Session& session, const x509::Certificate& certificate);

/// Whether the certificate's DN is on the realm's list of administrators, and its key bound to it.
Result<bool> is_administrator(Session& session, const x509::Certificate& certificate);

/// The certificate must be this realm's own, valid now, its DN on the realm's list of administrators and its key bound to it.
/// @errors AuthFailed; what the store says.
Status check_administrator(Session& session, const x509::Certificate& certificate);

/// A certificate of an administrator's name that is good now or may be again, and whose it is.
struct NamedCertificate {
  std::string serial;
  std::string key;     ///< SHA-256 of the SubjectPublicKeyInfo, in hex; empty: unknown, it was taken over without its file
  bool bound = false;  ///< the key is the administrator's
};

struct NamedCertificates {
  std::vector<NamedCertificate> good;     ///< newest first
  std::vector<NamedCertificate> revoked;  ///< those that would be valid otherwise
  bool complete = true;                   ///< false: so many bear the name that only the newest were looked at
};

/// Those of a DN in slash form.
Result<NamedCertificates> certificates_of_name(store::Store& store, const std::string& dn, Seconds now);

/// The key that has all of them. @return none: there are none.
/// @errors Conflict: several keys have them, or an unknown one, or too many to tell.
Result<std::optional<std::string>> only_key_of(const std::string& dn, const NamedCertificates& certificates);

/// Once in a store's life: binds each administrator that came onto the list before keys were bound, or with a realm that was
/// taken over, to the one key that has his name's certificates. Who has several stays without, and the log says so.
Status bind_earlier_administrators(Session& session);

/// Before each command: a login ends with its certificate, or with its place on the list; an attestation with what it stands on.
/// @errors AuthFailed: it just ended; after a login the session goes on as what session.open made it, after an attestation it is
/// for nobody.
Status check_login_holds(Session& session);

}  // namespace chancery::worker
