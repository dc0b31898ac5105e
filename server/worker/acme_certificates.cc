#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_renewal.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/revocation.h"
#include "server/x509/pem.h"

namespace chancery::worker {
namespace {

/// What a subscriber may say; the other reasons are the CA's (RFC 8555 7.6, PROMISES F42).
constexpr std::array<std::string_view, 6> kReasons{"unspecified", "keyCompromise",        "affiliationChanged",
                                                   "superseded",  "cessationOfOperation", "privilegeWithdrawn"};

Result<std::string> read_reason(const Params& params) {
  auto reason = params.text("reason", kReasons.front());
  if (std::ranges::find(kReasons, reason) != kReasons.end()) return reason;
  return acme_error("badRevocationReason", Code::InvalidParams, "reason " + reason + " is not a subscriber's to give");
}

Error no_such_certificate() { return {Code::NotFound, "no such certificate"}; }

/// The realm's own record of the very certificate that was sent.
Result<store::CertificateRecord> record_of(store::Store& store, const x509::Certificate& certificate) {
  auto record = store.certificate(certificate.serial());
  if (!record.ok()) return record.error().code() == Code::NotFound ? no_such_certificate() : record.error();
  if (!base::equal_in_constant_time(record->der, certificate.der())) return no_such_certificate();
  return record;
}

/// Who holds the names has no say over a key that others have: that would end what they hold by it elsewhere.
Status check_may_say(std::string_view reason) {
  if (reason != "keyCompromise") return {};
  return acme_error(
      "badRevocationReason", Code::PolicyRefused,
      "reason keyCompromise is said by the certificate's own key or by the account that obtained it; an account that "
      "holds its names says another, such as cessationOfOperation");
}

/// RFC 8555 7.6: the account that obtained it, one that holds all its names, or who holds its key. That these asked is the front
/// end's word, which counts for what came by ACME and for nothing else.
Status check_right(store::Store& store, const Params& params, const store::CertificateRecord& record,
                   const x509::Certificate& certificate, Seconds now) {
  if (record.acme_account.empty())
    return Error(Code::Denied, "certificate " + record.serial.hex() + " was not issued by ACME, so it is not revoked by ACME",
                 "its holder or an operator of the realm revokes it");
  if (params.has("jwk")) {
    PKI_TRY(const auto key, read_account_key(*params.json("jwk")));
    if (key.key == certificate.public_key()) return {};
    return Error(Code::Denied, "the request is not signed by the certificate's key");
  }
  PKI_TRY(const auto account, signing_account(store, params));
  if (obtained_by(store, account.id, record)) return {};
  PKI_TRY(const bool holds, holds_all_names(store, account.id, certificate, now));
  return holds ? check_may_say(params.text("reason"))
               : Error(Code::Denied, "the account did not obtain this certificate and does not hold its names");
}

}  // namespace

Result<Json> acme_certificate_get(Session& session, const Params& params) {
  PKI_TRY(const auto serial, params.serial());
  PKI_TRY(auto* store, session.store());
  const auto view = store->view();
  PKI_TRY(const auto account, signing_account(*store, params));
  const auto record = store->certificate(serial);
  if (!record.ok()) return record.error().code() == Code::NotFound ? no_such_certificate() : record.error();
  if (!obtained_by(*store, account.id, *record)) return no_such_certificate();
  auto out = Json::object({{"serial", serial.hex()}, {"certificate", x509::to_pem(x509::kCertificateLabel, record->der)}});
  PKI_TRY_VOID(add_chains(session, *record, out));
  return out;
}

Result<Json> acme_certificate_revoke(Session& session, const Params& params) {
  PKI_TRY(const auto certificate, x509::Certificate::from_pem(params.text("certificate")));
  if (params.has("jwk") == params.has("account")) return Error(Code::InvalidParams, "expected exactly one of account and jwk");
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto record, record_of(*store, certificate));
  const auto now = session.clock().now();
  PKI_TRY_VOID(check_right(*store, params, record, certificate, now));
  PKI_TRY(auto reason, read_reason(params));
  const auto done = revoke(session, certificate.serial(), reason);
  if (!done.ok() && done.error().code() == Code::Conflict)
    return acme_error("alreadyRevoked", Code::Conflict, "the certificate is revoked already");
  if (!done.ok()) return done.error();
  base::log_info("revoked " + done->serial.hex() + " " + done->subject + " " + done->reason + " by " + session.requester());
  return Json::object(
      {{"serial", done->serial.hex()}, {"revoked_at", base::to_rfc3339(*done->revoked_at)}, {"reason", done->reason}});
}

}  // namespace chancery::worker
