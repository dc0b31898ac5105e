#include "server/config/realm_settings.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/config/acme_policy.h"
#include "server/config/approval_settings.h"
#include "server/config/builtin_profiles.h"
#include "server/config/ca_section.h"
#include "server/config/challenge_methods.h"
#include "server/config/enrolment_settings.h"
#include "server/config/key_settings.h"
#include "server/config/notice_settings.h"
#include "server/config/people_settings.h"
#include "server/config/policy_settings.h"
#include "server/config/profile_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/rollover_settings.h"
#include "server/config/text_checks.h"
#include "server/config/upkeep_settings.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kMostDays = 36525;
constexpr std::int64_t kMostPort = 65535;
constexpr std::size_t kMaxShown = 80;

constexpr std::array kRealm{
    row<&RealmConfig::company>(
        {.name = "company",
         .check = check_organisation,
         .filled = true,
         .doc = "The organisation: O in the CA's subject and in those of the built-in profiles, which are uPKI's own (uPKI, "
                "Company) while this is left at its default."}),
    row<&RealmConfig::domain>(
        {.name = "domain", .check = check_domain, .filled = true, .doc = "The organisation's DNS name.", .type = "DNS name"}),
    Setting<RealmConfig>{
        {.name = "host",
         .when = When::Start,
         .doc = "Where uPKI's clients find this realm. The endpoint in chancery.xml serves it, and has to agree.",
         .type = "address"},
        nullptr,
        nullptr},
    Setting<RealmConfig>{{.name = "port",
                          .least = 1,
                          .most = kMostPort - 1,
                          .when = When::Start,
                          .doc = "Of host; registration is one above.",
                          .type = "number"},
                         nullptr,
                         nullptr},
    row<&RealmConfig::clients>(
        {.name = "clients",
         .words = "all register manual",
         .doc = "Whom RAs and other programs at front ends have certificates made for. all: any name that "
                "the profile allows. register: to "
                "sign, names that are registered already (with a seed, by generate, announced, or signed for an "
                "administrator). manual: nobody; "
                "administrators and operators at the socket issue. ACME has a switch of its own."}),
    row<&RealmConfig::seed_file>(
        {.name = "seed_file",
         .doc = "File with the registration seed, one line, mode 0600, relative to the realm. Empty: registration is closed."}),
    row<&RealmConfig::key>(
        {.name = "key", .when = When::Creation, .doc = "The CA's key: ec:P-256, ec:P-384, ec:P-521, ed25519 or rsa:BITS."}),
    Setting<RealmConfig>{{.name = "key_type",
                          .aliases = "keyType",
                          .words = "rsa ec ed25519",
                          .when = When::Creation,
                          .doc = "uPKI's form of key.",
                          .type = "word"},
                         nullptr,
                         nullptr},
    Setting<RealmConfig>{{.name = "key_length",
                          .aliases = "keyLen",
                          .least = 256,
                          .most = 8192,
                          .when = When::Creation,
                          .doc = "Bits, beside key_type.",
                          .type = "number"},
                         nullptr,
                         nullptr},
    row<&RealmConfig::digest>({.name = "digest",
                               .words = "sha256 sha384 sha512",
                               .check = check_digest,
                               .filled = true,
                               .doc = "For the CA's own signature and for CRLs."}),
    row<&RealmConfig::ca_subject>(
        {.name = "ca_subject",
         .check = check_slash_dn,
         .when = When::Creation,
         .doc = "The CA's subject, like /C=FR/O=Company/CN=Company Root CA. Empty: from company and realm.",
         .type = "DN"}),
    row<&RealmConfig::ca_validity>({.name = "ca_validity",
                                    .unit = "d",
                                    .least = 1,
                                    .most = kMostDays,
                                    .when = When::Creation,
                                    .doc = "How long a self-signed CA certificate is valid."}),
    row<&RealmConfig::passphrase_file>({.name = "passphrase_file",
                                        .when = When::Start,
                                        .doc = "File with the passphrase of ca.key, mode 0600, relative to the realm."}),
    row<&RealmConfig::passphrase_credential>({.name = "passphrase_credential",
                                              .check = check_name,
                                              .when = When::Start,
                                              .doc = "The systemd credential that holds it (LoadCredential=), instead of a file.",
                                              .type = "name"}),
    row<&RealmConfig::key_unencrypted>({.name = "key_unencrypted",
                                        .when = When::Start,
                                        .doc = "Keep ca.key without a passphrase. Nobody gets this without asking for it."}),
    row<&RealmConfig::crl_urls>({.name = "crl_urls",
                                 .check = check_url,
                                 .doc = "CRL distribution points in certificates (RFC 5280 4.2.1.13); {ca} in one stands for the "
                                        "CA's generation (doc/rollover.md).",
                                 .type = "URL"}),
    row<&RealmConfig::crl_delta_urls>(
        {.name = "crl_delta_urls",
         .check = check_url,
         .doc =
             "Where delta CRLs are, in certificates and full CRLs (FreshestCRL, RFC 5280 4.2.1.15, 5.2.6); {ca} stands for the "
             "generation. It takes crl_delta.",
         .type = "URL"}),
    row<&RealmConfig::ca_issuer_urls>(
        {.name = "ca_issuer_urls",
         .check = check_url,
         .doc = "Where the CA's certificate is, in certificates (RFC 5280 4.2.2.1); {ca} stands for the generation.",
         .type = "URL"}),
    row<&RealmConfig::ocsp_urls>(
        {.name = "ocsp_urls", .check = check_url, .doc = "OCSP responders in certificates (RFC 5280 4.2.2.1).", .type = "URL"}),
    row<&RealmConfig::key_block_lists>(
        {.name = "key_block_lists",
         .doc =
             "Files of hashes of keys that are refused, relative to the realm: Debian's openssl-blacklist, or hashes of public "
             "keys (doc/key-block-lists.md).",
         .type = "file"}),
    row<&RealmConfig::crl_validity>(
        {.name = "crl_validity",
         .unit = "d",
         .least = kMinute,
         .most = 366 * kDay,
         .doc = "From thisUpdate to nextUpdate of a CRL; a new one is made at half of it. A bare number is days."}),
    row<&RealmConfig::crl_after_revocation>(
        {.name = "crl_after_revocation",
         .unit = "s",
         .least = 0,
         .most = kDay,
         .doc = "A revocation is on a CRL after this at the latest, or after two seconds where it is less."}),
    row<&RealmConfig::crl_delta>(
        {.name = "crl_delta",
         .unit = "s",
         .least = 0,
         .most = kDay,
         .doc =
             "How often a delta CRL (RFC 5280 5.2.4) is made of what changed since the latest full one; it is valid for twice as "
             "long. 0: none is made."}),
    row<&RealmConfig::own_renewals_per_day>(
        {.name = "own_renewals_per_day",
         .least = 0,
         .most = 1000,
         .doc =
             "How often within a day a holder may renew a certificate by itself (own.certificate.renew, REST client/renew), that "
             "one and its renewals together. 0: never. RAs and operators renew by certificate.renew, without such a limit."}),
    row<&RealmConfig::backdate>({.name = "backdate",
                                 .unit = "s",
                                 .least = 0,
                                 .most = 2 * kDay,
                                 .doc = "notBefore lies this far back, for clients whose clocks lag."}),
};

