#include <algorithm>
#include <filesystem>

#include "server/base/file.h"
#include "server/base/name_pattern.h"
#include "server/base/text.h"
#include "server/config/approval_settings.h"
#include "server/config/checks.h"
#include "server/config/text_checks.h"

/// That what a profile says about approvals can be done, and is not got round.
namespace chancery::config {
namespace {

const Node& place_of_roles(const Node& node) { return place_of(node, {"approval_roles", "approvalRoles", "approvals"}); }
const Node& place_of_signed(const Node& node) { return place_of(node, {"signed_approvals", "signedApprovals"}); }

/// What whoever approves stands in for.
Role demanded_role(const Profile& profile) { return holders_role(profile) ? Role::CaOperator : profile.least_role; }

/// Front ends act for others, and anonymous people are nobody: neither agrees to anything.
bool can_approve(Role role) { return role != Role::Anonymous && role != Role::Frontend; }

void check_role(Role demanded, const RealmConfig& realm, const std::string& text, const Node& at, Report& report) {
  const auto role = base::role_from_text(text);
  const auto own = realm.people.roles.find(text);
  if (!role.ok() && own == realm.people.roles.end()) {
    auto hint = role.error().hint();
    return report.error(at, "found the unknown " + role.error().message() + (hint.empty() ? "" : " (" + hint + ")"));
  }
  if (role.ok() && !can_approve(*role))
    return report.error(at, "found " + text + ", expected a role of people: approvals by it nobody can give");
  if ((role.ok() ? Roles{*role} : own->second).allow(demanded)) return;
  report.error(at, "found " + text + ", expected " + std::string(base::to_text(demanded)) +
                       " or a role that contains it: approvals by others nobody could issue by");
}

void check_roles(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report) {
  const auto& roles = profile.approval.roles;
  const Node& list = place_of_roles(node);
  for (std::size_t i = 0; i < roles.size(); ++i) {
    check_role(demanded_role(profile), realm, roles[i], place_of_item(list, i, roles.size()), report);
  }
  const bool by_least_role = roles.empty() && profile.approval.needed > 0;
  if (by_least_role && !can_approve(profile.least_role))
    report.error(list, "found approvals by least_role, which is " + std::string(base::to_text(profile.least_role)) +
                           ", expected approval_roles: approvals by that one nobody can give");
}

void check_signed(const Profile& profile, const Node& node, Report& report) {
  const auto& rules = profile.approval;
  if (!rules.are_signed) return;
  const Node& at = place_of_signed(node);
  if (rules.needed == 0) report.error(at, "found signed_approvals without approvals, expected how many of them");
  if (rules.signer_profiles.empty())
    report.error(at, "found signed_approvals without approver_profiles, expected at least one: nobody could sign any");
  if (rules.has_auto_rule())
    report.error(at,
                 "found signed_approvals beside rules that approve, expected one of them: the signer takes no rule for a "
                 "signature");
}

void check_host_line(const std::string& file, std::string_view line, std::size_t number, const Node& at, Report& report) {
  const auto text = base::trim(line.substr(0, line.find('#')));
  if (text.empty()) return;
  const auto good = check_name_pattern(text);
  if (!good.ok()) report.error(at, file + " line " + std::to_string(number) + ": " + good.error().message());
}

void check_hosts(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report) {
  const auto& file = profile.approval.auto_hosts;
  if (file.empty()) return;
  const Node& at = place_of(node, {"auto_approve_hosts", "autoApproveHosts"});
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    return report.error(
        at, "found no file " + file + ", expected a list of known hosts, one on each line: put it there, or name where it is");
  check_trusted(file, {realm.directory}, report, at);
  const auto text = base::read_file(file, kMostHostsOctets);
  if (!text.ok()) return report.error(at, text.error().message());
  const auto lines = base::split(*text, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) check_host_line(file, lines[i], i + 1, at, report);
}

void check_times(const Profile& profile, const Node& node, Report& report) {
  if (profile.approval.auto_times.empty() || profile.approval.has_auto_rule()) return;
  report.warning(place_of(node, {"auto_approve_times", "autoApproveTimes"}),
                 "found hours without a rule that approves in them, expected auto_approve_hosts, _networks or _renewals");
}

// ----- one profile beside the others

void check_signer_profile(const Profile& profile, const ProfileName& name, const RealmConfig& realm, const Node& at,
                          Report& report) {
  const auto found = realm.profiles.find(name);
  if (found == realm.profiles.end()) {
    std::vector<std::string> known;
    for (const auto& one : realm.profiles) known.push_back(one.first.text());
    return report.error(at, "unknown profile \"" + name.text() + "\", expected one of " + base::join(known, ", ") +
                                suggestion(name.text(), known));
  }
  if (std::ranges::count(found->second.key_usage, "digitalSignature") == 0)
    return report.error(
        at, "found profile \"" + name.text() + "\", expected one with digitalSignature: its certificates sign nothing");
  if (profile.approval.are_signed && !found->second.approval.are_signed)
    report.warning(at, "found profile \"" + name.text() +
                           "\", which has no signed_approvals itself: whoever has a certificate of it issued may approve");
}

/// Whether who cannot have the one could have the other in its stead.
bool stands_in_for(const Profile& other, const Profile& profile) {
  if (other.name == profile.name || holders_role(other) || !Roles{profile.least_role}.allow(other.least_role)) return false;
  if (other.approval.needed >= profile.approval.needed) return false;
  if (!other.domain.empty() && other.domain != profile.domain) return false;
  const auto& wanted = profile.extended_key_usage;
  return !wanted.empty() && std::ranges::all_of(wanted, [&](const std::string& one) {
    return std::ranges::count(other.extended_key_usage, one) != 0;
  });
}

void check_shadows(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report) {
  std::vector<std::string> shadows;
  for (const auto& [name, other] : realm.profiles) {
    if (stands_in_for(other, profile)) shadows.push_back(name.text());
  }
  if (shadows.empty()) return;
  report.warning(place_of(node, {"approvals"}),
                 "found approvals that profiles with fewer get round, since they make certificates for "
                 "the same uses: " +
                     base::join(shadows, ", "));
}

void check_doors(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report) {
  const auto& acme = realm.acme;
  const bool is_offered = acme.profile == profile.name || std::ranges::count(acme.profiles, profile.name) != 0;
  if (acme.enabled && is_offered)
    report.warning(place_of(node, {"approvals"}),
                   "found approvals for a profile that ACME offers: its orders are refused, expected another in acme.profile");
  if (profile.approval.are_signed && profile.name.text() == "server")
    report.warning(place_of_signed(node),
                   "found signed_approvals for the profile of the server's own listeners: their TLS certificates are refused");
}

// ----- what the realm says of its own requests

void check_realm_roles(const RealmConfig& realm, const Node& section, const char* name, const std::vector<std::string>& roles,
                       Report& report) {
  const Node& list = place_of(section, name);
  for (std::size_t i = 0; i < roles.size(); ++i)
    check_role(Role::CaOperator, realm, roles[i], place_of_item(list, i, roles.size()), report);
}

/// One certificate signs what its holder approves, whatever else it is for.
void check_rollover_signers(const RealmConfig& realm, const Node& section, Report& report) {
  const auto& signers = realm.requests.rollover_signers;
  const Node& list = place_of(section, "rollover_signers");
  if (!signers.empty() && realm.requests.rollover_approvals == 0)
    report.error(list, "found rollover_signers without rollover_approvals, expected how many of them");
  auto as_profile = Profile(ProfileName::parse("rollover").value());
  as_profile.approval.are_signed = true;
  for (std::size_t i = 0; i < signers.size(); ++i)
    check_signer_profile(as_profile, signers[i], realm, place_of_item(list, i, signers.size()), report);
}

void check_reminders(const RealmConfig& realm, const Node& section, Report& report) {
  const auto& requests = realm.requests;
  const auto& notices = realm.notices;
  const bool has_way = !notices.mail_server.empty() || !notices.webhooks.empty() || !notices.program.empty();
  const Node& at = place_of(section, "remind");
  if (!requests.remind.empty() && !has_way)
    report.error(at, "found times of reminders and no way to send them, expected notices.mail_server, .webhooks or .program");
  if (requests.remind.empty() && !requests.remind_to.empty())
    report.error(place_of(section, "remind_to"), "found remind_to without remind, expected after how long they are told");
  auto sorted = requests.remind;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) report.error(at, "found a time twice, expected each once");
  if (!sorted.empty() && sorted.back() >= requests.lifetime)
    report.error(at, "found " + duration_text(sorted.back()) + ", expected less than the lifetime of " +
                         duration_text(requests.lifetime) + ": the request has expired by then");
}

}  // namespace

void check_requests(const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kRequestsSection);
  if (section == nullptr || section->kind != Node::Kind::Map) return;
  check_realm_roles(realm, *section, "rollover_roles", realm.requests.rollover_roles, report);
  check_realm_roles(realm, *section, "rule_roles", realm.requests.rule_roles, report);
  check_rollover_signers(realm, *section, report);
  check_reminders(realm, *section, report);
}

void check_approval(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report) {
  check_roles(profile, realm, node, report);
  check_signed(profile, node, report);
  check_hosts(profile, realm, node, report);
  check_times(profile, node, report);
}

void check_profile_among_others(const Profile& profile, const RealmConfig& realm, const Node& node, Report& report) {
  const auto& names = profile.approval.signer_profiles;
  const Node& list = place_of(node, {"approver_profiles", "approverProfiles"});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool same_length = list.children.size() == names.size();
    check_signer_profile(profile, names[i], realm, same_length ? list.children[i] : list, report);
  }
  if (profile.approval.needed == 0) return;
  check_shadows(profile, realm, node, report);
  check_doors(profile, realm, node, report);
}

}  // namespace chancery::config
