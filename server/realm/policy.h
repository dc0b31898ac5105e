#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "server/realm/authority.h"
#include "server/realm/ruling.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

/// What a realm grants. Pure: no clock, no files, no store; the worker decides with it, and the signer decides again.
namespace chancery::realm {

/// The worker's clock and the signer's are this machine's; it may have been set meanwhile. What was asked for to the second stays
/// possible that long behind the realm's backdate, too: a client that asks for "from now on" needs time to prove its names.
inline constexpr std::chrono::minutes kClockSlack{5};

/// Who may have certificates made whose holders get a role by them (config::HolderRole).
inline constexpr Role kMakesHolders = Role::CaOperator;

/// Where the subject comes from.
enum class SubjectFrom { AsProfileSays, Profile, Rule };

/// What somebody asks for. Proof of possession is the caller's to verify before.
struct Wish {
  const config::Profile* profile = nullptr;
  x509::Name subject;  ///< as requested; may be empty when there are SANs
  std::vector<x509::GeneralName> sans;
  crypto::PublicKey key;   ///< empty: to be made when all else holds
  std::string key_report;  ///< what was reported about the key; empty: nothing
  SubjectFrom subject_from = SubjectFrom::AsProfileSays;
  std::optional<std::chrono::seconds> validity;  ///< asked for; none: the profile's
  std::optional<Seconds> not_before;             ///< asked for (RFC 8555 7.1.3)
  std::optional<Seconds> not_after;
  Roles roles;                         ///< of who asks
  bool names_administrator = false;    ///< the subject of the certificate (subject_for) is on the realm's list
  bool key_is_administrators = false;  ///< and the key is bound to it
  bool keeps_its_key = false;          ///< the same subject and key again: a renewal that gives nobody anything new
  bool by_seed = false;                ///< a registration, with a seed that is good for the profile
  bool is_approved = false;            ///< as many people agreed as the profile wants, or one of its rules did
  bool names_are_configured = false;   ///< the names come from the configuration: reserved ones like localhost are fine
  std::string way;                     ///< config::kPolicyWays
  std::string requester;
  std::optional<Seconds> follows_until;   ///< end of the certificate that it renews
  bool key_stands_in = false;             ///< `key` is not what will be certified, which nobody knows yet
  std::vector<std::string> role_names{};  ///< of who asks, the realm's own among them
  bool is_holders = false;                ///< the certificate that it renews asks for it, by its key
  std::optional<Ruling> ruling;           ///< of the realm's rules; none: it has none
};

/// What will stand in the certificate. Everything that decides the TBS bytes, with the profile and the authority.
struct Grant {
  Serial serial;
  ProfileName profile;
  x509::Name subject;
  std::vector<x509::GeneralName> sans;
  Bytes spki;  ///< DER
  Seconds not_before;
  Seconds not_after;
};

/// One rule's verdict, for certificate.preview and for the refusal.
struct Check {
  std::string rule;
  bool passed;
  std::string detail;
};

struct Decision {
  std::vector<Check> checks;
  Grant grant;                      ///< what would be issued, as far as it can be said
  Code code = Code::PolicyRefused;  ///< of the first check that failed
  std::string policy_rule;          ///< of the realm's own rules, the one that decided; empty: none
  std::optional<Ruling> ruling{};   ///< and what it says; none: the realm has no rules
  /// An administrator has another one's name certified, so that the key is one of that administrator's from then on. A renewal
  /// changes nothing about the right.
  bool binds_administrator = false;

  bool allowed() const;
  /// The first refusal as an error. @pre !allowed()
  Error refusal() const;
};

/// Whether one of the rows is the key's kind; of RSA the row's size is the least one. No rows: any is.
bool key_is_among(const std::vector<base::KeySpec>& rows, const base::KeySpec& key);

/// Holds a wish against every rule of the realm; all rules are asked, so that a refusal names everything at once.
Decision decide(const config::RealmConfig& realm, const Authority& authority, const Wish& wish, Seconds now,
                const Serial& serial);

/// The signer's own decision over a grant that a worker made: nothing that the worker says is believed.
/// @errors PolicyRefused, BadKey.
Status check_grant(const config::RealmConfig& realm, const config::Profile& profile, const Authority& authority,
                   const Grant& grant, Seconds now);

}  // namespace chancery::realm
