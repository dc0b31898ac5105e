#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/base/file.h"
#include "server/store/acme_allowance.h"
#include "server/store/acme_reservation.h"
#include "server/store/ca_rollovers.h"
#include "server/store/driver.h"
#include "server/store/notices.h"
#include "server/store/people_records.h"
#include "server/store/policy_records.h"
#include "server/store/records.h"
#include "server/store/request_rows.h"

namespace chancery::store {

inline constexpr std::size_t kMaxDerBytes = 65535;    ///< one certificate or request (PROMISES Q13)
inline constexpr std::size_t kCrlChunkBytes = 61440;  ///< one row of a CRL's DER (Q13)
inline constexpr std::size_t kMaxPageRows = 1000;
inline constexpr std::size_t kMaxRowsLooked = 5000;  ///< by one call of search

struct Bind;
struct PageKey;

/// As long as it lives, what the store's functions read is of one state, as Driver::enter_view says. For a command that reads
/// much before it writes: it is spared a look at the log for each piece, and never sees half of what another did meanwhile.
class View {
 public:
  explicit View(Driver& driver) noexcept : driver_(driver) { driver_.enter_view(); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() { driver_.leave_view(); }

 private:
  Driver& driver_;
};

/// What a realm remembers. One connection to the database, opened by whom uses it, after fork (PROMISES D21).
///
/// Each function is one transaction and touches this realm only: the realm's name is bound by the store itself into every
/// statement. What it did is there when it returns, for everybody, and durable after settle(). A transaction that another one was
/// in the way of is tried again a bounded number of times. Every function may fail with Busy, StoreFailed, Corrupt or Unavailable
/// besides what it names.
class Store {
 public:
  /// Opens the realm's SQLite file, makes it (mode 0600) when there is none, and brings its schema up to date.
  /// @errors Corrupt: no database, or another program's; Denied: others may read it; Unsupported: a newer schema, or a
  /// filesystem without locks; Unavailable: it cannot be opened.
  static Result<Store> open(const base::Path& file, RealmName realm);
  /// The same over any driver.
  static Result<Store> over(DriverPtr driver, RealmName realm);
  /// Whether open() would succeed, for checks of a configuration: makes no file, changes no schema. @errors as open().
  static Status check(const base::Path& file);
  /// To be called before anybody outside hears of what was stored or read here: the client by an answer, the signer by a request.
  /// Several functions, and several processes, share one wait for the disk. @errors StoreFailed: nothing of it may be said.
  Status settle();
  /// One at a time.
  View view() { return View(*driver_); }
  /// As Driver::renew_view.
  void renew_view() noexcept { driver_->renew_view(); }
  /// To read from what is there, as it is; none: there is no store yet, or one that open() has yet to bring up to date.
  /// @errors as open().
  static Result<std::optional<Store>> look(const base::Path& file, RealmName realm);

  // ----- certificates

  /// Stores the certificate, its SANs, its idempotency key, and makes it its common name's node unless that has a newer one.
  /// The same serial with the same DER again changes nothing, whatever else differs (PROMISES C6).
  /// @param revoked  what became of it before it came here: nobody finds it good meanwhile (PROMISES C7); its serial is the
  /// certificate's. A certificate that is here already keeps its state.
  /// @errors Exists: the serial with another DER; Conflict: the idempotency key belongs to another certificate; TooLarge.
  Result<Added> add_certificate(const NewCertificate& certificate, const std::optional<Revocation>& revoked = {});

  /// One certificate with its DER. @errors NotFound; Conflict: two CAs of the realm issued that serial and none is named.
  Result<CertificateRecord> certificate(const Serial& serial, const std::string& ca = {});
  /// The newest of a common name. @errors NotFound.
  Result<CertificateRecord> newest_by_cn(const std::string& cn);
  /// The newest of a DN in slash form. @errors NotFound.
  Result<CertificateRecord> newest_by_subject(const std::string& subject);
  /// Up to `limit` of a DN in slash form, newest first.
  Result<std::vector<CertificateRecord>> by_subject(const std::string& subject, std::size_t limit);
  /// The same of all subjects that are that name in letters of either case (RFC 5280 7.1, as far as ASCII goes). A value must
  /// have no spaces at its ends, nor two side by side.
  Result<std::vector<CertificateRecord>> of_name(const std::string& subject, std::size_t limit);
  /// Certificates in force at `now` that were issued since, with a DN in slash form or for a requester; counted up to `most`.
  Result<int> living_with_subject(const std::string& subject, const Living& living);
  Result<int> living_of_requester(const std::string& requester, const Living& living);
  /// The certificate that was issued under that key, if any.
  Result<std::optional<CertificateRecord>> by_idempotency_key(const std::string& key);

