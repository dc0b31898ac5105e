#pragma once

#include <map>
#include <optional>
#include <string>

#include "server/realm/policy.h"
#include "server/worker/session.h"
#include "server/x509/csr.h"

/// The one way to a certificate: every door and every command comes through here (PROMISES C12, C13).
namespace chancery::worker {

/// Something to be issued. Either a request proves possession, or `renews` names a certificate with the same key.
struct Order {
  ProfileName profile = ProfileName::parse("server").value();
  std::string ca{};  ///< name of the CA; empty: the one that issues the profile
  std::optional<x509::Csr> csr;
  std::optional<Serial> renews;          ///< whose key it keeps, without a request
  std::optional<Serial> follows;         ///< the certificate that it renews, whatever its key
  std::optional<Seconds> follows_until;  ///< and when that ends
  crypto::PublicKey key;
  bool key_stands_in = false;  ///< nobody knows yet which key will be certified
  x509::Name subject;
  std::vector<x509::GeneralName> sans;
  realm::SubjectFrom subject_from = realm::SubjectFrom::AsProfileSays;
  std::optional<std::chrono::seconds> validity;
  std::optional<Seconds> not_before;
  std::optional<Seconds> not_after;
  std::optional<Roles> roles;  ///< instead of the session's: a seed or an ACME order stands in for a role
  bool by_seed = false;        ///< a registration, with a seed that is good for the profile
  bool names_are_configured = false;
  bool is_approved = false;                        ///< by people, or by a rule of the profile
  bool has_new_names = false;                      ///< those of `renews` change, so that it is no renewal
  std::optional<std::string> requester;            ///< instead of the session's: whose request it is, whoever picks it up
  std::string requester_front_end;                 ///< with that
  std::optional<signer::ApprovedRequest> request;  ///< for the signer, which may want to see who approved
  std::string hmac{};                              ///< over the request, in hex; empty: none came
  std::string signature{};                         ///< over the request, by somebody for whom it is; PEM, empty: none came
  std::vector<std::string> shown{};                ///< proofs that held when it was asked for (requests)
  std::vector<std::string> not_shown{};            ///< and those that did not
  bool is_holders = false;                         ///< the certificate that it renews asks for it, by its key
  std::string rule;                                ///< what allowed it: "command", "seed", "acme-order:…", "listener:…"
  std::string evidence;
  std::string idempotency_key;
  std::string acme_account;
  std::string acme_order;
};

struct Issued {
  x509::Certificate certificate;
  std::string profile;
  bool replayed = false;  ///< an earlier request with the same idempotency key had made it
};

/// A profile of the session's realm. @errors NotFound.
Result<const config::Profile*> profile_of(const Session& session, const ProfileName& name);

/// An order from a request: its key, subject and names. @errors Malformed, BadKey, BadProof.
Result<Order> order_from_csr(const std::string& pem);

/// Replaces the SANs by those asked for in so many words. @errors Malformed.
Status set_sans(Order& order, const std::vector<std::string>& texts);

/// The generation that would issue it: of the CA that the order names, else of the one that issues its profile.
/// @errors NotFound, PolicyRefused: not that CA; Unavailable: none issues now.
Result<const realm::Generation*> generation_for(Session& session, const Order& order);

/// What the realm decides about it. Signs nothing.
Result<realm::Decision> judge(Session& session, const Order& order);

/// Whether the session may do what makes somebody the holder of a role: as its own that takes whoever may have one certified.
/// @param what  begins the refusal: "a seed for profile ra makes a registration authority". @errors Denied.
Status check_may_give_role(const Session& session, const std::string& what, const std::string& hint = {});

/// Decides, has the signer sign, stores; the answer may leave when this returns.
/// @param asked  what the realm's rules have said of that order already: what it shows is looked at, and counted, once
/// @errors those of the decision's refusal; Conflict: the idempotency key was used for another request; Unavailable.
Result<Issued> issue(Session& session, const Order& order, std::optional<realm::Ruling> asked = std::nullopt);

/// What the evidence of a stored certificate says: the roles of who asked, and the policy rule that granted it, empty without
/// one.
Roles roles_in_evidence(std::string_view evidence);
std::vector<std::string> role_names_in_evidence(std::string_view evidence);  ///< the realm's own among them
std::map<std::string, bool> answers_in_evidence(std::string_view evidence);  ///< of look-ups and proofs that rules asked
std::string rule_in_evidence(std::string_view evidence);

/// Whether an order that failed so was never signed; after another failure nobody knows.
bool is_refusal(const Error& why);

/// What the store keeps of a certificate that the journal or the signer gave.
/// @param ca  the generation that signed it
store::NewCertificate to_stored(const x509::Certificate& certificate, const std::string& ca, const std::string& profile,
                                Seconds issued_at);

}  // namespace chancery::worker
