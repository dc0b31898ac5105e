#include "server/worker/issue.h"

#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/realm/names.h"
#include "server/worker/access.h"
#include "server/worker/describe.h"
#include "server/worker/enrolment_proofs.h"
#include "server/worker/key_sweep.h"
#include "server/worker/policy_facts.h"
#include "server/worker/policy_room.h"
#include "server/worker/refusals.h"
#include "server/worker/revocation.h"

namespace chancery::worker {
namespace {

constexpr int kSerialTries = 3;  // PROMISES F15
// Of evidence, as it is written and read again.
constexpr std::string_view kRolesPart = ", roles ";
constexpr std::string_view kRulePart = ", policy rule ";
constexpr std::string_view kAnswersPart = ", answers ";

/// What follows a part's beginning, up to the next part.
std::string_view part_of(std::string_view evidence, std::string_view beginning) {
  const auto at = evidence.rfind(beginning);
  if (at == std::string_view::npos) return {};
  const auto rest = evidence.substr(at + beginning.size());
  return rest.substr(0, rest.find(','));
}

/// @return what is known against the key; empty: nothing.
Result<std::string> report_about(Session& session, const crypto::PublicKey& key) {
  if (key.empty()) return std::string();
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto report, store->compromised_key(key.spki_sha256_hex()));
  if (!report) return std::string();
  return "the key is compromised: certificate " + report->serial.hex() + " was revoked for that " +
         base::to_rfc3339(report->reported_at);
}

std::string requester_of(const Session& session, const Order& order) { return order.requester.value_or(session.requester()); }
std::string front_end_of(const Session& session, const Order& order) {
  return order.requester ? order.requester_front_end : session.identity().front_end;
}

realm::Wish wish_for(const Session& session, const Order& order, const config::Profile& profile, std::string key_report) {
  return realm::Wish{.profile = &profile,
                     .subject = order.subject,
                     .sans = order.sans,
                     .key = order.key,
                     .key_report = std::move(key_report),
                     .subject_from = order.subject_from,
                     .validity = order.validity,
                     .not_before = order.not_before,
                     .not_after = order.not_after,
                     .roles = order.roles.value_or(session.identity().roles),
                     .keeps_its_key = order.renews.has_value() && !order.has_new_names,
                     .by_seed = order.by_seed,
                     .is_approved = order.is_approved,
                     .names_are_configured = order.names_are_configured,
                     .way = realm::way_of(order.rule),
                     .requester = requester_of(session, order),
                     .follows_until = order.follows_until,
                     .key_stands_in = order.key_stands_in,
                     .role_names = order.roles ? order.roles->names() : session.identity().role_names(),
                     .is_holders = order.is_holders,
                     .ruling = {}};
}

/// What the realm's rules say, and what they make of the wish. A listener's names are the configuration's own.
/// @param asked  what they have said of that order before; filled in where they have not
Status ask_policy(Session& session, const Order& order, realm::Wish& wish, std::optional<realm::Ruling>& asked) {
  const auto& policy = session.realm().policy;
  if (policy.is_empty() || wish.names_are_configured) return {};
  if (!asked) {
    // A proof that the request's key made is worth what that key's owner shows.
    if (order.csr) PKI_TRY_VOID(order.csr->verify_possession());
    const PolicyFacts facts(session, &order);
    PKI_TRY(asked, realm::rule_on(session.realm(), wish, session.clock().now(), facts));
    asked->answers = facts.answers();
  }
  realm::apply(*asked, wish);
  return {};
}

/// Whether the name is an administrator's, and the key.
Status look_for_administrator(Session& session, realm::Wish& wish) {
  const auto dn = realm::subject_for(wish).to_slash();
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto admin, store->admin(dn));
  wish.names_administrator = admin.listed;
  wish.key_is_administrators = !wish.key.empty() && std::ranges::find(admin.keys, wish.key.spki_sha256_hex()) != admin.keys.end();
  return {};
}

/// "file:bad.txt=no challenge:fleet=yes"; those alone that are words.
std::string words_of(const std::map<std::string, bool>& answers) {
  std::vector<std::string> words;
  for (const auto& [name, yes] : answers) {
    const auto fits = [](char c) { return (c > ' ' && c < 0x7f && c != ',' && c != ';' && c != '='); };
    if (std::ranges::all_of(name, fits)) words.push_back(name + (yes ? "=yes" : "=no"));
  }
  return base::join(words, " ");
}

/// Built-in roles, and the realm's own beside them.
std::string words_of(const Identity& identity) {
  auto names = identity.roles.names();
  for (const auto& name : identity.given) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return base::join(names, " ");
}

