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
  return x509::changes_since(full->entries(), request.entries, request.this_update);
}

Result<SignedCrl> Issuer::sign_crl(const CrlRequest& request, Seconds now) {
  PKI_TRY(const auto chosen, ready(request.ca));
  const auto& authority = *chosen.held->authority;
  PKI_TRY_VOID(chosen.held->key->check_usable());
  PKI_TRY_VOID(check_crl(request, *chosen.realm, journal_->last_crl_number(request.ca), now));
  PKI_TRY_VOID(journal_->check_all_of(request.ca, request.entries));
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
  const auto digest = base::to_hex(crypto::sha256(linted.bytes()));
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
  return base::replace_file(file, base::as_bytes(x509::to_pem(x509::kCrlLabel, der)), 0644);
}

std::vector<Serial> Issuer::unknown_serials(const std::vector<Serial>& asked) const { return journal_->unknown(asked); }

}  // namespace chancery::signer
