#include "server/worker/attest.h"

#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/administrator.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMaxShown = 64;

/// Whom evidence stands for, and what its own roles are.
struct Whom {
  std::string name;
  Roles roles;
  std::optional<x509::Certificate> certificate{};
};

/// Who has a certificate of such a profile, and nothing else.
bool makes_registration_authority(const std::string& profile) {
  const auto* const row = config::holder_row(profile);
  return row != nullptr && row->role == Role::RaOperator;
}

/// A node that was deleted is no RA, whatever certificates it has left; nor is one that took its common name since (UPKI.md 5.4).
Result<bool> is_registration_authority(Session& session, const store::CertificateRecord& record) {
  if (!makes_registration_authority(record.profile)) return false;
  PKI_TRY(auto* store, session.store());
  const auto node = store->node(record.cn);
  if (!node.ok() && node.error().code() == Code::NotFound) return false;
  if (!node.ok()) return node.error();
  return node->profile == record.profile && node->subject == record.subject;
}

/// Who is neither administrator nor RA has the commands of a holder (own.*) and what anybody may.
Result<Roles> roles_of_holder(Session& session, const x509::Certificate& certificate) {
  PKI_TRY(const auto record, check_living(session, certificate));
  PKI_TRY(const bool is_admin, is_administrator(session, certificate));
  if (is_admin) return Roles{Role::Admin};
  PKI_TRY(const bool is_ra, is_registration_authority(session, record));
  return Roles{is_ra ? Role::RaOperator : Role::Anonymous};
}

Result<Whom> by_holding(Session& session, x509::Certificate certificate) {
  PKI_TRY(const auto roles, roles_of_holder(session, certificate));
  return Whom{"cert:" + base::printable(certificate.subject().to_slash()), roles, std::move(certificate)};
}

Result<Whom> by_certificate(Session& session, const Params& params) {
  PKI_TRY(auto certificate, x509::Certificate::from_pem(params.text("certificate")));
  return by_holding(session, std::move(certificate));
}

Result<Whom> by_curve_key(Session& session, const Params& params) {
  const auto key = params.text("curve_key");
  const auto& realm = session.realm().name.text();
  for (const auto& peer : session.snapshot().server.zmq_peers) {
    if (peer.key == key && (peer.realm == "*" || peer.realm == realm)) return Whom{"curve:" + peer.name, peer.roles};
  }
  return Error(Code::AuthFailed, "CURVE key " + base::printable(key, kMaxShown) + " belongs to no peer of realm " + realm,
               "a <peer> of <zmq-peers> in chancery.xml makes it one");
}

Result<Whom> by_loopback(Session& session, const Params& params) {
  const auto text = params.text("endpoint");
  for (const auto& endpoint : session.snapshot().server.zmq_endpoints) {
    if (endpoint.realm != session.realm().name.text() || endpoint.loopback_peers.empty()) continue;
    if (text == endpoint.address + ":" + std::to_string(endpoint.port)) return Whom{std::string(kLoopbackPeer), endpoint.loopback_peers};
  }
  return Error(Code::AuthFailed, "endpoint " + base::printable(text, kMaxShown) + " of this realm gives loopback peers no roles",
               "loopback-peers of the <endpoint> in chancery.xml does");
}

/// Who has shown nothing.
Result<Whom> by_nothing(Session& /*session*/, const Params& /*params*/) { return Whom{"anybody", Roles{Role::Anonymous}}; }

struct Evidence {
  std::string_view name;
  std::string_view param;  ///< the one that it needs; empty: none
  Result<Whom> (*read)(Session&, const Params&);
};
constexpr std::array kEvidence{Evidence{"anybody", "", by_nothing}, Evidence{"certificate", "certificate", by_certificate},
                               Evidence{"curve_key", "curve_key", by_curve_key}, Evidence{"loopback", "endpoint", by_loopback}};

/// At most what the front end may.
Identity limited(const Session& session, const Whom& whom) {
  const auto& front_end = session.vouching();
  return {whom.name, front_end.front_end, whom.roles.narrowed_to(front_end.roles)};
}