  /// Newest first (issued_at, then serial), without DER. Looks at no more than kMaxRowsLooked rows, so that a page may be
  /// short, even empty, and have a successor. @errors InvalidParams: `after` is no key of a page, or an unknown state.
  Result<Page<CertificateRecord>> search(const CertificateFilter& filter, std::size_t limit, const std::string& after);

  /// Revokes, or holds with reason certificateHold. A held one may be revoked for another reason. The same transaction
  /// notes that the next CRL is due. @return the certificate as it is now, without DER.
  /// @errors NotFound; Conflict: revoked already, or held and held again.
  Result<CertificateRecord> revoke(const Revocation& revocation);
  /// Takes back a hold. @errors NotFound; Conflict: not held.
  Result<CertificateRecord> unrevoke(const Serial& serial, Seconds at, const std::string& ca = {});

  /// Whether, and since when, a key may not be certified again. @param spki  SHA-256 of the SubjectPublicKeyInfo, in hex
  Result<std::optional<CompromisedKey>> compromised_key(const std::string& spki);
  /// Keys whose certificates are to be looked for: reported since, or certified by somebody who did not know yet. At most 1000.
  Result<std::vector<KeySweep>> key_sweeps();
  /// All certificates that were there when key_sweeps() gave it have been looked at. One that was asked for again stays.
  Status end_key_sweep(const KeySweep& sweep);
  /// Those neither revoked nor expired, by serial, after that one; empty: there are no more. A taken-over one may have no DER.
  Result<std::vector<LivingCertificate>> living_certificates(const std::optional<LivingCertificate>& after, Seconds now,
                                                             std::size_t limit);

  // ----- CRLs

  /// What the next CRL of that CA must list, sorted by serial: every certificate revoked or held that has not expired, and
  /// those that expired since the latest CRL or were on none yet (RFC 5280 3.3, PROMISES B9).
  Result<std::vector<RevokedCertificate>> revoked_for_crl(const std::string& ca, Seconds now);
  /// When the oldest change was made that no CRL shows yet; none: the latest CRL says it all.
  Result<std::optional<Seconds>> oldest_unlisted_revocation(const std::string& ca);
  /// Takes the next number for ever: it is not given again, also when no CRL comes of it (PROMISES C8, F20).
  /// @param above  the highest number that the signer's journal knows; the result is greater.
  Result<std::uint64_t> next_crl_number(const std::string& ca, std::uint64_t above = 0);
  /// Stores the CRL and crosses off the changes that it shows. @errors Conflict: the number is not above the latest's;
  /// Exists: a CRL of that number is there.
  Status add_crl(const NewCrl& crl);
  /// The CRL with the highest number. @errors NotFound: none was made yet.
  Result<CrlRecord> latest_crl(const std::string& ca);
  /// The same without its DER.
  Result<CrlRecord> latest_crl_facts(const std::string& ca);

  /// The same of delta CRLs: entries are the changes since `base`, which has to be the latest full one. Crosses nothing off.
  /// @errors Conflict: another full one came, or the number is not above the latest's; NotFound: no full one; Exists.
  Status add_delta_crl(const NewCrl& crl);
  /// @errors NotFound: none was made yet.
  Result<CrlRecord> latest_delta_crl(const std::string& ca);
  Result<CrlRecord> latest_delta_crl_facts(const std::string& ca);

  // ----- generations of CAs

