#include "server/worker/reconcile.h"
#include "server/worker/acme_retention.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "server/base/log.h"
#include "server/worker/administrator.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/worker/key_sweep.h"
#include "server/worker/request_upkeep.h"
#include "server/worker/retention.h"
#include "server/x509/crl.h"
#include "server/x509/reasons.h"

namespace chancery::worker {
namespace {

// Up to where the store has followed the journal: certificates, and changes of their state.
constexpr const char* kCertificatesPosition = "journal_position";
constexpr const char* kStatesPosition = "journal_states_position";
constexpr std::size_t kPage = 500;

Result<std::uint64_t> position_of(store::Store& store, const char* name) {
  PKI_TRY(const auto text, store.get_meta(name));
  if (!text) return std::uint64_t{0};
  std::uint64_t position = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), position);
  if (failure != std::errc() || end != text->data() + text->size())
    return Error(Code::Corrupt, "journal position \"" + *text + "\" is no number");
  return position;
}

/// What a crash kept from the store, or what an older copy of it lacks.
Status reconcile_certificates(Session& session, store::Store& store, Json& stored) {
  PKI_TRY(auto position, position_of(store, kCertificatesPosition));
  ImportedStates states(session);
  for (;;) {
    PKI_TRY(auto* signer, session.signer());
    PKI_TRY(const auto page, signer->journal_since(position, kPage));
    auto next = page.next_position;
    std::size_t taken_over = 0;
    for (const auto& record : page.records) {
      if (may_be_in_hand(session, record)) {
        next = record.position;
        break;
      }
      PKI_TRY(const auto serial, store_if_missing(store, record, states));
      if (serial && record.taken_over) ++taken_over;
      if (serial && !record.taken_over) stored.push_back(serial->hex());
    }
    if (taken_over > 0) base::log_info("stored " + std::to_string(taken_over) + " certificates that the realm took over");
    if (next == position) return {};
    position = next;
    PKI_TRY_VOID(store.set_meta(kCertificatesPosition, std::to_string(position)));
  }
}

/// The DN that an event is about; empty: none.
std::string dn_of(const Json& event) {
  const auto about = wire::parse_json(event.text("about"));
  return about.ok() ? about->text("dn") : "";
}

/// The administrators that a realm brought along, for a store that has not seen them. One who was removed since stays away, also
/// from a store that is made anew.
class ImportedAdmins {
 public:
  /// @return whether the event was about one.
  Result<bool> follow(store::Store& store, const Json& event) {
    const auto what = event.text("what");
    if (what == signer::kAdminImport) {
      const auto dn = dn_of(event);
      PKI_TRY([[maybe_unused]] const auto added,
              store.add_admin({dn, {}, base::from_epoch(event.integer("at")), event.text("requester")}));
      here_.insert(dn);
      return true;
    }
    if (what != "admin.remove" || event.text("outcome") != "ok") return false;
    const auto name = x509::Name::parse_any(dn_of(event));
    if (name.ok() && here_.erase(name->to_slash()) > 0) PKI_TRY_VOID(store.remove_admin(name->to_slash()));
    return true;
  }
  bool empty() const { return here_.empty(); }

 private:
  std::set<std::string> here_;
};

/// Revocations likewise. What the store has already is refused by the states themselves.
Status reconcile_states(Session& session, store::Store& store) {
  PKI_TRY(auto position, position_of(store, kStatesPosition));
  ImportedAdmins admins;
  for (;;) {
    PKI_TRY(auto* signer, session.signer());
    PKI_TRY(const auto page, signer->audit_since(position, kPage, "event"));
    auto next = page.next_position;
    for (const auto& event : page.records) {
      PKI_TRY(const bool is_admin, admins.follow(store, event));
      if (is_admin || event.text("what") != kStateChange) continue;
      if (may_be_in_hand(session, event)) {
        next = static_cast<std::uint64_t>(event.integer("position"));
        break;
      }
      if (const auto change = repeatable_change(event)) PKI_TRY_VOID(repeat(store, *change));
    }
    const bool is_end = next == position;
    position = next;
    // While somebody may yet turn out to be removed, a crash must begin anew.
    if ((is_end && !admins.empty()) || (!is_end && admins.empty()))
      PKI_TRY_VOID(store.set_meta(kStatesPosition, std::to_string(position)));
    if (is_end) return {};
  }
}

