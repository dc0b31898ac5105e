#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/realm/policy.h"

/// The rules of a realm's `policy:`, asked of one request. Pure: what only a store or a program knows comes through Facts.
namespace chancery::realm {

/// What rules look at.
struct Question {
  const config::Profile& profile;
  std::string way;  ///< config::kPolicyWays
  std::string requester;
  Roles roles;
  std::vector<std::string> role_names;  ///< the realm's own among them
  x509::Name subject;
  std::vector<x509::GeneralName> sans;
  std::optional<base::KeySpec> key;                 ///< none: it is not known yet, and any fits
  std::optional<std::chrono::seconds> validity;     ///< asked for; none: the profile's, or less
  std::optional<std::chrono::seconds> renews_left;  ///< rest of the certificate that it renews; none: it renews none
  bool is_holders = false;                          ///< the certificate that it renews asks for it, by its key
  bool one_is_enough = false;                       ///< of look-ups: the rule that asks denies
  bool as_a_whole = false;                          ///< of look-ups: not each name by itself
};

/// What the rules cannot know by themselves. Asked for rules alone that hold otherwise.
class Facts {
 public:
  virtual ~Facts() = default;
  /// How many certificates in force have the subject, in slash form; counted no further than `most`. @errors Unavailable.
  virtual Result<int> living_of_subject(const std::string& subject, int most) const = 0;
  /// Likewise those that somebody asked for.
  virtual Result<int> living_of_requester(const std::string& requester, int most) const = 0;
  /// Whether a look-up says yes. @errors Unavailable: it says neither yes nor no.
  virtual Result<bool> look_up(const std::string& where, const Question& question) const = 0;
  /// Whether the request shows that: a secret or a signer of config::kProofKinds. @errors Busy: too often in vain; Unavailable.
  virtual Result<bool> shows(const config::Proof& proof, const Question& question) const = 0;
  /// What the subject has by now: a word of config::kStandings. @errors Unavailable.
  virtual Result<std::string> standing_of(const std::string& subject) const = 0;
};

/// The first rule whose conditions all hold decides.
/// @errors Unavailable: a look-up or the store could not say, so nobody knows which rule holds; Malformed: what a rule's template
/// makes of the request is no name.
Result<Ruling> ask_rules(const config::PolicyConfig& policy, const Question& question, const Facts& facts);

/// What the rules say of a wish, and what becomes of it by that: its names, its length. @errors as ask_rules.
Result<Ruling> rule_on(const config::RealmConfig& realm, const Wish& wish, Seconds now, const Facts& facts);
void apply(const Ruling& ruling, Wish& wish);

/// The first of a certificate's names that is blocked whatever the rules say, what of its common name a verifier could take for a
/// host's among them: none, an empty text.
std::string blocked_name(const config::PolicyConfig& policy, const x509::Name& subject,
                         const std::vector<x509::GeneralName>& sans);

/// How a request came, by what its record says: "seed" of "seed 4f", "acme" of "acme-order:…".
std::string way_of(std::string_view rule);

/// A test beside the rules that does not hold.
struct FailedTest {
  std::size_t number = 0;  ///< of the realm's tests, from 0
  std::string message;     ///< what was found, what was expected
};
std::vector<FailedTest> failed_policy_tests(const config::RealmConfig& realm);

}  // namespace chancery::realm