  /// The newest first, at most 100.
  Result<std::vector<CaRollover>> ca_rollovers(const std::string& ca);
  /// Compare-and-set: a new row with version 0, or one as it was read, with another state. Raises its version.
  /// @errors Conflict: somebody else was faster.
  Status put_ca_rollover(CaRollover& rollover);
  /// @param most  about how many certificates are looked at
  Result<LivingByCa> living_by_ca(Seconds now, std::size_t most);

  // ----- nodes, administrators, small facts

  /// @errors NotFound.
  Result<NodeRecord> node(const std::string& cn);
  /// By common name, ascending.
  Result<Page<NodeRecord>> nodes(std::size_t limit, const std::string& after);
  /// Forgets the name; its certificates stay. @errors NotFound.
  Status delete_node(const std::string& cn);

  /// Puts a DN on the list and binds the keys to it, both or none. One that is there keeps the keys that it has.
  Result<Added> add_admin(const NewAdmin& admin);
  /// Binds more keys to a DN that is on the list. @return whether it is on it.
  Result<bool> bind_admin_keys(const NewAdmin& admin);
  /// DNs, slash form, sorted; at most kMaxPageRows.
  Result<std::vector<std::string>> admins();
  /// Whether a DN is on the list, and which keys are bound to it. At most kMaxPageRows keys.
  Result<AdminRecord> admin(const std::string& dn);
  /// Whether that very key is bound to a DN on the list. @param spki  SHA-256 of the SubjectPublicKeyInfo, in hex
  Result<bool> is_admin_key(const std::string& dn, const std::string& spki);
  /// Its keys go with it. @return whether it was on the list.
  Result<bool> remove_admin(const std::string& dn);

  Status add_seed(const SeedRecord& seed);
  /// @errors NotFound.
  Result<SeedRecord> seed(const std::string& id);
  /// By id, ascending.
  Result<Page<SeedRecord>> seeds(std::size_t limit, const std::string& after);
  /// Takes one use; so many calls succeed as it has uses, whoever asks at once. @return whether there was one at that time.
  Result<bool> take_seed(const std::string& id, Seconds at);
  /// A use that was taken came to nothing.
  Status give_back_seed(const std::string& id);
  /// @errors NotFound.
  Status delete_seed(const std::string& id);
  /// Forgets seeds that ended before that time, at most `limit`.
  Status purge_seeds(Seconds expired_before, std::size_t limit);

  /// Notes one renewal, if fewer than `most` (at least 1) of those names were noted after `since`; so many calls succeed, whoever
  /// asks at once. @return none: it is noted; else when the oldest was that stands in the way.
  Result<std::optional<Seconds>> take_own_renewal(const OwnRenewal& renewal, Seconds since, std::size_t most);
  /// A renewal that was noted came to nothing.
  Status give_back_own_renewal(const OwnRenewal& renewal);
  /// Forgets those until that time, at most `limit`.
  Status purge_own_renewals(Seconds before, std::size_t limit);

  // ----- people

  /// @errors Exists.
  Status add_person(const PersonRecord& person);
  /// @errors NotFound.
  Result<PersonRecord> person(const std::string& name);
  /// By name, ascending.
  Result<Page<PersonRecord>> persons(std::size_t limit, const std::string& after);
  /// @errors NotFound, of these three.
  Status set_person_enabled(const std::string& name, bool enabled, Seconds at);
  Status set_person_password(const std::string& name, const std::string& password, Seconds at);
  Status set_person_roles(const std::string& name, const std::vector<std::string>& roles, Seconds at);
  /// Tokens and sessions go, too. @errors NotFound.
  Status delete_person(const std::string& name);

  /// @errors Exists; NotFound: no such person.
  Status add_login_token(const LoginTokenRecord& token);
  /// @errors NotFound.
  Result<LoginTokenRecord> login_token(const std::string& id);
  /// By id, ascending. @param person  empty: everybody's
  Result<Page<LoginTokenRecord>> login_tokens(const std::string& person, std::size_t limit, const std::string& after);
  /// @errors NotFound.
  Status delete_login_token(const std::string& id);
  /// Forgets those that ended before that time, at most `limit`.
  Status purge_login_tokens(Seconds expired_before, std::size_t limit);

