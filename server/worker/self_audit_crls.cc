#include <algorithm>
#include <map>

#include "server/worker/self_audit.h"
#include "server/x509/crl.h"
#include "server/x509/reasons.h"

/// The CRLs of each generation that signs some: fresh, its own, and with all that is revoked.
namespace chancery::worker {
namespace {

constexpr std::size_t kMostNamed = 100;
/// Beyond what the realm allows a revocation to wait: a CRL of a million entries takes its time.
constexpr std::chrono::minutes kSlack{5};

std::string name_of(const realm::Generation& generation, std::string_view kind) {
  return "CRL of " + generation.label + std::string(kind);
}

/// @return the CRL, when it can be read and is this CA's.
std::optional<x509::Crl> look_at_crl(AuditStep& step, const realm::Generation& generation, const store::CrlRecord& record,
                                     Seconds now) {
  const auto name = name_of(generation, record.base > 0 ? ", the delta" : "");
  if (now > record.next_update)
    step.found(name, "CRL " + std::to_string(record.number) + " has run out at " + base::to_rfc3339(record.next_update));
  auto crl = x509::Crl::from_der(record.der);
  if (!crl.ok()) {
    step.found(name, "it cannot be read: " + crl.error().message());
    return std::nullopt;
  }
  if (const auto own = crl->verify_signed_by(generation.authority->certificate); !own.ok()) {
    step.found(name, "it is not signed by its CA: " + own.error().message());
    return std::nullopt;
  }
  const bool is_same = crl->number() == record.number && crl->this_update() == record.this_update &&
                       crl->next_update() == record.next_update && crl->base().value_or(0) == record.base;
  if (!is_same) step.found(name, "its numbers and times are not those of its row");
  return std::move(crl).value();
}

/// Each revoked certificate is on it, unless it was revoked so lately that it may still wait.
Status look_for_revoked(AuditStep& step, const realm::Generation& generation, const x509::Crl& crl, Seconds now) {
  const auto& realm = step.session().realm();
  PKI_TRY(const auto revoked, step.store().revoked_for_crl(generation.label, now));
  std::map<Serial, const x509::RevokedEntry*> listed;
  for (const auto& entry : crl.entries()) listed.emplace(entry.serial, &entry);
  std::size_t named = 0;
  for (const auto& one : revoked) {
    const auto found = listed.find(one.serial);
    const bool may_wait = one.revoked_at + realm.crl_after_revocation + kSlack >= now;
    const bool is_listed = found != listed.end() && x509::reason_name(found->second->reason) == one.reason;
    if (is_listed || may_wait || ++named > kMostNamed) continue;
    step.found(one.serial.hex(), "it is revoked for " + one.reason + " since " + base::to_rfc3339(one.revoked_at) + ", and " +
                                     (found == listed.end() ? "not on CRL " : "for another reason on CRL ") +
                                     std::to_string(crl.number()));
  }
  if (named > kMostNamed) step.found(name_of(generation, ""), std::to_string(named) + " revoked certificates are not on it");
  return {};
}

/// Those on it are revoked.
Status look_for_others(AuditStep& step, const realm::Generation& generation, const x509::Crl& crl, Seconds now) {
  const auto& realm = step.session().realm();
  for (const auto& entry : crl.entries()) {
    const auto row = step.store().certificate(entry.serial, generation.label);
    if (!row.ok() && row.error().code() == Code::NotFound) continue;  // a part of its own names what is missing
    if (!row.ok()) return row.error();
    const bool may_wait = crl.this_update() + realm.crl_after_revocation + kSlack >= now;  // a hold was lifted
    if (row->state == store::CertificateState::Valid && !may_wait)
      step.found(entry.serial.hex(), "it is valid, and on CRL " + std::to_string(crl.number()));
  }
  return {};
}

Status look_at_generation(AuditStep& step, const realm::Generation& generation, Seconds now) {
  const auto latest = step.store().latest_crl(generation.label);
  if (!latest.ok() && latest.error().code() == Code::NotFound) {
    if (generation.state == realm::GenerationState::Active) step.found(name_of(generation, ""), "there is none");
    return {};
  }
  if (!latest.ok() && latest.error().code() == Code::Corrupt) {
    step.found(name_of(generation, ""), latest.error().message());
    return {};
  }
  if (!latest.ok()) return latest.error();
  if (const auto crl = look_at_crl(step, generation, *latest, now)) {
    PKI_TRY_VOID(look_for_revoked(step, generation, *crl, now));
    PKI_TRY_VOID(look_for_others(step, generation, *crl, now));
  }
  if (step.session().realm().crl_delta.count() == 0) return {};
  const auto delta = step.store().latest_delta_crl(generation.label);
  if (delta.ok()) {
    (void)look_at_crl(step, generation, *delta, now);
  } else {
    step.found(name_of(generation, ", the delta"), delta.error().message());
  }
  return {};
}

}  // namespace

Result<std::string> audit_crls(AuditStep& step, const std::string& /*cursor*/) {
  PKI_TRY(const auto* known, step.session().generations());
  const auto all = *known;
  const auto now = step.session().clock().now();
  for (const auto& one : all) {
    if (!one.authority || !realm::may_sign_crl(one.state) || now > one.authority->certificate.not_after()) continue;
    PKI_TRY_VOID(look_at_generation(step, one, now));
  }
  return std::string();
}

}  // namespace chancery::worker
