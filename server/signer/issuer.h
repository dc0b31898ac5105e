#pragma once

#include <memory>
#include <mutex>

#include "server/config/realm_config.h"
#include "server/realm/authority.h"
#include "server/signer/journal.h"
#include "server/signer/messages.h"
#include "server/signer/unlocking.h"
#include "server/x509/lint.h"

namespace chancery::signer {

/// The key of one CA and all that may be done with it. It decides by its own copy of the realm's profiles; nothing that a
/// worker says is believed. Functions may be called by several threads.
class Issuer {
 public:
  Issuer(const Issuer&) = delete;
  Issuer& operator=(const Issuer&) = delete;
  /// Reads passphrase, key, certificate and journal, and finishes what a crash interrupted. Without a certificate but with a
  /// request the CA waits. A key that people or a token open may be locked: then all but signing works. @errors BadConfig,
  /// AuthFailed, Corrupt, Busy, NotFound, Denied, Io: say what to mend.
  static Result<std::unique_ptr<Issuer>> open(std::shared_ptr<const config::RealmConfig> realm, Seconds now);

  /// @errors NotFound: profile; BadProof; PolicyRefused, BadKey, LintFailed: it may not be issued; Exists: the serial is another
  /// certificate's; Conflict: the idempotency key is another request's; Unavailable: the CA waits; Io.
  Result<Signed> sign_certificate(const SignRequest& request, Seconds now);
  /// @errors PolicyRefused: dates outside what the realm says; Conflict: number or date behind the last CRL's; LintFailed; Io.
  Result<SignedCrl> sign_crl(const CrlRequest& request, Seconds now);
  /// Writes crl.pem, once the store has the CRL: the realm's CA files are the signer's alone to write.
  /// @errors Malformed; BadProof: no CRL of this CA; Io.
  Status publish_crl(ByteView der) const;
  Result<AuthorityInfo> authority() const;
  Result<JournalPage> journal_since(std::uint64_t position, std::size_t limit) const;
  /// @errors Io.
  Status record(const AuditEvent& event) { return journal_->record(event); }
  Result<AuditPage> audit_since(std::uint64_t position, std::size_t limit, std::string_view kind) const {
    return journal_->records_since(position, limit, kind);
  }
  /// Reads the journal from its first octet to its last, as chanceryd --check does. @errors Corrupt: names the octet.
  Status verify_journal() const;
  /// @errors Malformed, BadConfig: not this key's, no CA, out of order, not valid now; Exists: the CA has its certificate.
  Status import_certificate(std::string_view chain_pem, Seconds now);

  /// A share or the passphrase of the key. @return as secret_status. @errors those of Unlocking::enter.
  Result<SecretStatus> enter_secret(const SecretEntry& entry, Seconds now);
  SecretStatus secret_status() const { return unlocking_.status(); }
  /// @errors Conflict: no secret is asked for.
  Result<SecretStatus> clear_secret() { return unlocking_.clear(); }
  /// Why the key cannot sign now; empty: it can.
  std::string obstacle() const { return key_->obstacle(); }
  SigningKey& key() { return *key_; }
  ~Issuer() { key_->stop_watching(); }
  /// What was journalled and not signed, since the process or the key went away. @errors Io.
  Status finish_interrupted();

  /// New profiles after a reload; the key and the journal stay.
  void replace_realm(std::shared_ptr<const config::RealmConfig> realm);

 private:
  using AuthorityPtr = std::shared_ptr<const realm::Authority>;

  /// What decides about one request; taken once at its start, so that a reload in its middle changes nothing (incident I4).
  struct State {
    std::shared_ptr<const config::RealmConfig> realm;
    AuthorityPtr authority;  ///< null while the CA waits
  };

  Issuer(std::unique_ptr<SigningKey> key, std::unique_ptr<Journal> journal, State state);
  State state() const;
  Result<State> ready_state() const;
  Status check_possession(const SignRequest& request) const;
  /// The certificate of an entry: with the signature it has, or one that is made and journalled now.
  Result<Signed> complete(const Entry& entry, const x509::LintedTbs& linted);
  Result<Signed> complete_earlier(const State& state, const Entry& entry);

  std::unique_ptr<SigningKey> key_;
  std::unique_ptr<Journal> journal_;
  Unlocking unlocking_;
  std::mutex import_mutex_;
  mutable std::mutex mutex_;  ///< of state_
  State state_;
};

}  // namespace chancery::signer