  /// realm::begin_attempt in one transaction: however many ask at once, no more begin than may.
  /// @return how long to wait first; none: it has begun, and end_login has to follow
  Result<std::optional<std::chrono::seconds>> begin_login(const std::string& who, const realm::LockoutRules& rules, Seconds now);
  Status end_login(const std::string& who, LoginOutcome outcome, Seconds now);
  /// Forgets counts that nobody touched since, at most `limit`.
  Status purge_login_counts(Seconds before, std::size_t limit);

  /// Notes a login if the person has fewer than `most` that are in force and were used within `idle`. @return whether it had.
  Result<bool> begin_login_session(const LoginSession& login, std::size_t most, std::chrono::seconds idle, Seconds now);
  Status see_login_session(const LoginSession& login, Seconds now);
  Status end_login_session(const LoginSession& login);
  /// Those that end until then, in the order of their ends, without DER. @param after  the `next` of the page before, or
  /// "<seconds>." to begin after that time. @errors InvalidParams: `after` is neither.
  Result<Page<CertificateRecord>> certificates_ending(Seconds until, std::size_t limit, const std::string& after);
  /// Those that are there stay as they are. At most 20.
  Status add_notices(const std::vector<Notice>& notices);
  /// Waiting ones whose turn it is, the oldest turn first.
  Result<std::vector<Notice>> due_notices(Seconds now, std::size_t limit);
  /// By the ends of their certificates.
  Result<Page<Notice>> notices(std::size_t limit, const std::string& after);
  Result<std::optional<Notice>> notice(const std::string& id);
  /// @return whether the notice is still as it was seen, and now claimed under that token until then.
  Result<bool> claim_notice(const Notice& seen, const std::string& token, Seconds until);
  /// @return whether the claim was still in force.
  Result<bool> finish_notice(const NoticeOutcome& outcome);
  /// Forgets those of certificates that ended before that time, at most `limit`.
  Status purge_notices(Seconds ended_before, std::size_t limit);

  /// A fact by name: the journal position that was reconciled last, say.
  Result<std::optional<std::string>> get_meta(const std::string& name);
  Status set_meta(const std::string& name, const std::string& text);

  /// Compare-and-set of a fact; without an old text, it has to be new. @return whether it was as expected.
  Result<bool> replace_meta(const std::string& name, const std::optional<std::string>& old_text, const std::string& text);
  /// All certificates with their DER, by serial and CA, behind those; without DER where its row is missing.
  Result<std::vector<CertificateRecord>> stored_certificates(const std::string& serial, const std::string& ca, std::size_t limit);

  // ----- what has ended

  /// Forgets a certificate, its names and its node, unless it changed meanwhile.
  /// @errors NotFound; Conflict: it may not go: not ended before that time, or revoked and on no CRL since its end.
  Status purge_certificate(const CertificateRecord& seen, Seconds ended_before);

  // ----- requests that wait for approval

  /// The request and the beginning of its history, both or none.
  /// @errors PolicyRefused: its requester has so many open ones; Exists: the id.
  Status add_request(const RequestRow& request, const std::vector<RequestStep>& steps, std::size_t most_open);
  /// @errors NotFound.
  Result<RequestRow> request(const std::string& id);
  /// From its beginning.
  Result<std::vector<realm::HistoryEntry>> request_history(const std::string& id);
  /// Compare-and-set: takes the row as it was read, with changed content, digest and serial; writes them, the step's state and
  /// the step, all or none. Of several that read the same, one wins. @errors Conflict: it changed meanwhile.
  Status advance_request(RequestRow& request, const RequestStep& step);
  /// Newest first.
  Result<Page<RequestRow>> requests(const RequestFilter& filter, std::size_t limit, const std::string& after);
  /// Ids of open ones whose time is over, at most `limit` of each state.
  Result<std::vector<std::string>> ended_requests(Seconds now, std::size_t limit);
  /// Those of one state, oldest first; page by `next`.
  Result<Page<RequestRow>> requests_by_age(realm::RequestState state, Seconds made_before, std::size_t limit,
                                           const std::string& after);
  /// Ids of requests that have ended, and whose time was over before; of each state so many.
  Result<std::vector<std::string>> finished_requests(Seconds over_before, std::size_t limit);
  /// The request with its history and files. @errors Conflict: it changed since it was read.
  Status purge_request(const RequestRow& request);
  /// Without the octets.
  Result<std::vector<RequestFile>> request_files(const std::string& id);
  /// @errors NotFound.
  Result<RequestFile> request_file(const std::string& id, std::int64_t file);

