#include "server/config/publishing_settings.h"

#include <unistd.h>

#include <array>
#include <filesystem>

#include "server/config/checks.h"
#include "server/config/ldap_dn.h"
#include "server/config/paths.h"
#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::array kPublishing{
    row<&PublishingConfig::directory>(
        {.name = "directory",
         .check = check_absolute_path,
         .doc = "A directory into which each CRL is put as soon as it is made, as CA.crl (DER, RFC 2585) and CA.crl.pem, in one "
                "step "
                "each; CA is the generation's name, ca, ca-2. Front end chancery-notify does it, as its user. Empty: nowhere.",
         .type = "path"}),
    row<&PublishingConfig::program>(
        {.name = "program",
         .check = check_absolute_path,
         .doc =
             "A program that is run once a CRL is in the directory, with JSON on its standard input: realm, ca, number, crl and "
             "crl_pem, the files. It is run again until it ends with status 0. Empty: none.",
         .type = "program"}),
    row<&PublishingConfig::timeout>(
        {.name = "timeout", .unit = "s", .least = 1, .most = 300, .doc = "How long the program may take."}),
};

constexpr std::array kLdap{
    row<&LdapPublishing::url>({.name = "url",
                               .check = check_ldap_url,
                               .doc = "The server. Off this machine by ldaps://, or start_tls. Empty: nothing is published so.",
                               .type = "URL"}),
    row<&LdapPublishing::start_tls>({.name = "start_tls", .doc = "Turn an ldap:// connection into TLS first (RFC 4511 4.14)."}),
    row<&LdapPublishing::tls_ca_file>({.name = "tls_ca_file",
                                       .doc = "PEM file of the CAs that may have certified the server, relative to the realm. "
                                              "Empty: those of the system.",
                                       .type = "file"}),
    row<&LdapPublishing::bind_dn>({.name = "bind_dn", .doc = "Who writes there, a DN (RFC 4514)."}),
    row<&LdapPublishing::bind_password_file>(
        {.name = "bind_password_file",
         .doc = "File with that one's password, one line, mode 0600, of chancery-notify's user; relative to the realm.",
         .type = "file"}),
    row<&LdapPublishing::ca_dn>({.name = "ca_dn",
                                 .doc = "The entry that gets a CA's CRLs and certificate (RFC 4523: pkiCA, deltaCRL), like "
                                        "cn={ca},ou=pki,dc=example,dc=com; {ca} stands for the generation. It is made "
                                        "when it is not there and begins with cn=."}),
    row<&LdapPublishing::certificate_dn>(
        {.name = "certificate_dn",
         .doc = "The entry that gets a holder's certificates as userCertificate (RFC 4523: pkiUser), like "
                "cn={cn},ou=people,dc=example,dc=com; {cn} stands for the common name, escaped. An entry that is not there is "
                "passed over. Empty: no certificates but the CAs'."}),
    row<&LdapPublishing::timeout>(
        {.name = "timeout", .unit = "s", .least = 1, .most = 60, .doc = "How long the server may take for one answer."}),
};

bool has_place_for(std::string_view text, std::string_view name) { return text.find(name) != std::string_view::npos; }

void check_dn(Status (*check)(std::string_view), const std::string& dn, std::string_view name, const Node& at, Report& report) {
  if (const auto checked = check(dn); !checked.ok()) report.error(place_of(at, name), checked.error().message());
}

void check_ldap_publishing(const LdapPublishing& ldap, const Node& at, Report& report) {
  // Of a URL that was refused the value is empty, and it was said already.
  if (ldap.url.empty() && !report.has_reported(place_of(at, "url")))
    report.error(at, "found no url, expected the LDAP server's, like ldaps://ldap.example.com");
  if (ldap.url.starts_with("ldap://") && !ldap.start_tls && !is_of_this_machine(ldap.url)) {
    report.error(place_of(at, "url"), "found " + ldap.url +
                                          " without start_tls, expected ldaps:// or start_tls: passwords do not leave this "
                                          "machine in clear (RFC 4513 5.1.3)");
  }
  if (ldap.start_tls && !ldap.url.empty() && !ldap.url.starts_with("ldap://"))
    report.error(place_of(at, "start_tls"), "found start_tls with " + ldap.url + ", expected it with ldap:// alone");
  if (ldap.bind_dn.empty() || ldap.bind_password_file.empty())
    report.error(at, "found no bind_dn and bind_password_file, expected who may write there");
  check_dn(check_ldap_dn, ldap.bind_dn, "bind_dn", at, report);
  check_dn(check_ldap_dn_template, ldap.ca_dn, "ca_dn", at, report);
  check_dn(check_ldap_dn_template, ldap.certificate_dn, "certificate_dn", at, report);
  if (!has_place_for(ldap.ca_dn, kGenerationPlace))
    report.error(place_of(at, "ca_dn"), (ldap.ca_dn.empty() ? std::string("found no ca_dn") : "found \"" + ldap.ca_dn + "\"") +
                                            ", expected the DN of the CA's entry with {ca} in it, since each generation has one: "
                                            "write it like cn={ca},ou=pki,dc=example,dc=com");
  if (!ldap.certificate_dn.empty() && !has_place_for(ldap.certificate_dn, "{cn}"))
    report.error(place_of(at, "certificate_dn"), "found no {cn}, expected one: all certificates would go into one entry");
  check_is_file(ldap.tls_ca_file, kTlsCaFile, place_of(at, "tls_ca_file"), report);
}

