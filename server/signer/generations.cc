#include "server/signer/generations.h"

#include <algorithm>
#include <filesystem>

#include "server/base/file.h"
#include "server/base/log.h"
#include "server/signer/ca_files.h"
#include "server/signer/generation_keys.h"
#include "server/signer/journal.h"
#include "server/x509/tbs.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxFileBytes = 65536;

/// Empty: there is no such file.
std::string text_of(const base::Path& file) {
  auto text = base::read_file(file, kMaxFileBytes);
  return text.ok() ? std::move(text).value() : std::string();
}

bool is_there(const base::Path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

std::shared_ptr<const realm::Authority> named(realm::Authority authority, const realm::Label& label) {
  authority.name = label.name;
  authority.label = label.text();
  return std::make_shared<const realm::Authority>(std::move(authority));
}

/// Of a generation that issues nothing any more: it may have expired, and still be in somebody's chain.
Result<std::shared_ptr<const realm::Authority>> read_former(const config::RealmConfig& place) {
  PKI_TRY(const auto text, read_chain(place));
  if (!text) return std::shared_ptr<const realm::Authority>();
  auto authority = realm::parse_authority(*text, place);
  if (!authority.ok()) return authority.error().within(place.ca_certificate_file().string());
  return std::make_shared<const realm::Authority>(std::move(authority).value());
}

/// Of a generation beside the first, whose certificate may have expired: it is held, so that it does not take the others of its
/// realm with it. No certificate is issued beyond it (realm::check_grant), and realm::issuing chooses one that is valid.
Result<std::shared_ptr<const realm::Authority>> read_further(const config::RealmConfig& place, const std::string& label,
                                                             const crypto::PublicKey& key, Seconds now) {
  auto authority = read_authority(place, key, now);
  if (authority.ok() || label == config::kFirstCa) return authority;
  const auto expired = read_former(place);
  if (!expired.ok() || *expired == nullptr) return authority;
  const auto& certificate = (*expired)->certificate;
  if (!(certificate.public_key() == key) || now <= certificate.not_after()) return authority;
  base::log_error("generation " + label + " issues nothing any more: its certificate expired " +
                  base::to_rfc3339(certificate.not_after()));
  return expired;
}

const config::CaConfig* row_of(const config::RealmConfig& realm, const std::string& name) {
  const auto found = realm.cas.find(name);
  return found == realm.cas.end() ? nullptr : &found->second;
}

/// What a new key is encrypted with: all keys of a realm are opened by one secret.
Result<std::optional<SecretBytes>> passphrase_for(const config::RealmConfig& realm, const SecretBytes* secret) {
  if (!people_open_files(realm)) return read_passphrase(realm);
  if (secret != nullptr) return std::optional(SecretBytes(base::as_text(secret->view())));
  return Error(Code::Unavailable, "the realm's keys are locked, and the next one is to be opened by the same secret",
               "secret.status says what is missing, chancery realm unlock enters it");
}

}  // namespace

std::string company_of(const config::RealmConfig& realm) {
  const auto first =
      realm.company == config::RealmConfig(realm.name).company ? read_former(realm) : std::shared_ptr<const realm::Authority>();
  if (!first.ok() || *first == nullptr) return realm.company;
  const auto& attributes = (*first)->certificate.subject().attributes;
  const auto found = std::ranges::find_if(attributes, [](const auto& one) { return one.type == "O"; });
  return found == attributes.end() ? std::string() : found->value;
}

base::Path directory_of(const config::RealmConfig& realm, const std::string& label) {
  return label == config::kFirstCa ? realm.directory : realm.ca_directory() / label;
}

config::RealmConfig place_of(const config::RealmConfig& realm, const std::string& label) {
  auto place = realm;
  place.directory = directory_of(realm, label);
  return place;
}

Result<std::unique_ptr<SigningKey>> open_first_key(const config::RealmConfig& realm, const Tokens& tokens) {
  auto opened = open_key(realm, tokens);
  if (opened.ok()) return opened;
  const auto known = Journal::generations_in(realm.journal_directory());
  if (!known.ok()) return opened.error();
  const auto first = known->find(config::kFirstCa);
  if (first == known->end() || first->second.state != realm::GenerationState::Retired) return opened.error();
  PKI_TRY(auto half, public_half(realm));
  auto key = std::make_unique<FileKey>(std::move(half), realm.ca_key_file());
  key->retire();
  return std::unique_ptr<SigningKey>(std::move(key));
}

Result<Held> read_generation(const config::RealmConfig& realm, const Tokens& tokens, const KnownGeneration& known, Seconds now,
                             std::shared_ptr<SigningKey> opened) {
  const auto& [label, state, key_sha256] = known;
  PKI_TRY(const auto parsed, realm::parse_label(label));
  const auto place = place_of(realm, label);
  Held held{.state = state, .key = nullptr, .authority = nullptr};
  std::shared_ptr<const realm::Authority> authority;
  if (realm::may_sign_crl(state)) {
    // Cut off between its key and its certificate: nothing can be signed with it, and whoever makes it again takes it up.
    const bool is_begun = state == realm::GenerationState::Prepared && !is_there(place.ca_certificate_file());
    if (opened == nullptr) {
      const bool is_halfway = is_begun && !is_there(request_file(place));
      if (is_halfway && is_known_by_certificate(place)) return held;  // nobody knows yet which key it is
      PKI_TRY(opened, read_generation_key(realm, label, tokens));
    }
    const auto public_key = opened->public_key();
    if (public_key.spki_sha256_hex() != key_sha256)
      return Error(Code::BadConfig, "the key of " + place.directory.string() + " is another than the journal says, " + key_sha256,
                   "restore the directory and the journal from one backup");
    held.key = std::move(opened);
    const bool is_former = state == realm::GenerationState::Draining;
    if (!is_begun) {
      PKI_TRY(authority, is_former ? read_former(place) : read_further(place, label, public_key, now));
    }
    if (authority == nullptr) held.request = text_of(request_file(place));
  } else if (auto former = read_former(place); former.ok()) {
    authority = *former;
  }
  if (authority != nullptr) held.authority = named(*authority, parsed);
  held.new_with_old = text_of(place.directory / kNewWithOld);
  held.old_with_new = text_of(place.directory / kOldWithNew);
  return held;
}

