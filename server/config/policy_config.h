#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/key_spec.h"
#include "server/base/name_pattern.h"
#include "server/base/names.h"
#include "server/base/role.h"
#include "server/base/text_pattern.h"
#include "server/config/enrolment.h"

/// `policy:` of ca.config.yml as plain values: which requests a realm grants, beyond what profiles say.
namespace chancery::config {

/// What templates of names may stand for, in braces.
inline constexpr std::string_view kTemplateVariables = "cn host domain user requester";

/// What a subject has by now: certificates in force; none of those, and the last one was revoked, or ended; none at all.
inline constexpr std::string_view kStandings = "nothing living ended revoked";

/// A look-up in a file begins so; the rest is its name in RealmConfig::list_directory().
inline constexpr std::string_view kFileLookUp = "file:";

/// The way of certificate.enrol, whose clients need no role: rules that mean it say so.
inline constexpr std::string_view kEnrolWay = "enrol";

/// One rule. It holds for a request when every condition that it has holds; the first that holds decides.
struct PolicyRule {
  std::string name;
  std::string decision;  ///< grant or deny

  std::vector<ProfileName> profiles;
  std::vector<std::string> ways;  ///< kPolicyWays: how the request came
  std::vector<base::TextPattern> requesters;
  std::vector<std::string> roles;           ///< any of them, the realm's own among them
  std::vector<base::NamePattern> names;     ///< each DNS name and address is meant by one
  std::vector<base::TextPattern> emails;    ///< each e-mail address likewise
  std::vector<base::TextPattern> uris;      ///< each URI likewise
  std::vector<base::TextPattern> subjects;  ///< one of them means the subject
  std::vector<base::KeySpec> keys;          ///< RSA rows are least sizes
  std::chrono::days max_validity{0};        ///< 0: any
  int max_living_per_subject = 0;           ///< certificates in force with this one; 0: any number
  int max_living_per_requester = 0;
  std::chrono::seconds renews_within{0};  ///< a renewal, of a certificate that ends so soon; 0: anything
  std::vector<std::string> replaces;      ///< kStandings: what the subject has by now; empty: whatever it has
  std::vector<std::string> look_ups;      ///< "file:hosts.txt", "inventory": each says yes of each name
  std::vector<std::string> eligible;      ///< look-ups that say yes of the request
  std::vector<Proof> proofs;              ///< what counts; none: nothing has to be shown
  int points = 1;                         ///< of proofs, that are enough
  std::string if_short = "next";  ///< with fewer: next, the rule does not hold; approval, people make up for them; request, and
                                  ///< certificate.enrol asks them by itself

  bool revoke_replaced = false;  ///< what the subject had ends with it

  std::string subject;            ///< what the subject becomes: a slash DN with variables; empty: as it is
  std::vector<std::string> sans;  ///< what the SANs become; empty: as they are

  bool is_for(std::string_view way) const {
    return std::find(ways.begin(), ways.end(), way) != ways.end() || (ways.empty() && way != kEnrolWay);
  }
  bool rewrites() const { return !subject.empty() || !sans.empty(); }
  bool operator==(const PolicyRule&) const = default;
};

/// A request whose decision is known, beside the rules: a configuration by which it is decided otherwise is refused.
struct PolicyTest {
  std::string name;
  std::string expect;  ///< grant or deny
  std::string rule;    ///< that has to decide; empty: any
  ProfileName profile = ProfileName::parse("server").value();
  std::string way = "command";
  std::string requester = "unix:nobody";
  std::vector<std::string> roles;
  std::string subject;
  std::vector<std::string> sans;
  base::KeySpec key;
  std::chrono::days validity{0};  ///< 0: the profile's
  int living_of_subject = 0;
  int living_of_requester = 0;
  std::chrono::seconds renews_with_left{0};  ///< rest of the certificate that is renewed; 0: no renewal
  std::vector<std::string> look_ups;         ///< those that say yes
  std::vector<std::string> proofs;           ///< those that it shows: "challenge:fleet"
  std::string standing = "nothing";          ///< what its subject has by now

  bool operator==(const PolicyTest&) const = default;
};

/// Where rules are found by a name that is asked for, instead of one after the other.
struct PolicyIndex {
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> by_tail;  ///< base::NamePattern::tail(), numbers ascending
  std::vector<std::uint32_t> others;                                       ///< rules that hold for other names, too
};

struct PolicyConfig {
  std::string otherwise = "grant";  ///< what becomes of requests for which no rule holds
  std::vector<base::NamePattern> blocked_names;
  std::vector<PolicyRule> rules;
  std::vector<PolicyTest> tests;
  std::shared_ptr<const PolicyIndex> index;  ///< of rules; made where they are read, once for all workers

  bool is_empty() const { return otherwise == "grant" && blocked_names.empty() && rules.empty(); }
  bool operator==(const PolicyConfig& other) const {
    return otherwise == other.otherwise && blocked_names == other.blocked_names && rules == other.rules && tests == other.tests;
  }
};

}  // namespace chancery::config