/// The password is for chancery-notify alone.
void check_ldap_password(const ServerConfig& server, const FrontEnd& sender, const LdapPublishing& ldap, const Node& at,
                         Report& report) {
  if (ldap.url.empty() || ldap.bind_password_file.empty()) return;
  FileRules rules{std::filesystem::path(ldap.bind_password_file).parent_path()};
  if (const auto& user = server.user_of(sender); !user.empty()) rules.users.push_back(user);
  check_secret_file(ldap.bind_password_file, rules, place_of(at, "bind_password_file"), report);
}

}  // namespace

std::span<const Setting<LdapPublishing>> ldap_publishing_settings() { return kLdap; }

std::span<const Setting<PublishingConfig>> publishing_settings() { return kPublishing; }

void read_publishing(const Node& section, PublishingConfig& publishing, Report& report) {
  if (!is_section(section, report)) return;
  auto known = names_of(publishing_settings());
  known.emplace_back(kLdapPublishingSection);
  check_names(section, known, report);
  read_settings(publishing_settings(), section, publishing, report);
  const Node* ldap = section.find(kLdapPublishingSection);
  if (ldap == nullptr || !is_section(*ldap, report)) return;
  check_names(*ldap, names_of(ldap_publishing_settings()), report);
  read_settings(ldap_publishing_settings(), *ldap, publishing.ldap, report);
}

Node write_publishing(const PublishingConfig& publishing) {
  Node section = map(std::string(kPublishingSection));
  write_settings(publishing_settings(), publishing, section);
  Node ldap = map(std::string(kLdapPublishingSection));
  write_settings(ldap_publishing_settings(), publishing.ldap, ldap);
  section.children.push_back(std::move(ldap));
  return section;
}

void resolve_publishing_paths(PublishingConfig& publishing, const std::filesystem::path& directory) {
  for (auto* file : {&publishing.ldap.tls_ca_file, &publishing.ldap.bind_password_file}) resolve(directory, *file);
}

void check_publishing(const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kPublishingSection);
  if (section == nullptr || section->kind != Node::Kind::Map) return;
  const auto& publishing = realm.publishing;
  std::error_code ignored;
  if (const Node* ldap = section->find(kLdapPublishingSection);
      ldap != nullptr && (publishing.ldap != LdapPublishing() || report.has_reported(place_of(*ldap, "url"))))
    check_ldap_publishing(publishing.ldap, *ldap, report);
  if (publishing.directory.empty() && !publishing.program.empty())
    return report.error(place_of(*section, "program"), "found a program without a directory, expected where the CRLs go");
  if (!publishing.directory.empty() && !std::filesystem::is_directory(publishing.directory, ignored))
    report.error(place_of(*section, "directory"), "found no directory " + publishing.directory);
  if (publishing.program.empty()) return;
  check_program_file(publishing.program, {realm.directory}, place_of(*section, "program"), report);
}

void check_publishing_in_server(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kPublishingSection);
  if (section == nullptr || !realm.publishing.is_asked_for()) return;
  const bool has_directory = !realm.publishing.directory.empty();
  const Node& at = place_of(*section, has_directory ? std::string_view("directory") : kLdapPublishingSection);
  if (const auto* sender = server.notifier_of(realm.name.text())) {
    if (const Node* ldap = section->find(kLdapPublishingSection))
      check_ldap_password(server, *sender, realm.publishing.ldap, *ldap, report);
    return;
  }
  report.error(at, std::string("found ") + (has_directory ? "a directory" : "an LDAP server") +
                       ", but no front end of chancery.xml publishes for this realm, expected one there: <front-end "
                       "name=\"notify\" program=\"chancery-notify\" realms=\"" +
                       realm.name.text() + "\" roles=\"user\"/>");
}

}  // namespace chancery::config
