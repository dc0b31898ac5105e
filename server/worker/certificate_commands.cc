#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/realm/policy.h"
#include "server/worker/access.h"
#include "server/worker/certificate_filter.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/worker/narrowed_page.h"
#include "server/worker/revocation.h"
#include "server/x509/pem.h"
#include "server/x509/reasons.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kDefaultPage = 100;

Error not_found(const std::string& what) { return {Code::NotFound, "Certificate not found: " + what}; }

/// The newest of a common name. Of several that were issued within a second that is the one stored last, which its node has.
Result<store::CertificateRecord> newest_of(store::Store& store, const std::string& cn) {
  const auto node = store.node(cn);
  if (node.ok()) return store.certificate(node->serial, node->ca);
  if (node.error().code() != Code::NotFound) return node.error();
  return store.newest_by_cn(cn);
}

/// The newest of a DN, in the same way.
Result<store::CertificateRecord> newest_of_subject(store::Store& store, const x509::Name& name) {
  const auto subject = name.to_slash();
  const auto common_name = name.common_name();
  const auto node = common_name ? store.node(*common_name) : Result<store::NodeRecord>(not_found(subject));
  if (node.ok() && node->subject == subject) return store.certificate(node->serial, node->ca);
  if (!node.ok() && node.error().code() != Code::NotFound) return node.error();
  return store.newest_by_subject(subject);
}

/// A DN is looked for as it stands, then with its attributes in the other order (LDAP and OpenSSL write them differently), then
/// by its common name (UPKI.md 1.3).
Result<store::CertificateRecord> find_by_dn(store::Store& store, const std::string& text) {
  PKI_TRY(auto name, x509::Name::parse_any(text));
  auto found = newest_of_subject(store, name);
  if (found.ok() || found.error().code() != Code::NotFound) return found;
  std::reverse(name.attributes.begin(), name.attributes.end());
  found = newest_of_subject(store, name);
  if (found.ok() || found.error().code() != Code::NotFound) return found;
  const auto common_name = name.common_name();
  // Only a bare CN stands for every certificate of that name; a longer DN that matches nothing is somebody else.
  if (common_name && name.attributes.size() == 1) return newest_of(store, *common_name);
  return not_found(text);
}

Result<store::CertificateRecord> find(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  if (params.has("serial")) {
    PKI_TRY(const auto serial, params.serial());
    auto found = store->certificate(serial);
    return found.ok() || found.error().code() != Code::NotFound ? found : not_found(serial.hex());
  }
  if (params.has("cn")) {
    auto found = newest_of(*store, params.text("cn"));
    return found.ok() || found.error().code() != Code::NotFound ? found : not_found(params.text("cn"));
  }
  if (params.has("dn")) return find_by_dn(*store, params.text("dn"));
  return Error(Code::InvalidParams, "none of serial, cn and dn is given, expected one");
}

void add_contents(Json& out, const x509::Certificate& certificate) {
  out.set("certificate", certificate.pem())
      .set("issuer", certificate.issuer().to_slash())
      .set("fingerprint", certificate.fingerprint_hex())
      .set("key", base::to_text(certificate.public_key().spec()))
      .set("key_usage", Json::strings(certificate.key_usage()))
      .set("extended_key_usage", Json::strings(certificate.extended_key_usage()))
      .set("is_ca", certificate.is_ca());
  if (certificate.path_length()) out.set("path_length", *certificate.path_length());
}

Result<Json> revoked(Session& session, const store::CertificateRecord& record) {
  base::log_info("revoked " + record.serial.hex() + " " + record.subject + " " + record.reason + " by " + session.requester());
  return Json::object(
      {{"serial", record.serial.hex()}, {"revoked_at", base::to_rfc3339(*record.revoked_at)}, {"reason", record.reason}});
}

/// Those that the realm's access rules let the session see.
Result<store::Page<store::CertificateRecord>> seen_page(Session& session, const store::CertificateFilter& filter,
                                                        std::size_t limit, const std::string& after) {
  PKI_TRY(auto* store, session.store());
  return narrowed_page<store::CertificateRecord>(
      session.realm().people.access.empty(), limit, after,
      [&](std::size_t most, const std::string& from) { return store->search(filter, most, from); },
      [&](const store::CertificateRecord& row) { return Result<bool>(may_see(session, row)); });
}

}  // namespace