/// A peer that is a front end itself. Its role must stand there by name: an administrator may do what front ends do, but not
/// speak for others.
Result<Identity> as_front_end(const Session& session, const Whom& whom) {
  if (!whom.roles.has(Role::Frontend))
    return Error(Code::Denied,
                 "to speak for others needs the role frontend, " + whom.name + " has " +
                     (whom.roles.empty() ? "none" : base::join(whom.roles.names(), ", ")),
                 "roles of its <peer> in chancery.xml, or loopback-peers of the <endpoint>");
  auto identity = limited(session, whom);
  identity.front_end += "/" + whom.name;
  return identity;
}

/// @return nobody for the front end itself. @errors InvalidParams: the parameter of another kind, or none; those of the evidence.
Result<std::optional<Whom>> read_evidence(Session& session, const Params& params) {
  const auto kind = params.text("evidence");
  const Evidence* found = nullptr;
  for (const auto& one : kEvidence) {
    if (one.name == kind) found = &one;
    if (one.param.empty() || params.has(one.param) == (one.name == kind)) continue;
    return Error(Code::InvalidParams, "evidence " + kind + (one.name == kind ? " without " : " with ") + std::string(one.param));
  }
  if (params.has("holder") && !params.boolean("as_front_end"))
    return Error(Code::InvalidParams, "holder without as_front_end: only a front end speaks for one");
  if (found == nullptr && params.boolean("as_front_end"))
    return Error(Code::InvalidParams, "as_front_end with evidence " + kind + ", expected that of a peer");
  if (found == nullptr) return std::optional<Whom>();
  PKI_TRY(auto whom, found->read(session, params));
  return std::optional(std::move(whom));
}

Json describe(const Session& session) {
  return Json::object({{"realm", session.realm().name.text()},
                       {"identity", session.identity().name},
                       {"roles", Json::strings(session.identity().roles.names())}});
}

Result<Json> describe_holder(Session& session, const x509::Certificate& certificate) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto record, store->certificate(certificate.serial()));
  auto out = describe(session);
  if (const auto cn = certificate.subject().common_name()) out.set("cn", *cn);
  return out.set("serial", certificate.serial().hex()).set("dn", certificate.subject().to_slash()).set("profile", record.profile);
}

/// For the front end behind this one, or for the holder that it names.
Result<Json> attest_front_end(Session& session, const Whom& peer, const Params& params) {
  PKI_TRY(auto front_end, as_front_end(session, peer));
  if (!params.has("holder")) {
    session.attest_front_end(std::move(front_end));
    return describe(session);
  }
  PKI_TRY(auto certificate, x509::Certificate::from_pem(params.text("holder")));
  PKI_TRY(const auto holder, by_holding(session, std::move(certificate)));
  session.attest_front_end(std::move(front_end));
  session.attest(limited(session, holder), holder.certificate);
  return describe_holder(session, *holder.certificate);
}

}  // namespace

Status check_attestation_holds(Session& session) {
  if (!session.login()) return {};
  const auto who = session.identity().name;
  const auto roles = roles_of_holder(session, *session.login());
  if (roles.ok()) {
    session.attest(limited(session, {who, *roles}), session.login());
    return {};
  }
  if (roles.error().code() != Code::AuthFailed) return roles.error();
  session.attest_nobody();
  base::log_warning("the attestation of " + who + " ended: " + roles.error().message());
  return Error(Code::AuthFailed, "the attestation of " + who + " ended: " + roles.error().message(), "call session.attest again");
}

Result<bool> profile_stands(Session& session, const store::CertificateRecord& record) {
  if (!makes_registration_authority(record.profile)) return true;
  return is_registration_authority(session, record);
}

Result<Json> attest(Session& session, const Params& params) {
  if (session.opened_as().front_end.empty())
    return Error(Code::Denied, "session.attest is for front ends, this is " + session.identity().name,
                 "name one in session.open");
  session.attest_nobody();  // until it is known better, whatever comes in between
  PKI_TRY(const auto whom, read_evidence(session, params));
  if (!whom) {
    session.log_out();
    return describe(session);
  }
  if (params.boolean("as_front_end")) return attest_front_end(session, *whom, params);
  session.attest(limited(session, *whom), whom->certificate);
  if (whom->certificate) return describe_holder(session, *whom->certificate);
  return describe(session);
}

}  // namespace chancery::worker