Result<base::KeySpec> key_spec_of(const config::RealmConfig& realm, const realm::Label& label) {
  const auto* row = row_of(realm, label.name);
  if (row == nullptr || row->key.empty()) return realm.key;
  return base::parse_key_spec(row->key);
}

Result<crypto::PrivateKey> make_generation_key(const config::RealmConfig& realm, const std::string& label,
                                               const SecretBytes* secret) {
  PKI_TRY(const auto passphrase, passphrase_for(realm, secret));
  const auto place = place_of(realm, label);
  std::error_code ignored;
  if (std::filesystem::exists(place.ca_key_file(), ignored))
    return open_ca_key(place.ca_key_file(), passphrase ? &*passphrase : nullptr);
  PKI_TRY(const auto parsed, realm::parse_label(label));
  PKI_TRY(const auto spec, key_spec_of(realm, parsed));
  PKI_TRY(auto key, crypto::PrivateKey::generate(spec));
  PKI_TRY_VOID(crypto::check_public_key(key.public_key()));
  PKI_TRY_VOID(base::make_directories(place.directory, 0700));
  PKI_TRY_VOID(write_ca_key(place, key, passphrase));
  PKI_TRY_VOID(base::sync_directory(realm.ca_directory()));
  PKI_TRY_VOID(base::sync_directory(realm.directory));
  return key;
}

Result<x509::Name> subject_of_ca(const config::RealmConfig& realm, const realm::Label& label) {
  const auto* row = row_of(realm, label.name);
  const auto& configured = row != nullptr ? row->subject : realm.ca_subject;
  if (!configured.empty()) return x509::Name::parse_any(configured);
  x509::Name name;
  const auto ca = label.name == config::kFirstCa ? std::string() : " " + label.name;
  if (const auto company = company_of(realm); !company.empty()) name.attributes.push_back({"O", company});
  name.attributes.push_back({"CN", realm.name.text() + ca + " CA"});
  PKI_TRY_VOID(name.check());
  return name;
}

Result<std::pair<Serial, x509::LintedTbs>> make_ca_tbs(const config::RealmConfig& realm, const CaCertificate& wanted) {
  x509::TbsSpec spec{.serial = Serial::random()};
  spec.algorithm = wanted.algorithm;
  spec.subject = wanted.subject;
  spec.subject_der = wanted.subject_der;
  spec.subject_key_id = wanted.subject_key_id;
  spec.not_before = wanted.not_before;
  spec.not_after = wanted.not_after;
  spec.spki = Bytes(wanted.key.spki().begin(), wanted.key.spki().end());
  spec.is_ca = true;
  spec.path_length = wanted.path_length;
  spec.key_usage = {"keyCertSign", "cRLSign"};
  x509::LintContext context{.max_validity = wanted.not_after - wanted.not_before + std::chrono::seconds{1},
                            .key_usage = spec.key_usage,
                            .is_ca = true,
                            .path_length = spec.path_length,
                            .subject_key_id = wanted.subject_key_id};
  if (wanted.issuer != nullptr) {
    const auto& issuer = wanted.issuer->certificate;
    spec.issuer_der = Bytes(issuer.subject_der().begin(), issuer.subject_der().end());
    spec.authority_key_id = issuer.key_id();
    spec.crl_urls = realm::crl_urls(realm, *wanted.issuer);
    spec.ca_issuer_urls = realm::ca_issuer_urls(realm, *wanted.issuer);
    context.issuer = issuer;
    context.above = wanted.issuer->above;
  }
  PKI_TRY(auto tbs, x509::build_tbs(spec));
  PKI_TRY(auto linted, x509::lint_certificate(std::move(tbs), spec.algorithm, context));
  return std::pair(spec.serial, std::move(linted));
}

bool is_self_signed(const realm::Authority& authority) {
  return authority.above.empty() && authority.certificate.verify_signed_by(authority.certificate).ok();
}

CaCertificate cross_certificate(const realm::Authority& subject, const realm::Authority& issuer) {
  const auto& of = subject.certificate;
  const auto& by = issuer.certificate;
  CaCertificate wanted;
  wanted.subject = of.subject();
  wanted.subject_der = Bytes(of.subject_der().begin(), of.subject_der().end());
  wanted.subject_key_id = of.key_id();
  wanted.key = of.public_key();
  wanted.path_length = of.path_length();
  wanted.not_before = std::max(of.not_before(), by.not_before());
  wanted.not_after = std::min(of.not_after(), by.not_after());
  wanted.issuer = &issuer;
  wanted.algorithm = issuer.algorithm;
  return wanted;
}

}  // namespace chancery::signer