constexpr std::array kAcme{
    row<&AcmeConfig::enabled>({.name = "enabled", .doc = "Whether the realm answers ACME clients (RFC 8555)."}),
    row<&AcmeConfig::profile>({.name = "profile", .doc = "The profile of orders that name none."}),
    row<&AcmeConfig::profiles>({.name = "profiles", .doc = "Further profiles that an order may name."}),
    row<&AcmeConfig::challenges>({.name = "challenges",
                                  .words = kNameMethods,
                                  .doc = "How DNS names may be proved; each is offered, and one is enough. http-01 and dns-01 "
                                         "are RFC 8555's, tls-alpn-01 RFC "
                                         "8737's; dns-account-01 and dns-persist-01 are drafts (doc/acme.md)."}),
    row<&AcmeConfig::wildcard_challenges>({.name = "wildcard_challenges",
                                           .words = kWildcardMethods,
                                           .doc = "The same for names like *.example.com. Empty: there are none."}),
    row<&AcmeConfig::ip_challenges>({.name = "ip_challenges",
                                     .words = kAddressMethods,
                                     .doc = "The same for IP addresses (RFC 8738). Empty: there are none."}),
    row<&AcmeConfig::http01_port>(
        {.name = "http01_port", .least = 1, .most = kMostPort, .doc = "Where http-01 connects to (RFC 8555 8.3 says 80)."}),
    row<&AcmeConfig::tlsalpn01_port>(
        {.name = "tlsalpn01_port", .least = 1, .most = kMostPort, .doc = "Where tls-alpn-01 connects to (RFC 8737 3 says 443)."}),
    row<&AcmeConfig::resolver>({.name = "resolver",
                                .check = check_address_port,
                                .doc = "The DNS server to ask, ADDRESS:PORT. Empty: the system's.",
                                .type = "address and port"}),
    row<&AcmeConfig::dnssec_anchors>(
        {.name = "dnssec_anchors",
         .check = check_trust_anchor,
         .doc =
             "DS or DNSKEY records like \"example. IN DS 20326 8 2 e06d…\": answers from these zones and those below must bear "
             "DNSSEC signatures that lead there. Empty: the resolver checks them, or nobody.",
         .type = "DNS record"}),
    row<&AcmeConfig::caa_identities>({.name = "caa_identities",
                                      .check = check_domain,
                                      .doc = "The DNS names that stand for this CA in CAA records (RFC 8659, RFC 8657). Empty: "
                                             "CAA is not looked at, as a private "
                                             "CA's customers mostly have none.",
                                      .type = "DNS name"}),
    row<&AcmeConfig::allow_loopback>(
        {.name = "allow_loopback",
         .doc = "Whether validation may connect to 127.0.0.0/8 and ::1: for tests and demonstrations only."}),
    row<&AcmeConfig::allowed_networks>(
        {.name = "allowed_networks",
         .check = check_network,
         .doc = "Networks that validation may connect to although they are forbidden otherwise. Of all networks that an address "
                "lies in, the smallest one decides (doc/acme.md).",
         .type = "network"}),
    row<&AcmeConfig::forbidden_networks>(
        {.name = "forbidden_networks",
         .check = check_network,
         .doc = "Networks that validation does not connect to, beside loopback, link-local, multicast and reserved ones and this "
                "machine's own addresses.",
         .type = "network"}),
    row<&AcmeConfig::vantage_points>({.name = "vantage_points",
                                      .check = check_vantage_point,
                                      .doc = "Programs chancery-validate on other machines that look for themselves after the "
                                             "front end has found a proof, each as "
                                             "\"tcp://HOST:PORT KEY\" with its public CURVE key (doc/acme-vantage.md), at most "
                                             "16. Empty: the front end alone looks.",
                                      .type = "address and key"}),
    row<&AcmeConfig::vantage_quorum>(
        {.name = "vantage_quorum",
         .least = 1,
         .most = kMostVantagePoints,
         .doc = "How many of vantage_points must find the same. none: the only one, all but one of 2 to 5, "
                "all but two of 6 and more. The front end itself must find it in any case."}),
    row<&AcmeConfig::order_lifetime>({.name = "order_lifetime",
                                      .unit = "s",
                                      .least = kMinute,
                                      .most = 90 * kDay,
                                      .doc = "A pending order expires after this."}),
    row<&AcmeConfig::authorization_lifetime>({.name = "authorization_lifetime",
                                              .unit = "s",
                                              .least = kMinute,
                                              .most = 398 * kDay,
                                              .doc = "A proven name need not be proven again for so long."}),
    row<&AcmeConfig::terms_of_service>(
        {.name = "terms_of_service",
         .check = check_url,
         .doc = "URL of terms an account has to agree to. Empty: none. Once it says another, accounts get no "
                "new orders until they have agreed to those, too (RFC 8555 7.3.3).",
         .type = "URL"}),
    row<&AcmeConfig::external_account>(
        {.name = "external_account",
         .words = "none optional required",
         .filled = true,
         .doc =
             "Whether a new account is bound to somebody who is known otherwise (RFC 8555 7.3.4), by a key of `chancery acme eab "
             "create`. none: bindings are passed over. optional: one that is sent has to hold. required: without one there is no "
             "new account. Accounts that are there stay as they are."}),
    row<&AcmeConfig::renewal_explanation>(
        {.name = "renewal_explanation",
         .check = check_url,
         .doc = "URL that renewal information (RFC 9773) of revoked certificates names, for people who ask why. Empty: none.",
         .type = "URL"}),
    row<&AcmeConfig::order_retention>(
        {.name = "order_retention",
         .unit = "s",
         .least = kHour,
         .most = kMostDays * kDay,
         .doc = "Orders and authorizations are kept so long after they have expired. Certificates stay."}),
    row<&AcmeConfig::account_retention>({.name = "account_retention",
                                         .unit = "s",
                                         .least = 0,
                                         .most = kMostDays * kDay,
                                         .doc = "Accounts that had neither an order nor a certificate in force for so long are "
                                                "removed, but for blocked ones. 0: none."}),
    row<&AcmeConfig::policy>(
        {.name = "policy",
         .check = check_name,
         .doc = "The one of `policies` that holds for accounts without one of their own. Empty: the defaults of "
                "a policy's settings, which leave names to the profile.",
         .type = "name"}),
    row<&AcmeConfig::upki_clients>(
        {.name = "upki_clients",
         .words = "no yes",
         .filled = true,
         .doc =
             "\"yes\", in quotes since YAML means true by it, serves uPKI's command line, which can prove no names: every order "
             "is ready at once, so that whoever reaches "
             "the "
             "listener is certified any name that the profile takes, and a certificate's URL answers GET with JSON. Orders made "
             "meanwhile stay ready until order_lifetime is over."}),
};

