#include "server/base/file.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/realm/generations.h"
#include "server/realm/policy.h"
#include "server/signer/ca_files.h"
#include "server/signer/issuer.h"
#include "server/x509/delta_crl.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

/// CRLs of an Issuer, full and delta.
namespace chancery::signer {
namespace {

constexpr std::uint64_t kMaxNumberStep = 1U << 31;  ///< so that nobody uses up a CA's CRL numbers at once

constexpr std::size_t kMaxCrlFile = x509::kMaxCrlBytes / 2 * 3;  ///< PEM of the largest CRL

/// A CRL that a worker may not have: one that hides revocations for years, or that makes every later one come too early (C8).
Status check_crl(const CrlRequest& request, const config::RealmConfig& realm, std::uint64_t last_number, Seconds now) {
  if (request.this_update > now + realm::kClockSlack) {
    return Error(Code::PolicyRefused,
                 "thisUpdate " + base::to_rfc3339(request.this_update) + " lies ahead of the clock, " + base::to_rfc3339(now));
  }
  if (request.base > 0 && realm.crl_delta.count() == 0)
    return Error(Code::PolicyRefused, "a delta CRL, and the realm's crl_delta is 0");
  const auto longest = request.base > 0 ? realm.crl_delta_validity() : realm.crl_validity;
  if (request.next_update - request.this_update > longest) {
    return Error(Code::PolicyRefused, "a CRL for " + base::in_words(request.next_update - request.this_update) +
                                          ", the realm allows " + base::in_words(longest));
  }
  if (last_number > 0 && request.number > last_number && request.number - last_number > kMaxNumberStep) {
    return Error(Code::PolicyRefused, "CRL number " + std::to_string(request.number) + " is too far above the last one, " +
                                          std::to_string(last_number));
  }
  return {};
}

Result<Seconds> end_of(const Entry& entry) {
  if (entry.imported) return entry.imported->facts.not_after;
  PKI_TRY(const auto algorithm, x509::algorithm_of(entry.intent.tbs));
  PKI_TRY(const auto der, x509::assemble_signed(entry.intent.tbs, algorithm, *entry.signature));
  PKI_TRY(const auto certificate, x509::Certificate::from_der(der));
  return certificate.not_after();
}

/// From a CRL goes what was on hold and is not any more, or has ended (RFC 5280 5.2.4); what was revoked meanwhile does not.
/// @errors Conflict: it was revoked, and whoever asks has not seen that yet.
Status check_may_leave(const Journal& journal, const Serial& serial, Seconds now) {
  if (!journal.is_revoked_for_good(serial)) return {};
  PKI_TRY(const auto entry, journal.signed_entry(serial));
  const auto end = entry ? end_of(*entry) : Result<Seconds>(Seconds::max());
  if (end.ok() && *end < now) return {};
  return Error(Code::Conflict, "certificate " + serial.hex() + " would leave the CRL, and the journal has it revoked");
}

/// What is published there by this CA; nothing, where it cannot be read or is another's.
std::optional<x509::Crl> published(const base::Path& file, const x509::Certificate& by) {
  const auto pem = base::read_file(file, kMaxCrlFile);
  auto crl = pem.ok() ? x509::Crl::from_pem(*pem) : Result<x509::Crl>(pem.error());
  if (!crl.ok() || !crl->verify_signed_by(by).ok()) return std::nullopt;
  return std::move(crl).value();
}

}  // namespace

Result<std::vector<x509::RevokedEntry>> Issuer::delta_entries(const Chosen& chosen, const CrlRequest& request,
                                                              Seconds now) const {
  const auto file = place_of(*chosen.realm, request.ca).crl_file();
  PKI_TRY(const auto pem, base::read_file(file, kMaxCrlFile));
  const auto full = x509::Crl::from_pem(pem);
  const auto own = full.ok() ? full->verify_signed_by(chosen.held->authority->certificate) : Status(full.error());
  if (!own.ok()) return Error(Code::Corrupt, file.string() + " is no CRL of this CA: " + own.error().message());
  if (full->base() || full->number() != request.base) {
    return Error(Code::NotFound, "a delta to CRL " + std::to_string(request.base) + ", but CRL " +
                                     std::to_string(full->number()) + " is published");
  }
  if (now > full->next_update())
    return Error(Code::PolicyRefused, "a delta to CRL " + std::to_string(request.base) + ", which has run out");
  auto changes = x509::changes_since(full->entries(), request.entries, request.this_update);
  for (const auto& change : changes) {
    if (change.reason == x509::kReasonRemoveFromCrl) PKI_TRY_VOID(check_may_leave(*journal_, change.serial, now));
  }
  return changes;
}

Result<SignedCrl> Issuer::sign_crl(const CrlRequest& request, Seconds now) {
  PKI_TRY(const auto chosen, ready(request.ca));
  const auto& authority = *chosen.held->authority;
  PKI_TRY_VOID(chosen.held->key->check_usable());
  PKI_TRY_VOID(check_crl(request, *chosen.realm, journal_->last_crl_number(request.ca), now));
  PKI_TRY_VOID(journal_->check_all_of(request.ca, request.entries));
  PKI_TRY_VOID(journal_->check_lists_all(request.ca, request.entries, now));
  x509::CrlSpec spec{.issuer = authority.certificate,
                     .algorithm = authority.algorithm,
                     .number = request.number,
                     .this_update = request.this_update,
                     .next_update = request.next_update};
  if (request.base > 0) {
    PKI_TRY(spec.entries, delta_entries(chosen, request, now));
    spec.base = request.base;
  } else {
    spec.entries = request.entries;
    spec.delta_urls = realm::crl_delta_urls(*chosen.realm, authority);
  }
  PKI_TRY(auto tbs, x509::build_crl_tbs(spec));
  PKI_TRY(const auto linted, x509::lint_crl(std::move(tbs), authority.algorithm, authority.certificate));
  const auto digest = crypto::sha256_hex(linted.bytes());
  PKI_TRY_VOID(
      journal_->begin_crl({request.number, request.this_update, digest, request.requester, now, request.ca, request.base}));
  PKI_TRY(const auto signature, chosen.held->key->sign(linted.algorithm(), linted.bytes()));
  PKI_TRY(auto der, x509::assemble_signed(linted.bytes(), linted.algorithm(), signature));
  return SignedCrl{std::move(der)};
}

Status Issuer::publish_crl(ByteView der, const std::string& ca) const {
  PKI_TRY(const auto chosen, ready(ca));
  PKI_TRY(const auto crl, x509::Crl::from_der(der));
  PKI_TRY_VOID(crl.verify_signed_by(chosen.held->authority->certificate));
  const auto place = place_of(*chosen.realm, ca);
  const auto file = crl.base() ? place.delta_crl_file() : place.crl_file();
  const std::lock_guard one_at_a_time(publish_mutex_);
  // Whoever comes late has nothing to do any more, and nobody brings an older CRL back, which lacks what was revoked since. A
  // number that the journal does not know is from before it was restored.
  const auto& by = chosen.held->authority->certificate;
  const auto there = published(file, by);
  if (there && crl.number() < there->number() && there->number() <= journal_->last_crl_number(ca)) return {};
  if (crl.base()) {
    const auto full = published(place.crl_file(), by);
    if (!full || full->number() != *crl.base()) return {};  // nobody could add it to anything
  }
  return base::replace_file(file, base::as_bytes(x509::to_pem(x509::kCrlLabel, der)), 0644);
}

Result<x509::Crl> Issuer::published_crl(const std::string& ca, bool is_delta) const {
  PKI_TRY(const auto chosen, choose(state(), ca));
  const auto place = place_of(*chosen.realm, ca);
  auto there = chosen.held->authority == nullptr
                   ? std::nullopt
                   : published(is_delta ? place.delta_crl_file() : place.crl_file(), chosen.held->authority->certificate);
  if (!there) return Error(Code::NotFound, "no CRL of " + ca + " is published");
  return *std::move(there);
}

std::vector<Serial> Issuer::unknown_serials(const std::vector<Serial>& asked) const { return journal_->unknown(asked); }

}  // namespace chancery::signer
