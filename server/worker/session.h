#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "server/base/clock.h"
#include "server/base/realm_passes.h"
#include "server/base/role.h"
#include "server/realm/authority.h"
#include "server/realm/generations.h"
#include "server/signer/client.h"
#include "server/store/store.h"
#include "server/wire/commands.h"
#include "server/worker/look_ups.h"
#include "server/worker/person_login.h"
#include "server/worker/start.h"

namespace chancery::worker {

/// Who acts on this connection.
struct Identity {
  std::string name;       ///< "unix:alice", "frontend:http", "cert:/CN=…"
  std::string front_end;  ///< configured name, when the session acts as a front end; "zmq/curve:ra1": through a peer that is one
  Roles roles;            ///< in the session's realm
  std::vector<std::string> given = {};  ///< roles by name as a login gave them; empty: those of `roles`

  std::vector<std::string> role_names() const { return given.empty() ? roles.names() : given; }
};

/// One connection's state. Bound to one realm by open(), for life; everything that belongs to the realm is reached through
/// here and opened when first needed (PROMISES D21: nothing is inherited over fork).
class Session {
 public:
  /// @param start  outlives the session
  Session(WorkerStart& start, const base::Clock& clock);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  const config::Snapshot& snapshot() const { return *start_.snapshot; }
  const base::Clock& clock() const { return clock_; }
  base::Scoreboard& board() const { return *start_.board; }
  std::size_t slot() const { return start_.slot; }
  const base::PeerCredentials& peer() const { return start_.peer; }

  bool is_open() const { return realm_ != nullptr; }
  /// @pre is_open()
  const config::RealmConfig& realm() const;
  /// What the keymaker is shown for this realm; empty: there is none to show it to, or it is not known. @pre is_open()
  ByteView key_pass();
  const Identity& identity() const { return identity_; }
  const std::string& challenge() const { return challenge_; }
  /// Another challenge: each one counts once. @pre is_open()
  void renew_challenge();

  /// Binds the connection to a realm. @errors Conflict: open already; NotFound: no such realm, or no role in it (the same
  /// answer, so that nobody learns which realms there are); Denied: not this front end's user; Busy: realm's worker limit.
  Status open(const std::string& realm, const std::string& front_end);
  /// Another identity. @pre is_open()
  void become(Identity identity) { identity_ = std::move(identity); }
  /// Another identity, by a certificate, after a proof. @pre is_open()
  void log_in(Identity identity, x509::Certificate certificate);
  /// The certificate of the login or the attestation in force, none without one. It is good as long as that would take it.
  const std::optional<x509::Certificate>& login() const { return login_; }
  /// Another identity, by a login stack of the realm. @param certificate  on which it stands, if it does. @pre is_open()
  void log_in(Identity identity, std::optional<x509::Certificate> certificate, PersonLogin login);
  /// The login by a stack that is in force. It is good as long as that would take it.
  std::optional<PersonLogin>& person_login() { return person_login_; }
  const std::optional<PersonLogin>& person_login() const { return person_login_; }
  /// The command that is being carried out, for rules about it; null: none is.
  const wire::Command* command_in_hand() const { return command_in_hand_; }
  void take_in_hand(const wire::Command* command) { command_in_hand_ = command; }
  /// Where login programs are asked for; -1: nowhere.
  int login_runner() const { return start_.login_runner.get(); }
  LookUpCache& look_up_cache() { return look_up_cache_; }
  /// Whether the other end is this server's own upkeep.
  bool is_upkeep() const { return start_.from_upkeep; }
  /// The identity is again the one that session.open gave.
  void log_out();
  /// The login has ended by itself: as log_out, but a front end's session is for nobody then, as after an attestation that ended.
  void end_login();
  const Identity& opened_as() const { return opened_as_; }

  /// Whom a front end's session is for from now on. @param certificate  on which that stands. @pre identity.front_end is that of
  /// vouching(), and not empty
  void attest(Identity identity, std::optional<x509::Certificate> certificate);
  /// The session is for a front end behind this one: it may say whom each command is for, and nobody it speaks for may do more
  /// than it. @pre opened_as().front_end is not empty
  void attest_front_end(Identity identity);
  /// The front end whose word counts: that of session.open, or one behind it.
  const Identity& vouching() const { return vouching_; }
  /// The front end's session is for nobody, who has no role, until it is attested again: what a front end attested in vain, or
  /// what holds no longer, must never leave it with more than the right answer would have. @pre opened_as().front_end is not
  /// empty
  void attest_nobody();
  bool is_attested() const { return attested_; }

  /// Whom the request in hand is for: what a front end attests in the envelope, else the session's identity.
  std::string requester() const { return acting_for_.empty() ? identity_.name : acting_for_; }
  /// Of one request; empty: for nobody else. @errors Denied: only a front end may act for others, and one whose session is
  /// attested has said for whom, unless that is a front end, too; Malformed.
  Status act_for(const std::string& whom);