/// What another program issued was issued when it began, as far as anybody knows.
store::NewCertificate row_of_taken_over(const signer::JournalRecord& record) {
  const auto& facts = *record.taken_over;
  const auto certificate = x509::Certificate::from_der(record.certificate);
  return store::NewCertificate{.serial = facts.serial,
                               .ca = record.ca,
                               .der = record.certificate,
                               .key = certificate.ok() ? certificate->public_key().spki_sha256_hex() : std::string(),
                               .profile = record.profile,
                               .subject = facts.subject,
                               .cn = facts.cn,
                               .sans = facts.sans,
                               .not_before = facts.not_before,
                               .not_after = facts.not_after,
                               .issued_at = facts.not_before};
}

Result<store::NewCertificate> row_of(const signer::JournalRecord& record) {
  if (record.taken_over) return row_of_taken_over(record);
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record.certificate));
  auto row = to_stored(certificate, record.ca, record.profile, record.at);
  if (record.rule == signer::kServiceRule) row.cn.clear();  // no node
  return row;
}

struct CaRow {
  const char* profile;
  const char* rule;
};

/// What somebody outside this realm certified is theirs to revoke.
Status store_ca_certificate(Session& session, const x509::Certificate& certificate, const CaRow& as,
                            std::vector<Serial>& serials) {
  const auto found = session.generation_above(certificate);
  if (!found.ok()) return found.error().code() == Code::NotFound ? Status() : Status(found.error());
  const auto& above = **found;
  if (!certificate.verify_signed_by(above.authority->certificate).ok()) return {};
  serials.push_back(certificate.serial());
  PKI_TRY(auto* store, session.store());
  const auto known = store->certificate(certificate.serial());
  if (known.ok()) return {};
  if (known.error().code() != Code::NotFound) return known.error();
  auto row = to_stored(certificate, above.label, as.profile, session.clock().now());
  row.cn.clear();  // a CA is no node
  row.requester = session.requester();
  row.rule = as.rule;
  PKI_TRY([[maybe_unused]] const auto added, store->add_certificate(row));
  return {};
}

Status reconcile_cas(Session& session) {
  PKI_TRY(const auto* known, session.generations());
  const auto all = *known;
  for (const auto& one : all) {
    PKI_TRY([[maybe_unused]] const auto serials, store_ca_certificates(session, one));
  }
  return {};
}

/// Of a generation whose CRLs the store does not know, as of a realm that was taken over or a store that was lost, what the
/// signer has published is the latest: people and verifiers have it, and the key may not be there to make another.
Status take_published_crl(Session& session, store::Store& store, const std::string& ca) {
  const auto known = store.latest_crl_facts(ca);
  if (known.ok() || known.error().code() != Code::NotFound) return known.ok() ? Status() : Status(known.error());
  PKI_TRY(auto* signer, session.signer());
  const auto der = signer->published_crl(ca, false);
  if (!der.ok()) return der.error().code() == Code::NotFound ? Status() : Status(der.error());
  PKI_TRY(const auto authority, signer->authority(ca));
  PKI_TRY(const auto crl, x509::Crl::from_der(*der));
  if (crl.number() > authority.last_crl_number) return {};  // another program made it, and the next one is below it
  std::vector<store::RevokedCertificate> entries;
  for (const auto& one : crl.entries())
    entries.push_back({one.serial, one.revoked_at, std::string(x509::reason_name(one.reason))});
  std::ranges::sort(entries, {}, &store::RevokedCertificate::serial);
  const auto added = store.add_crl({ca, crl.number(), crl.this_update(), crl.next_update(), *der, std::move(entries)});
  if (!added.ok() && added.error().code() != Code::Exists && added.error().code() != Code::Conflict) return added;
  base::log_info("CRL " + std::to_string(crl.number()) + " of " + ca + ", which is published, is taken into the store");
  return {};
}

Status take_published_crls(Session& session, store::Store& store) {
  PKI_TRY(const auto* known, session.generations());
  const auto all = *known;
  for (const auto& one : all) PKI_TRY_VOID(take_published_crl(session, store, one.label));
  return {};
}

}  // namespace

bool may_be_in_hand(const Session& session, Seconds at) {
  constexpr std::chrono::minutes kSlack{1};  // between hosts
  const auto now = session.clock().now();
  return at >= session.board().server().started_at && at <= now + kSlack &&
         at + session.snapshot().server.limits.request_timeout > now;
}

bool may_be_in_hand(const Session& session, const signer::JournalRecord& record) {
  return !record.taken_over && may_be_in_hand(session, record.at);
}

bool may_be_in_hand(const Session& session, const Json& event) {
  return event.text("phase") != signer::kImportPhase && may_be_in_hand(session, base::from_epoch(event.integer("at")));
}

