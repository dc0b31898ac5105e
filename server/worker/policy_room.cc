#include "server/worker/policy_room.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/issue.h"
#include "server/worker/revocation.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kIdOctets = 16;
constexpr std::size_t kMostReplaced = 100;
constexpr std::size_t kMostShown = 80;

/// A request that was answered before makes no second certificate (PROMISES C6), so it needs no room.
Result<bool> is_repeated(Session& session, const Order& order) {
  if (order.idempotency_key.empty()) return false;
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto before, store->by_idempotency_key(order.idempotency_key));
  return before.has_value();
}

std::vector<store::LivingReservation::Limit> limits_of(const realm::Ruling& ruling, const std::string& subject,
                                                       const std::string& requester) {
  std::vector<store::LivingReservation::Limit> limits;
  if (ruling.most_of_subject != 0) limits.push_back({.of_subject = true, .whose = subject, .most = ruling.most_of_subject});
  if (ruling.most_of_requester != 0)
    limits.push_back({.of_subject = false, .whose = requester, .most = ruling.most_of_requester});
  // Two that replace the same one would each leave the other's in force.
  if (ruling.revoke_replaced) limits.push_back({.of_subject = true, .whose = subject, .most = 1, .counts_living = false});
  return limits;
}

}  // namespace

Status check_comparable(const std::string& subject) {
  PKI_TRY(const auto name, x509::Name::from_slash(subject));
  const auto is_odd = [](const x509::Attribute& one) {
    return one.value.starts_with(' ') || one.value.ends_with(' ') || one.value.find("  ") != std::string::npos;
  };
  const auto odd = std::ranges::find_if(name.attributes, is_odd);
  if (odd == name.attributes.end()) return {};
  return Error(
      Code::PolicyRefused,
      odd->type + " \"" + base::printable(odd->value, kMostShown) +
          "\" has spaces at its ends or side by side, expected none: with and without them it is the same name (RFC 5280 "
          "7.1), of which the realm's policy counts the certificates");
}

store::Living living_now(const Session& session, int most) {
  std::chrono::seconds longest{0};
  for (const auto& [name, profile] : session.realm().profiles)
    longest = std::max<std::chrono::seconds>(longest, profile.validity);
  const auto now = session.clock().now();
  return {now, now - longest - session.realm().backdate, most};
}

Result<PolicyRoom> PolicyRoom::take(Session& session, const Order& order, const realm::Decision& decision) {
  PolicyRoom room(session);
  if (!decision.ruling) return room;
  const auto& ruling = *decision.ruling;
  const auto subject = decision.grant.subject.to_slash();
  store::LivingReservation wanted{.at = session.clock().now()};
  wanted.limits = limits_of(ruling, subject, order.requester.value_or(session.requester()));
  if (wanted.limits.empty()) return room;
  if (ruling.most_of_subject != 0 || ruling.revoke_replaced) PKI_TRY_VOID(check_comparable(subject));
  PKI_TRY(const bool repeated, is_repeated(session, order));
  if (repeated) return room;
  // The same request again has the room that it took when it was cut off.
  wanted.id = order.idempotency_key.empty() ? base::to_hex(base::random_bytes(kIdOctets)) : "key:" + order.idempotency_key;
  wanted.alive_since = wanted.at - kRoomLife;
  wanted.living = living_now(session, 1);
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->purge_policy_records(wanted.alive_since, wanted.at - session.realm().enrolment.refused_for, kMostReplaced));
  PKI_TRY(const bool taken, store->reserve_living(wanted));
  if (!taken && ruling.revoke_replaced)
    return Error(Code::Busy, "the certificate of " + subject + " is being replaced just now, by rule " + ruling.rule,
                 "try again later");
  if (!taken)
    return Error(Code::PolicyRefused,
                 "others were first: as many certificates are in force, or being made, as rule " + ruling.rule + " allows");
  room.id_ = wanted.id;
  PKI_TRY_VOID(room.note_replaced(decision));
  return room;
}

Status PolicyRoom::note_replaced(const realm::Decision& decision) {
  if (!decision.ruling->revoke_replaced) return {};
  PKI_TRY(auto* store, session_->store());
  PKI_TRY(const auto records, store->of_name(decision.grant.subject.to_slash(), kMostReplaced));
  const auto now = session_->clock().now();
  for (const auto& record : records) {
    const bool in_force = record.state == store::CertificateState::Valid && record.not_after > now;
    if (in_force && record.profile == decision.grant.profile.text()) replaced_.push_back(record.serial);
  }
  return {};
}

void PolicyRoom::give_back() {
  if (id_.empty()) return;
  const auto store = session_->store();
  const auto done = store.ok() ? (*store)->release_living(id_) : Status(store.error());
  if (!done.ok()) base::log_error("room below a limit of the policy is held until it lapses: " + done.error().message());
}

void PolicyRoom::revoke_replaced(const Serial& by) {
  for (const auto& serial : replaced_) {
    if (serial == by) continue;
    const auto revoked = revoke(*session_, serial, "superseded");
    if (revoked.ok() || revoked.error().code() == Code::Conflict) continue;
    base::log_error("certificate " + serial.hex() + " is replaced by " + by.hex() +
                    " and could not be revoked: " + revoked.error().message());
  }
}

}  // namespace chancery::worker
