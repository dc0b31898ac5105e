#include "server/config/enrolment_settings.h"

#include <array>

#include "server/base/text.h"
#include "server/config/paths.h"
#include "server/config/policy_codecs.h"
#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kMostKept = 100000;
constexpr std::int64_t kMostDays = 3660;

Status check_look_up_filter(std::string_view text) {
  if (text.starts_with('(') && text.ends_with(')')) return {};
  return Error(Code::Malformed, "found \"" + base::printable(text, 80) + "\", expected a filter in parentheses (RFC 4515)");
}

constexpr std::array kEnrolment{
    row<&EnrolmentConfig::refused_kept>(
        {.name = "refused_kept",
         .least = 0,
         .most = kMostKept,
         .doc = "So many requests that the rules refused are remembered, for policy.refused and policy.replay; of more the "
                "newest. The same one again counts, and takes no more room. 0: none."}),
    row<&EnrolmentConfig::refused_for>({.name = "refused_for",
                                        .unit = "s",
                                        .least = kMinute,
                                        .most = kMostDays * kDay,
                                        .doc = "How long each is remembered after it came last."}),
};

constexpr std::array kSecret{
    row<&EnrolmentSecret::kind>(
        {.name = "kind",
         .words = "shared list",
         .doc = "shared: the file's one line is the secret, at least 16 octets, of everybody. list: a line `NAME HASH` for each "
                "common name, with the scrypt hash of its own password; for challenge passwords alone."}),
    row<&EnrolmentSecret::file>(
        {.name = "file",
         .required = true,
         .doc = "The file, mode 0600, relative to the realm's directory. What is changed in it counts from the next reload.",
         .type = "path"}),
};

constexpr std::array kSigners{
    row<&EnrolmentSigners::profiles>(
        {.name = "profiles",
         .check = check_name,
         .doc = "Holders of certificates in force of these profiles of the realm: who logged in with one, or signed the request "
                "with one.",
         .type = "profile name"}),
    row<&EnrolmentSigners::subjects>(
        {.name = "subjects", .doc = "One of these means the subject of that certificate: `/O=Company/*`. Empty: any."}),
    row<&EnrolmentSigners::identities>(
        {.name = "identities", .doc = "Or the session is of one of these, shown to be that one: `user:alice`, `unix:agent`."}),
    row<&EnrolmentSigners::roles>({.name = "roles", .check = check_name, .doc = "Or it has one of these roles.", .type = "role"}),
};

constexpr std::array kLookUp{
    row<&LookUp::kind>({.name = "kind", .words = "program ldap http sqlite", .required = true, .doc = "Who is asked."}),
    row<&LookUp::timeout>({.name = "timeout",
                           .unit = "s",
                           .least = 1,
                           .most = kMinute,
                           .doc = "Who has not answered within this has not said yes, and the request is refused."}),
    row<&LookUp::cache>({.name = "cache",
                         .unit = "s",
                         .least = 0,
                         .most = kDay,
                         .doc = "How long a connection takes the same answer to the same question again. 0: it asks each time."}),
    row<&LookUp::program>({.name = "program",
                           .check = check_absolute_path,
                           .doc =
                               "program: what is run, without a shell. It reads a line `KEY VALUE` for each variable, and says "
                               "yes by exit status 0, no by 1.",
                           .type = "path"}),
    row<&LookUp::arguments>({.name = "arguments", .doc = "program: its arguments."}),
    row<&LookUp::url>({.name = "url",
                       .doc = "ldap: the server. http: what is asked by GET, with variables in braces, escaped: 200 and 204 say "
                              "yes, 404 says no. Off this machine by ldaps://, start_tls or https://.",
                       .type = "URL"}),
    row<&LookUp::start_tls>({.name = "start_tls", .doc = "ldap: turn an ldap:// connection into TLS first (RFC 4511 4.14)."}),
    row<&LookUp::tls_ca_file>({.name = "tls_ca_file",
                               .doc =
                                   "ldap, http: PEM file of the CAs that may have certified the server, relative to the realm. "
                                   "Empty: those of the system.",
                               .type = "path"}),
    row<&LookUp::bind_dn>({.name = "bind_dn", .doc = "ldap: who searches. Empty: nobody, anonymously."}),
    row<&LookUp::bind_password_file>({.name = "bind_password_file",
                                      .doc = "ldap: file with that one's password, one line, mode 0600, relative to the realm.",
                                      .type = "path"}),
    row<&LookUp::base>({.name = "base", .doc = "ldap: the entry below which is searched."}),
    row<&LookUp::filter>({.name = "filter",
                          .check = check_look_up_filter,
                          .doc = "ldap: yes is at least one entry that matches; variables in braces are put in escaped (RFC 4515 "
                                 "3): `(&(objectClass=device)(cn={name}))`.",
                          .type = "filter"}),
    row<&LookUp::token_file>({.name = "token_file",
                              .doc = "http: file with the token of `Authorization: Bearer`, one line, mode 0600, relative to the "
                                     "realm.",
                              .type = "path"}),
    row<&LookUp::file>({.name = "file", .doc = "sqlite: the database, relative to the realm; it is only read.", .type = "path"}),
    row<&LookUp::query>({.name = "query",
                         .doc = "sqlite: one SELECT; yes is at least one row. Variables stand behind a colon, and are bound: "
                                "`SELECT 1 FROM host WHERE name = :name`.",
                         .type = "SQL"}),
};

}  // namespace

std::span<const Setting<EnrolmentConfig>> enrolment_settings() { return kEnrolment; }
std::span<const Setting<EnrolmentSecret>> enrolment_secret_settings() { return kSecret; }
std::span<const Setting<EnrolmentSigners>> enrolment_signer_settings() { return kSigners; }
std::span<const Setting<LookUp>> look_up_settings() { return kLookUp; }

void read_enrolment(const Node& section, EnrolmentConfig& enrolment, Report& report) {
  if (!is_section(section, report)) return;
  auto known = names_of(enrolment_settings());
  for (const auto name : {kSecretsSection, kSignersSection, kLookUpsSection}) known.emplace_back(name);
  check_names(section, known, report);
  read_settings(enrolment_settings(), section, enrolment, report);
  if (const Node* found = section.find(kSecretsSection))
    read_named(enrolment_secret_settings(), *found, enrolment.secrets, report);
  if (const Node* found = section.find(kSignersSection))
    read_named(enrolment_signer_settings(), *found, enrolment.signers, report);
  if (const Node* found = section.find(kLookUpsSection)) read_named(look_up_settings(), *found, enrolment.look_ups, report);
}

Node write_enrolment(const EnrolmentConfig& enrolment) {
  Node section = map(std::string(kEnrolmentSection));
  write_settings(enrolment_settings(), enrolment, section);
  section.children.push_back(write_named(enrolment_secret_settings(), enrolment.secrets, kSecretsSection));
  section.children.push_back(write_named(enrolment_signer_settings(), enrolment.signers, kSignersSection));
  section.children.push_back(write_named(look_up_settings(), enrolment.look_ups, kLookUpsSection));
  return section;
}

void resolve_enrolment_paths(EnrolmentConfig& enrolment, const std::filesystem::path& directory) {
  for (auto& [name, secret] : enrolment.secrets) resolve(directory, secret.file);
  for (auto& [name, one] : enrolment.look_ups) {
    for (auto* path : {&one.tls_ca_file, &one.bind_password_file, &one.token_file, &one.file}) resolve(directory, *path);
  }
}

}  // namespace chancery::config
