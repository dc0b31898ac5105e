#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "server/config/realm_config.h"
#include "server/realm/authority.h"
#include "server/signer/journal.h"
#include "server/signer/messages.h"
#include "server/x509/lint.h"

namespace chancery::signer {

/// The key of one CA and all that may be done with it. It decides by its own copy of the realm's profiles; nothing that a
/// worker says is believed. Functions may be called by several threads.
class Issuer {
 public:
  /// Reads passphrase, key, certificate and journal, and finishes what a crash interrupted. Without a certificate but with a
  /// request the CA waits. @errors BadConfig, AuthFailed, Corrupt, Busy, NotFound, Io: say what to mend.
  static Result<std::unique_ptr<Issuer>> open(std::shared_ptr<const config::RealmConfig> realm);

  Result<Signed> sign_certificate(const SignRequest& request, Seconds now);
  Result<SignedCrl> sign_crl(const CrlRequest& request);
  Result<AuthorityInfo> authority() const;
  Result<JournalPage> journal_since(std::uint64_t position, std::size_t limit) const;
  /// @errors BadConfig: not this key's, no CA, out of order; Exists: the CA has its certificate.
  Status import_certificate(std::string_view chain_pem);

  /// New profiles after a reload; the key and the journal stay.
  void replace_realm(std::shared_ptr<const config::RealmConfig> realm);

 private:
  /// What decides about one request; taken once at its start, so that a reload in its middle changes nothing (incident I4).
  struct State {
    std::shared_ptr<const config::RealmConfig> realm;
    std::shared_ptr<const realm::Authority> authority;  ///< null while the CA waits
  };

  Issuer(crypto::PrivateKey key, std::unique_ptr<Journal> journal, State state);
  State state() const;
  Result<State> ready_state() const;
  Status check_possession(const SignRequest& request) const;
  Result<Bytes> sign_checked(const realm::Authority& authority, ByteView tbs, crypto::SignatureAlgorithm algorithm) const;
  Result<Signed> complete(const State& state, const Entry& entry, const x509::LintedTbs& linted);
  Status finish_interrupted();

  crypto::PrivateKey key_;
  std::unique_ptr<Journal> journal_;
  mutable std::mutex mutex_;
  State state_;
};

/// The CA key's passphrase, from the file or the systemd credential that the realm names; none for an unencrypted key.
Result<std::optional<SecretBytes>> read_passphrase(const config::RealmConfig& realm);

/// Reads the realm's CA key. @errors AuthFailed: wrong passphrase; BadConfig: unencrypted without being asked for; NotFound.
Result<crypto::PrivateKey> read_ca_key(const config::RealmConfig& realm);

}  // namespace chancery::signer
