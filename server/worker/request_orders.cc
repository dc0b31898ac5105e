#include "server/worker/request_orders.h"

#include <algorithm>

#include "server/base/text.h"
#include "server/realm/access.h"
#include "server/worker/access.h"
#include "server/worker/describe.h"
#include "server/worker/refusals.h"
#include "server/worker/request_realm.h"

namespace chancery::worker {
namespace {

using realm::RequestKind;

/// The certificate that a request is about. @errors NotFound; Conflict: it has ended.
Result<store::CertificateRecord> living_certificate(Session& session, const std::string& serial_text) {
  PKI_TRY(const auto serial, Serial::from_hex(serial_text));
  PKI_TRY(auto* store, session.store());
  auto record = store->certificate(serial);
  if (!record.ok())
    return record.error().code() == Code::NotFound ? Error(Code::NotFound, "Certificate not found: " + serial.hex())
                                                   : record.error();
  const auto state = state_of(*record, session.clock().now());
  if (state == "valid" || (state == "expired" && record->state == store::CertificateState::Valid)) return record;
  return Error(Code::Conflict, "certificate " + serial.hex() + " is " + state + ", expected a valid one");
}

Result<Order> enrolment(Session& /*session*/, const RequestWish& wish) {
  PKI_TRY(auto order, order_from_csr(wish.csr));
  PKI_TRY_VOID(order.csr->verify_possession());
  PKI_TRY_VOID(set_sans(order, wish.sans));
  PKI_TRY(order.profile, ProfileName::parse(wish.profile));
  return order;
}

/// The same names and profile again, for the same key or that of a request.
Result<Order> renewal(Session& session, const RequestWish& wish) {
  PKI_TRY(const auto record, living_certificate(session, wish.serial));
  if (record.der.empty())
    return Error(Code::Conflict, "of certificate " + record.serial.hex() + " only the serial is known, so it is not renewed");
  PKI_TRY(const auto old, x509::Certificate::from_der(record.der));
  Order order;
  if (!wish.csr.empty()) {
    PKI_TRY(order, order_from_csr(wish.csr));
    PKI_TRY_VOID(order.csr->verify_possession());
  } else {
    order.key = old.public_key();
    order.renews = record.serial;
  }
  order.follows = record.serial;
  order.subject = old.subject();
  order.sans = old.sans();
  PKI_TRY(order.profile, ProfileName::parse(record.profile));
  return order;
}

/// Other names for the holder of a certificate.
Result<Order> name_change(Session& session, const RequestWish& wish) {
  PKI_TRY(auto order, renewal(session, wish));
  order.has_new_names = true;
  order.follows.reset();
  if (!wish.dn.empty()) {
    PKI_TRY(order.subject, x509::Name::parse_any(wish.dn));
  }
  if (!wish.sans.empty()) PKI_TRY_VOID(set_sans(order, wish.sans));
  return order;
}

struct Row {
  RequestKind kind;
  Result<Order> (*order)(Session&, const RequestWish&);
};
constexpr std::array kRows{Row{RequestKind::Enrolment, enrolment}, Row{RequestKind::Renewal, renewal},
                           Row{RequestKind::NameChange, name_change}};

/// Whoever approves stands in for the role that the profile wants; here it is asked what they would approve.
Roles roles_for(const config::RealmConfig& realm, const config::Profile& profile) {
  auto roles = realm::roles_from_names(realm.people, profile.approval.roles);
  roles.add(config::holders_role(profile) ? Role::CaOperator : profile.least_role);
  return roles;
}

}  // namespace

Json to_json(const RequestWish& wish) {
  return Json::object({{"kind", realm::to_text(wish.kind)},
                       {"csr", wish.csr},
                       {"profile", wish.profile},
                       {"sans", Json::strings(wish.sans)},
                       {"days", wish.days},
                       {"serial", wish.serial},
                       {"dn", wish.dn},
                       {"reason", wish.reason},
                       {"ca", wish.ca},
                       {"step", wish.step},
                       {"from", wish.from},
                       {"config", wish.config},
                       {"shown", Json::strings(wish.shown)},
                       {"not_shown", Json::strings(wish.not_shown)},
                       {"approvals", wish.approvals}});
}

Result<RequestWish> request_wish_from_json(const Json& object) {
  RequestWish wish{.csr = object.text("csr"),
                   .profile = object.text("profile"),
                   .sans = object.texts("sans"),
                   .days = object.integer("days"),
                   .serial = object.text("serial"),
                   .dn = object.text("dn"),
                   .reason = object.text("reason"),
                   .ca = object.text("ca"),
                   .step = object.text("step"),
                   .from = object.text("from"),
                   .config = object.text("config"),
                   .shown = object.texts("shown"),
                   .not_shown = object.texts("not_shown"),
                   .approvals = object.integer("approvals")};
  PKI_TRY(wish.kind, realm::request_kind(object.text("kind")));
  return wish;
}

Result<Order> order_for(Session& session, const RequestWish& wish) {
  const auto* const row = std::ranges::find(kRows, wish.kind, &Row::kind);
  PKI_CHECK(row != kRows.end());
  PKI_TRY(auto order, row->order(session, wish));
  order.hmac = wish.hmac;
  order.signature = wish.signature;
  order.shown = wish.shown;
  order.not_shown = wish.not_shown;
  if (wish.days > 0) order.validity = std::chrono::days{wish.days};
  order.rule = "request";  // the way that policy rules know; its id comes with what is issued
  return order;
}

Result<ProfileName> profile_of_wish(Session& session, const RequestWish& wish) {
  if (wish.kind == RequestKind::Enrolment) return ProfileName::parse(wish.profile);
  PKI_TRY(const auto record, living_certificate(session, wish.serial));
  return ProfileName::parse(record.profile);
}

namespace {

/// Whether the answer is about a proof with which somebody may guess. @param name  of one of Ruling::answers
bool compares_secrets(const std::string& name) {
  const auto proof = config::Proof::parse(name);
  if (!proof.ok()) return false;
  const auto* const kind = std::ranges::find(config::kProofKinds, proof->kind, &config::ProofKind::name);
  return kind != config::kProofKinds.end() && kind->names == config::ProofNames::Secret;
}

}  // namespace

void note_shown(RequestWish& wish, const realm::Ruling& ruling) {
  const auto note = [](std::vector<std::string>& labels, const std::string& label) {
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
  };
  for (const auto& one : ruling.points.proofs) {
    if (one.holds) note(wish.shown, one.label);
  }
  for (const auto& [label, holds] : ruling.answers) {
    if (!holds && compares_secrets(label)) note(wish.not_shown, label);
  }
}

Result<realm::RequestContent> content_of(Session& session, RequestWish& wish, realm::RequestContent content) {
  if (wish.kind == RequestKind::Revocation) {
    PKI_TRY(const auto record, living_certificate(session, wish.serial));
    PKI_TRY_VOID(check_access_to(session, about_record(record)));
    return content;
  }
  if (wish.kind == RequestKind::Rollover) return rollover_content(session, wish, std::move(content));
  if (wish.kind == RequestKind::RuleChange) return rules_content(session, wish, std::move(content));
  PKI_TRY(auto order, order_for(session, wish));
  PKI_TRY(const auto* profile, profile_of(session, order.profile));
  order.roles = roles_for(session.realm(), *profile);
  order.is_approved = true;
  order.requester = content.requester;  // whoever looks at it now: rules and their templates are about who asked
  order.requester_front_end = content.front_end;
  PKI_TRY(const auto decision, judge(session, order));
  if (!decision.allowed()) {
    note_refusal(session, order, decision);
    return decision.refusal();
  }
  if (decision.ruling) {
    note_shown(wish, *decision.ruling);
    wish.approvals = decision.ruling->points.missing();
  }
  realm::set_grant(content, decision.grant, *profile);
  content.validity = order.validity.value_or(profile->validity);
  return content;
}

}  // namespace chancery::worker