/// How the right was shown (PROMISES C17): what the order says, which rule granted it, and whom the socket's other end belongs
/// to.
std::string evidence_of(const Session& session, const Order& order, const realm::Decision& decision) {
  const auto& peer = session.peer();
  auto text = "peer uid " + std::to_string(peer.uid) + " pid " + std::to_string(peer.pid) + std::string(kRolesPart) +
              words_of(session.identity());
  if (order.csr) text += ", request with proof of possession";
  if (!decision.policy_rule.empty()) text += std::string(kRulePart) + decision.policy_rule;
  if (decision.ruling && !decision.ruling->answers.empty())
    text += std::string(kAnswersPart) + words_of(decision.ruling->answers);
  return order.evidence.empty() ? text : order.evidence + "; " + text;
}

signer::SignRequest to_request(const Session& session, const Order& order, const realm::Decision& decision,
                               const std::string& ca) {
  const auto& grant = decision.grant;
  std::optional<Bytes> csr;
  if (order.csr) csr.emplace(order.csr->der().begin(), order.csr->der().end());
  return signer::SignRequest{.serial = grant.serial,
                             .profile = grant.profile,
                             .subject = grant.subject,
                             .sans = grant.sans,
                             .spki = grant.spki,
                             .not_before = grant.not_before,
                             .not_after = grant.not_after,
                             .csr = std::move(csr),
                             .renews = order.renews,
                             .requester = requester_of(session, order),
                             .front_end = front_end_of(session, order),
                             .rule = order.rule,
                             .evidence = evidence_of(session, order, decision),
                             .idempotency_key = order.idempotency_key,
                             .approved = order.request,
                             .ca = ca};
}

/// A signer that was restarted meanwhile answers the second time; the serial makes the repetition harmless.
Result<signer::Signed> sign(Session& session, const signer::SignRequest& request) {
  for (int attempt = 0;; ++attempt) {
    PKI_TRY(auto* signer, session.signer());
    auto outcome = signer->sign_certificate(request);
    const bool lost = !outcome.ok() && (outcome.error().code() == Code::Closed || outcome.error().code() == Code::Malformed);
    if (!lost) return outcome;
    if (attempt > 0)
      return Error(Code::Unavailable, "the signer ended while it signed", "retry; an idempotency_key gives the same certificate");
  }
}

/// What an administrator has certified under another one's name is for that one to be an administrator with.
Status bind_administrator(store::Store& store, const store::NewCertificate& row, const x509::Certificate& certificate) {
  const auto key = certificate.public_key().spki_sha256_hex();
  PKI_TRY(const bool bound, store.bind_admin_keys({row.subject, {key}, row.issued_at, row.requester}));
  if (bound) base::log_info("key " + key + " bound to administrator " + row.subject + " by " + row.requester);
  return {};
}

/// A key that was reported while it was certified.
Error end_at_once(Session& session, const Serial& serial) {
  const auto revoked = revoke_for_its_key(session, serial);
  if (!revoked.ok()) return revoked.error();
  return {Code::Conflict,
          "the key was reported compromised while it was certified, so its certificate " + serial.hex() + " is revoked"};
}

/// What was revoked or deleted while its renewal was made does not live on in it. What is revoked from here on finds the renewal
/// in the store.
Status check_followed(Session& session, const Serial& followed, const x509::Certificate& renewal) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto before, store->certificate(followed));
  const auto node = before.cn.empty() ? Result<store::NodeRecord>(Error(Code::NotFound, "")) : store->node(before.cn);
  const bool is_gone = !before.cn.empty() && !node.ok() && node.error().code() == Code::NotFound;
  if (before.state == store::CertificateState::Valid && !is_gone) return {};
  PKI_TRY([[maybe_unused]] const auto revoked, revoke(session, renewal.serial(), "cessationOfOperation"));
  return Error(Code::Conflict, "certificate " + followed.hex() + " ended while it was renewed, so its renewal " +
                                   renewal.serial().hex() + " is revoked, too");
}

Result<Issued> sign_and_store(Session& session, const Order& order, const realm::Decision& decision, const std::string& ca,
                              const PolicyRoom& room) {
  const auto now = session.clock().now();
  PKI_TRY(const auto made, sign(session, to_request(session, order, decision, ca)));
  PKI_TRY(auto certificate, x509::Certificate::from_der(made.certificate));
  // Of an answer of before a rollover the generation before it is the signer.
  const auto above = session.generation_above(certificate);
  auto row = to_stored(certificate, above.ok() ? (*above)->label : ca, order.profile.text(), now);
  row.requester = requester_of(session, order);
  row.front_end = front_end_of(session, order);
  row.rule = order.rule;
  row.evidence = evidence_of(session, order, decision);
  row.idempotency_key = order.idempotency_key;
  row.acme_account = order.acme_account;
  row.acme_order = order.acme_order;
  row.is_renewal = order.follows.has_value();
  row.reservation = room.id();
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto added, store->add_certificate(row));
  if (decision.binds_administrator) PKI_TRY_VOID(bind_administrator(*store, row, certificate));
  if (added == store::Added::Compromised) return end_at_once(session, row.serial);
  if (order.follows && !made.replayed) PKI_TRY_VOID(check_followed(session, *order.follows, certificate));
  base::log_info("issued " + row.serial.hex() + " " + order.profile.text() + " " + row.subject + " for " + row.requester +
                 (made.replayed ? " (again)" : ""));
  return Issued{std::move(certificate), order.profile.text(), made.replayed};
}

}  // namespace