constexpr std::array kMoved{
    MovedKey{"password",
             "a passphrase in clear has no place here: write it to a file of mode 0600 and name that with passphrase_file"},
    MovedKey{"seed", "a seed in clear has no place here: write it to a file of mode 0600 and name that with seed_file"},
};

void check_moved(const Node& root, Report& report) {
  for (const auto& moved : kMoved) {
    const Node* found = root.find(moved.name);
    if (found == nullptr || found->kind == Node::Kind::Null) continue;  // uPKI writes `password: null` itself
    report.error_at_name(*found, "found " + std::string(moved.name) + ", expected none: " + std::string(moved.where));
  }
}

bool is_command_name(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '.' || c == '_' || (c >= '0' && c <= '9'); };
  return text.find('.') != std::string_view::npos && !text.starts_with('.') && !text.ends_with('.') &&
         std::ranges::all_of(text, allowed);
}

void read_command_roles(const Node& section, RealmConfig& realm, Report& report) {
  if (!is_section(section, report)) return;
  const SettingInfo info{.type = Codec<Role>::kType};
  realm.command_roles.clear();
  for (const auto& child : section.children) {
    if (!is_command_name(child.name)) {
      report.error_at_name(child, "found \"" + base::printable(child.name, kMaxShown) +
                                      "\", expected the name of a command like certificate.issue");
    }
    Role role = Role::Admin;
    if (read_scalar(info, child, role, report)) realm.command_roles[child.name] = role;
  }
}