Seconds record_end(const signer::JournalRecord& record) {
  if (record.taken_over) return record.taken_over->not_after;
  const auto certificate = x509::Certificate::from_der(record.certificate);
  return certificate.ok() ? certificate->not_after() : Seconds::max();
}

Result<Serial> serial_of(const signer::JournalRecord& record) {
  if (record.taken_over) return record.taken_over->serial;
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record.certificate));
  return certificate.serial();
}

Status ImportedStates::read() {
  states_.emplace();
  PKI_TRY(auto* signer, session_.signer());
  for (std::uint64_t position = 0;;) {
    PKI_TRY(const auto page, signer->audit_since(position, kPage, "event"));
    for (const auto& event : page.records) {
      if (event.text("phase") != signer::kImportPhase || event.text("what") != kStateChange) continue;
      auto change = repeatable_change(event);
      if (!change) continue;
      auto serial = change->serial;
      states_->insert_or_assign(std::move(serial), std::move(*change));
    }
    if (page.next_position == position) return {};
    position = page.next_position;
  }
}

Result<std::optional<store::Revocation>> ImportedStates::of(const signer::JournalRecord& record) {
  if (!record.taken_over) return std::optional<store::Revocation>();
  if (!states_) PKI_TRY_VOID(read());
  const auto change = states_->find(record.taken_over->serial);
  if (change == states_->end()) return std::optional<store::Revocation>();
  return std::optional(revocation_of(change->second, record.certificate));
}

Result<std::vector<Serial>> store_ca_certificates(Session& session, const realm::Generation& generation) {
  std::vector<Serial> serials;
  for (const auto& one : {generation.new_with_old, generation.old_with_new}) {
    if (one.empty()) continue;
    PKI_TRY(const auto certificate, x509::Certificate::from_pem(one));
    PKI_TRY_VOID(store_ca_certificate(session, certificate, {kCrossProfile, store::kRolloverRule}, serials));
  }
  const bool has_issuer =
      generation.authority && !generation.authority->certificate.verify_signed_by(generation.authority->certificate).ok();
  if (has_issuer)
    PKI_TRY_VOID(store_ca_certificate(session, generation.authority->certificate, {kSubCaProfile, kRootRule}, serials));
  return serials;
}

Result<std::optional<Serial>> store_if_missing(store::Store& store, const signer::JournalRecord& record, ImportedStates& states) {
  PKI_TRY(const auto serial, serial_of(record));
  const auto known = store.certificate(serial);
  if (known.ok()) return std::optional<Serial>();
  if (known.error().code() != Code::NotFound) return known.error();
  PKI_TRY(const auto purged, purged_until(store, states.now()));
  if (record_end(record) <= purged) return std::optional<Serial>();  // its time in the store is over
  PKI_TRY(auto row, row_of(record));
  row.requester = record.requester;
  row.front_end = record.front_end;
  row.rule = record.rule;
  row.evidence = record.evidence;
  row.idempotency_key = record.idempotency_key;
  PKI_TRY(const auto revoked, states.of(record));
  PKI_TRY(const auto added, store.add_certificate(row, revoked));
  if (added == store::Added::Already) return std::optional<Serial>();
  if (!record.taken_over)
    base::log_warning("the store lacked " + row.serial.hex() + " " + row.subject + ": stored from the journal");
  return std::optional(row.serial);
}

Status store_from_journal(Session& session) {
  PKI_TRY(auto* store, session.store());
  auto stored = Json::array();
  return reconcile_certificates(session, *store, stored);
}

Result<Json> realm_reconcile(Session& session, const Params& /*params*/) {
  PKI_TRY(auto* store, session.store());
  auto stored = Json::array();
  PKI_TRY_VOID(session.refresh_generations());
  PKI_TRY_VOID(reconcile_certificates(session, *store, stored));
  const auto cas = reconcile_cas(session);  // what stands in its way does not keep the rest back
  PKI_TRY_VOID(reconcile_states(session, *store));
  PKI_TRY_VOID(take_published_crls(session, *store));
  PKI_TRY_VOID(sweep_compromised_keys(session));
  PKI_TRY_VOID(bind_earlier_administrators(session));
  // A batch each round is enough.
  PKI_TRY_VOID(purge_acme(session, *store));
  PKI_TRY_VOID(store->purge_own_renewals(session.clock().now() - kOwnRenewalTurn, kPage));
  PKI_TRY_VOID(look_after_requests(session));
  PKI_TRY(const auto purged, purge_ended(session, *store));
  PKI_TRY_VOID(cas);
  return Json::object({{"stored", std::move(stored)}, {"purged_certificates", purged}});
}

}  // namespace chancery::worker