  // ----- ACME. update_* is compare-and-set: it takes the row as it was read, with changed members, and raises
  // its version. @errors of all updates: Conflict: somebody else changed it meanwhile; read again and decide again.

  /// @errors Exists: an account has that id or that key.
  Status add_acme_account(const AcmeAccount& account);
  /// @errors NotFound.
  Result<AcmeAccount> acme_account(const std::string& id);
  Result<std::optional<AcmeAccount>> find_acme_account_by_thumbprint(const std::string& thumbprint);
  /// Writes thumbprint, jwk, status, contact, terms_agreed, terms. @errors Exists: another account has that key.
  Status update_acme_account(AcmeAccount& account);
  /// With what binds it. @errors Conflict: it changed meanwhile, or is gone.
  Status delete_acme_account(const AcmeAccount& account);
  /// Oldest first.
  Result<Page<AcmeAccount>> acme_accounts(std::size_t limit, const std::string& after);

  Status add_acme_eab(const AcmeEab& key);
  /// @errors NotFound.
  Result<AcmeEab> acme_eab(const std::string& kid);
  /// By kid, ascending.
  Result<Page<AcmeEab>> acme_eabs(std::size_t limit, const std::string& after);
  /// The accounts that it bound stay. @errors NotFound.
  Status delete_acme_eab(const std::string& kid);
  /// Forgets keys that ended before that time, at most `limit`.
  Status purge_acme_eabs(Seconds expired_before, std::size_t limit);
  /// The account, its binding and one use of the key that bound it: all or none; so many calls succeed as the key has uses,
  /// whoever asks at once. @errors Exists: as add_acme_account; Denied: the key has no use left at that time, or is gone.
  Status add_bound_acme_account(const AcmeAccount& account, const AcmeBinding& binding, Seconds at);
  /// What is known of an account; of one of which nothing is, its id alone.
  Result<AcmeBinding> acme_binding(const std::string& account);
  /// The accounts that a key bound, by id, ascending.
  Result<Page<AcmeBinding>> acme_bindings_of(const std::string& eab, std::size_t limit, const std::string& after);
  /// @param policy  empty: the realm's
  Status set_acme_policy(const std::string& account, const std::string& policy);

  /// The order with those of its authorizations that are new and what it replaces, all or none.
  /// @errors Exists: an order that is not invalid replaces the same certificate; those of `allowed`.
  Status add_acme_order(const AcmeOrder& order, std::span<const AcmeAuthorization> authorizations, const Allowance& allowed = {});
  /// @errors NotFound: no such order, or another account's.
  Result<AcmeOrder> acme_order(const std::string& account, const std::string& id);
  /// The same for who acts for no account. @errors NotFound.
  Result<AcmeOrder> acme_order(const std::string& id);
  /// Writes status, authorizations, profile, error, serial, csr.
  Status update_acme_order(AcmeOrder& order, const Allowance& allowed = {});
  /// One that belongs to no order yet. @errors Exists; those of `allowed`.
  Status add_acme_authorization(const AcmeAuthorization& authorization, const Allowance& allowed = {});
  /// Adds the authorization and updates the order that names it, both or none. @errors Exists: an authorization has that id.
  Status add_acme_authorization(AcmeOrder& order, const AcmeAuthorization& authorization);
  /// Ids of an account's orders, newest first, without the invalid ones (RFC 8555 7.1.2.1).
  Result<Page<std::string>> acme_orders(const std::string& account, std::size_t limit, const std::string& after);

