#include "server/config/ca_section.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/config/checks.h"
#include "server/config/key_settings.h"
#include "server/config/text_checks.h"
#include "server/config/value.h"

namespace chancery::config {
namespace {

constexpr std::size_t kMaxShown = 80;
constexpr std::int64_t kLeastValidity = 60;
constexpr std::int64_t kMostValidity = 366LL * 86400;
constexpr std::int64_t kLeastAnswer = 60;
constexpr std::int64_t kMostAnswer = 7LL * 86400;

Status check_key(std::string_view text) {
  const auto key = base::parse_key_spec(text);
  return key.ok() ? Status() : Status(key.error());
}

constexpr std::array kCa{
    row<&CaConfig::purpose>({.name = "purpose",
                             .words = "issuing root ocsp ra",
                             .doc =
                                 "issuing: certificates of its profiles. root: it certifies other CAs of this realm, those "
                                 "that name it as `issuer`, and nothing else. ocsp: no CA, but the key that signs what is said "
                                 "of its issuer's certificates (RFC 6960). ra: the key of a front end for SCEP, which opens "
                                 "what clients encrypt to it and signs the answers (RFC 8894). Both are made and replaced by "
                                 "upkeep (doc/services.md)."}),
    row<&CaConfig::issuer>({.name = "issuer",
                            .check = check_name,
                            .doc = "The root of this realm that certifies this CA's next generation. Empty: it is a root of its "
                                   "own, unless an outside CA certifies it (chancery ca rollover start --from request). Of ocsp "
                                   "and ra: the CA that they work for; empty: `ca`.",
                            .type = "name"}),
    row<&CaConfig::key>({.name = "key",
                         .check = check_key,
                         .doc = "Of its next generation: ec:P-256, ec:P-384, ec:P-521, ed25519 or rsa:BITS. Empty: the realm's; "
                                "of ra, rsa:3072, since SCEP's clients encrypt with RSA.",
                         .type = "key"}),
    row<&CaConfig::key_store>({.name = "key_store",
                               .words = "file pkcs11",
                               .doc =
                                   "Where its next generation's key is made: file, or pkcs11, a token that `pkcs11:` beside it "
                                   "describes, or the realm's where it names none. Empty: as the realm's. Keys that there are "
                                   "stay where they are."}),
    row<&CaConfig::subject>({.name = "subject",
                             .check = check_slash_dn,
                             .doc = "Of its first generation; later ones keep that. Empty: from company, realm and name.",
                             .type = "DN"}),
    row<&CaConfig::profiles>({.name = "profiles",
                              .doc = "The profiles that it may issue; requests that name no CA get these from it. Empty: every "
                                     "profile, for requests that name it."}),
    row<&CaConfig::crl_urls>({.name = "crl_urls",
                              .check = check_url,
                              .doc = "CRL distribution points in its certificates; {ca} stands for the generation. Empty: the "
                                     "realm's.",
                              .type = "URL"}),
    row<&CaConfig::crl_delta_urls>({.name = "crl_delta_urls",
                                    .check = check_url,
                                    .doc = "Where its delta CRLs are; {ca} stands for the generation. Empty: the realm's.",
                                    .type = "URL"}),
    row<&CaConfig::ca_issuer_urls>({.name = "ca_issuer_urls",
                                    .check = check_url,
                                    .doc = "Where its certificate is; {ca} stands for the generation. Empty: the realm's.",
                                    .type = "URL"}),
    row<&CaConfig::validity>({.name = "validity",
                              .unit = "s",
                              .least = kLeastValidity,
                              .most = kMostValidity,
                              .doc = "Of ocsp and ra: of each certificate. The next key is made when two thirds are over."}),
    row<&CaConfig::answers_valid_for>({.name = "answers_valid_for",
                                       .unit = "s",
                                       .least = kLeastAnswer,
                                       .most = kMostAnswer,
                                       .doc = "Of ocsp: how long an answer may be kept, its nextUpdate (RFC 6960 4.2.2.1)."}),
};

/// Whether a CA may be called so: its generations are directories and names in the store, <name>-<number>.
bool is_ca_name(std::string_view name) {
  if (name == kFirstCa || !check_name(name).ok()) return false;
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos) return true;
  const auto tail = name.substr(dash + 1);
  return tail.empty() || !std::ranges::all_of(tail, [](char c) { return c >= '0' && c <= '9'; });
}

const Node& place(const Node& section, std::string_view name) {
  const Node* found = section.find(name);
  return found != nullptr ? *found : section;
}

/// A service works for one CA, which certifies it.
void check_service(const RealmConfig& realm, const std::string& name, const CaConfig& ca, const Node& at, Report& report) {
  const auto issuer = [](const CaConfig& of) { return of.issuer.empty() ? std::string(kFirstCa) : of.issuer; };
  for (const auto& [other, row] : realm.cas) {
    if (ca.is_responder() && row.is_responder() && other < name && issuer(row) == issuer(ca))
      report.error(at, "found a second OCSP responder of CA " + issuer(ca) + ", expected " + other + " alone");
  }
  const auto found = realm.cas.find(ca.issuer);
  if (!ca.issuer.empty() && ca.issuer != kFirstCa && (found == realm.cas.end() || found->second.is_service()))
    report.error(place(at, "issuer"), "found \"" + ca.issuer + "\", expected ca, or another CA below cas");
  if (!ca.profiles.empty())
    report.error(place(at, "profiles"),
                 "found profiles of a key whose purpose is " + ca.purpose + ", expected none: it issues nothing");
  for (const auto& [setting, urls] : {std::pair("crl_urls", &ca.crl_urls), std::pair("crl_delta_urls", &ca.crl_delta_urls),
                                      std::pair("ca_issuer_urls", &ca.ca_issuer_urls)}) {
    if (!urls->empty()) report.error(place(at, setting), "found URLs of a key that is no CA's, expected them at its issuer");
  }
  const auto key = base::parse_key_spec(ca.key);
  if (ca.purpose == "ra" && !ca.key.empty() && key.ok() && key->kind != base::KeySpec::Kind::Rsa)
    report.error(place(at, "key"), "found " + ca.key + ", expected rsa:BITS: SCEP's clients encrypt with RSA (RFC 8894 3.1)");
  check_outlasts_backdate(realm, ca.validity, place(at, "validity"), report);
}

void check_issuer(const RealmConfig& realm, const std::string& name, const CaConfig& ca, const Node& at, Report& report) {
  if (ca.issuer.empty()) return;
  const Node& node = place(at, "issuer");
  const auto found = realm.cas.find(ca.issuer);
  if (ca.is_root()) return report.error(node, "found an issuer of a root, expected none: a root certifies itself");
  if (found == realm.cas.end() || ca.issuer == name)
    return report.error(node, "found \"" + ca.issuer + "\", expected another CA below cas whose purpose is root");
  if (!found->second.is_root())
    report.error(node, "found \"" + ca.issuer + "\", whose purpose is " + found->second.purpose + ", expected a root");
}

void check_ca_profiles(const RealmConfig& realm, const std::string& name, const CaConfig& ca, const Node& at, Report& report) {
  const Node& list = place(at, "profiles");
  if (ca.is_root() && !ca.profiles.empty())
    report.error(list, "found profiles of a root, expected none: it certifies the realm's CAs only");
  for (std::size_t i = 0; i < ca.profiles.size(); ++i) {
    const Node& node = list.children.size() == ca.profiles.size() ? list.children[i] : list;
    const auto& profile = ca.profiles[i];
    if (!realm.profiles.contains(profile)) {
      report.error(node, "unknown profile \"" + profile.text() + "\", expected one of the realm's");
    }
    for (const auto& [other, row] : realm.cas) {
      if (other < name && std::ranges::count(row.profiles, profile) != 0)
        report.error(node, "found profile \"" + profile.text() + "\", which CA " + other + " has, expected it at one CA");
    }
  }
}

/// A key that others can read is one that others have (PROMISES D33).
void check_key_files(const std::filesystem::path& below, std::string_view file, const RealmConfig& realm, Report& report) {
  std::error_code failure;
  for (std::filesystem::directory_iterator it(below, failure), end; !failure && it != end; it.increment(failure)) {
    const auto key = it->path() / file;
    std::error_code ignored;
    if (std::filesystem::symlink_status(key, ignored).type() != std::filesystem::file_type::not_found)
      check_secret_file(key, {realm.directory}, Node(), report);
  }
}

}  // namespace