Result<const config::Profile*> profile_of(const Session& session, const ProfileName& name) {
  const auto& profiles = session.realm().profiles;
  const auto found = profiles.find(name);
  if (found == profiles.end())
    return Error(Code::NotFound, "profile not found: " + name.text(), "profile.list lists the realm's profiles");
  return &found->second;
}

Result<Order> order_from_csr(const std::string& pem) {
  PKI_TRY(auto csr, x509::Csr::from_pem(pem));
  Order order;
  order.key = csr.public_key();
  order.subject = csr.subject();
  order.sans = csr.sans();
  order.csr = std::move(csr);
  return order;
}

Status set_sans(Order& order, const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  order.sans.clear();
  for (const auto& text : texts) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    order.sans.push_back(std::move(name));
  }
  return {};
}

Status check_may_give_role(const Session& session, const std::string& what, const std::string& hint) {
  if (session.identity().roles.allow(realm::kMakesHolders)) return {};
  return Error(Code::Denied, what + ": that needs the role " + std::string(base::to_text(realm::kMakesHolders)), hint);
}

Result<const realm::Generation*> generation_for(Session& session, const Order& order) {
  const auto& realm = session.realm();
  PKI_TRY(const auto* profile, profile_of(session, order.profile));
  const auto ca = order.ca.empty() ? realm::ca_for(realm, order.profile) : order.ca;
  PKI_TRY_VOID(realm::check_ca_issues(realm, ca, order.profile));
  PKI_TRY(const auto* all, session.generations());
  const auto now = session.clock().now();
  const auto begin = order.not_before.value_or(now - realm.backdate);
  const auto end = order.not_after.value_or(begin + order.validity.value_or(profile->validity) - std::chrono::seconds{1});
  if (const auto* found = realm::issuing(*all, ca, now, end)) return found;
  if (ca != config::kFirstCa)
    return Error(Code::Unavailable, "CA " + ca + " has no generation that issues",
                 "chancery ca rollover start --ca " + ca + " makes one");
  // The first CA says itself what is the matter with it: it waits, or the decision finds that it has expired.
  PKI_TRY_VOID([&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto* authority, session.authority());
    return {};
  }());
  return session.generation(ca);
}

namespace {

Result<realm::Decision> judge_by(Session& session, const Order& order, const realm::Generation& generation,
                                 std::optional<realm::Ruling>& asked) {
  PKI_TRY(const auto* profile, profile_of(session, order.profile));
  PKI_TRY(auto report, report_about(session, order.key));
  auto wish = wish_for(session, order, *profile, std::move(report));
  PKI_TRY_VOID(ask_policy(session, order, wish, asked));
  PKI_TRY_VOID(look_for_administrator(session, wish));
  const auto subject = realm::subject_for(wish);
  PKI_TRY_VOID(check_access_to(session, realm::about_certificate(order.profile.text(), subject, order.sans)));
  auto decision = realm::decide(session.realm(), *generation.authority, wish, session.clock().now(), Serial::random());
  if (decision.allowed()) {  // what the certificate would be, beside what was asked for
    const auto& grant = decision.grant;
    PKI_TRY_VOID(check_access_to(session, realm::about_certificate(order.profile.text(), grant.subject, grant.sans)));
  }
  return decision;
}

/// A signer that says no to a generation may know of a rollover that this session has not seen. @return whether another one is
/// the one to ask now.
Result<bool> issues_by_another(Session& session, const Order& order, const std::string& refused) {
  PKI_TRY_VOID(session.refresh_generations());
  PKI_TRY(const auto* generation, generation_for(session, order));
  return generation->label != refused;
}

}  // namespace

Result<realm::Decision> judge(Session& session, const Order& order) {
  PKI_TRY(const auto* generation, generation_for(session, order));
  std::optional<realm::Ruling> asked;
  return judge_by(session, order, *generation, asked);
}