  /// @errors Unavailable, StoreFailed.
  Result<store::Store*> store();
  /// What the store did for this session, and what it said, is durable when this returns: called before each answer.
  /// @errors StoreFailed.
  Status settle();
  /// Connects anew when the signer was restarted meanwhile, or an answer of it did not come. What the store did is durable before
  /// the signer hears of it, if it is asked for anew at each use. @errors Unavailable; as settle.
  Result<signer::SignerClient*> signer();
  /// For what the signer is told nothing by, also where the store cannot be settled any more. @errors Unavailable.
  Result<signer::SignerClient*> signer_beside_store();
  /// The answer to the request in hand is what the signer has published, which is durable whatever became of the store.
  void rest_on_published() { rests_on_published_ = true; }
  bool rests_on_published() const { return rests_on_published_; }
  /// The approved request that a rollover's step is taken for, which the signer may want to see; null: there is none.
  const signer::ApprovedRequest* approved_step() const { return approved_step_ ? &*approved_step_ : nullptr; }
  void take_step_for(std::optional<signer::ApprovedRequest> request) { approved_step_ = std::move(request); }
  /// The public part of the realm's first CA: of the generation that issues. @errors Unavailable: it waits for its certificate;
  /// BadConfig.
  Result<const realm::Authority*> authority();
  /// Every generation of every CA of the realm, as of this request. @errors as authority; Corrupt.
  Result<const std::vector<realm::Generation>*> generations();
  /// The one that is called so, or that issues for the CA of that name; empty: for the first CA. @errors NotFound; as
  /// generations.
  Result<const realm::Generation*> generation(const std::string& label);
  /// Those above a certificate of this realm. @errors NotFound: none of the realm's generations signed it; as generations.
  Result<const realm::Generation*> generation_above(const x509::Certificate& certificate);
  /// Asks the signer which generations there are, and keeps that for everybody. @errors Unavailable, StoreFailed.
  Status refresh_generations();
  Status keep_generations(const std::vector<signer::GenerationInfo>& generations);

  /// Whether a front end's session stands on a configuration that is no longer in force. Front ends keep sessions for hours, and
  /// their clients are to see a reload at the next request; a session of anybody else is one piece of work, under one policy.
  bool is_outdated() const { return !opened_as_.front_end.empty() && board().generation() != start_.generation; }

  /// What the peer's uid gives in that realm, without any front end or login.
  Roles own_roles(std::string_view realm) const;

  /// How long the answer to the request in hand is of use, from now; none: as long as the client is there.
  void answer_within(std::optional<std::chrono::milliseconds> limit);
  std::optional<std::chrono::steady_clock::time_point> answer_by() const { return answer_by_; }
  /// The connection's descriptor, to see whether its other end is there; -1 in tests without one.
  int client() const { return start_.client.get(); }
  /// Whether anybody still waits for the answer: asked before what cannot be undone, so that nobody's certificate is made
  /// (UPKI.md 1.1). A client that has only ended its own half of the connection still reads.
  /// @errors Busy: the time is over; Closed: the client has hung up.
  Status check_wanted() const;

  bool closing = false;  ///< session.close was answered

  /// @return how many requests of this session were refused for what they asked since that minute began, this one counted.
  int count_refusal();
  /// @return how many logins failed in this session, this one counted.
  int count_failed_login() { return ++failed_logins_; }
  /// @return how many wrong registration seeds came in this session, this one counted.
  int count_wrong_seed() { return ++wrong_seeds_; }

 private:
  Result<std::string> chain();
  void forget_person_login();
  /// What the master answers to the question that open() asked. @pre is_open()
  /// @errors Timeout: not yet, another call may find it; Unavailable: there will be none.
  Result<const base::RealmPasses*> passes();
  Result<signer::SignerClient> connect_signer();

  WorkerStart& start_;
  const base::Clock& clock_;
  const config::RealmConfig* realm_ = nullptr;
  Identity identity_;
  Identity opened_as_;
  Identity vouching_;
  std::optional<x509::Certificate> login_;
  std::optional<PersonLogin> person_login_;
  const wire::Command* command_in_hand_ = nullptr;
  std::optional<signer::ApprovedRequest> approved_step_;
  bool attested_ = false;
  bool names_others_ = false;  ///< attested for a front end, which says in `for` whom it acts for
  std::string acting_for_;
  std::optional<std::chrono::steady_clock::time_point> answer_by_;
  std::string challenge_;
  int refusals_ = 0;
  int failed_logins_ = 0;
  int wrong_seeds_ = 0;
  Seconds refusals_since_{};
  LookUpCache look_up_cache_;
  std::optional<base::RealmPasses> passes_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<signer::SignerClient> signer_;
  std::vector<realm::Generation> generations_;
  std::optional<std::string> generations_text_;  ///< what they were read from; none: the realm's files
  bool generations_seen_ = false;                ///< in this request
  bool rests_on_published_ = false;              ///< its answer
};

/// What the master last saw of the realm's signer.
base::ProcessView signer_of(const base::Scoreboard& board, std::string_view realm);

/// The roles that the identities rules give a uid in a realm. root is admin everywhere, and so is the
/// server's own user unless workers have one of their own.
Roles roles_of(const config::ServerConfig& server, uid_t uid, std::string_view realm);

}  // namespace chancery::worker
