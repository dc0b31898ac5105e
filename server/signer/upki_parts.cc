#include "server/signer/upki_parts.h"

#include <algorithm>
#include <array>

#include "server/base/seed.h"
#include "server/base/text.h"
#include "server/config/load.h"
#include "server/config/source.h"
#include "server/realm/issuable.h"
#include "server/signer/import_parts.h"

namespace chancery::signer {
namespace {

using config::Node;

constexpr std::size_t kMaxEvidence = 120;

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

std::string line_of(const Node& child) {
  const bool is_number = child.name == "crl_validity";
  return child.name + ": " + (is_number ? child.text : quoted_text(child.text)) + "\n";
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
  if (child.kind == Node::Kind::Scalar && is_setting(child, findings)) text += line_of(child);
  for (const auto& finding : findings) {
    if (finding.severity == config::Finding::Error) odd.push_back(config::to_line(finding) + ": left out");
  }
  return {};
}

// ----- profiles

base::Path profile_file(const base::Path& realm, const SourceFile& file) {
  return realm / "profiles" / (base::Path(file.place).stem().string() + ".yml");
}

/// What is no profile of the realm is kept beside it.
Status keep_profile(SourceFile file, const std::string& why, ImportSource& source) {
  source.odd.push_back("profiles/" + base::printable(file.place, kMaxEvidence) + " is not taken: " + why + "; kept as it is");
  source.kept.push_back({"profiles/" + file.place, std::move(file.content)});
  return {};
}

/// Takes a profile out of the realm again.
Status take_back(const base::Path& realm, SourceFile file, const std::string& why, ImportSource& source) {
  std::error_code failure;
  std::filesystem::remove(profile_file(realm, file), failure);
  if (failure) return base::io_error("remove a profile", failure.value());
  return keep_profile(std::move(file), why, source);
}

Status place_profile(const base::Path& realm, SourceFile file, ImportSource& source, std::vector<SourceFile>& placed) {
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

}  // namespace

Status write_upki_settings(const Creation& creation, ImportSource& source, const x509::Certificate& ca) {
  std::string text = "# Realm " + creation.realm + ", taken over from uPKI. Every setting is described in doc/settings.md.\n";
  PKI_TRY(const auto protection, protection_line(creation));
  text += protection + "key: " + quoted_text(base::to_text(ca.public_key().spec())) + "\n";
  for (const auto& child : source.settings.children) PKI_TRY_VOID(take_key(creation, child, text, source.odd));
  return base::replace_file(creation.directory / "ca.config.yml", base::as_bytes(text), 0640);
}

Result<std::size_t> write_upki_profiles(const Creation& creation, ImportSource& source) {
  PKI_TRY_VOID(base::make_directories(creation.directory / "profiles", 0700));
  std::vector<SourceFile> placed;
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
                                            ImportSource& source, Seconds now) {
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

void tell_of_clients_mode(const config::RealmConfig& realm, const base::Path& settings_file, ImportSource& source) {
  const bool is_new = source.layout != "older";  // that one enforced it
  if (!is_new || realm.clients == config::ClientsMode::All) return;
  const std::string mode = realm.clients == config::ClientsMode::Register ? "register" : "manual";
  const std::string effect = realm.clients == config::ClientsMode::Register
                                 ? "names that have no certificate yet are refused to RAs until they are registered or generated"
                                 : "RAs are refused every certificate";
  source.odd.insert(source.odd.begin(), "ca.config.yml has clients: " + mode +
                                            ", which uPKI wrote and never enforced, and the realm does: " + effect +
                                            "; to go on as with uPKI, write clients: all into " + settings_file.string());
}

}  // namespace chancery::signer
