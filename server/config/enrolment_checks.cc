#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "server/base/text.h"
#include "server/config/checks.h"
#include "server/config/enrolment_settings.h"
#include "server/config/people_settings.h"
#include "server/config/text_checks.h"

/// Between secrets, signers, look-ups, rules, profiles and files of a realm.
namespace chancery::config {
namespace {

namespace fs = std::filesystem;

template <class Map>
std::vector<std::string> names_in(const Map& items) {
  std::vector<std::string> names;
  for (const auto& [name, item] : items) names.push_back(name);
  return names;
}

std::string one_of(const std::vector<std::string>& known, std::string_view word, std::string_view section) {
  if (known.empty()) return ", expected one below enrolment." + std::string(section);
  return ", expected one of " + base::join(known, ", ") + suggestion(word, known);
}

// ----- secrets and signers

void check_secret(const RealmConfig& realm, const EnrolmentSecret& secret, const Node& at, Report& report) {
  const Node& place = place_of(at, "file");
  if (secret.file.empty() || report.has_reported(place)) return;
  check_secret_file(secret.file, {realm.directory}, place, report);
  std::error_code failed;
  const auto size = fs::file_size(secret.file, failed);
  if (failed || secret.kind != "shared" || report.has_reported(place)) return;
  if (size < kLeastSecretOctets || size > kMostSecretOctets)
    report.error(place, "found a secret of " + std::to_string(size) + " octets, expected " + std::to_string(kLeastSecretOctets) +
                            " to " + std::to_string(kMostSecretOctets) + ": who is told to keep guessing must not get there");
}

void check_signers(const RealmConfig& realm, const EnrolmentSigners& signers, const Node& at, Report& report) {
  if (signers.profiles.empty() && signers.identities.empty() && signers.roles.empty())
    report.error(at, "found neither profiles, identities nor roles, expected one: nobody is meant");
  if (signers.profiles.empty() && !signers.subjects.empty())
    report.error(place_of(at, "subjects"), "found subjects without profiles, expected both: whose certificates are meant");
  std::vector<std::string> known;
  for (const auto& [name, profile] : realm.profiles) known.push_back(name.text());
  const Node& profiles = place_of(at, "profiles");
  for (std::size_t i = 0; i < signers.profiles.size(); ++i) {
    const auto& name = signers.profiles[i];
    if (std::ranges::find(known, name) != known.end()) continue;
    report.error(place_of_item(profiles, i, signers.profiles.size()), "unknown profile \"" + base::printable(name, 64) +
                                                                          "\", expected one of " + base::join(known, ", ") +
                                                                          suggestion(name, known));
  }
}

// ----- roles

/// Roles that whoever asks may have.
constexpr std::array kRolesOfAnybody{Role::Anonymous, Role::User,     Role::RaOperator, Role::CaOperator,
                                     Role::Auditor,   Role::Frontend, Role::Admin};

}  // namespace

void check_role_names(const RealmConfig& realm, const std::vector<std::string>& roles, const Node& list, Report& report) {
  for (std::size_t i = 0; i < roles.size(); ++i) {
    check_role_among(kRolesOfAnybody, realm.people, roles[i], place_of_item(list, i, roles.size()), report);
  }
}

namespace {

// ----- look-ups

/// A setting that a kind needs.
struct Need {
  std::string_view kind;
  std::string_view setting;
  std::string LookUp::*value;
  std::string_view expected;
};
const std::array kNeeds{
    Need{"program", "program", &LookUp::program, "its absolute path"},
    Need{"ldap", "url", &LookUp::url, "the LDAP server's, like ldaps://ldap.example.com"},
    Need{"ldap", "base", &LookUp::base, "the entry below which is searched"},
    Need{"ldap", "filter", &LookUp::filter, "one like (cn={name})"},
    Need{"http", "url", &LookUp::url, "one like https://inventory.example.com/host/{name}"},
    Need{"sqlite", "file", &LookUp::file, "the database"},
    Need{"sqlite", "query", &LookUp::query, "one like SELECT 1 FROM host WHERE name = :name"},
};

/// Which texts have variables in braces.
void check_variables(std::string_view text, const Node& at, Report& report) {
  const auto known = words_of(kLookUpVariables);
  bool has_any = false;
  for (auto open = text.find('{'); open != std::string_view::npos; open = text.find('{', open + 1)) {
    const auto close = text.find('}', open);
    const std::string name(text.substr(open + 1, close == std::string_view::npos ? close : close - open - 1));
    if (close == std::string_view::npos || std::ranges::find(known, name) == known.end()) {
      report.error(at, "found the variable \"{" + base::printable(name, 40) + "}\", expected one of {" +
                           base::join(known, "}, {") + "}" + suggestion(name, known));
      return;
    }
    has_any = true;
  }
  if (!has_any) report.error(at, "found no variable, expected one like {name}: every request would get the same answer");
}

void check_scheme(const LookUp& one, const Node& at, Report& report) {
  const Node& place = place_of(at, "url");
  const bool is_ldap = one.kind == "ldap";
  const auto schemes = is_ldap ? std::vector<std::string_view>{"ldaps://", "ldap://", "ldapi://"}
                               : std::vector<std::string_view>{"https://", "http://"};
  const auto fits = [&](std::string_view scheme) { return one.url.starts_with(scheme) && one.url.size() > scheme.size(); };
  if (std::ranges::none_of(schemes, fits))
    return report.error(place, "found \"" + base::printable(one.url, 80) + "\", expected " + std::string(schemes[0]) + " or " +
                                   std::string(schemes[1]) + " and a host");
  const bool is_clear = one.url.starts_with("http://") || (one.url.starts_with("ldap://") && !one.start_tls);
  if (is_clear && !is_of_this_machine(one.url))
    report.error(place, "found " + base::printable(one.url, 80) + " in clear, expected " + std::string(schemes[0]) +
                            (is_ldap ? " or start_tls" : "") + ": whoever stands between could say yes");
  if (is_ldap) return;
  const auto path = one.url.find('/', one.url.find("://") + 3);
  if (one.url.substr(0, path).find('{') != std::string::npos)
    report.error(place, "found a variable in the host, expected it behind the first / of the path");
}

void check_files(const RealmConfig& realm, const LookUp& one, const Node& at, Report& report) {
  check_is_file(one.tls_ca_file, kTlsCaFile, place_of(at, "tls_ca_file"), report);
  check_is_file(one.file, "the SQLite database that the query is asked of: put it there, or name where it is",
                place_of(at, "file"), report);
  if (!one.bind_password_file.empty())
    check_secret_file(one.bind_password_file, {realm.directory}, place_of(at, "bind_password_file"), report);
  if (!one.token_file.empty()) check_secret_file(one.token_file, {realm.directory}, place_of(at, "token_file"), report);
}

void check_look_up(const RealmConfig& realm, const LookUp& one, const Node& at, Report& report) {
  bool complete = !one.kind.empty();
  for (const auto& need : kNeeds) {
    if (need.kind != one.kind || !(one.*need.value).empty()) continue;
    complete = false;
    if (!report.has_reported(place_of(at, need.setting)))
      report.error(at, "found no " + std::string(need.setting) + ", expected " + std::string(need.expected));
  }
  if (one.bind_dn.empty() != one.bind_password_file.empty())
    report.error(at, "found one of bind_dn and bind_password_file, expected both or none");
  check_files(realm, one, at, report);
  if (!complete) return;
  if (one.kind == "program") check_program_file(one.program, {realm.directory}, place_of(at, "program"), report);
  if (one.kind == "ldap" || one.kind == "http") check_scheme(one, at, report);
  if (one.kind == "ldap") check_variables(one.filter, place_of(at, "filter"), report);
  if (one.kind == "http") check_variables(one.url, place_of(at, "url"), report);
  if (one.kind == "sqlite" && one.query.find(':') == std::string::npos)
    report.error(place_of(at, "query"), "found no variable, expected one like :name: every request would get the same answer");
}

// ----- what rules name

void check_look_up_name(const RealmConfig& realm, const std::string& name, const Node& at, Report& report) {
  const auto known = names_in(realm.enrolment.look_ups);
  if (realm.enrolment.look_ups.contains(name)) return;
  report.error(at, "unknown look-up \"" + base::printable(name, 64) + "\"" + one_of(known, name, kLookUpsSection));
}

void check_proof(const RealmConfig& realm, const Proof& proof, const Node& at, Report& report) {
  const auto* const kind = std::ranges::find(kProofKinds, proof.kind, &ProofKind::name);
  if (kind == kProofKinds.end()) return;
  const auto& enrolment = realm.enrolment;
  if (kind->names == ProofNames::LookUp) check_look_up_name(realm, proof.name, at, report);
  if (kind->names == ProofNames::Signers && !enrolment.signers.contains(proof.name))
    report.error(at, "unknown signers \"" + base::printable(proof.name, 64) + "\"" +
                         one_of(names_in(enrolment.signers), proof.name, kSignersSection));
  if (kind->names != ProofNames::Secret) return;
  const auto secret = enrolment.secrets.find(proof.name);
  if (secret == enrolment.secrets.end())
    return report.error(at, "unknown secret \"" + base::printable(proof.name, 64) + "\"" +
                                one_of(names_in(enrolment.secrets), proof.name, kSecretsSection));
  if (proof.kind == "hmac" && secret->second.kind != "shared")
    report.error(at, "found hmac with secret " + proof.name + " of kind list, expected kind: shared: hashes make no HMAC key");
}

/// Enrolment without any role is asked for in so many words.
void check_enrol_way(const PolicyRule& rule, const Node& at, Report& report) {
  if (!rule.is_for(kEnrolWay) || rule.decision == "deny" || !rule.proofs.empty()) return;
  report.error(at, "found rule " + rule.name + " for enrol without proofs, expected some; anonymous, where anybody may have it");
}

void check_points(const PolicyRule& rule, const Node& at, Report& report) {
  if (rule.proofs.empty()) {
    if (rule.points != 1) report.error(place_of(at, "points"), "found points without proofs, expected what they are for");
    if (rule.if_short != "next") report.error(place_of(at, "if_short"), "found if_short without proofs, expected what is short");
    return;
  }
  const auto all =
      std::accumulate(rule.proofs.begin(), rule.proofs.end(), 0, [](int sum, const Proof& one) { return sum + one.points; });
  if (all < rule.points && rule.if_short == "next")
    report.error(place_of(at, "points"), "found " + std::to_string(rule.points) + " points, expected at most " +
                                             std::to_string(all) + ", which is what all proofs are worth");
  if (rule.decision == "deny" && rule.if_short != "next")
    report.error(place_of(at, "if_short"), "found " + rule.if_short + " in a rule that denies, expected next");
  if (rule.if_short == "request" && !(rule.is_for(kEnrolWay) && rule.is_for("request")))
    report.error(place_of(at, "if_short"),
                 "found request in rule " + rule.name + ", expected ways: [enrol, request], or approval");
}

}  // namespace

void check_enrolment(const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kEnrolmentSection);
  if (section == nullptr) return;
  const Node& secrets = place_of(*section, kSecretsSection);
  for (const auto& [name, secret] : realm.enrolment.secrets) check_secret(realm, secret, place_of(secrets, name), report);
  const Node& signers = place_of(*section, kSignersSection);
  for (const auto& [name, one] : realm.enrolment.signers) {
    check_signers(realm, one, place_of(signers, name), report);
    check_role_names(realm, one.roles, place_of(place_of(signers, name), "roles"), report);
  }
  const Node& look_ups = place_of(*section, kLookUpsSection);
  for (const auto& [name, one] : realm.enrolment.look_ups) check_look_up(realm, one, place_of(look_ups, name), report);
}

void check_rule_evidence(const RealmConfig& realm, const PolicyRule& rule, const Node& at, Report& report) {
  check_role_names(realm, rule.roles, place_of(at, "roles"), report);
  const Node& look_ups = place_of(at, "look_ups");
  for (std::size_t i = 0; i < rule.look_ups.size(); ++i) {
    if (!rule.look_ups[i].starts_with(kFileLookUp))
      check_look_up_name(realm, rule.look_ups[i], place_of_item(look_ups, i, rule.look_ups.size()), report);
  }
  const Node& eligible = place_of(at, "eligible");
  for (std::size_t i = 0; i < rule.eligible.size(); ++i)
    check_look_up_name(realm, rule.eligible[i], place_of_item(eligible, i, rule.eligible.size()), report);
  const Node& proofs = place_of(at, "proofs");
  for (std::size_t i = 0; i < rule.proofs.size(); ++i)
    check_proof(realm, rule.proofs[i], place_of_item(proofs, i, rule.proofs.size()), report);
  check_enrol_way(rule, at, report);
  check_points(rule, at, report);
}

}  // namespace chancery::config
