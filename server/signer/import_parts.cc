#include "server/signer/import_parts.h"

#include <algorithm>
#include <map>

#include "server/base/text.h"
#include "server/config/realm_settings.h"
#include "server/crypto/digest.h"
#include "server/crypto/file_name.h"
#include "server/x509/pem.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxEvidence = 120;
constexpr const char* kElse = "server";  ///< the profile of a certificate of which nothing else can be said

std::vector<std::string> sorted(std::vector<std::string> words) {
  std::ranges::sort(words);
  return words;
}

/// Profiles that give their holders more than a certificate: uPKI's records may name them, a guess does not.
bool gives_power(const config::Profile& profile) {
  return profile.is_ca || profile.name.text() == "ra" || profile.name.text() == "admin";
}

/// Whether the profile's organisational unit is one of the subject's.
bool has_unit_of(const config::Profile& profile, const std::string& subject) {
  return std::ranges::any_of(profile.subject, [&](const auto& one) {
    return one.first == "OU" && (subject + "/").find("/OU=" + one.second + "/") != std::string::npos;
  });
}

/// What the certificate and the profile have in common: enough for a renewal by it, or not.
bool fits(const config::Profile& profile, const x509::ForeignCertificate& certificate, Guess guess) {
  if (profile.is_ca != certificate.is_ca || (gives_power(profile) && !certificate.is_ca)) return false;
  if (sorted(profile.extended_key_usage) != sorted(certificate.extended_key_usage)) return false;
  // Which key usages a server's certificate has follows from its kind of key; its purposes say what it is for.
  if (guess == Guess::ByUsages) return true;
  return sorted(profile.key_usage) == sorted(certificate.key_usage) && has_unit_of(profile, certificate.subject);
}

/// Nobody recorded which profile a certificate was made by. None: no profile fits.
std::optional<std::string> guess_profile(const x509::ForeignCertificate& certificate, const Taking& taking) {
  for (const auto& [name, profile] : taking.realm.profiles) {
    if (fits(profile, certificate, taking.guess)) return name.text();
  }
  return std::nullopt;
}

std::string words_of(Guess guess) { return guess == Guess::ByUsages ? "purposes" : "usages and organisational unit"; }

/// The recorded profile, else the one that was guessed, which an operator should know.
std::string profile_of(const Serial& serial, const SourceCertificate& entry, const Taking& taking, std::vector<std::string>& odd,
                       std::map<std::string, std::size_t>& guessed) {
  const auto& profiles = taking.realm.profiles;
  if (const auto named = ProfileName::parse(entry.profile); named.ok() && profiles.contains(*named)) return named->text();
  const auto guess = entry.certificate ? guess_profile(*entry.certificate, taking) : std::nullopt;
  const auto why = guess ? "by its " + words_of(taking.guess) : "since no profile has its " + words_of(taking.guess);
  if (entry.profile.empty() && taking.guess == Guess::ByUsages) {
    ++guessed[guess.value_or(kElse) + " is guessed, " + why];  // none of them has one: a line for all
    return guess.value_or(kElse);
  }
  const auto what =
      entry.profile.empty() ? "no recorded profile" : "the profile " + shown(entry.profile) + ", which is not taken";
  odd.push_back("serial " + serial.hex() + " in " + shown(entry.found_in) + " has " + what + ": " + guess.value_or(kElse) +
                " is guessed, " + why + ", and a renewal is made by it");
  return guess.value_or(kElse);
}

Imported imported_of(const Serial& serial, const SourceCertificate& entry, const std::string& profile, const Taking& taking) {
  const auto& certificate = entry.certificate;
  Imported out{.facts = {.serial = serial, .subject = entry.dn, .cn = entry.cn},
               .profile = profile,
               .requester = taking.requester,
               .evidence = base::printable(entry.found_in, kMaxEvidence),
               .at = taking.now};
  if (!certificate) return out;
  out.facts.subject = certificate->subject;
  out.facts.sans = certificate->sans;
  out.facts.not_before = certificate->not_before;
  out.facts.not_after = certificate->not_after;
  out.certificate = certificate->der;
  out.spki_sha256 = crypto::sha256_hex(certificate->spki);
  return out;
}

AuditEvent event_of(std::string_view what, const Json& about, const Taking& taking) {
  AuditEvent event;
  event.what = what;
  event.phase = kImportPhase;
  event.requester = taking.requester;
  event.about = wire::to_text(about);
  event.outcome = "ok";
  event.at = taking.now;
  return event;
}

/// removeFromCRL is for delta CRLs and no state of a certificate (RFC 5280 5.3.1).
std::string reason_of(const SourceRevocation& revocation) {
  return revocation.reason == "removeFromCRL" ? "unspecified" : revocation.reason;
}

}  // namespace

std::string quoted_text(const std::string& text) { return wire::to_text(Json(text)); }

