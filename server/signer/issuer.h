#pragma once

#include <memory>
#include <mutex>

#include "server/config/realm_config.h"
#include "server/realm/authority.h"
#include "server/signer/approvals.h"
#include "server/signer/generations.h"
#include "server/signer/journal.h"
#include "server/signer/messages.h"
#include "server/signer/service_messages.h"
#include "server/signer/services.h"
#include "server/signer/tokens.h"
#include "server/signer/unlocking.h"
#include "server/x509/lint.h"

namespace chancery::signer {

/// The keys of a realm's CAs and all that may be done with them. It decides by its own copy of the realm's profiles; nothing that
/// a worker says is believed. Functions may be called by several threads.
class Issuer {
 public:
  Issuer(const Issuer&) = delete;
  Issuer& operator=(const Issuer&) = delete;
  /// Reads passphrase, keys, certificates and journal, and finishes what a crash interrupted. Without a certificate but with a
  /// request a CA waits. A key that people or a token open may be locked: then all but signing works. @errors BadConfig,
  /// AuthFailed, Corrupt, Busy, NotFound, Denied, Io: say what to mend.
  static Result<std::unique_ptr<Issuer>> open(std::shared_ptr<const config::RealmConfig> realm, Seconds now);

  /// @errors NotFound: profile; BadProof; PolicyRefused, BadKey, LintFailed: it may not be issued; Exists: the serial is another
  /// certificate's; Conflict: the idempotency key is another request's; Unavailable: the CA waits; Io.
  Result<Signed> sign_certificate(const SignRequest& request, Seconds now);
  /// @errors PolicyRefused: dates outside what the realm says; Conflict: number or date behind the last CRL's, or what the
  /// journal has revoked is missing; LintFailed; Io. Of a delta CRL, what changed since the full one in crl.pem, which has to be
  /// the request's base: none is made without its base published (RFC 5280 5.2.4). @errors also NotFound: it is not; Corrupt:
  /// crl.pem is no CRL of this CA.
  Result<SignedCrl> sign_crl(const CrlRequest& request, Seconds now);
  /// Writes crl.pem or delta-crl.pem, once the store has the CRL: the realm's CA files are the signer's alone to write.
  /// @errors Malformed; BadProof: no CRL of this CA; Io.
  Status publish_crl(ByteView der, const std::string& ca = config::kFirstCa) const;
  /// What was published last. @errors NotFound: nothing of this CA.
  Result<x509::Crl> published_crl(const std::string& ca, bool is_delta) const;
  /// @errors NotFound.
  Result<AuthorityInfo> authority(const std::string& ca = config::kFirstCa) const;
  /// Those among them that the journal has signed nothing under.
  std::vector<Serial> unknown_serials(const std::vector<Serial>& asked) const;
  Result<JournalPage> journal_since(std::uint64_t position, std::size_t limit) const;
  /// @errors Io.
  Status record(const AuditEvent& event) { return journal_->record(event); }
  Result<AuditPage> audit_since(std::uint64_t position, std::size_t limit, std::string_view kind) const {
    return journal_->records_since(position, limit, kind);
  }
  /// Reads the journal from its first octet to its last, as chanceryd --check does. @errors Corrupt: names the octet.
  Status verify_journal() const;
  /// @errors Malformed, BadConfig: not this key's, no CA, out of order, not valid now; Exists: the CA has its certificate;
  /// NotFound.
  Status import_certificate(std::string_view chain_pem, Seconds now, const std::string& ca = config::kFirstCa);

  /// Whether people have approved that, where the realm has it so (approvals.h). @errors PolicyRefused.
  Status check_rollover(const RolloverDeed& deed, const std::optional<ApprovedRequest>& approved, Seconds now) const {
    return check_rollover_approvals(*state().realm, *journal_, deed, approved, now);
  }
  /// Every generation of every CA.
  std::vector<GenerationInfo> generations() const;
  /// Makes the next generation of a CA: key, then certificate or request. What an interrupted attempt left is taken up.
  /// @errors Malformed, NotFound: no such CA; Conflict: not the next one's number, or it is further than that; Unavailable: its
  /// root is not there; BadConfig, LintFailed, Io.
  Status create_generation(const NewGeneration& wanted, Seconds now, const CaTerms& terms = {});
  /// Makes both cross certificates of a generation and the one before it (RFC 4210 4.4), where both are roots; does nothing
  /// where they are there, or somebody else stands above one of them. @errors NotFound, Unavailable, LintFailed, Io.
  Status cross_sign(const std::string& ca, Seconds now);
  /// @errors NotFound; Conflict: the state cannot follow; Unavailable: it has no certificate to issue with; Io.
  Status set_generation(const std::string& ca, const std::string& state, const std::string& requester, Seconds now);

  // issuer_services.cc
  std::vector<ServiceInfo> services(Seconds now) const;
  /// Makes the keys of services that are missing or about to expire, and destroys those that have. One that cannot be made keeps
  /// none of the others back. @errors of the first that cannot be made.
  Status renew_services(const std::string& requester, Seconds now);
  /// What a responder says of certificates of one generation. What is said has to be what the journal says, too.
  /// @errors NotFound: nobody answers for it; Conflict: another status; PolicyRefused: of no certificate of it.
  Result<OcspAnswer> sign_ocsp(const OcspQuestion& question, Seconds now) const;
  /// With the newest key, or the one whose certificate was meant. @errors NotFound; those of x509::open_enveloped.
  Result<Bytes> open_for_ra(const RaQuestion& question, Seconds now) const;
  /// @errors NotFound; those of x509::sign_content.
  Result<Bytes> sign_for_ra(const RaQuestion& question, Seconds now) const;

