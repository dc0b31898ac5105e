#include "server/signer/create_secret.h"

#include "server/base/terminal.h"
#include "server/crypto/share_files.h"
#include "server/signer/ca_files.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kPassphraseOctets = 24;
constexpr std::size_t kMaxPassphrase = 1024;

/// @param numbers  of shares that are to be made; of those that are there their own count
Result<std::vector<crypto::Share>> shares_of(const Creation& creation, const config::SecretConfig& numbers) {
  const base::Path directory = creation.shares_directory;
  PKI_TRY(auto left, crypto::read_share_files(directory, creation.realm));
  if (!left.empty()) return left;
  const auto text = base::to_base64url(base::random_bytes(kPassphraseOctets));
  const SecretBytes passphrase{std::string_view(text)};
  PKI_TRY(auto shares, crypto::split_secret(passphrase, creation.realm, numbers.shares, numbers.threshold));
  PKI_TRY_VOID(crypto::write_share_files(directory, shares));
  return shares;
}

Status check_same(const std::vector<crypto::Share>& shares, const config::SecretConfig& secret, const base::Path& directory) {
  const auto& first = shares.front();
  const bool same = std::cmp_equal(shares.size(), secret.shares) && first.threshold == secret.threshold &&
                    (secret.set.empty() || first.set == secret.set);
  if (same) return {};
  return Error(Code::InvalidParams,
               directory.string() + " has " + std::to_string(shares.size()) + " shares of set " + first.set + ", of which " +
                   std::to_string(first.threshold) + " are needed; the realm's configuration says otherwise",
               "name another directory, or bring back the shares that belong to it");
}

Result<SecretBytes> passphrase_of_shares(const Creation& creation, const config::SecretConfig& secret) {
  if (creation.shares_directory.empty())
    return Error(Code::InvalidParams, "the realm's key is opened by shares, and no --shares-directory says where they go");
  PKI_TRY(const auto shares, shares_of(creation, secret));
  PKI_TRY_VOID(check_same(shares, secret, creation.shares_directory));
  std::vector<const crypto::Share*> enough;
  for (int i = 0; i < secret.threshold; ++i) enough.push_back(&shares[static_cast<std::size_t>(i)]);
  return crypto::combine_shares(enough);
}

Result<SecretBytes> asked_passphrase(const Creation& creation) {
  if (!creation.passphrase_file.empty()) return read_passphrase_file(creation.passphrase_file);
  PKI_TRY(auto once, base::ask_secret("New passphrase of realm " + creation.realm + ": ", kMaxPassphrase));
  PKI_TRY(const auto twice, base::ask_secret("The same once more: ", kMaxPassphrase));
  if (base::equal_in_constant_time(once.view(), twice.view())) return once;
  return Error(Code::InvalidParams, "the two passphrases differ");
}

}  // namespace

Status check_secret_options(const Creation& creation) {
  const bool some = creation.shares != 0 || creation.threshold != 0;
  if (some && (creation.shares == 0 || creation.threshold == 0 || creation.shares_directory.empty()))
    return Error(Code::InvalidParams, "found some of --shares, --threshold and --shares-directory, expected all three");
  if (creation.threshold > creation.shares)
    return Error(Code::InvalidParams, "--threshold: found " + std::to_string(creation.threshold) + ", expected at most the " +
                                          std::to_string(creation.shares) + " of --shares");
  const bool other =
      creation.unencrypted || !creation.credential.empty() || (!creation.prompt && !creation.passphrase_file.empty());
  if (some && (other || creation.prompt))
    return Error(Code::InvalidParams, "found --shares beside another passphrase, expected one way to open the key");
  if (creation.prompt && other)
    return Error(Code::InvalidParams, "found --prompt beside --credential or --unencrypted, expected one way to open the key");
  return {};
}

Result<std::string> secret_lines(const Creation& creation) {
  if (creation.prompt) return std::string("secret:\n  method: prompt\n");
  if (creation.shares == 0) return std::string();
  const config::SecretConfig numbers{.method = "shares", .shares = creation.shares, .threshold = creation.threshold};
  PKI_TRY(const auto shares, shares_of(creation, numbers));
  PKI_TRY_VOID(check_same(shares, numbers, creation.shares_directory));
  return "secret:\n  method: shares\n  shares: " + std::to_string(creation.shares) +
         "\n  threshold: " + std::to_string(creation.threshold) + "\n  set: \"" + shares.front().set + "\"\n";
}

Result<std::optional<SecretBytes>> passphrase_of(const Creation& creation, const config::RealmConfig& realm) {
  const auto& secret = realm.keys.secret;
  if (!secret.from_people()) return read_passphrase(realm);
  PKI_TRY(auto passphrase, secret.has_shares() ? passphrase_of_shares(creation, secret) : asked_passphrase(creation));
  return std::optional(std::move(passphrase));
}

}  // namespace chancery::signer
