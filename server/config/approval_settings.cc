#include "server/config/approval_settings.h"

#include <array>

#include "server/base/week_window.h"
#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kDay = 86400;

Status check_week_window(std::string_view text) {
  const auto window = base::WeekWindow::parse(text);
  return window.ok() ? Status() : Status(Error(Code::BadConfig, window.error().message()));
}

/// The row of a member of the profile's approval.
template <auto Member>
constexpr Setting<Profile> rule(SettingInfo info) {
  using Type = typename MemberOf<decltype(Member)>::Type;
  if (info.type.empty()) info.type = type_name<Type>();
  info.several = IsVector<Type>::value;
  return {info,
          [](const SettingInfo& own, const Node& node, Profile& profile, Report& report) {
            read_value(own, node, profile.approval.*Member, report);
          },
          [](const SettingInfo& own, const Profile& profile) { return write_value(own, profile.approval.*Member); }};
}

constexpr std::array kRules{
    rule<&ApprovalRules::needed>(
        {.name = "approvals",
         .least = 0,
         .most = kMostApprovals,
         .doc = "How many people must approve before a certificate is made: never the one who asks, never one twice. Nobody then "
                "has one issued directly, at any door: request.create asks for it (doc/four-eyes.md). 0: whoever has least_role "
                "has it issued, and others' requests need one approval."}),
    rule<&ApprovalRules::roles>({.name = "approval_roles",
                                 .aliases = "approvalRoles",
                                 .check = check_name,
                                 .doc = "Roles, one of which whoever approves must have. Empty: least_role.",
                                 .type = "role"}),
    rule<&ApprovalRules::are_signed>(
        {.name = "signed_approvals",
         .aliases = "signedApprovals",
         .doc = "Whether each approval must be signed with a certificate of approver_profiles. The realm's signer then verifies "
                "all of them itself, and makes no certificate of this profile without."}),
    rule<&ApprovalRules::signer_profiles>({.name = "approver_profiles",
                                           .aliases = "approverProfiles",
                                           .doc = "Profiles of this realm whose certificates approvals may be signed with."}),
    rule<&ApprovalRules::auto_renewals>(
        {.name = "auto_approve_renewals",
         .aliases = "autoApproveRenewals",
         .doc = "Whether a certificate's holder, who has shown the key, has it renewed without an approval."}),
    rule<&ApprovalRules::auto_hosts>(
        {.name = "auto_approve_hosts",
         .aliases = "autoApproveHosts",
         .doc = "File of known hosts, relative to the realm: names, globs and networks as in acme.policies, one a line, # begins "
                "a comment. Requests all of whose names are among them need no approval."}),
    rule<&ApprovalRules::auto_networks>({.name = "auto_approve_networks",
                                         .aliases = "autoApproveNetworks",
                                         .check = check_network,
                                         .doc = "Networks: requests that a front end brings for somebody there need no approval.",
                                         .type = "network"}),
    rule<&ApprovalRules::auto_times>(
        {.name = "auto_approve_times",
         .aliases = "autoApproveTimes",
         .check = check_week_window,
         .doc = "Hours of a week in UTC, like mon-fri 08:00-18:00 or daily 06:00-24:00, outside of which nothing is approved by "
                "these rules. Empty: always.",
         .type = "hours"}),
};

constexpr std::array kRequests{
    row<&RequestsConfig::lifetime>({.name = "lifetime",
                                    .unit = "d",
                                    .least = 1,
                                    .most = 366 * kDay,
                                    .doc = "A request that is neither finished nor refused expires after this. A bare number is "
                                           "days."}),
    row<&RequestsConfig::attachments>(
        {.name = "attachments", .least = 0, .most = 20, .doc = "How many files of evidence a request may have. 0: none."}),
    row<&RequestsConfig::attachment_octets>(
        {.name = "attachment_octets", .least = 1, .most = kMostAttachmentOctets, .doc = "The size of one of them."}),
    row<&RequestsConfig::open_per_requester>(
        {.name = "open_per_requester", .least = 1, .most = 500, .doc = "How many open requests somebody may have at a time."}),
    row<&RequestsConfig::comments>(
        {.name = "comments", .least = 0, .most = 1000, .doc = "How many comments a request may have."}),
    row<&RequestsConfig::keep>({.name = "keep",
                                .unit = "d",
                                .least = 0,
                                .most = 3660 * kDay,
                                .doc =
                                    "A request that has ended is deleted so long after the end of its lifetime, with its history "
                                    "and files; the audit stream keeps its digest. A bare number is days. 0: never."}),
    row<&RequestsConfig::remind>({.name = "remind",
                                  .unit = "d",
                                  .least = 1,
                                  .most = 366 * kDay,
                                  .doc =
                                      "How long a request has waited for approvals when those who approve are told, one notice "
                                      "for each: [1, 7]. It goes the ways of `notices`. A bare number is days. Empty: nobody "
                                      "is told.",
                                  .type = "duration"}),
    row<&RequestsConfig::remind_to>({.name = "remind_to",
                                     .check = check_mail_address,
                                     .doc = "Addresses that these go to by mail. Empty: notices.to.",
                                     .type = "mail address"}),
    row<&RequestsConfig::rollover_approvals>(
        {.name = "rollover_approvals",
         .least = 0,
         .most = kMostApprovals,
         .doc = "How many people must approve a step of a CA's rollover, which nobody then takes without a request. 0: whoever "
                "has the role ca-operator takes it."}),
    row<&RequestsConfig::rollover_roles>({.name = "rollover_roles",
                                          .check = check_name,
                                          .doc = "Roles, one of which whoever approves a rollover must have. Empty: ca-operator.",
                                          .type = "role"}),
    row<&RequestsConfig::rollover_signers>(
        {.name = "rollover_signers",
         .doc = "Profiles of this realm whose certificates approvals of rollovers must be signed with. The realm's signer then "
                "verifies all of them itself. Empty: they are not signed."}),
    row<&RequestsConfig::rule_approvals>(
        {.name = "rule_approvals",
         .least = 0,
         .most = kMostApprovals,
         .doc = "How many people must approve another `policy` or `enrolment`, other people and what "
                "they may, or other rules of approvals, before a start or a reload takes them "
                "(doc/four-eyes.md says all of it). 0: whoever writes the file."}),
    row<&RequestsConfig::rule_roles>({.name = "rule_roles",
                                      .check = check_name,
                                      .doc = "Roles, one of which whoever approves rules must have. Empty: ca-operator.",
                                      .type = "role"}),
};

}  // namespace

std::span<const Setting<Profile>> approval_settings() { return kRules; }
std::span<const Setting<RequestsConfig>> request_settings() { return kRequests; }

void read_requests(const Node& section, RequestsConfig& requests, Report& report) {
  if (!is_section(section, report)) return;
  check_names(section, names_of(request_settings()), report);
  read_settings(request_settings(), section, requests, report);
}

Node write_requests(const RequestsConfig& requests) {
  Node section = map(std::string(kRequestsSection));
  write_settings(request_settings(), requests, section);
  return section;
}

}  // namespace chancery::config
