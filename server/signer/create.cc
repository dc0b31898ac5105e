#include "server/signer/create.h"

#include "server/base/clock.h"
#include "server/base/text.h"
#include "server/config/load.h"
#include "server/signer/issuer.h"
#include "server/x509/csr.h"
#include "server/x509/lint.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxKeyBytes = 65536;
constexpr std::size_t kMaxChainBytes = 262144;
constexpr std::size_t kPassphraseOctets = 24;

/// A text as YAML; JSON's texts are YAML's double-quoted ones.
std::string quoted(const std::string& text) { return wire::to_text(Json(text)); }

/// A new random passphrase, unless the operator brought one.
Status make_passphrase(const base::Path& path) {
  if (std::filesystem::exists(path)) return {};
  const auto text = base::to_base64url(base::random_bytes(kPassphraseOctets)) + "\n";
  return base::replace_file(path, base::as_bytes(text), 0600);
}

Result<std::string> protection_lines(const Creation& creation) {
  const int ways = static_cast<int>(!creation.passphrase_file.empty()) + static_cast<int>(!creation.credential.empty()) + static_cast<int>(creation.unencrypted);
  if (ways > 1) return Error(Code::InvalidParams, "more than one of --passphrase-file, --credential and --unencrypted, expected one");
  if (creation.unencrypted) return std::string("key_unencrypted: true\n");
  if (!creation.credential.empty()) return "passphrase_credential: " + quoted(creation.credential) + "\n";
  const base::Path file = creation.passphrase_file.empty() ? creation.directory / "passphrase" : std::filesystem::absolute(creation.passphrase_file);
  PKI_TRY_VOID(make_passphrase(file));
  return "passphrase_file: " + quoted(creation.passphrase_file.empty() ? "passphrase" : file.string()) + "\n";
}

/// Writes the configuration, unless there is one: then it says how the key is protected.
Status write_configuration(const Creation& creation) {
  const auto path = creation.directory / "ca.config.yml";
  if (std::filesystem::exists(path)) return {};
  PKI_TRY(const auto protection, protection_lines(creation));
  std::string text = "# Realm " + creation.realm + ". Every setting is described in doc/settings.md.\n" + protection;
  if (creation.key) text += "key: " + quoted(base::to_text(*creation.key)) + "\n";
  if (!creation.subject.empty()) text += "ca_subject: " + quoted(creation.subject) + "\n";
  return base::replace_file(path, base::as_bytes(text), 0640);
}

Status make_tree(const base::Path& directory) {
  PKI_TRY_VOID(base::make_directories(directory, 0700));
  for (const auto* part : {"cas", "db", "journal", "nodes", "profiles"}) PKI_TRY_VOID(base::make_directories(directory / part, 0700));
  return {};
}

Result<std::shared_ptr<const config::RealmConfig>> load(const Creation& creation) {
  PKI_TRY(const auto name, RealmName::parse(creation.realm));
  std::vector<config::Finding> findings;
  auto realm = config::load_realm(name, creation.directory, findings);
  if (realm != nullptr) return realm;
  std::string text;
  for (const auto& finding : findings) text += (text.empty() ? "" : "; ") + config::to_line(finding);
  return Error(Code::BadConfig, text);
}

Status write_key(const config::RealmConfig& realm, const crypto::PrivateKey& key) {
  PKI_TRY(const auto passphrase, read_passphrase(realm));
  if (!passphrase) return base::replace_file(realm.ca_key_file(), key.to_pem().view(), 0600);
  PKI_TRY(const auto pem, key.to_encrypted_pem(*passphrase));
  return base::replace_file(realm.ca_key_file(), base::as_bytes(pem), 0600);
}

Result<x509::Name> subject_of(const Creation& creation, const config::RealmConfig& realm) {
  if (!creation.subject.empty()) return x509::Name::parse_any(creation.subject);
  if (!realm.ca_subject.empty()) return x509::Name::parse_any(realm.ca_subject);
  x509::Name name;
  name.attributes = {{"O", realm.company}, {"CN", realm.name.text() + " CA"}};
  PKI_TRY_VOID(name.check());
  return name;
}

/// A root: linted like any certificate, signed by its own key, and looked at with the public key before it is written.
Result<x509::Certificate> self_sign(const Creation& creation, const config::RealmConfig& realm, const crypto::PrivateKey& key) {
  const auto half = key.public_key();
  const auto now = base::SystemClock().now();
  const std::chrono::days validity = creation.days ? std::chrono::days{*creation.days} : realm.ca_validity;
  x509::TbsSpec spec{.serial = Serial::random()};
  PKI_TRY(spec.algorithm, crypto::algorithm_for(half.spec(), realm.digest));
  PKI_TRY(spec.subject, subject_of(creation, realm));
  spec.not_before = now - realm.backdate;
  spec.not_after = spec.not_before + validity - std::chrono::seconds{1};
  spec.spki = Bytes(half.spki().begin(), half.spki().end());
  spec.is_ca = true;
  spec.path_length = creation.path_length;
  spec.key_usage = {"keyCertSign", "cRLSign"};
  PKI_TRY(auto tbs, x509::build_tbs(spec));
  const x509::LintContext context{.max_validity = validity, .key_usage = spec.key_usage, .is_ca = true, .path_length = spec.path_length};
  PKI_TRY(const auto linted, x509::lint_certificate(std::move(tbs), spec.algorithm, context));
  PKI_TRY(const auto signature, key.sign(linted.algorithm(), linted.bytes()));
  PKI_TRY_VOID(key.public_key().verify(linted.algorithm(), linted.bytes(), signature));
  PKI_TRY(const auto der, x509::assemble_signed(linted.bytes(), linted.algorithm(), signature));
  return x509::Certificate::from_der(der);
}

