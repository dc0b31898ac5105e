#include "server/signer/generation_keys.h"

#include <filesystem>

#include "server/base/log.h"
#include "server/config/load.h"
#include "server/config/next_key.h"
#include "server/signer/ca_files.h"
#include "server/signer/token_key.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kIdOctets = 16;

bool is_there(const base::Path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

/// The setting that says where a CA's keys are.
std::string_view section_of(const std::string& label) {
  const auto parsed = realm::parse_label(label);
  return parsed.ok() && parsed->name != config::kFirstCa ? "cas" : "rollover";
}

Error not_described(const config::RealmConfig& realm, const std::string& label, const TokenPlace& at) {
  const auto file = (place_of(realm, label).directory / kTokenPlace).string();
  return {Code::BadConfig,
          config::to_line(config::error_at_setting(
              realm, section_of(label),
              "found no pkcs11 of token " + at.token_text() + " alone, in which generation " + label + " has its key (" + file +
                  "), expected one in this file, with its serial where several have that label"))};
}

Result<std::shared_ptr<SigningKey>> read_token_key(const config::RealmConfig& realm, const std::string& label,
                                                   const TokenPlace& at, const Tokens& tokens) {
  const auto place = place_of(realm, label);
  auto session = tokens.find(at);
  if (session == nullptr) return not_described(realm, label, at);
  PKI_TRY(auto half, public_half(place));
  return std::shared_ptr<SigningKey>(std::make_shared<TokenKey>(std::move(session), at.key, std::move(half)));
}

// ----- in a file

Result<std::shared_ptr<SigningKey>> read_file_key(const config::RealmConfig& place) {
  if (people_open_files(place)) {
    PKI_TRY(auto half, public_half(place));
    return std::shared_ptr<SigningKey>(std::make_shared<FileKey>(std::move(half), place.ca_key_file()));
  }
  PKI_TRY(auto key, read_ca_key(place));
  return std::shared_ptr<SigningKey>(std::make_shared<FileKey>(std::make_shared<const crypto::PrivateKey>(std::move(key))));
}

Result<std::shared_ptr<SigningKey>> make_file_key(const config::RealmConfig& realm, const std::string& label,
                                                  const SecretBytes* secret) {
  PKI_TRY(auto made, make_generation_key(realm, label, secret));
  const auto file = people_open_files(realm) ? place_of(realm, label).ca_key_file() : base::Path();
  return std::shared_ptr<SigningKey>(
      std::make_shared<FileKey>(std::make_shared<const crypto::PrivateKey>(std::move(made)), file));
}

// ----- in a token

/// One generation's key, while it is made.
struct Wanted {
  const config::RealmConfig& realm;
  std::string label;
  config::RealmConfig place;
  bool in_token = false;
  config::TokenConfig token;  ///< whole
  base::KeySpec spec;
  bool has_kind = false;  ///< the CA's row says the kind of its key itself
};

Result<Wanted> wanted_of(const config::RealmConfig& realm, const std::string& label) {
  PKI_TRY(const auto parsed, realm::parse_label(label));
  PKI_TRY(const auto spec, key_spec_of(realm, parsed));
  const auto row = realm.cas.find(parsed.name);
  const bool has_kind = row != realm.cas.end() && !row->second.key.empty();
  auto next = config::next_key(realm, parsed.name);
  return Wanted{realm, label, place_of(realm, label), next.in_token, std::move(next.token), spec, has_kind};
}

Error of_label(const Wanted& wanted, Code code, const std::string& found, const std::string& advice) {
  return {code,
          "found " + found + " in token " + TokenPlace{wanted.token.token, wanted.token.serial, {}}.token_text() +
              " for generation " + wanted.label,
          advice};
}

/// The name of a key that is there, and was made by others.
Result<KeyName> existing_name(const Wanted& wanted, TokenSession& session) {
  const bool by_id = wanted.token.key_label.empty();
  const KeyName name{by_id ? std::string() : config::key_label_for(wanted.realm, wanted.token, wanted.label),
                     wanted.token.key_id};
  PKI_TRY(const auto ids, session.ids(name));
  if (ids.size() == 1) return KeyName{name.label, ids.front()};
  const auto found = std::to_string(ids.size()) + " private keys of " + name.text() + ", expected one,";
  if (ids.empty())
    return of_label(wanted, Code::NotFound, found, "put the key there, correct key_label, or have it made (existing_key: false)");
  return of_label(wanted, Code::Conflict, found, "set key_id, too, to the one that is meant, or remove the others");
}

/// The name of a key that nobody has yet.
Result<KeyName> new_name(const Wanted& wanted, TokenSession& session) {
  const auto label = config::key_label_for(wanted.realm, wanted.token, wanted.label);
  PKI_TRY(const auto ids, session.ids({label, {}}));
  if (ids.empty()) return KeyName{label, base::to_hex(base::random_bytes(kIdOctets))};
  return of_label(wanted, Code::Exists, std::to_string(ids.size()) + " private keys of label " + label + ", expected none,",
                  "existing_key: true takes it over; else have another key_label, or remove it with the vendor's program");
}

/// Each generation has a key of its own: what one has signed is never another's.
Status check_own(const Wanted& wanted, const crypto::PublicKey& half, const std::map<std::string, std::string>& known) {
  const auto digest = half.spki_sha256_hex();
  for (const auto& [label, key] : known) {
    if (key == digest && label != wanted.label)
      return of_label(wanted, Code::Conflict, "the key of generation " + label + ", expected one of its own,",
                      "have another key_label: {ca} in it stands for the generation");
  }
  return {};
}

Status check_half(const Wanted& wanted, const crypto::PublicKey& half) {
  PKI_TRY_VOID(crypto::check_public_key(half));
  if (half.spec() == wanted.spec || (wanted.token.existing_key && !wanted.has_kind)) return {};
  return of_label(wanted, Code::Conflict,
                  "a key of kind " + base::to_text(half.spec()) + ", expected " + base::to_text(wanted.spec) + ",",
                  "correct `key` of the CA, or have another key");
}

/// Written before the key is made: whatever cuts this off, the next attempt finds what there is.
Status keep_place(const Wanted& wanted, const TokenPlace& at) {
  PKI_TRY_VOID(base::make_directories(wanted.place.directory, 0700));
  PKI_TRY_VOID(write_token_place(wanted.place.directory, at));
  PKI_TRY_VOID(base::sync_directory(wanted.realm.ca_directory()));
  return base::sync_directory(wanted.realm.directory);
}

/// Whether what an interrupted attempt has begun is what the configuration says still.
bool is_still_wanted(const Wanted& wanted, const TokenPlace& begun) {
  const bool is_by_id = wanted.token.existing_key && wanted.token.key_label.empty();
  const auto label = is_by_id ? std::string() : config::key_label_for(wanted.realm, wanted.token, wanted.label);
  const bool is_its_id = wanted.token.key_id.empty() || wanted.token.key_id == begun.key.id;
  return begun.is_in(wanted.token) && begun.key.label == label && is_its_id;
}

Error is_missing(const Wanted& wanted, const TokenPlace& at) {
  return {Code::Unavailable,
          "found no private key of " + at.key.text() + " in token " + at.token_text() + ", expected the one that generation " +
              wanted.label + " was begun with",
          "put it back from the token's backup, or abort the rollover"};
}

/// @param session  of at.token
Result<std::shared_ptr<SigningKey>> take(const Wanted& wanted, const TokenPlace& at, const KeyMaking& making,
                                         std::shared_ptr<TokenSession> session) {
  PKI_TRY(auto half, session->public_key(at.key));
  PKI_TRY_VOID(check_half(wanted, half));
  PKI_TRY_VOID(check_own(wanted, half, making.known));
  auto key = std::make_shared<TokenKey>(std::move(session), at.key, std::move(half));
  PKI_TRY_VOID(key->prove());
  return std::shared_ptr<SigningKey>(std::move(key));
}

/// What was begun is in the token, is made now, or is missing.
Result<std::shared_ptr<SigningKey>> take_up(const Wanted& wanted, const TokenPlace& begun, const KeyMaking& making) {
  auto session = making.tokens.find(begun);
  if (session == nullptr)
    return Error(Code::Unavailable,
                 "generation " + wanted.label + " was begun in token " + begun.token_text() + ", which this signer does not know",
                 "describe it in a pkcs11 of ca.config.yml and restart the server, or abort the rollover");
  PKI_TRY(const auto ids, session->ids(begun.key));
  if (!ids.empty()) return take(wanted, begun, making, std::move(session));
  if (making.known.contains(wanted.label) || wanted.token.existing_key) return is_missing(wanted, begun);
  // Of another id: half a pair may be left, which nobody needs.
  const auto at = session->place_of({begun.key.label, base::to_hex(base::random_bytes(kIdOctets))});
  PKI_TRY_VOID(keep_place(wanted, at));
  PKI_TRY_VOID(session->make(at.key, wanted.spec));
  return take(wanted, at, making, std::move(session));
}

Result<std::shared_ptr<SigningKey>> begin(const Wanted& wanted, const KeyMaking& making) {
  auto session = making.tokens.find(wanted.token);
  if (session == nullptr)
    return Error(Code::Unavailable,
                 "this signer does not know the token that generation " + wanted.label + " is to have its key in",
                 "restart the server: a signer begins to talk to a token at its start alone");
  const bool is_existing = wanted.token.existing_key;
  PKI_TRY(const auto name, is_existing ? existing_name(wanted, *session) : new_name(wanted, *session));
  const auto at = session->place_of(name);
  if (is_existing) {
    PKI_TRY(auto key, take(wanted, at, making, std::move(session)));
    PKI_TRY_VOID(keep_place(wanted, at));
    base::log_info("generation " + wanted.label + " takes over a key in token " + at.token_text() + ", of " + at.key.text());
    return key;
  }
  PKI_TRY_VOID(keep_place(wanted, at));
  PKI_TRY_VOID(session->make(at.key, wanted.spec));
  base::log_info("generation " + wanted.label + " has a new key in token " + at.token_text() + ", of " + at.key.text());
  return take(wanted, at, making, std::move(session));
}

}  // namespace