void read_profiles(const Node& section, RealmConfig& realm, Report& report) {
  if (!is_section(section, report)) return;
  for (const auto& child : section.children) {
    const auto name = ProfileName::parse(child.name);
    if (!name.ok()) {
      report.error_at_name(child, "found \"" + base::printable(child.name, kMaxShown) + "\": " + name.error().message());
      continue;
    }
    const auto known = realm.profiles.find(*name);
    auto read = read_profile(child, known == realm.profiles.end() ? Profile(*name) : known->second, report);
    realm.profiles.insert_or_assign(*name, std::move(read));
  }
}

void read_acme(const Node& section, RealmConfig& realm, Report& report) {
  if (!is_section(section, report)) return;
  auto names = names_of(acme_settings());
  names.emplace_back(kAcmePoliciesSection);
  check_names(section, names, report);
  read_settings(acme_settings(), section, realm.acme, report);
  if (const Node* policies = section.find(kAcmePoliciesSection)) read_acme_policies(*policies, realm.acme, report);
}

Node write_acme(const RealmConfig& realm) {
  Node section = map(std::string(kAcmeSection));
  write_settings(acme_settings(), realm.acme, section);
  section.children.push_back(write_acme_policies(realm.acme));
  return section;
}

Node write_profiles(const RealmConfig& realm) {
  Node section = map(std::string(kProfilesSection));
  for (const auto& [name, profile] : realm.profiles) section.children.push_back(named(name.text(), write_profile(profile)));
  return section;
}

