#include <algorithm>
#include <filesystem>

#include "server/base/file.h"
#include "server/base/seed.h"
#include "server/base/text.h"
#include "server/config/acme_policy.h"
#include "server/config/ca_section.h"
#include "server/config/challenge_methods.h"
#include "server/config/checks.h"
#include "server/config/key_checks.h"
#include "server/config/notice_settings.h"
#include "server/config/policy_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/setting.h"
#include "server/config/upkeep_settings.h"

namespace chancery::config {
namespace {

namespace fs = std::filesystem;
using base::kLeastSeedCharacters;

constexpr std::size_t kMaxSeedOctets = 1024;

bool has(const std::vector<std::string>& words, std::string_view word) { return std::ranges::count(words, word) != 0; }

void check_ca(const Profile& profile, const Node& node, Report& report) {
  const bool signs = has(profile.key_usage, "keyCertSign");
  const Node& usage = place_of(node, {"keyUsage", "key_usage"});
  if (profile.is_ca && !signs)
    report.error(usage, "found a CA profile without keyCertSign, expected it in keyUsage (RFC 5280 4.2.1.9)");
  if (!profile.is_ca && signs)
    report.error(usage, "found keyCertSign in a profile with ca: false, expected CAs to have it only (RFC 5280 4.2.1.3)");
  if (!profile.is_ca && has(profile.key_usage, "cRLSign")) {
    report.warning(usage, "found cRLSign in a profile that is no CA's: only an indirect CRL issuer has a use for it");
  }
  if (!profile.is_ca && profile.path_length) {
    report.error(place_of(node, {"pathLen", "path_length"}),
                 "found a path length in a profile that is no CA's, expected none (RFC 5280 4.2.1.9)");
  }
  if (profile.is_ca && !Roles{profile.least_role}.allow(Role::CaOperator)) {
    report.error(place_of(node, {"least_role"}), "found " + std::string(base::to_text(profile.least_role)) +
                                                     " for a profile that makes CAs, expected ca-operator or admin");
  }
}

/// Whether a request with that key would pass the profile's list.
bool is_allowed(const base::KeySpec& key, const std::vector<base::KeySpec>& allowed) {
  return allowed.empty() || std::ranges::any_of(allowed, [&](const base::KeySpec& one) {
           return one.kind == key.kind && (one.kind == base::KeySpec::Kind::Rsa ? key.bits >= one.bits : key.bits == one.bits);
         });
}

void check_usages(const Profile& profile, const Node& node, Report& report) {
  const Node& usage = place_of(node, {"keyUsage", "key_usage"});
  if (profile.key_usage.empty()) report.error(usage, "found no keyUsage, expected at least one, like [digitalSignature]");
  for (const auto only : {"encipherOnly", "decipherOnly"}) {
    if (has(profile.key_usage, only) && !has(profile.key_usage, "keyAgreement")) {
      report.error(usage, "found " + std::string(only) + " without keyAgreement, expected both (RFC 5280 4.2.1.3)");
    }
  }
  const auto twice = [](std::vector<std::string> words) {
    std::ranges::sort(words);
    return std::ranges::adjacent_find(words) != words.end();
  };
  if (profile.ocsp_no_check && profile.extended_key_usage != std::vector<std::string>{"OCSPSigning"})
    report.error(
        place_of(node, {"ocsp_no_check"}),
        "found ocsp_no_check in a profile that is not for OCSP responders alone, expected extendedKeyUsage: [OCSPSigning] "
        "(RFC 6960 4.2.2.2.1)");
  if (twice(profile.key_usage)) report.error(usage, "found a key usage twice, expected each once");
  if (twice(profile.extended_key_usage)) {
    report.error(place_of(node, {"extendedKeyUsage", "extended_key_usage"}),
                 "found an extended key usage twice, expected each once");
  }
}

void check_subject(const Profile& profile, const Node& node, Report& report) {
  const bool is_known_by_name = holders_role(profile).has_value();
  if (profile.common_name == "none" && is_known_by_name)
    report.error(place_of(node, {"common_name"}), "found none, expected names: this profile's certificates make " +
                                                      std::string(holders_role(profile)->what) +
                                                      ", who are known by their names");
  if (profile.subject_from_request) return;
  if (!profile.subject.empty() || profile.altnames) return;
  report.error(place_of(node, {"subject", "subject_from"}),
               "found neither a subject nor altnames, expected something that names the holder");
}

void check_acme_profile(const RealmConfig& realm, const ProfileName& name, const Node& at, Report& report) {
  const auto found = realm.profiles.find(name);
  if (found == realm.profiles.end()) {
    std::vector<std::string> known;
    for (const auto& one : realm.profiles) known.push_back(one.first.text());
    return report.error(at, "unknown profile \"" + name.text() + "\", expected one of " + base::join(known, ", ") +
                                suggestion(name.text(), known));
  }
  if (found->second.is_ca) return report.error(at, "found the CA profile \"" + name.text() + "\", expected one for end entities");
  if (const auto given = holders_role(found->second)) {
    report.error(at, "found profile \"" + name.text() + "\", which makes " + std::string(given->what) +
                         ", expected one whose holders have no role");
  }
}

/// A method that names the CA in a record needs a name for it, and a realm that answers ACME clients something to prove.
void check_challenges(const AcmeConfig& acme, const Node& at, Report& report) {
  for (const auto& [setting, methods] :
       {std::pair("challenges", &acme.challenges), std::pair("wildcard_challenges", &acme.wildcard_challenges)}) {
    for (const auto& one : *methods) {
      const auto* method = find_challenge_method(one);
      if (method == nullptr || !method->needs_issuer || !acme.caa_identities.empty()) continue;
      report.error(place_of(at, {setting}),
                   "found " + one + " without caa_identities, expected the DNS names that its records name");
    }
  }
  if (acme.enabled && acme.challenges.empty() && acme.wildcard_challenges.empty() && acme.ip_challenges.empty()) {
    report.error(place_of(at, {"challenges"}), "found no challenge for names of any kind, expected one, or enabled: false");
  }
}

/// One program in two rows would count twice.
void check_vantage_points(const AcmeConfig& acme, const Node& at, Report& report) {
  const auto& points = acme.vantage_points;
  const Node& list = place_of(at, {"vantage_points"});
  const auto part = [](const std::string& point, bool key) {
    const auto blank = point.find(' ');
    return key ? point.substr(blank + 1) : point.substr(0, blank);
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Node& place = list.children.size() == points.size() ? list.children[i] : list;
    for (const bool key : {false, true}) {
      const auto same = [&](const std::string& other) { return part(other, key) == part(points[i], key); };
      if (std::none_of(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(i), same)) continue;
      report.error(place,
                   std::string("found the ") + (key ? "key" : "address") + " a second time, expected each vantage point once");
      break;
    }
  }
  if (points.size() > kMostVantagePoints) {
    report.error(list, "found " + std::to_string(points.size()) + " vantage points, expected at most " +
                           std::to_string(kMostVantagePoints));
  }
}

void check_vantage_quorum(const AcmeConfig& acme, const Node& at, Report& report) {
  if (!acme.vantage_quorum) return;
  const auto points = static_cast<int>(acme.vantage_points.size());
  const Node& place = place_of(at, {"vantage_quorum"});
  const auto found = "found " + std::to_string(*acme.vantage_quorum);
  if (*acme.vantage_quorum > points)
    return report.error(place, found + ", expected at most the " + std::to_string(points) + " of vantage_points");
  const int usual = usual_quorum(acme.vantage_points.size());
  if (*acme.vantage_quorum >= usual) return;
  report.warning(place, found + ", expected " + std::to_string(usual) + " or more of " + std::to_string(points) +
                            ": what deceives the front end and " + std::to_string(*acme.vantage_quorum) +
                            " of them gets certificates");
}

/// A policy can only choose among what ACME offers here.
void check_offered(const RealmConfig& realm, const ProfileName& name, const Node& at, Report& report) {
  std::vector<std::string> offered{realm.acme.profile.text()};
  for (const auto& one : realm.acme.profiles) offered.push_back(one.text());
  if (std::ranges::count(offered, name.text()) != 0) return;
  report.error(at, "found profile \"" + name.text() + "\", which ACME does not offer here, expected one of " +
                       base::join(offered, ", ") + suggestion(name.text(), offered));
}

/// It can only narrow how names are proved, too.
void check_narrowing(const AcmeConfig& acme, const AcmePolicy& policy, const Node& at, Report& report) {
  struct Kind {
    const char* setting;
    const std::vector<std::string>& wanted;
    const std::vector<std::string>& offered;
  };
  for (const auto& [setting, wanted, offered] :
       {Kind{"challenges", policy.challenges, acme.challenges},
        Kind{"wildcard_challenges", policy.wildcard_challenges, acme.wildcard_challenges},
        Kind{"ip_challenges", policy.ip_challenges, acme.ip_challenges}}) {
    for (const auto& one : wanted) {
      if (std::ranges::find(offered, one) != offered.end()) continue;
      const auto expected = offered.empty() ? std::string("none, as it offers none") : "one of " + base::join(offered, ", ");
      report.error(place_of(at, {setting}),
                   "found " + one + ", which acme." + std::string(setting) + " does not offer, expected " + expected);
    }
  }
}

/// Whoever makes an account has the realm's policy: what needs no proof is not for everybody.
void check_preauthorized(const AcmeConfig& acme, const Node& at, Report& report) {
  const auto found = acme.policies.find(acme.policy);
  if (found == acme.policies.end() || found->second.preauthorized.empty() || found->second.trusts_some()) return;
  report.error(place_of(at, {"policy"}),
               "found policy \"" + acme.policy +
                   "\", which certifies names without proof, expected one without preauthorized, or "
                   "with trusted_networks or trusted_client_profiles, since everybody's accounts have it");
}

void check_trusted_clients(const RealmConfig& realm, const AcmePolicy& policy, const Node& at, Report& report) {
  const Node& profiles = place_of(at, {"trusted_client_profiles"});
  std::vector<std::string> known;
  for (const auto& [name, profile] : realm.profiles) known.push_back(name.text());
  for (std::size_t i = 0; i < policy.trusted_client_profiles.size(); ++i) {
    const auto& name = policy.trusted_client_profiles[i];
    if (std::ranges::find(known, name) != known.end()) continue;
    const bool same_length = profiles.children.size() == policy.trusted_client_profiles.size();
    report.error(same_length ? profiles.children[i] : profiles,
                 "unknown profile \"" + name + "\", expected one of " + base::join(known, ", ") + suggestion(name, known));
  }
  if (policy.trusted_client_profiles.empty() && !policy.trusted_client_subjects.empty())
    report.error(place_of(at, {"trusted_client_subjects"}),
                 "found subjects without trusted_client_profiles, expected the profiles of their certificates");
}

void check_acme_policies(const RealmConfig& realm, const Node& acme, Report& report) {
  std::vector<std::string> known;
  check_preauthorized(realm.acme, acme, report);
  for (const auto& [name, policy] : realm.acme.policies) {
    known.push_back(name);
    const Node& at = place_of(place_of(acme, {kAcmePoliciesSection}), {name});
    check_narrowing(realm.acme, policy, at, report);
    check_trusted_clients(realm, policy, at, report);
    const Node& profiles = place_of(at, {"profiles"});
    for (std::size_t i = 0; i < policy.profiles.size(); ++i) {
      const bool same_length = profiles.children.size() == policy.profiles.size();
      check_offered(realm, policy.profiles[i], same_length ? profiles.children[i] : profiles, report);
    }
  }
  if (realm.acme.policy.empty() || realm.acme.policies.contains(realm.acme.policy)) return;
  const auto expected = known.empty() ? std::string("one below policies") : "one of " + base::join(known, ", ");
  report.error(place_of(acme, {"policy"}),
               "unknown policy \"" + realm.acme.policy + "\", expected " + expected + suggestion(realm.acme.policy, known));
}

void check_acme(const RealmConfig& realm, const Node& root, Report& report) {
  const Node& acme = place_of(root, {kAcmeSection});
  check_challenges(realm.acme, acme, report);
  check_vantage_points(realm.acme, acme, report);
  check_vantage_quorum(realm.acme, acme, report);
  check_acme_policies(realm, acme, report);
  check_acme_profile(realm, realm.acme.profile, place_of(acme, {"profile"}), report);
  const Node& profiles = place_of(acme, {"profiles"});
  for (std::size_t i = 0; i < realm.acme.profiles.size(); ++i) {
    const bool same_length = profiles.children.size() == realm.acme.profiles.size();
    check_acme_profile(realm, realm.acme.profiles[i], same_length ? profiles.children[i] : profiles, report);
  }
}

constexpr std::chrono::days kLongestCrl{10};  // PROMISES B9: of end-entity certificates
constexpr std::chrono::hours kShortestCrl{1};
constexpr std::chrono::seconds kShortestDelta{10};

/// What is in the seed's file, when this process may read it and nothing is wrong with the file itself.
void check_seed(const RealmConfig& realm, const Node& root, Report& report) {
  if (realm.seed_file.empty()) return;
  const Node& at = place_of(root, {"seed_file"});
  // The workers read the seed, as whoever the store belongs to.
  check_secret_file(realm.seed_file, {realm.database_file().parent_path()}, at, report);
  if (report.has_reported(at)) return;
  const auto text = base::read_file(realm.seed_file, kMaxSeedOctets);
  const auto length = text.ok() ? base::trim(*text).size() : kLeastSeedCharacters;
  if (length >= kLeastSeedCharacters) return;
  report.warning(at, "found a registration seed of " + std::to_string(length) + " characters, expected at least " +
                         std::to_string(kLeastSeedCharacters) +
                         ": whoever guesses it registers an RA (openssl rand -base64 24 makes a better one)");
}

/// A delta CRL is for those between two full ones.
void check_delta_schedule(const RealmConfig& realm, const Node& root, Report& report) {
  if (realm.crl_delta.count() == 0) {
    if (!realm.crl_delta_urls.empty())
      report.error(place_of(root, {"crl_delta_urls"}), "found crl_delta_urls without crl_delta, expected how often one is made");
    return;
  }
  if (realm.crl_delta < kShortestDelta || realm.crl_delta_validity() > realm.crl_validity) {
    report.error(place_of(root, {"crl_delta"}), "found " + duration_text(realm.crl_delta) + ", expected " +
                                                    duration_text(kShortestDelta) + " to half of crl_validity, " +
                                                    duration_text(realm.crl_validity / 2));
  }
}

void check_crl_schedule(const RealmConfig& realm, const Node& root, Report& report) {
  if (realm.crl_after_revocation > realm.crl_validity) {
    report.error(place_of(root, {"crl_after_revocation"}), "found " + duration_text(realm.crl_after_revocation) +
                                                               ", expected at most the " + duration_text(realm.crl_validity) +
                                                               " of crl_validity");
  }
  check_delta_schedule(realm, root, report);
  const Node& validity = place_of(root, {"crl_validity"});
  if (realm.crl_validity > kLongestCrl) {
    report.warning(validity, "found " + duration_text(realm.crl_validity) + ", expected at most " + duration_text(kLongestCrl) +
                                 ": a client may trust a revoked certificate that long");
  }
  if (realm.crl_validity < kShortestCrl) {
    report.warning(validity, "found " + duration_text(realm.crl_validity) +
                                 ": a CRL is renewed at half of that, and a longer stop leaves clients without a valid one");
  }
}

/// The places of the data directory hold what they are for.
void check_layout(const RealmConfig& realm, Report& report) {
  std::error_code ignored;
  for (const auto& directory : {realm.journal_directory(), realm.node_directory(), realm.database_file().parent_path()}) {
    if (fs::exists(directory, ignored) && !fs::is_directory(directory, ignored)) {
      report.error(Node(), "found a file, expected a directory: " + directory.string());
    }
  }
  if (fs::symlink_status(realm.ca_key_file(), ignored).type() != fs::file_type::not_found) {
    check_secret_file(realm.ca_key_file(), {realm.directory}, Node(), report);
  }
}

}  // namespace

void check_profile(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report) {
  check_approval(profile, realm, node, report);
  check_ca(profile, node, report);
  check_usages(profile, node, report);
  check_subject(profile, node, report);
  if (!is_allowed(profile.key, profile.allowed_keys)) {
    report.error(place_of(node, {"allowed_keys", "key"}),
                 "found allowed_keys without " + base::to_text(profile.key) + ", expected the profile's own key to be allowed");
  }
  const Node& validity = place_of(node, {"duration", "validity"});
  if (profile.validity > realm.ca_validity) {
    report.warning(validity, "found " + std::to_string(profile.validity.count()) + " days, more than the " +
                                 std::to_string(realm.ca_validity.count()) + " of ca_validity: certificates end with their CA");
  }
  check_outlasts_backdate(realm, profile.validity, validity, report);
}

void check_outlasts_backdate(const RealmConfig& realm, std::chrono::seconds validity, const Node& at, Report& report) {
  if (realm.backdate < validity) return;
  report.error(at, "found a validity that the realm's backdate of " + duration_text(realm.backdate) + " eats up, expected more");
}

void check_realm(const RealmConfig& realm, const Node& root, Report& report) {
  check_policy_section(realm, root, report);
  check_keys(realm, root, report);
  check_seed(realm, root, report);
  if (realm.clients == ClientsMode::Register && realm.seed_file.empty()) {
    report.warning(place_of(root, {"clients"}),
                   "found register without a seed_file: names are registered by operators and their seeds alone");
  }
  for (const auto& file : realm.key_block_lists)
    check_is_file(file, "a list of hashes of keys (doc/key-block-lists.md): put it there, or take it out of the setting",
                  place_of(root, {"key_block_lists"}), report);
  if (const Node* acme = root.find("acme"); acme != nullptr && realm.acme.enabled && realm.acme.upki_clients == "yes") {
    report.warning(place_of(*acme, {"upki_clients"}),
                   "found yes: whoever reaches an ACME listener is certified the names it asks for, without a proof");
  }
  check_crl_schedule(realm, root, report);
  check_acme(realm, root, report);
  check_notices(realm, root, report);
  check_publishing(realm, root, report);
  check_requests(realm, root, report);
  check_retention(realm, root, report);
  check_layout(realm, report);
  check_cas(realm, root, report);
}

void check_command_roles(const RealmConfig& realm, std::span<const KnownCommand> commands, const Node& root, Report& report) {
  const Node* section = root.find(kCommandRolesSection);
  if (section == nullptr) return;
  std::vector<std::string_view> names;
  for (const auto& command : commands) names.push_back(command.name);
  for (const auto& [name, role] : realm.command_roles) {
    const Node* at = section->find(name);
    if (at == nullptr || report.has_reported(*at)) continue;
    const auto known = std::ranges::find(commands, name, &KnownCommand::name);
    if (known == commands.end()) {
      const auto near = base::did_you_mean(name, names);
      report.error_at_name(
          *at, "unknown command \"" + name + "\"" +
                   (near.empty() ? ", expected one of doc/commands.md" : " (did you mean \"" + std::string(near) + "\"?)"));
    } else if (Roles{known->least_role}.allow(role)) {
      report.warning(*at, "found " + std::string(base::to_text(role)) + ", but " + name + " needs " +
                              std::string(base::to_text(known->least_role)) + " in every realm, expected a role that is more");
    }
  }
}

}  // namespace chancery::config