std::span<const Setting<CaConfig>> ca_settings() { return kCa; }

bool has_ca_name(const Node& child, Report& report) {
  if (is_ca_name(child.name)) return true;
  report.error_at_name(child, "found \"" + base::printable(child.name, kMaxShown) +
                                  "\", expected a name of a-z 0-9 - _ that is not \"ca\", which is the realm's first CA, and "
                                  "does not end like -2, which is a generation");
  return false;
}

void read_cas(const Node& section, RealmConfig& realm, Report& report) {
  if (!is_section(section, report)) return;
  realm.cas.clear();
  for (const auto& child : section.children) {
    if (!has_ca_name(child, report)) continue;
    CaConfig ca;
    if (is_section(child, report)) {
      auto names = names_of(ca_settings());
      names.emplace_back(kTokenSection);
      check_names(child, names, report);
      read_settings(ca_settings(), child, ca, report);
      read_further_token(child, ca.pkcs11, report);
    }
    realm.cas.insert_or_assign(child.name, std::move(ca));
  }
}

Node write_cas(const RealmConfig& realm) {
  Node section = map(std::string(kCasSection));
  for (const auto& [name, ca] : realm.cas) {
    Node node = map();
    write_settings(ca_settings(), ca, node);
    write_further_token(ca.pkcs11, node);
    section.children.push_back(named(name, std::move(node)));
  }
  return section;
}

void check_ca_references(const RealmConfig& realm, const Node& root, Report& report) {
  const Node& section = place(root, kCasSection);
  for (const auto& [name, ca] : realm.cas) {
    const Node& at = place(section, name);
    if (ca.is_service()) {
      check_service(realm, name, ca, at, report);
      continue;
    }
    check_issuer(realm, name, ca, at, report);
    check_ca_profiles(realm, name, ca, at, report);
  }
}

void check_cas(const RealmConfig& realm, const Node& root, Report& report) {
  check_ca_references(realm, root, report);
  check_key_files(realm.ca_directory(), "ca.key", realm, report);
  check_key_files(realm.service_directory(), "key.pem", realm, report);
}

}  // namespace chancery::config
