#include "server/signer/upki_parts.h"

#include <algorithm>
#include <array>
#include <map>

#include "server/base/seed.h"
#include "server/base/text.h"
#include "server/config/load.h"
#include "server/config/realm_settings.h"
#include "server/config/source.h"
#include "server/crypto/digest.h"
#include "server/crypto/file_name.h"
#include "server/realm/issuable.h"
#include "server/x509/pem.h"

namespace chancery::signer {
namespace {

using config::Node;

constexpr std::size_t kMaxEvidence = 120;
constexpr const char* kElse = "server";  ///< the profile of a certificate of which nothing else can be said

std::string quoted(const std::string& text) { return wire::to_text(Json(text)); }

// ----- ca.config.yml

/// What becomes of a documented key (UPKI.md 4.1).
struct UpkiKey {
  std::string_view name;
  std::string_view advice;  ///< why it is not taken, and what to do instead; empty: the realm has the same key
};
constexpr std::array kUpkiKeys{
    UpkiKey{"company", ""},
    UpkiKey{"domain", ""},
    UpkiKey{"clients", ""},
    UpkiKey{"digest", ""},
    UpkiKey{"crl_validity", ""},
    UpkiKey{"seed", ""},
    UpkiKey{"host", "the address belongs into chancery.xml: <zmq><endpoint address=\"...\" port=\"...\" realm=\"...\"/></zmq>"},
    UpkiKey{"port", "the port belongs into chancery.xml: <zmq><endpoint address=\"...\" port=\"...\" realm=\"...\"/></zmq>"},
    UpkiKey{"password", "uPKI never used it to protect the key; the realm's key has a passphrase of its own"},
    UpkiKey{"key_type", "uPKI never used it; the key is the CA's"},
    UpkiKey{"key_length", "uPKI never used it; the key is the CA's"},
};

/// Whether the realm's reader takes that key with that value.
bool is_taken(const Node& child, std::vector<config::Finding>& findings) {
  config::Report report("ca.config.yml", findings);
  Node alone = config::map();
  alone.children.push_back(child);
  config::read_realm(alone, config::RealmConfig(RealmName::parse("any").value()), report);
  return !report.failed();
}

std::string line_of(const Node& child) {
  const bool is_number = child.name == "crl_validity";
  return child.name + ": " + (is_number ? child.text : quoted(child.text)) + "\n";
}

void tell_of_short_seed(std::size_t length, std::vector<std::string>& odd) {
  if (length >= base::kLeastSeedCharacters) return;
  odd.push_back("ca.config.yml has a seed of " + std::to_string(length) + " characters, expected at least " +
                std::to_string(base::kLeastSeedCharacters) +
                ": it is taken, and whoever guesses it registers an RA; write a longer one into db/seed");
}

Status write_seed(const Creation& creation, const Node& seed, std::string& text) {
  // With the store, since the workers read it.
  PKI_TRY_VOID(base::make_directories(creation.directory / "db", 0700));
  PKI_TRY_VOID(base::replace_file(creation.directory / "db" / "seed", base::as_bytes(seed.text + "\n"), 0600));
  text += "seed_file: \"db/seed\"\n";
  return {};
}

/// One key of uPKI's file.
Status take_key(const Creation& creation, const Node& child, std::string& text, std::vector<std::string>& odd) {
  if (child.kind == Node::Kind::Null) return {};
  const auto* row = std::ranges::find(kUpkiKeys, child.name, &UpkiKey::name);
  if (row == kUpkiKeys.end()) {
    odd.push_back("ca.config.yml has the key " + shown(child.name) + ", which uPKI does not document: left out");
    return {};
  }
  if (!row->advice.empty()) {
    const auto value = row->name == "password" ? "" : " with " + shown(child.text);
    odd.push_back("ca.config.yml has " + child.name + value + ": " + std::string(row->advice));
    return {};
  }
  if (child.name == "seed") {
    tell_of_short_seed(base::trim(child.text).size(), odd);
    return write_seed(creation, child, text);
  }
  std::vector<config::Finding> findings;
  if (child.kind == Node::Kind::Scalar && is_taken(child, findings)) text += line_of(child);
  for (const auto& finding : findings) {
    if (finding.severity == config::Finding::Error) odd.push_back(config::to_line(finding) + ": left out");
  }
  return {};
}

// ----- profiles

base::Path profile_file(const base::Path& realm, const UpkiFile& file) {
  return realm / "profiles" / (base::Path(file.place).stem().string() + ".yml");
}

/// What is no profile of the realm is kept beside it.
Status keep_profile(UpkiFile file, const std::string& why, UpkiSource& source) {
  source.odd.push_back("profiles/" + base::printable(file.place, kMaxEvidence) + " is not taken: " + why + "; kept as it is");
  source.kept.push_back({"profiles/" + file.place, std::move(file.content)});
  return {};
}

/// Takes a profile out of the realm again.
Status take_back(const base::Path& realm, UpkiFile file, const std::string& why, UpkiSource& source) {
  std::error_code failure;
  std::filesystem::remove(profile_file(realm, file), failure);
  if (failure) return base::io_error("remove a profile", failure.value());
  return keep_profile(std::move(file), why, source);
}

Status place_profile(const base::Path& realm, UpkiFile file, UpkiSource& source, std::vector<UpkiFile>& placed) {
  const auto name = ProfileName::parse(base::Path(file.place).stem().string());
  if (!name.ok()) return keep_profile(std::move(file), name.error().message(), source);
  const auto path = profile_file(realm, file);
  if (std::filesystem::exists(path)) return keep_profile(std::move(file), "another file has that name", source);
  PKI_TRY_VOID(base::replace_file(path, base::as_bytes(file.content), 0640));
  placed.push_back(std::move(file));
  return {};
}

/// What the loader finds wrong with one profile.
std::string errors_in(const base::Path& file, const std::vector<config::Finding>& findings) {
  std::string out;
  for (const auto& finding : findings) {
    if (finding.file != file.string() || finding.severity != config::Finding::Error) continue;
    auto here = finding;
    here.file = file.filename().string();
    out += (out.empty() ? "" : "; ") + config::to_line(here);
  }
  return out;
}

// ----- certificates

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

/// uPKI does not record which profile a certificate was made by. It is the one with its usages and its organisational unit: a
/// renewal is made by it, so less than both is not enough. None: no profile has both.
std::optional<std::string> guess_profile(const x509::ForeignCertificate& certificate, const config::RealmConfig& realm) {
  for (const auto& [name, profile] : realm.profiles) {
    if (profile.is_ca == certificate.is_ca && (!gives_power(profile) || certificate.is_ca) &&
        sorted(profile.key_usage) == sorted(certificate.key_usage) &&
        sorted(profile.extended_key_usage) == sorted(certificate.extended_key_usage) && has_unit_of(profile, certificate.subject))
      return name.text();
  }
  return std::nullopt;
}

/// The recorded profile, else the one that was guessed, which an operator should know.
std::string profile_of(const Serial& serial, const UpkiCertificate& entry, const config::RealmConfig& realm,
                       std::vector<std::string>& odd) {
  if (const auto named = ProfileName::parse(entry.profile); named.ok() && realm.profiles.contains(*named)) return named->text();
  const auto guess = entry.certificate ? guess_profile(*entry.certificate, realm) : std::nullopt;
  const auto why = guess ? "by its usages and organisational unit" : "since no profile has its usages and organisational unit";
  const auto what =
      entry.profile.empty() ? "no recorded profile" : "the profile " + shown(entry.profile) + ", which is not taken";
  odd.push_back("serial " + serial.hex() + " in " + shown(entry.found_in) + " has " + what + ": " + guess.value_or(kElse) +
                " is guessed, " + why + ", and a renewal is made by it");
  return guess.value_or(kElse);
}

Imported imported_of(const Serial& serial, const UpkiCertificate& entry, const std::string& profile) {
  const auto& certificate = entry.certificate;
  Imported out{.facts = {.serial = serial, .subject = entry.dn, .cn = entry.cn},
               .profile = profile,
               .requester = kUpkiImporter,
               .evidence = base::printable(entry.found_in, kMaxEvidence)};
  if (!certificate) return out;
  out.facts.subject = certificate->subject;
  out.facts.sans = certificate->sans;
  out.facts.not_before = certificate->not_before;
  out.facts.not_after = certificate->not_after;
  out.certificate = certificate->der;
  out.spki_sha256 = base::to_hex(crypto::sha256(certificate->spki));
  return out;
}

AuditEvent event_of(std::string_view what, const Json& about, Seconds now) {
  AuditEvent event;
  event.what = what;
  event.phase = kImportPhase;
  event.requester = kUpkiImporter;
  event.about = wire::to_text(about);
  event.outcome = "ok";
  event.at = now;
  return event;
}

/// removeFromCRL is for delta CRLs and no state of a certificate (RFC 5280 5.3.1).
std::string reason_of(const UpkiRevocation& revocation) {
  return revocation.reason == "removeFromCRL" ? "unspecified" : revocation.reason;
}

}  // namespace

Status write_upki_settings(const Creation& creation, UpkiSource& source, const base::KeySpec& key) {
  std::string text = "# Realm " + creation.realm + ", taken over from uPKI. Every setting is described in doc/settings.md.\n";
  PKI_TRY(const auto protection, protection_line(creation));
  text += protection + "key: " + quoted(base::to_text(key)) + "\n";
  for (const auto& child : source.settings.children) PKI_TRY_VOID(take_key(creation, child, text, source.odd));
  return base::replace_file(creation.directory / "ca.config.yml", base::as_bytes(text), 0640);
}

Result<std::size_t> write_upki_profiles(const Creation& creation, UpkiSource& source) {
  PKI_TRY_VOID(base::make_directories(creation.directory / "profiles", 0700));
  std::vector<UpkiFile> placed;
  for (auto& file : std::exchange(source.profiles, {}))
    PKI_TRY_VOID(place_profile(creation.directory, std::move(file), source, placed));
  PKI_TRY(const auto name, RealmName::parse(creation.realm));
  std::vector<config::Finding> findings;
  config::load_realm(name, creation.directory, findings);
  for (auto& file : placed) {
    const auto errors = errors_in(profile_file(creation.directory, file), findings);
    if (errors.empty()) {
      source.profiles.push_back(std::move(file));
    } else {
      PKI_TRY_VOID(take_back(creation.directory, std::move(file), errors, source));
    }
  }
  return source.profiles.size();
}

Result<std::size_t> remove_useless_profiles(const config::RealmConfig& realm, const realm::Authority& authority,
                                            UpkiSource& source, Seconds now) {
  std::size_t removed = 0;
  for (auto& file : std::exchange(source.profiles, {})) {
    const auto& profile = realm.profiles.at(ProfileName::parse(base::Path(file.place).stem().string()).value());
    if (const auto none = realm::obstacle_to_profile(realm, profile, authority, now)) {
      PKI_TRY_VOID(take_back(realm.directory, std::move(file), none->what + " (" + none->advice + ")", source));
      ++removed;
    } else {
      source.profiles.push_back(std::move(file));
    }
  }
  return removed;
}

void tell_of_clients_mode(const config::RealmConfig& realm, const base::Path& settings_file, UpkiSource& source) {
  const bool is_new = source.generation != "older";  // that one enforced it
  if (!is_new || realm.clients == config::ClientsMode::All) return;
  const std::string mode = realm.clients == config::ClientsMode::Register ? "register" : "manual";
  const std::string effect = realm.clients == config::ClientsMode::Register
                                 ? "names that have no certificate yet are refused to RAs until they are registered or generated"
                                 : "RAs are refused every certificate";
  source.odd.insert(source.odd.begin(), "ca.config.yml has clients: " + mode +
                                            ", which uPKI wrote and never enforced, and the realm does: " + effect +
                                            "; to go on as with uPKI, write clients: all into " + settings_file.string());
}

std::vector<Imported> imported_certificates(UpkiSource& source, const config::RealmConfig& realm, Seconds ca_end, Seconds now) {
  std::vector<Imported> out;
  for (const auto& [serial, entry] : source.certificates) {
    auto one = imported_of(serial, entry, profile_of(serial, entry, realm, source.odd));
    one.at = now;
    if (!entry.certificate) {
      one.facts.not_before = entry.revocation ? std::min(entry.revocation->at, now) : now;
      one.facts.not_after = ca_end;
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<AuditEvent> imported_events(const UpkiSource& source, Seconds now) {
  std::vector<AuditEvent> out;
  for (const auto& [serial, entry] : source.certificates) {
    if (!entry.revocation) continue;
    const auto about = Json::object({{"serial", serial.hex()},
                                     {"reason", reason_of(*entry.revocation)},
                                     {"at", base::to_epoch(std::min(entry.revocation->at, now))}});
    out.push_back(event_of(kStateChange, about, now));
  }
  for (const auto& dn : source.admins) out.push_back(event_of(kAdminImport, Json::object({{"dn", dn}}), now));
  return out;
}

Result<std::size_t> write_upki_keys(const config::RealmConfig& realm, UpkiSource& source, const crypto::PublicKey& ca_key) {
  std::map<std::string, const UpkiCertificate*> by_key;
  for (const auto& [serial, entry] : source.certificates) {
    if (entry.certificate) by_key[base::to_hex(crypto::sha256(entry.certificate->spki))] = &entry;
  }
  std::size_t written = 0;
  for (const auto& file : source.keys) {
    const auto key = crypto::PrivateKey::from_pem(file.content.view(), nullptr);
    if (key.ok() && key->public_key() == ca_key) continue;  // uPKI's copy of the CA's own; the realm has it, encrypted
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

Status write_kept(const config::RealmConfig& realm, const UpkiSource& source) {
  const auto directory = realm.directory / "imported";
  PKI_TRY_VOID(base::make_directories(directory, 0700));
  for (const auto& file : source.kept)
    PKI_TRY_VOID(base::replace_file(directory / crypto::file_name_of(file.place), base::as_bytes(file.content), 0600));
  return {};
}

}  // namespace chancery::signer