  /// Newest first. Looks at no more than kMaxRowsLooked rows, so that a page may be short, even empty, and have a successor.
  Result<Page<AcmeOrder>> search_acme_orders(const AcmeFilter& filter, std::size_t limit, const std::string& after);
  /// The same for authorizations: of one account newest first, of all by id.
  Result<Page<AcmeAuthorization>> search_acme_authorizations(const AcmeFilter& filter, std::size_t limit,
                                                             const std::string& after);

  /// Up to `most` times after `since`, the newest first: when an account made orders, when validations of a name failed for it,
  /// when a certificate with that SAN was issued, whoever had it.
  Result<std::vector<Seconds>> acme_order_times(const std::string& account, Seconds since, std::size_t most);
  Result<std::vector<Seconds>> acme_failure_times(const std::string& account, const std::string& name, Seconds since,
                                                  std::size_t most);
  Result<std::vector<Seconds>> certificate_times(const std::string& san, Seconds since, std::size_t most);
  /// When the pending ones expire among an account's authorizations that were made after `since`; the newest first, up to `most`.
  Result<std::vector<Seconds>> acme_pending_ends(const std::string& account, Seconds since, std::size_t most);
  /// When the certificate ends that a requester had last; none: it had none.
  Result<std::optional<Seconds>> latest_certificate_end(const std::string& requester);
  /// When those validations of a name end that go on at `now` for an account; the last first, up to `most`.
  Result<std::vector<Seconds>> acme_validation_ends(const std::string& account, const std::string& name, Seconds now,
                                                    std::size_t most);
  /// update_acme_authorization, with the validation that begins by it, or none of both. @errors also those of `allowed`.
  Status begin_acme_validation(AcmeAuthorization& authorization, const AcmeValidation& validation, const Allowance& allowed = {});
  /// The same with the validation's end, and with what is remembered of it if it failed.
  Status end_acme_validation(AcmeAuthorization& authorization, const AcmeValidation& validation,
                             const std::optional<AcmeFailure>& failure);
  /// Forgets those that lapsed until that time, at most `limit`.
  Status purge_acme_validations(Seconds before, std::size_t limit);
  /// Forgets failures until that time, at most `limit`.
  Status purge_acme_failures(Seconds before, std::size_t limit);

  /// Takes room for one more certificate of each name, or of none: then these names have no more. An order that has room takes it
  /// anew; it is given back by the order's certificate (add_certificate), by release, or lapses.
  Result<std::vector<AcmeNameInUse>> reserve_acme_certificate(const AcmeReservation& wanted);
  Status release_acme_certificate(const std::string& order);
  /// Forgets what lapsed until that time, at most `limit` rows and what goes with them.
  Status purge_acme_reservations(Seconds before, std::size_t limit);

  /// Takes room for one more certificate below each limit, or below none. It is given back by the certificate (add_certificate),
  /// by release, or lapses. @return whether there was room.
  Result<bool> reserve_living(const LivingReservation& wanted);
  Status release_living(const std::string& id);
  /// Forgets reservations that lapsed and refused requests that came last before those times, at most `limit` of each.
  Status purge_policy_records(Seconds lapsed_before, Seconds refused_before, std::size_t limit);
  /// Remembers that it was refused at last_at; the same one again counts.
  Status add_refused_request(const RefusedRequest& request);
  /// Forgets all but the newest, at most `at_once` of them.
  Status keep_refused_requests(std::size_t most, std::size_t at_once);
  /// A page, newest first, of those that came since.
  Result<std::vector<RefusedRequest>> refused_requests(Seconds since, const std::optional<RefusedRequest>& after,
                                                       std::size_t limit);

  /// @errors NotFound. The caller holds the account against the one that asks.
  Result<AcmeAuthorization> acme_authorization(const std::string& id);
  /// Writes status, expires, challenges.
  Status update_acme_authorization(AcmeAuthorization& authorization);
  /// A valid authorization of the account for that very identifier which lasts beyond `lasts_beyond`; the longest-lived.
  Result<std::optional<AcmeAuthorization>> find_valid_acme_authorization(const AcmeAuthorization& like, Seconds lasts_beyond);