/// The sections of ca.config.yml that are no list of plain settings, in the order of --print-config; people's are their own.
struct Section {
  std::string_view name;
  void (*read)(const Node&, RealmConfig&, Report&);
  Node (*write)(const RealmConfig&);
};
template <auto kMember, auto kRead, auto kWrite>
constexpr Section section_of(std::string_view name) {
  return {name, [](const Node& section, RealmConfig& realm, Report& report) { kRead(section, realm.*kMember, report); },
          [](const RealmConfig& realm) { return kWrite(realm.*kMember); }};
}
constexpr std::array kSections{
    Section{kAcmeSection, read_acme, write_acme},
    Section{kCasSection, read_cas, write_cas},
    section_of<&RealmConfig::enrolment, read_enrolment, write_enrolment>(kEnrolmentSection),
    section_of<&RealmConfig::notices, read_notices, write_notices>(kNoticesSection),
    section_of<&RealmConfig::policy, read_policy_section, write_policy_section>(kPolicySection),
    section_of<&RealmConfig::publishing, read_publishing, write_publishing>(kPublishingSection),
    section_of<&RealmConfig::requests, read_requests, write_requests>(kRequestsSection),
    section_of<&RealmConfig::retention, read_retention, write_retention>(kRetentionSection),
    section_of<&RealmConfig::rollover, read_rollover, write_rollover>(kRolloverSection),
    section_of<&RealmConfig::self_audit, read_self_audit, write_self_audit>(kSelfAuditSection),
    Section{kCommandRolesSection, read_command_roles, write_command_roles},
    Section{kProfilesSection, read_profiles, write_profiles},
};

}  // namespace

std::span<const Setting<RealmConfig>> realm_settings() { return kRealm; }
std::span<const Setting<AcmeConfig>> acme_settings() { return kAcme; }
std::span<const MovedKey> moved_keys() { return kMoved; }

std::vector<std::string> realm_setting_names() {
  auto known = names_of(realm_settings());
  for (auto& name : key_names()) known.push_back(std::move(name));
  for (const auto& section : kSections) known.emplace_back(section.name);
  known.insert(known.end(), kPeopleSections.begin(), kPeopleSections.end());
  return known;
}

RealmConfig read_realm(const Node& root, RealmConfig base, Report& report) {
  RealmConfig realm = std::move(base);
  const auto known = realm_setting_names();
  std::vector<std::string> moved;
  for (const auto& one : kMoved) moved.emplace_back(one.name);
  Node others = root;
  std::erase_if(others.children, [&](const Node& child) { return std::ranges::count(moved, child.name) != 0; });
  check_names(others, known, report);
  check_moved(root, report);
  read_settings(realm_settings(), root, realm, report);
  if (realm.company != RealmConfig(realm.name).company) set_organisation(realm.profiles, realm.company);
  read_upki_key(root, realm.key, report);
  read_keys(root, realm.keys, report);
  for (const auto& section : kSections) {
    if (const Node* node = root.find(section.name)) section.read(*node, realm, report);
  }
  read_people(root, realm.people, report);
  return realm;
}

Node write_command_roles(const RealmConfig& realm) {
  Node section = map(std::string(kCommandRolesSection));
  for (const auto& [command, role] : realm.command_roles)
    section.children.push_back(named(command, Codec<Role>::print({}, role)));
  return section;
}

Node write_realm(const RealmConfig& realm) {
  Node root = map();
  write_settings(realm_settings(), realm, root);
  write_keys(realm.keys, root);
  for (auto& section : write_people(realm.people)) root.children.push_back(std::move(section));
  for (const auto& section : kSections) root.children.push_back(section.write(realm));
  return root;
}

}  // namespace chancery::config