Result<crypto::PrivateKey> import_key(const Creation& creation) {
  std::optional<SecretBytes> passphrase;
  if (!creation.import_passphrase_file.empty()) {
    PKI_TRY(const auto content, base::read_secret_file(creation.import_passphrase_file, kMaxKeyBytes));
    const auto text = base::as_text(content.view());
    passphrase.emplace(base::trim(text.substr(0, text.find('\n'))));
  }
  PKI_TRY(const auto pem, base::read_secret_file(creation.import_key, kMaxKeyBytes));
  return crypto::PrivateKey::from_pem(pem.view(), passphrase ? &*passphrase : nullptr);
}

Result<std::string> import_chain(const Creation& creation, const config::RealmConfig& realm, const crypto::PrivateKey& key) {
  PKI_TRY(const auto text, base::read_file(creation.import_certificate, kMaxChainBytes));
  PKI_TRY(const auto authority, realm::parse_authority(text, realm));
  if (!(authority.certificate.public_key() == key.public_key())) return Error(Code::BadKey, "the key and the certificate do not belong together");
  std::string chain;
  for (const auto& pem : realm::chain_pems(authority)) chain += pem;
  return chain;
}

Json answer(const config::RealmConfig& realm, const crypto::PrivateKey& key) {
  return Json::object({{"realm", realm.name.text()}, {"directory", realm.directory.string()}, {"key", base::to_text(key.public_key().spec())}});
}

Result<Json> make_request(const Creation& creation, const config::RealmConfig& realm, const crypto::PrivateKey& key) {
  PKI_TRY(const auto subject, subject_of(creation, realm));
  PKI_TRY(const auto der, x509::make_csr(key, subject, {}));
  const auto file = realm.directory / "ca.csr";
  PKI_TRY_VOID(base::replace_file(file, base::as_bytes(x509::to_pem(x509::kRequestLabel, der)), 0644));
  return answer(realm, key).set("subject", subject.to_slash()).set("request", file.string());
}

Result<Json> make_certificate(const Creation& creation, const config::RealmConfig& realm, const crypto::PrivateKey& key) {
  std::string chain;
  if (creation.from == CaFrom::Import) {
    PKI_TRY(chain, import_chain(creation, realm, key));
  } else {
    PKI_TRY(const auto root, self_sign(creation, realm, key));
    chain = root.pem();
  }
  PKI_TRY(const auto authority, realm::parse_authority(chain, realm));
  PKI_TRY_VOID(base::replace_file(realm.ca_certificate_file(), base::as_bytes(chain), 0644));
  return answer(realm, key)
      .set("subject", authority.certificate.subject().to_slash())
      .set("certificate", realm.ca_certificate_file().string())
      .set("not_after", base::to_rfc3339(authority.certificate.not_after()))
      .set("fingerprint", authority.certificate.fingerprint_hex());
}

}  // namespace

Result<Json> create_realm(const Creation& creation) {
  for (const auto* made : {"ca.crt", "ca.csr"}) {
    if (std::filesystem::exists(creation.directory / made)) return Error(Code::Exists, (creation.directory / made).string() + " is there: the realm has a CA");
  }
  PKI_TRY([[maybe_unused]] const auto name, RealmName::parse(creation.realm));
  PKI_TRY_VOID(make_tree(creation.directory));
  PKI_TRY_VOID(write_configuration(creation));
  PKI_TRY(const auto realm, load(creation));
  PKI_TRY(const auto key, creation.from == CaFrom::Import ? import_key(creation) : crypto::PrivateKey::generate(creation.key.value_or(realm->key)));
  PKI_TRY_VOID(crypto::check_public_key(key.public_key()));
  PKI_TRY([[maybe_unused]] const auto journal, Journal::open(realm->journal_directory(), realm->name));
  PKI_TRY_VOID(write_key(*realm, key));
  return creation.from == CaFrom::Request ? make_request(creation, *realm, key) : make_certificate(creation, *realm, key);
}

std::vector<std::string> check_realm(const RealmName& name, const base::Path& directory) {
  std::vector<config::Finding> findings;
  const auto realm = config::load_realm(name, directory, findings);
  // What the configuration says is chanceryd --check's to report; here only what stands in the way of the key.
  if (realm == nullptr) return {directory.string() + ": the realm's configuration does not hold"};
  std::vector<std::string> faults;
  const auto key = read_ca_key(*realm);
  if (!key.ok()) faults.push_back(base::to_line(key.error()));
  const auto text = base::read_file(realm->ca_certificate_file(), kMaxChainBytes);
  if (!text.ok()) {
    if (!std::filesystem::exists(directory / "ca.csr")) faults.push_back(base::to_line(text.error()));
    return faults;
  }
  const auto authority = realm::parse_authority(*text, *realm);
  if (!authority.ok()) {
    faults.push_back(realm->ca_certificate_file().string() + ": " + base::to_line(authority.error()));
    return faults;
  }
  if (key.ok() && !(authority->certificate.public_key() == key->public_key())) faults.push_back(directory.string() + ": ca.key does not belong to ca.crt");
  if (base::SystemClock().now() > authority->certificate.not_after()) {
    faults.push_back(realm->ca_certificate_file().string() + ": expired " + base::to_rfc3339(authority->certificate.not_after()));
  }
  return faults;
}

}  // namespace chancery::signer