Result<Json> certificate_get(Session& session, const Params& params) {
  const auto found = find(session, params);
  PKI_TRY_VOID(check_access_to(session, found));
  if (!found.ok()) return found.error();
  const auto& record = *found;
  auto out = describe_record(record, session.clock().now());
  const auto certificate = x509::Certificate::from_der(record.der);
  if (certificate.ok()) add_contents(out, *certificate);
  // One that was taken over may be in another form, or be known by its serial alone; it can be shown and revoked all the same.
  if (!certificate.ok() && record.rule != signer::kImportedRule) return certificate.error();
  if (!certificate.ok() && !record.der.empty()) out.set("certificate", x509::to_pem(x509::kCertificateLabel, record.der));
  if (certificate.ok()) (void)add_chains(session, *certificate, out);  // one that was taken over may be of a CA that is gone
  return out;
}

Result<Json> certificate_search(Session& session, const Params& params) {
  const auto now = session.clock().now();
  PKI_TRY(const auto filter, filter_from(params, now));
  const auto limit = static_cast<std::size_t>(params.integer("limit", kDefaultPage));
  PKI_TRY(const auto page, seen_page(session, filter, std::max<std::size_t>(limit, 1), params.text("after")));
  Json rows = Json::array();
  for (const auto& record : page.items) rows.push_back(describe_record(record, now));
  auto out = Json::object({{"certificates", std::move(rows)}});
  if (!page.next.empty()) out.set("next", page.next);
  return out;
}

Result<Json> certificate_revoke(Session& session, const Params& params) {
  PKI_TRY(const auto serial, params.serial());
  const auto record = revoke(session, serial, params.text("reason", "unspecified"));
  if (!record.ok()) return record.error().code() == Code::NotFound ? not_found(serial.hex()) : record.error();
  return revoked(session, *record);
}

/// What comes back with an administrator's or an RA's certificate is a role: that takes those who may give it.
Status check_may_release(Session& session, const Serial& serial) {
  PKI_TRY(auto* store, session.store());
  const auto record = store->certificate(serial);
  if (!record.ok()) return {};  // as release() says
  PKI_TRY(const auto admin, store->admin(record->subject));
  if (!admin.listed && !config::gives_role(record->profile)) return {};
  return check_may_give_role(session,
                             "the hold of certificate " + serial.hex() + ", which gives its holder a role, is taken back");
}

Result<Json> certificate_unrevoke(Session& session, const Params& params) {
  PKI_TRY(const auto serial, params.serial());
  PKI_TRY_VOID(check_may_release(session, serial));
  const auto record = release(session, serial);
  if (!record.ok()) return record.error().code() == Code::NotFound ? not_found(serial.hex()) : record.error();
  base::log_info("hold taken back from " + serial.hex() + " by " + session.requester());
  return Json::object({{"serial", serial.hex()}, {"state", state_of(*record, session.clock().now())}});
}

Result<Json> ocsp_status(Session& session, const Params& params) {
  if (params.has("serial") == params.has("certificate"))
    return Error(Code::InvalidParams, "expected exactly one of serial and certificate");
  auto serial = params.has("serial") ? params.serial() : Result<Serial>(Error(Code::Internal, ""));
  if (params.has("certificate")) {
    PKI_TRY(const auto certificate, x509::Certificate::from_pem(params.text("certificate")));
    PKI_TRY([[maybe_unused]] const auto* all, session.generations());
    const auto above = session.generation_above(certificate);
    // Another CA's certificate is unknown here, whatever its serial (PROMISES C9).
    if (!above.ok() || !certificate.verify_signed_by((*above)->authority->certificate).ok())
      return Json::object({{"status", "unknown"}, {"serial", certificate.serial().hex()}});
    serial = certificate.serial();
  }
  if (!serial.ok()) return serial.error();
  PKI_TRY(auto* store, session.store());
  const auto record = store->certificate(*serial);
  if (!record.ok() && record.error().code() == Code::NotFound)
    return Json::object({{"status", "unknown"}, {"serial", serial->hex()}});
  if (!record.ok()) return record.error();
  const bool good = record->state == store::CertificateState::Valid;
  auto out = Json::object({{"status", good ? "good" : "revoked"},
                           {"serial", serial->hex()},
                           {"cn", record->cn},
                           {"not_after", base::to_rfc3339(record->not_after)}});
  if (!good) out.set("revoked_at", base::to_rfc3339(*record->revoked_at)).set("reason", record->reason);
  return out;
}

}  // namespace chancery::worker