bool is_known_by_certificate(const config::RealmConfig& place) {
  return people_open_files(place) || (!is_there(place.ca_key_file()) && is_there(place.directory / kTokenPlace));
}

Result<std::shared_ptr<SigningKey>> read_generation_key(const config::RealmConfig& realm, const std::string& label,
                                                        const Tokens& tokens) {
  const auto place = place_of(realm, label);
  if (is_there(place.ca_key_file())) return read_file_key(place);
  PKI_TRY(const auto at, read_token_place(place.directory));
  return at ? read_token_key(realm, label, *at, tokens) : read_file_key(place);
}

Status check_described(const config::RealmConfig& realm, const std::string& label) {
  PKI_TRY(const auto at, read_token_place(place_of(realm, label).directory));
  return !at || Tokens(realm).find(*at) != nullptr ? Status() : not_described(realm, label, *at);
}

/// What was begun goes on as it was begun, once the journal knows it; before that the configuration may have changed its mind.
Result<std::shared_ptr<SigningKey>> make_key_of(const config::RealmConfig& realm, const std::string& label,
                                                const KeyMaking& making) {
  PKI_TRY(const auto wanted, wanted_of(realm, label));
  const bool is_known = making.known.contains(label);
  const auto file = wanted.place.ca_key_file();
  if (is_there(file) && wanted.in_token && !is_known)
    return Error(Code::Conflict, "found " + file.string() + ", which an interrupted attempt has left, expected a key in a token",
                 "remove that file: no certificate is for this key");
  if (is_there(file)) return make_file_key(realm, label, making.secret);
  PKI_TRY(const auto begun, read_token_place(wanted.place.directory));
  if (begun && (is_known || (wanted.in_token && is_still_wanted(wanted, *begun)))) return take_up(wanted, *begun, making);
  if (is_known)
    return Error(Code::Conflict,
                 "found neither " + file.string() + " nor " + kTokenPlace + " beside it, expected the key that generation " +
                     label + " was begun with, of SHA-256 " + making.known.at(label),
                 "restore the directory from a backup, or abort the rollover");
  if (begun)
    base::log_warning("generation " + label + " is begun anew: what an interrupted attempt has made in token " +
                      begun->token_text() + ", of " + begun->key.text() + ", is used by nobody");
  return wanted.in_token ? begin(wanted, making) : make_file_key(realm, label, making.secret);
}

}  // namespace chancery::signer