bool is_setting(const config::Node& child, std::vector<config::Finding>& findings) {
  config::Report report("ca.config.yml", findings);
  auto alone = config::map();
  alone.children.push_back(child);
  config::read_realm(alone, config::RealmConfig(RealmName::parse("any").value()), report);
  return !report.failed();
}

Status write_plain_settings(const Creation& creation, ImportSource& source, const x509::Certificate& ca) {
  std::string text = "# Realm " + creation.realm + ", taken over. Every setting is described in doc/settings.md.\n";
  PKI_TRY(const auto protection, protection_line(creation));
  text += protection + "key: " + quoted_text(base::to_text(ca.public_key().spec())) + "\n";
  const auto& attributes = ca.subject().attributes;
  const auto organisation = std::ranges::find(attributes, "O", &x509::Attribute::type);
  if (organisation != attributes.end()) {
    std::vector<config::Finding> findings;
    config::Node company{.kind = config::Node::Kind::Scalar, .name = "company", .text = organisation->value};
    if (is_setting(company, findings)) {
      text += "company: " + quoted_text(organisation->value) + "\n";
    } else {
      source.odd.push_back("the CA's organisation " + shown(organisation->value) + " is no company of ca.config.yml: left out");
    }
  }
  return base::replace_file(creation.directory / "ca.config.yml", base::as_bytes(text), 0640);
}

std::vector<Imported> imported_certificates(ImportSource& source, const Taking& taking) {
  std::vector<Imported> out;
  std::map<std::string, std::size_t> guessed;
  for (const auto& [serial, entry] : source.certificates) {
    auto one = imported_of(serial, entry, profile_of(serial, entry, taking, source.odd, guessed), taking);
    if (!entry.certificate) {
      one.facts.not_before = entry.revocation ? std::min(entry.revocation->at, taking.now) : taking.now;
      one.facts.not_after = entry.not_after.value_or(taking.ca_end);
      one.facts.not_before = std::min(one.facts.not_before, one.facts.not_after);
    }
    out.push_back(std::move(one));
  }
  for (const auto& [how, count] : guessed)
    source.odd.push_back("no profile is recorded of " + std::to_string(count) + " certificates: " + how +
                         ", and a renewal is made by it");
  return out;
}

std::vector<AuditEvent> imported_events(const ImportSource& source, const Taking& taking) {
  std::vector<AuditEvent> out;
  for (const auto& [serial, entry] : source.certificates) {
    if (!entry.revocation) continue;
    const auto about = Json::object({{"serial", serial.hex()},
                                     {"reason", reason_of(*entry.revocation)},
                                     {"at", base::to_epoch(std::min(entry.revocation->at, taking.now))}});
    out.push_back(event_of(kStateChange, about, taking));
  }
  for (const auto& dn : source.admins) out.push_back(event_of(kAdminImport, Json::object({{"dn", dn}}), taking));
  return out;
}

Result<std::size_t> write_keys(const config::RealmConfig& realm, ImportSource& source, const crypto::PublicKey& ca_key) {
  std::map<std::string, const SourceCertificate*> by_key;
  for (const auto& [serial, entry] : source.certificates) {
    if (entry.certificate) by_key[crypto::sha256_hex(entry.certificate->spki)] = &entry;
  }
  std::size_t written = 0;
  for (const auto& file : source.keys) {
    const auto key = crypto::PrivateKey::from_pem(file.content.view(), nullptr);
    if (key.ok() && key->public_key() == ca_key) continue;  // a copy of the CA's own; the realm has it, encrypted
    const auto fits = key.ok() ? by_key.find(key->public_key().spki_sha256_hex()) : by_key.end();
    if (fits == by_key.end() || fits->second->cn.empty()) {
      const auto why = key.ok() ? std::string("no certificate is for that key") : key.error().message();
      source.odd.push_back(shown(file.place) + ": " + why + ": kept as it is");
      PKI_TRY_VOID(base::make_directories(realm.directory / "imported", 0700));
      PKI_TRY_VOID(
          base::replace_file(realm.directory / "imported" / crypto::file_name_of(file.place), file.content.view(), 0600));
      continue;
    }
    const auto directory = realm.node_directory() / crypto::file_name_of(fits->second->cn);
    const auto certificate = x509::to_pem(x509::kCertificateLabel, fits->second->certificate->der);
    PKI_TRY_VOID(base::make_directories(directory, 0700));
    PKI_TRY_VOID(base::replace_file(directory / "key.pem", file.content.view(), 0600));
    PKI_TRY_VOID(base::replace_file(directory / "cert.pem", base::as_bytes(certificate), 0644));
    ++written;
  }
  return written;
}

Status write_kept(const config::RealmConfig& realm, const ImportSource& source) {
  const auto directory = realm.directory / "imported";
  PKI_TRY_VOID(base::make_directories(directory, 0700));
  for (const auto& file : source.kept)
    PKI_TRY_VOID(base::replace_file(directory / crypto::file_name_of(file.place), base::as_bytes(file.content), 0600));
  return {};
}

}  // namespace chancery::signer
