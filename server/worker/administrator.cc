#include "server/worker/administrator.h"

#include <algorithm>
#include <set>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/attest.h"
#include "server/worker/login.h"

namespace chancery::worker {
namespace {

constexpr const char* kEarlierAreBound = "earlier_admins_bound";
constexpr std::size_t kMostNamed = 100;  ///< certificates of one name that are looked at
constexpr const char* kAdvice = "admin.add with the serial of the administrator's own";

Status bind_earlier(store::Store& store, const std::string& dn, Seconds now) {
  PKI_TRY(const auto admin, store.admin(dn));
  if (!admin.keys.empty()) return {};
  PKI_TRY(const auto certificates, certificates_of_name(store, dn, now));
  const auto key = only_key_of(dn, certificates);
  if (!key.ok()) {
    base::log_warning("administrator " + dn + " cannot log in: " + key.error().message() + "; " + key.error().hint());
    return {};
  }
  if (!*key) return {};
  PKI_TRY([[maybe_unused]] const bool bound, store.bind_admin_keys({dn, {**key}, now, "upkeep"}));
  base::log_info("key " + **key + " bound to administrator " + dn + ", who was on the list already");
  return {};
}

/// A generation that drains signs no more, and what it signed is good until it expires.
Status check_own(Session& session, const x509::Certificate& certificate) {
  PKI_TRY(const auto* issuing, session.authority());
  const auto above = session.generation_above(certificate);
  const auto& authority = above.ok() ? *(*above)->authority : *issuing;
  const auto own = certificate.verify_signed_by(authority.certificate);
  return own.ok() ? Status() : Error(Code::AuthFailed, "the certificate is not of this realm: " + own.error().message());
}

}  // namespace

Result<store::CertificateRecord> check_living(Session& session, const x509::Certificate& certificate) {
  PKI_TRY_VOID(check_own(session, certificate));
  PKI_TRY(auto* store, session.store());
  auto record = store->certificate(certificate.serial());
  if (!record.ok() && record.error().code() == Code::NotFound)
    return Error(Code::AuthFailed, "the realm knows no certificate " + certificate.serial().hex());
  if (!record.ok()) return record.error();
  const auto now = session.clock().now();
  if (record->state != store::CertificateState::Valid) return Error(Code::AuthFailed, "the certificate is revoked");
  if (now < certificate.not_before() || now > certificate.not_after())
    return Error(Code::AuthFailed, "the certificate is not valid now");
  // Whoever has the key by now, another certificate of it says no more about him (PROMISES B4).
  PKI_TRY(const auto reported, store->compromised_key(certificate.public_key().spki_sha256_hex()));
  if (reported) return Error(Code::AuthFailed, "the certificate's key was reported as compromised");
  return record;
}

Result<bool> is_administrator(Session& session, const x509::Certificate& certificate) {
  PKI_TRY(auto* store, session.store());
  return store->is_admin_key(certificate.subject().to_slash(), certificate.public_key().spki_sha256_hex());
}

Status check_administrator(Session& session, const x509::Certificate& certificate) {
  PKI_TRY([[maybe_unused]] const auto record, check_living(session, certificate));
  PKI_TRY(const bool may, is_administrator(session, certificate));
  if (may) return {};
  return Error(Code::AuthFailed, certificate.subject().to_slash() +
                                     " is not on the realm's list of administrators with the key " +
                                     certificate.public_key().spki_sha256_hex());
}

Result<NamedCertificates> certificates_of_name(store::Store& store, const std::string& dn, Seconds now) {
  PKI_TRY(const auto admin, store.admin(dn));
  PKI_TRY(const auto found, store.by_subject(dn, kMostNamed + 1));
  NamedCertificates out{.good = {}, .revoked = {}, .complete = found.size() <= kMostNamed};
  for (const auto& one : found) {
    if (one.not_after < now) continue;
    const auto certificate = x509::Certificate::from_der(one.der);
    const auto key = certificate.ok() ? certificate->public_key().spki_sha256_hex() : std::string();
    // A held one may come back.
    if (one.state == store::CertificateState::Revoked) {
      out.revoked.push_back({one.serial.hex(), key, false});
      continue;
    }
    out.good.push_back({one.serial.hex(), key, std::ranges::find(admin.keys, key) != admin.keys.end()});
  }
  return out;
}

Result<std::optional<std::string>> only_key_of(const std::string& dn, const NamedCertificates& certificates) {
  if (!certificates.complete)
    return Error(Code::Conflict, "more than " + std::to_string(kMostNamed) + " certificates bear the name " + dn, kAdvice);
  std::set<std::string> keys;
  std::vector<std::string> serials;
  for (const auto& one : certificates.good) {
    keys.insert(one.key.empty() ? one.serial : one.key);  // an unknown one is somebody's, so it counts as one more
    serials.push_back(one.serial);
  }
  if (keys.empty()) return std::optional<std::string>();
  const auto all = base::join(serials, ", ");
  if (keys.size() > 1)
    return Error(Code::Conflict, dn + " has valid certificates of " + std::to_string(keys.size()) + " keys: " + all, kAdvice);
  if (certificates.good.front().key.empty())
    return Error(Code::Conflict,
                 "the key of certificate " + all + " of " + dn + " is unknown: it was taken over without its file",
                 "issue another, and revoke this one");
  return std::optional(*keys.begin());
}

Status bind_earlier_administrators(Session& session) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto done, store->get_meta(kEarlierAreBound));
  if (done) return {};
  PKI_TRY(const auto admins, store->admins());
  for (const auto& dn : admins) PKI_TRY_VOID(bind_earlier(*store, dn, session.clock().now()));
  return store->set_meta(kEarlierAreBound, base::to_rfc3339(session.clock().now()));
}

Status check_login_holds(Session& session) {
  if (session.is_attested()) return check_attestation_holds(session);
  if (session.person_login()) return check_person_holds(session);
  if (!session.login()) return {};
  const auto holds = check_administrator(session, *session.login());
  if (holds.ok() || holds.error().code() != Code::AuthFailed) return holds;
  const auto who = session.identity().name;
  base::log_warning("the login of " + who + " ended: " + holds.error().message());
  session.end_login();
  return Error(Code::AuthFailed, "the login of " + who + " ended: " + holds.error().message(), "call session.login again");
}

}  // namespace chancery::worker
