#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "server/base/file.h"
#include "server/config/realm_config.h"
#include "server/crypto/key.h"
#include "server/realm/generations.h"
#include "server/signer/signing_key.h"
#include "server/signer/tokens.h"
#include "server/x509/lint.h"

/// The keys and certificates of a realm's CAs and their generations, and how new ones are made.
namespace chancery::signer {

/// One generation, as the signer holds it.
struct Held {
  realm::GenerationState state = realm::GenerationState::Active;
  std::shared_ptr<SigningKey> key;                    ///< null: it is retired or aborted, and nothing is signed with it
  std::shared_ptr<const realm::Authority> authority;  ///< null: it waits for its certificate
  std::string request{};                              ///< PEM, while it waits
  std::string new_with_old{};                         ///< PEM
  std::string old_with_new{};                         ///< PEM
};
using Generations = std::map<std::string, Held>;  ///< by realm::Label

/// The key of the realm's first generation, as open_key. One that is retired is needed by nobody: it may have been destroyed, or
/// be kept elsewhere, and what is there of it is not used. @errors as open_key; those of the journal.
Result<std::unique_ptr<SigningKey>> open_first_key(const config::RealmConfig& realm, const Tokens& tokens);

/// A realm whose CA's files are those of that generation; everything else is the realm's.
config::RealmConfig place_of(const config::RealmConfig& realm, const std::string& label);
base::Path directory_of(const config::RealmConfig& realm, const std::string& label);

/// What the journal says of a generation.
struct KnownGeneration {
  std::string label;
  realm::GenerationState state = realm::GenerationState::Active;
  std::string key_sha256;  ///< which key it has, hex
};
/// Opens the key of a generation that signs, and reads its certificates. What the realm's first generation signs certificates
/// with has to be valid now; another that has expired is held and issues nothing.
/// @param opened  its key, where it was opened before: that takes a while; null: it was not
/// @errors as read_generation_key and accept_chain; BadConfig: another key than the journal's.
Result<Held> read_generation(const config::RealmConfig& realm, const Tokens& tokens, const KnownGeneration& known, Seconds now,
                             std::shared_ptr<SigningKey> opened = nullptr);

/// Of which kind the next key of that generation's CA is.
Result<base::KeySpec> key_spec_of(const config::RealmConfig& realm, const realm::Label& label);
/// The key that an interrupted attempt left in a file, or a new one, written as the realm wants keys protected.
/// @param secret  by which people have opened the realm's keys, where they do; null: they have not
/// @errors BadConfig, Io; Unavailable: people have not.
Result<crypto::PrivateKey> make_generation_key(const config::RealmConfig& realm, const std::string& label,
                                               const SecretBytes* secret);
/// Its subject: that of the generation before it, else as configured, else made of company, realm and name.
Result<x509::Name> subject_of_ca(const config::RealmConfig& realm, const realm::Label& label);

/// What a ceremony says of a generation that a root of its realm certifies. No message has it: workers have no say in it.
struct CaTerms {
  std::optional<std::chrono::days> validity{};  ///< none: the realm's ca_validity
  std::optional<int> path_length{};
};

/// A certificate of a CA.
struct CaCertificate {
  x509::Name subject{};
  Bytes subject_der{};     ///< octet for octet; empty: as `subject` says
  Bytes subject_key_id{};  ///< that the CA has already; empty: the key's
  crypto::PublicKey key{};
  std::optional<int> path_length{};
  Seconds not_before{};
  Seconds not_after{};
  const realm::Authority* issuer = nullptr;  ///< null: itself
  crypto::SignatureAlgorithm algorithm{};    ///< of whoever signs
};
/// Its TBS with a new serial, linted. @errors LintFailed, Malformed.
Result<std::pair<Serial, x509::LintedTbs>> make_ca_tbs(const config::RealmConfig& realm, const CaCertificate& wanted);

/// Whose a further CA is: where no `company` says it, whose the first one is; empty: that one does not say.
std::string company_of(const config::RealmConfig& realm);

bool is_self_signed(const realm::Authority& authority);
/// One CA's key under another's, as long as both are valid (RFC 4210 4.4): neither outlives the other by it.
CaCertificate cross_certificate(const realm::Authority& subject, const realm::Authority& issuer);

inline constexpr const char* kNewWithOld = "new-with-old.crt";
inline constexpr const char* kOldWithNew = "old-with-new.crt";

}  // namespace chancery::signer