  /// A share or the passphrase of the key. @return as secret_status. @errors those of Unlocking::enter.
  Result<SecretStatus> enter_secret(const SecretEntry& entry, Seconds now);
  SecretStatus secret_status() const { return unlocking_.status(); }
  /// @errors Conflict: no secret is asked for.
  Result<SecretStatus> clear_secret() { return unlocking_.clear(); }
  /// Why the realm's first CA cannot sign now; empty: it can.
  std::string obstacle() const { return main_key()->obstacle(); }
  /// The same, and where the first one can sign, why another generation's key in a token cannot: a realm is ready when all of its
  /// tokens are.
  std::string unready() const;
  /// As SigningKey::on_change, of every key. Call it before there are threads.
  void on_change(std::function<void()> changed);
  SigningKey& key() { return *key_; }
  /// The tokens, from now on, by threads of their own.
  void watch() { tokens_->watch(); }
  /// After a reload, which may have mended what is in a token's way.
  void look_again() { tokens_->look_again(); }
  ~Issuer() { tokens_->stop_watching(); }
  /// What was journalled and not signed, since the process or the key went away. @errors Io.
  Status finish_interrupted();

  /// New profiles after a reload; the key and the journal stay.
  void replace_realm(std::shared_ptr<const config::RealmConfig> realm);

 private:
  /// What decides about one request; taken once at its start, so that a reload in its middle changes nothing (incident I4).
  struct State {
    std::shared_ptr<const config::RealmConfig> realm;
    std::shared_ptr<const Generations> generations;
    std::shared_ptr<const Services> services;
  };
  /// One generation and the realm, of such a state.
  struct Chosen {
    std::shared_ptr<const config::RealmConfig> realm;
    std::shared_ptr<const Generations> generations;
    const Held* held;
  };

  Issuer(std::unique_ptr<Tokens> tokens, std::shared_ptr<SigningKey> first, Genesis owner, std::unique_ptr<Journal> journal,
         State state);
  State state() const;
  static Result<Chosen> choose(State state, const std::string& ca);

  // issuer_secret.cc: what people open, where they do
  /// Of the first CA: of its first generation, or, once that is retired, of its newest.
  std::shared_ptr<SigningKey> main_key() const;
  /// What the secret of people opens: the main key, where it does, else another one that it does.
  std::shared_ptr<SigningKey> secret_key() const;
  Status unlock(const SecretBytes& secret);
  void lock();
  std::optional<SecretBytes> secret() const;          ///< none: the keys are locked, or nobody opens them
  Result<Chosen> ready(const std::string& ca) const;  ///< one that has its certificate and its key
  Status check_possession(const SignRequest& request) const;
  /// The certificate of an entry: with the signature it has, or one that is made and journalled now.
  Result<Signed> complete(const Held& held, const Entry& entry, const x509::LintedTbs& linted);
  Result<Signed> complete_earlier(const State& state, const Entry& entry);

  Result<std::vector<x509::RevokedEntry>> delta_entries(const Chosen& chosen, const CrlRequest& request, Seconds now) const;

  // issuer_generations.cc
  static Result<std::shared_ptr<const Generations>> open_generations(const config::RealmConfig& realm, const Tokens& tokens,
                                                                     const Journal& journal, std::shared_ptr<SigningKey> first,
                                                                     Seconds now);
  Status check_next(const State& now, const realm::Label& label) const;
  Result<std::string> sign_ca(const std::string& signer, const Held& by, const config::RealmConfig& realm,
                              const CaCertificate& wanted, Seconds now);
  std::map<std::string, std::string> keys_of_journal() const;  ///< SHA-256 of its SubjectPublicKeyInfo, by generation
  Result<std::string> chain_for(const State& now, const realm::Label& label, std::shared_ptr<SigningKey> key,
                                const CaTerms& terms, Seconds at);
  void put(const std::string& ca, Held held);
  Status reread(const std::string& ca, Seconds now, std::shared_ptr<SigningKey> opened = nullptr);

  // issuer_services.cc
  Result<HeldService> make_service(const State& now, const ServiceNeed& need, const std::string& requester, Seconds at);
  Result<const HeldService*> ra_in_use(const State& present, const std::string& wanted, Seconds now) const;
  Status check_answer(const std::string& ca, const x509::Certificate& issuer, const x509::OcspSingle& answer, Seconds now) const;
  void put_services(Services services);

  std::unique_ptr<Tokens> tokens_;
  std::shared_ptr<SigningKey> key_;  ///< of the first generation of the first CA
  Genesis owner_;                    ///< whose journal it is
  std::unique_ptr<Journal> journal_;
  Unlocking unlocking_;
  std::function<void()> changed_;
  mutable std::mutex secret_mutex_;   ///< of secret_
  SecretBytes secret_;                ///< empty: none was entered. The next generation's key is encrypted with it
  std::mutex change_mutex_;           ///< one change of a generation at a time
  mutable std::mutex publish_mutex_;  ///< one CRL at a time becomes a file
  mutable std::mutex mutex_;          ///< of state_
  State state_;
};

}  // namespace chancery::signer