  /// Forgets orders and authorizations that ended before that time, at most `limit` of each (PROMISES I28, Q15).
  /// Certificates stay. @return how many rows went.
  Result<std::int64_t> purge_acme(Seconds expired_before, std::size_t limit);

 private:
  Store(DriverPtr driver, RealmName realm);

  using Binds = std::initializer_list<Bind>;
  /// Runs a named statement of sql/query/ with these values; :realm_id is bound here and nowhere else.
  Result<Outcome> run(std::string_view name, Binds binds);
  Result<Outcome> run_all(std::string_view name, std::span<const Bind> binds);

  Result<CertificateRecord> certificate_row(const Serial& serial, const std::string& ca);
  Result<CertificateRecord> one_certificate(std::string_view statement_name, Binds binds, const std::string& what);
  Result<std::vector<CertificateRecord>> with_subject(std::string_view statement_name, const std::string& subject,
                                                      std::size_t limit);
  Result<int> living_by(std::string_view statement_name, const Bind& whose, const Living& living);
  Result<int> count_living(std::string_view statement_name, const Bind& whose, const Living& living);
  Result<int> count_room_taken(const LivingReservation& wanted, const LivingReservation::Limit& limit);
  Status drop_living_reservation(const std::string& id);
  Status forget_refused(Seconds before, std::size_t limit);
  Result<Outcome> run_way(std::string_view name, const std::vector<Bind>& binds);
  Result<Page<CertificateRecord>> search_pages(std::string_view name, const Value& value, const CertificateFilter& filter,
                                               std::size_t limit, PageKey key);
  Status put_login_count(const std::string& who, const realm::LoginCount& count, Seconds now);
  Result<realm::LoginCount> login_count(const std::string& who);
  Status change_person(std::string_view statement_name, Binds binds, const std::string& name);
  Status insert_request_step(const std::string& id, const RequestStep& step);
  Status check_open_requests(const std::string& requester, std::size_t most);
  Status insert_account(const AcmeAccount& account);
  Status insert_authorization(const AcmeAuthorization& authorization);
  Status write_authorization(const AcmeAuthorization& authorization);
  Status drop_validation(const AcmeValidation& validation);
  Status write_order(const AcmeOrder& order);
  Status complete_order(const NewCertificate& certificate);
  Status note_replacement(const AcmeOrder& order);
  Status note_origin(const AcmeOrder& order);
  Status drop_reservations(const std::string& order);
  Status note_agreement(const AcmeAccount& account);
  Status forget_attached(std::string_view statement_name, const std::string& order);
  Result<std::vector<Seconds>> times(std::string_view statement_name, Binds binds);
  Result<Outcome> order_page(const std::string& account, const PageKey& key, std::size_t limit);
  Result<Page<AcmeAuthorization>> all_authorizations(const AcmeFilter& filter, std::size_t limit, std::string after);
  Result<Page<AcmeAuthorization>> account_authorizations(const AcmeFilter& filter, std::size_t limit, const PageKey& after);
  Status add_bytes(CertificateRecord& record);
  Status add_sans(const NewCertificate& certificate);
  Status insert_admin_keys(const NewAdmin& admin);
  Result<Added> known_or_clash(const NewCertificate& certificate);
  Status note_idempotency_key(const NewCertificate& certificate);
  Status report_compromised(const std::string& spki, const Serial& serial, Seconds at);
  Status ask_for_sweep(const std::string& spki);
  Result<bool> sweep_if_compromised(const NewCertificate& certificate);
  Result<CertificateRecord> change_state(const Revocation& change, CertificateState wanted);
  Result<CertificateRecord> apply_state(const Revocation& change, CertificateState wanted);
  Status read_revoked(const std::string& ca, CertificateState state, Seconds since, std::vector<RevokedCertificate>& out);
  Status read_pending(const std::string& ca, std::vector<RevokedCertificate>& out);
  Status cross_off(const NewCrl& crl);
  Status add_crl_chunks(const NewCrl& crl);
  Result<Bytes> read_crl_der(const std::string& ca, std::uint64_t crl, std::int64_t chunks);

  DriverPtr driver_;
  RealmName realm_;
};

}  // namespace chancery::store