namespace {

/// Signs where there is room.
Result<Issued> issue_decided(Session& session, const Order& order, const realm::Decision& decision, const std::string& ca) {
  PKI_TRY(auto room, PolicyRoom::take(session, order, decision));
  auto issued = sign_and_store(session, order, decision, ca, room);
  if (issued.ok()) room.revoke_replaced(issued->certificate.serial());
  if (!issued.ok() && is_refusal(issued.error())) room.give_back();
  return issued;
}

/// What its proof got already; none: nothing yet. @errors InvalidParams: that has ended.
Result<std::optional<Issued>> issued_by_proof(Session& session, const std::string& key) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto before, store->by_idempotency_key(key));
  if (!before) return std::optional<Issued>();
  if (before->state != store::CertificateState::Valid || before->not_after <= session.clock().now())
    return Error(Code::InvalidParams, "this request and its proof have had their certificate, which has ended",
                 "make a new request, by a new key");
  PKI_TRY(auto certificate, x509::Certificate::from_der(before->der));
  return std::optional(Issued{std::move(certificate), before->profile, true});
}

/// Decides, and signs.
/// @param asked  as of ask_policy
/// @param serial  of what was decided, once it is
Result<Issued> issue_by(Session& session, const Order& order, const realm::Generation& generation,
                        std::optional<realm::Ruling>& asked, std::optional<Serial>& serial) {
  if (const auto key = key_of_hmac(order)) {
    PKI_TRY(auto before, issued_by_proof(session, *key));
    if (before) return *std::move(before);
  }
  PKI_TRY(const auto decision, judge_by(session, order, generation, asked));
  if (!decision.allowed()) {
    note_refusal(session, order, decision);
    return decision.refusal();
  }
  serial = decision.grant.serial;
  const auto key = key_of_proof(order, decision);
  if (!key) return issue_decided(session, order, decision, generation.label);
  PKI_TRY(auto before, issued_by_proof(session, *key));
  if (before) return *std::move(before);
  auto once = order;
  once.idempotency_key = *key;
  return issue_decided(session, once, decision, generation.label);
}

}  // namespace

Result<Issued> issue(Session& session, const Order& order, std::optional<realm::Ruling> asked) {
  for (int attempt = 1;; ++attempt) {
    PKI_TRY(const auto* generation, generation_for(session, order));
    const auto ca = generation->label;
    std::optional<Serial> serial;
    auto issued = issue_by(session, order, *generation, asked, serial);
    if (issued.ok() || attempt >= kSerialTries) return issued;
    if (issued.error().code() == Code::Conflict) {
      const auto another = issues_by_another(session, order, ca);
      if (another.ok() && *another) continue;
    }
    // Another TBS under that serial: the random numbers repeat. A new serial, and an alarm.
    if (issued.error().code() != Code::Exists || !serial) return issued;
    base::log_error("serial " + serial->hex() + " exists already: the random numbers of this machine repeat");
  }
}

Roles roles_in_evidence(std::string_view evidence) {
  Roles roles;
  for (const auto& word : base::split(part_of(evidence, kRolesPart), ' ')) {
    if (const auto role = base::role_from_text(word); role.ok()) roles.add(*role);
  }
  return roles;
}

std::vector<std::string> role_names_in_evidence(std::string_view evidence) {
  return base::split(part_of(evidence, kRolesPart), ' ');
}

std::map<std::string, bool> answers_in_evidence(std::string_view evidence) {
  std::map<std::string, bool> answers;
  for (const auto& word : base::split(part_of(evidence, kAnswersPart), ' ')) {
    const auto equals = word.find('=');
    if (equals != std::string::npos) answers[word.substr(0, equals)] = word.substr(equals + 1) == "yes";
  }
  return answers;
}

std::string rule_in_evidence(std::string_view evidence) { return std::string(part_of(evidence, kRulePart)); }

bool is_refusal(const Error& why) {
  constexpr std::array kRefusals{Code::PolicyRefused, Code::Denied,   Code::NotFound, Code::InvalidParams,
                                 Code::Malformed,     Code::TooLarge, Code::BadKey};
  return std::ranges::find(kRefusals, why.code()) != kRefusals.end();
}

store::NewCertificate to_stored(const x509::Certificate& certificate, const std::string& ca, const std::string& profile,
                                Seconds issued_at) {
  return store::NewCertificate{.serial = certificate.serial(),
                               .ca = ca,
                               .der = Bytes(certificate.der().begin(), certificate.der().end()),
                               .key = certificate.public_key().spki_sha256_hex(),
                               .profile = profile,
                               .subject = certificate.subject().to_slash(),
                               .cn = certificate.subject().common_name().value_or(""),
                               .sans = san_texts(certificate.sans()),
                               .not_before = certificate.not_before(),
                               .not_after = certificate.not_after(),
                               .issued_at = issued_at};
}

}  // namespace chancery::worker
