#include "server/signer/create.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <functional>

#include "server/config/load.h"
#include "server/config/text_checks.h"
#include "server/crypto/derive.h"
#include "server/signer/ca_files.h"
#include "server/signer/ca_secret.h"
#include "server/signer/create_options.h"
#include "server/signer/create_secret.h"
#include "server/signer/create_token.h"
#include "server/signer/journal.h"
#include "server/signer/signing_key.h"
#include "server/x509/csr.h"
#include "server/x509/lint.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kPassphraseOctets = 24;
constexpr const char* kConfiguration = "ca.config.yml";
constexpr const char* kPassphrase = "passphrase";

using RealmPtr = std::shared_ptr<const config::RealmConfig>;

bool is_there(const base::Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// A text as YAML; JSON's texts are YAML's double-quoted ones.
std::string quoted(const std::string& text) { return wire::to_text(Json(text)); }

/// What the options say, before anything is made of it: what is wrong with one is said of it, not of the file it would get into.
Status check_values(const Creation& creation) {
  if (!creation.subject.empty()) {
    if (const auto held = config::check_slash_dn(creation.subject); !held.ok()) return of_option(held.error(), "subject");
    if (const auto name = x509::Name::from_slash(creation.subject); !name.ok()) return of_option(name.error(), "subject");
  }
  if (!creation.credential.empty()) {
    if (const auto held = config::check_name(creation.credential); !held.ok()) return of_option(held.error(), "credential");
  }
  if (!creation.passphrase_file.empty()) {
    const auto read = read_passphrase_file(creation.passphrase_file);
    if (!read.ok()) return of_option(read.error(), "passphrase-file");
  }
  return {};
}

Status check_options(const Creation& creation) {
  PKI_TRY([[maybe_unused]] const auto name, RealmName::parse(creation.realm));
  const int ways = static_cast<int>(!creation.passphrase_file.empty()) + static_cast<int>(!creation.credential.empty()) +
                   static_cast<int>(creation.unencrypted);
  if (ways > 1)
    return Error(Code::InvalidParams, "more than one of --passphrase-file, --credential and --unencrypted, expected one");
  PKI_TRY_VOID(check_secret_options(creation));
  PKI_TRY_VOID(check_token_options(creation));
  for (const auto* made : {"ca.crt", "ca.csr"}) {
    if (is_there(creation.directory / made))
      return Error(Code::Exists, (creation.directory / made).string() + " is there: the realm has a CA");
  }
  return {};
}

/// The directories above the realm, where they are missing: everybody comes through them to what is theirs, whatever the umask
/// says.
Status make_parents(const base::Path& path) {
  if (path.empty() || is_there(path)) return {};
  PKI_TRY_VOID(make_parents(path.parent_path()));
  PKI_TRY_VOID(base::make_directories(path, 0755));
  return ::chmod(path.c_str(), 0755) == 0 ? Status() : base::io_error("chmod " + path.string(), errno);
}

Status make_tree(const base::Path& directory, const Owners& owners) {
  PKI_TRY_VOID(make_parents(directory.parent_path()));
  PKI_TRY_VOID(check_way(directory.parent_path(), owners));
  for (const auto* part : {"", "cas", "db", "journal", "nodes", "profiles"})
    PKI_TRY_VOID(base::make_directories(directory / part, 0700));
  return {};
}

/// Nobody else makes this realm while the lock lives.
Result<base::UniqueFd> lock_directory(const base::Path& directory) {
  base::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return base::io_error("open " + directory.string(), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  return Error(Code::Busy, directory.string() + " is being made by another process");
}

/// A new random passphrase beside the key: it keeps copies of ca.key alone useless, and names the place for a better one.
Status make_passphrase(const base::Path& path) {
  if (is_there(path)) return {};
  const auto text = base::to_base64url(base::random_bytes(kPassphraseOctets)) + "\n";
  return base::replace_file(path, base::as_bytes(text), 0600);
}

Status write_configuration(const Creation& creation) {
  const auto path = creation.directory / kConfiguration;
  if (is_there(path)) return {};
  PKI_TRY(const auto protection, protection_line(creation));
  std::string text = "# Realm " + creation.realm + ". Every setting is described in doc/settings.md.\n" + protection;
  if (creation.key) text += "key: " + quoted(base::to_text(*creation.key)) + "\n";
  if (!creation.company.empty()) text += "company: " + quoted(creation.company) + "\n";
  if (!creation.domain.empty()) text += "domain: " + quoted(creation.domain) + "\n";
  if (!creation.subject.empty()) text += "ca_subject: " + quoted(creation.subject) + "\n";
  return base::replace_file(path, base::as_bytes(text), 0640);
}

/// A configuration that was there before says how the key is protected; options may repeat it, not contradict it.
Status check_protection(const Creation& creation, const config::RealmConfig& realm) {
  const bool agrees = (!creation.unencrypted || realm.key_unencrypted) &&
                      (creation.credential.empty() || creation.credential == realm.passphrase_credential) &&
                      (creation.passphrase_file.empty() || creation.prompt ||
                       std::filesystem::absolute(creation.passphrase_file) == realm.passphrase_file) &&
                      (!creation.prompt || realm.keys.secret.method == "prompt") &&
                      (creation.shares == 0 || realm.keys.secret.has_shares()) &&
                      (creation.module.empty() || (realm.keys.in_token() && creation.module == realm.keys.token.module));
  if (agrees) return {};
  return Error(Code::InvalidParams,
               (creation.directory / kConfiguration).string() + " says otherwise how the CA's key is protected",
               "change it there, and leave the option out");
}

/// Likewise the names that certificates get.
Status check_names(const Creation& creation, const config::RealmConfig& realm) {
  const bool agrees = (creation.company.empty() || creation.company == realm.company) &&
                      (creation.domain.empty() || creation.domain == realm.domain);
  if (agrees) return {};
  return Error(Code::InvalidParams,
               (creation.directory / kConfiguration).string() + " has another company or domain than --company and --domain",
               "change it there, and leave the options out");
}

/// A file that these options just made is nothing to look into: the user has not seen it, and it goes again.
std::string complaint(const config::Finding& finding, bool is_just_made) {
  if (!is_just_made) return config::to_line(finding);
  return "the configuration that these options make: " + (finding.path.empty() ? "" : finding.path + ": ") + finding.message;
}

Result<RealmPtr> load(const Creation& creation, bool is_just_made) {
  PKI_TRY(const auto name, RealmName::parse(creation.realm));
  std::vector<config::Finding> findings;
  auto realm = config::load_realm(name, creation.directory, findings);
  if (realm != nullptr) {
    PKI_TRY_VOID(check_protection(creation, *realm));
    PKI_TRY_VOID(check_names(creation, *realm));
    return realm;
  }
  std::string text;
  for (const auto& finding : findings) text += (text.empty() ? "" : "; ") + complaint(finding, is_just_made);
  return Error(Code::BadConfig, text);
}

Result<std::optional<SecretBytes>> import_passphrase(const Creation& creation) {
  if (creation.import_passphrase_file.empty()) return std::optional<SecretBytes>();
  auto passphrase = read_passphrase_file(creation.import_passphrase_file);
  if (!passphrase.ok()) return of_option(passphrase.error(), "import-passphrase-file");
  return std::optional(std::move(passphrase).value());
}

Result<crypto::PrivateKey> import_key(const Creation& creation) {
  PKI_TRY(const auto passphrase, import_passphrase(creation));
  const auto pem = base::read_secret_file(creation.import_key, kMaxKeyBytes);
  if (!pem.ok()) return of_option(pem.error(), "import-key");
  auto key = crypto::PrivateKey::from_pem(pem->view(), passphrase ? &*passphrase : nullptr);
  if (key.ok()) return key;
  const auto said = of_option(key.error().within(creation.import_key), "import-key");
  if (key.error().code() != Code::AuthFailed) return said;
  return Error(said.code(), said.message(), "--import-passphrase-file names the file, mode 0600, whose first line opens the key");
}

Result<crypto::PrivateKey> derive_key(const Creation& creation, const config::RealmConfig& realm) {
  const auto secret = read_ca_secret(creation.secret_file);
  if (!secret.ok()) return of_option(secret.error(), "from-secret");
  if (const auto apart = check_is_no_seed(*secret, realm); !apart.ok()) return of_option(apart.error(), "from-secret");
  auto key = crypto::derive_key(*secret, {realm.name.text(), creation.key.value_or(realm.key), creation.generation});
  if (!key.ok()) return of_option(key.error(), "from-secret");
  return key;
}

/// The key that the options say, made or read.
Result<crypto::PrivateKey> asked_key(const Creation& creation, const config::RealmConfig& realm) {
  if (!creation.secret_file.empty()) return derive_key(creation, realm);
  if (creation.from == CaFrom::Import) return import_key(creation);
  return crypto::PrivateKey::generate(creation.key.value_or(realm.key));
}

/// The key that an earlier run left, the one to import, or a new one; what is not in the directory yet is not written yet.
Result<crypto::PrivateKey> choose_key(const Creation& creation, const config::RealmConfig& realm,
                                      const std::optional<SecretBytes>& passphrase) {
  if (!is_there(realm.ca_key_file())) return asked_key(creation, realm);
  PKI_TRY(auto left, open_ca_key(realm.ca_key_file(), passphrase ? &*passphrase : nullptr));
  const Error other(Code::Exists, realm.ca_key_file().string() + " is there, and is another key than the one asked for",
                    "it is not overwritten; move it away");
  if (creation.from == CaFrom::Import || !creation.secret_file.empty()) {
    PKI_TRY(const auto wanted, asked_key(creation, realm));
    if (!(wanted.public_key() == left.public_key())) return other;
  } else if (creation.key && left.public_key().spec() != *creation.key) {
    return other;
  }
  return left;
}

Result<x509::Name> subject_of(const Creation& creation, const config::RealmConfig& realm) {
  if (!creation.subject.empty()) return x509::Name::parse_any(creation.subject);
  if (!realm.ca_subject.empty()) return x509::Name::parse_any(realm.ca_subject);
  x509::Name name;
  name.attributes = {{"O", realm.company}, {"CN", realm.name.text() + " CA"}};
  PKI_TRY_VOID(name.check());
  return name;
}

/// The TBS of a root, linted like any certificate's.
Result<std::pair<Serial, x509::LintedTbs>> make_root_tbs(const Creation& creation, const config::RealmConfig& realm,
                                                         const crypto::PublicKey& key, Seconds now) {
  const std::chrono::days validity = creation.days ? std::chrono::days{*creation.days} : realm.ca_validity;
  x509::TbsSpec spec{.serial = Serial::random()};
  PKI_TRY(spec.algorithm, crypto::algorithm_for(key.spec(), realm.digest));
  PKI_TRY(spec.subject, subject_of(creation, realm));
  spec.not_before = now - realm.backdate;
  spec.not_after = spec.not_before + validity - std::chrono::seconds{1};
  spec.spki = Bytes(key.spki().begin(), key.spki().end());
  spec.is_ca = true;
  spec.path_length = creation.path_length;
  spec.key_usage = {"keyCertSign", "cRLSign"};
  PKI_TRY(auto tbs, x509::build_tbs(spec));
  const x509::LintContext context{
      .max_validity = validity, .key_usage = spec.key_usage, .is_ca = true, .path_length = spec.path_length};
  PKI_TRY(auto linted, x509::lint_certificate(std::move(tbs), spec.algorithm, context));
  return std::pair(spec.serial, std::move(linted));
}

/// Journalled before it is signed, as everything that this key signs, and looked at with the public key before it is written.
Result<std::string> self_sign(const Creation& creation, const config::RealmConfig& realm, SigningKey& key, Journal& journal,
                              Seconds now) {
  PKI_TRY(const auto root, make_root_tbs(creation, realm, key.public_key(), now));
  const auto& [serial, linted] = root;
  PKI_TRY_VOID(journal.add_anchor({serial, linted.bytes(), {}, now}));
  PKI_TRY(const auto signature, key.sign(linted.algorithm(), linted.bytes()));
  PKI_TRY(const auto der, x509::assemble_signed(linted.bytes(), linted.algorithm(), signature));
  return x509::to_pem(x509::kCertificateLabel, der);
}

Result<realm::Authority> import_chain(const Creation& creation, const config::RealmConfig& realm, const crypto::PublicKey& key,
                                      Seconds now) {
  const auto text = base::read_input(creation.import_certificate, kMaxChainBytes);
  if (!text.ok()) return of_option(text.error(), "import-certificate");
  auto authority = accept_chain(*text, realm, key, now);
  if (!authority.ok()) return of_option(authority.error().within(creation.import_certificate), "import-certificate");
  return authority;
}

Result<std::unique_ptr<Journal>> begin_journal(const config::RealmConfig& realm, const crypto::PublicKey& key, Seconds now) {
  const auto owner = journal_owner(realm, key, now);
  const auto created = Journal::create(realm.journal_directory(), owner);
  if (!created.ok() && created.error().code() != Code::Exists) return created.error();
  return Journal::open(realm.journal_directory(), owner);
}

Json answer(const config::RealmConfig& realm, const SigningKey& key) {
  const auto place = realm.keys.in_token() ? "token " + realm.keys.token.token : realm.ca_key_file().string();
  return Json::object({{"realm", realm.name.text()},
                       {"directory", realm.directory.string()},
                       {"configuration", (realm.directory / kConfiguration).string()},
                       {"key", base::to_text(key.public_key().spec())},
                       {"key_file", place}});
}

Result<Json> finish_with_request(const Creation& creation, const config::RealmConfig& realm, SigningKey& key) {
  PKI_TRY(const auto subject, subject_of(creation, realm));
  const auto sign = [&](crypto::SignatureAlgorithm algorithm, ByteView message) { return key.sign(algorithm, message); };
  PKI_TRY(const auto der, x509::make_csr(key.public_key(), sign, subject, {}));
  PKI_TRY_VOID(base::replace_file(request_file(realm), base::as_bytes(x509::to_pem(x509::kRequestLabel, der)), 0644));
  return answer(realm, key).set("subject", subject.to_slash()).set("request", request_file(realm).string());
}

Result<Json> finish_with_certificate(const config::RealmConfig& realm, const SigningKey& key, const realm::Authority& authority) {
  PKI_TRY_VOID(write_chain(realm, authority));
  return answer(realm, key)
      .set("subject", authority.certificate.subject().to_slash())
      .set("certificate", realm.ca_certificate_file().string())
      .set("not_after", base::to_rfc3339(authority.certificate.not_after()))
      .set("fingerprint", authority.certificate.fingerprint_hex());
}

/// A key, and what puts it where the configuration says once nothing speaks against the CA any more.
struct NewKey {
  std::unique_ptr<SigningKey> key;
  std::function<Status()> keep;
};

Result<NewKey> make_key(const Creation& creation, const config::RealmConfig& realm) {
  if (realm.keys.in_token()) {
    PKI_TRY(auto key, make_token_key(creation, realm));
    return NewKey{std::move(key), [] { return Status(); }};
  }
  PKI_TRY(auto passphrase, passphrase_of(creation, realm));
  PKI_TRY(auto chosen, choose_key(creation, realm, passphrase));
  PKI_TRY_VOID(crypto::check_public_key(chosen.public_key()));
  const auto key = std::make_shared<const crypto::PrivateKey>(std::move(chosen));
  const auto secret = std::make_shared<const std::optional<SecretBytes>>(std::move(passphrase));
  return NewKey{std::make_unique<FileKey>(key),
                [=, &realm] { return is_there(realm.ca_key_file()) ? Status() : write_ca_key(realm, *key, *secret); }};
}

/// What a realm is made of, from the key on.
Result<Json> make_ca(const Creation& creation, const config::RealmConfig& realm, Seconds now) {
  PKI_TRY(const auto made, make_key(creation, realm));
  const auto& key = made.key;
  std::optional<realm::Authority> imported;
  if (creation.from == CaFrom::Import) {
    PKI_TRY(imported, import_chain(creation, realm, key->public_key(), now));
  }
  PKI_TRY_VOID(made.keep());
  PKI_TRY(const auto journal, begin_journal(realm, key->public_key(), now));
  if (creation.from == CaFrom::Request) return finish_with_request(creation, realm, *key);
  if (imported) {
    PKI_TRY_VOID(journal->add_anchor({imported->certificate.serial(), {}, imported->certificate.fingerprint_hex(), now}));
    return finish_with_certificate(realm, *key, *imported);
  }
  PKI_TRY(const auto root, self_sign(creation, realm, *key, *journal, now));
  PKI_TRY(const auto authority, accept_chain(root, realm, key->public_key(), now));
  return finish_with_certificate(realm, *key, authority);
}

Result<Json> fill(const Creation& creation, Seconds now) {
  const bool is_new = !is_there(creation.directory / kConfiguration);
  PKI_TRY_VOID(write_configuration(creation));
  PKI_TRY(const auto realm, load(creation, is_new));
  PKI_TRY(auto made, make_ca(creation, *realm, now));
  PKI_TRY_VOID(give_away(creation.directory, creation.owners));
  return made;
}

}  // namespace

Result<std::string> protection_line(const Creation& creation) {
  if (auto token = token_lines(creation); !token.empty()) return token;
  PKI_TRY(auto secret, secret_lines(creation));
  if (!secret.empty()) return secret;
  if (creation.unencrypted) return std::string("key_unencrypted: true\n");
  if (!creation.credential.empty()) return "passphrase_credential: " + quoted(creation.credential) + "\n";
  if (!creation.passphrase_file.empty())
    return "passphrase_file: " + quoted(std::filesystem::absolute(creation.passphrase_file).string()) + "\n";
  PKI_TRY_VOID(make_passphrase(creation.directory / kPassphrase));
  return "passphrase_file: " + quoted(kPassphrase) + "\n";
}

Result<Json> create_realm(const Creation& creation, Seconds now) {
  PKI_TRY_VOID(check_options(creation));
  PKI_TRY_VOID(check_values(creation));
  PKI_TRY_VOID(check_owners(creation.owners));
  const bool is_new = !is_there(creation.directory);
  PKI_TRY_VOID(make_tree(creation.directory, creation.owners));
  PKI_TRY(const auto lock, lock_directory(creation.directory));
  PKI_TRY_VOID(check_options(creation));  // whoever held the lock before may have made it
  auto made = fill(creation, now);
  if (made.ok() || !is_new) return made;
  // Half a realm would keep the server from loading its configuration, and nobody has seen anything of this one.
  std::error_code failure;
  std::filesystem::remove_all(creation.directory, failure);
  if (!failure) return made;
  return Error(made.error().code(), made.error().message(), "remove " + creation.directory.string() + " before the next attempt");
}

}  // namespace chancery::signer
