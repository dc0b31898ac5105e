#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/key_spec.h"
#include "server/base/names.h"
#include "server/base/role.h"
#include "server/config/approval.h"
#include "server/config/ca_config.h"
#include "server/config/keys.h"
#include "server/config/notices.h"
#include "server/config/people.h"
#include "server/config/policy_config.h"
#include "server/config/publishing.h"
#include "server/config/retention.h"
#include "server/config/rollover.h"
#include "server/config/self_audit.h"
#include "server/config/vantage.h"

/// What a realm's directory says, as plain values. Pure: the realm room sees these structs and nothing else of config.
namespace chancery::config {

/// One kind of certificate a realm makes (UPKI.md section 3; both YAML dialects lead here).
struct Profile {
  explicit Profile(ProfileName profile_name) : name(std::move(profile_name)) {}

  ProfileName name;
  base::KeySpec key;                        ///< of key pairs that the server generates
  std::vector<base::KeySpec> allowed_keys;  ///< of requests; RSA rows are least sizes; empty: any that passes the key checks
  std::chrono::days validity{60};
  std::string digest = "sha256";       ///< sha256, sha384 or sha512 (PROMISES B5)
  bool altnames = true;                ///< SANs may be asked for
  std::vector<std::string> san_types;  ///< kinds of SAN that may be asked for: dns, ip, email, uri; empty: all
  std::string domain;                  ///< when set, every name lies below it
  std::vector<std::pair<std::string, std::string>> subject;  ///< short attribute name, value; CN "" = from the request
  bool subject_from_request = true;    ///< take the request's DN (uPKI's `sign`); else the profile's with the request's CN
  std::vector<std::string> key_usage;  ///< X.509 names: digitalSignature, keyCertSign, ...
  std::vector<std::string> extended_key_usage;  ///< serverAuth, clientAuth, ...
  std::string common_name = "names";            ///< names or none: what subjects are given for one
  std::string cert_type = "server";             ///< server, user, email, sslCA: uPKI's; "server" makes serverAuth need SANs
  bool is_ca = false;
  bool freshest_crl = true;            ///< its certificates say where delta CRLs are, where the realm makes some
  bool ocsp_no_check = false;          ///< of OCSP responders: nobody asks whether they are revoked (RFC 6960 4.2.2.2.1)
  std::optional<int> path_length;      ///< of CA certificates; none = unlimited
  Role least_role = Role::RaOperator;  ///< who may have one issued directly
  ApprovalRules approval;
  std::string origin = "built-in";  ///< or the file it came from

  bool operator==(const Profile&) const = default;
};

/// What a certificate makes of its holder, by its profile: a CA, or whom a front end may act for (session.attest).
struct HolderRole {
  std::string_view profile;
  Role role;
  std::string_view what;  ///< in the plural
  bool by_seed;           ///< who registers with a seed may become one (UPKI.md 5.4)
};
inline constexpr std::array kHolderRoles{HolderRole{"admin", Role::Admin, "administrators", false},
                                         HolderRole{"ra", Role::RaOperator, "registration authorities", true}};
inline constexpr HolderRole kCaHolder{"", Role::CaOperator, "CA certificates", false};

/// The row of a profile's name, is_ca aside. @return null: it gives its holder no role.
inline const HolderRole* holder_row(std::string_view profile) {
  const auto* const row = std::ranges::find(kHolderRoles, profile, &HolderRole::profile);
  return row == kHolderRoles.end() ? nullptr : row;
}

/// Whether certificates of a profile of that name give their holders a role, is_ca aside.
inline bool gives_role(std::string_view profile) { return holder_row(profile) != nullptr; }

/// @return none: the profile's certificates give no role.
inline std::optional<HolderRole> holders_role(const Profile& profile) {
  if (profile.is_ca) return kCaHolder;
  const auto* const row = holder_row(profile.name.text());
  return row == nullptr ? std::nullopt : std::optional(*row);
}

enum class ClientsMode { All, Register, Manual };  ///< uPKI's `clients:`

/// What accounts of ACME may have, and how much of it. Limits of 0 are none.
struct AcmePolicy {
  std::vector<std::string> allowed_names;  ///< base::NamePattern; empty: all that the profile takes
  std::vector<std::string> denied_names;   ///< these win over allowed ones
  bool wildcards = true;
  std::vector<std::string> challenges;  ///< of the realm's for DNS names; empty: all of them
  std::vector<std::string> wildcard_challenges;
  std::vector<std::string> ip_challenges;
  std::vector<std::string> preauthorized;     ///< base::NamePattern: names that need no proof
  std::vector<std::string> trusted_networks;  ///< from where alone they need none; empty: from anywhere, for accounts of its own
  std::vector<std::string> trusted_client_profiles;        ///< with whose certificates alone they need none; empty: without any
  std::vector<base::TextPattern> trusted_client_subjects;  ///< which the subjects of these have to match; empty: any
  std::vector<ProfileName> profiles;                       ///< that orders may name or get; empty: all that ACME offers here
  int certificates_per_name = 0;                           ///< in a week
  int orders_per_hour = 0;                                 ///< of one account
  int failed_validations_per_hour = 60;                    ///< of one name and account
  int pending_authorizations = 300;                        ///< of one account

  /// Whether names without proof are for those alone who come from somewhere, or as somebody, whosever the account is.
  bool trusts_some() const { return !trusted_networks.empty() || !trusted_client_profiles.empty(); }

  bool operator==(const AcmePolicy&) const = default;
};

/// ACME settings of a realm.
struct AcmeConfig {
  bool enabled = true;
  ProfileName profile = ProfileName::parse("server").value();  ///< default profile of orders
  std::vector<ProfileName> profiles;                           ///< further ones an order may name
  std::vector<std::string> challenges{"http-01", "dns-01",
                                      "tls-alpn-01"};                ///< for DNS names, in the order in which they are offered
  std::vector<std::string> wildcard_challenges{"dns-01"};            ///< none: no wildcards
  std::vector<std::string> ip_challenges{"http-01", "tls-alpn-01"};  ///< none: no addresses
  int http01_port = 80;
  int tlsalpn01_port = 443;
  std::string resolver;                       ///< "ADDR:PORT"; empty: the system's
  std::vector<std::string> dnssec_anchors;    ///< "example. IN DS …"; none: the resolver's word is taken
  std::vector<std::string> caa_identities;    ///< DNS names that mean this CA in CAA records; none: CAA is not looked at
  bool allow_loopback = false;                ///< validation may connect to 127.0.0.0/8 and ::1 (demo, tests)
  std::vector<std::string> allowed_networks;  ///< base::Network; validation may connect there although it is forbidden otherwise
  std::vector<std::string> forbidden_networks;  ///< base::Network; and there it may not
  std::chrono::seconds order_lifetime{std::chrono::hours{24 * 7}};
  std::chrono::seconds authorization_lifetime{std::chrono::hours{24 * 30}};
  std::string terms_of_service;           ///< URL; empty: none
  std::string upki_clients = "no";        ///< no or yes: names are taken unproven, for uPKI's command line, which can prove none
  std::string external_account = "none";  ///< none, optional or required: new accounts are bound to somebody (RFC 8555 7.3.4)

  std::string renewal_explanation;  ///< URL, for clients whose certificates are revoked (RFC 9773 4.2); empty: none
  std::chrono::seconds order_retention{
      std::chrono::hours{24 * 30}};  ///< orders and authorizations are kept so long after they end
  std::chrono::seconds account_retention{std::chrono::hours{24 * 730}};  ///< accounts that are unused; 0: for ever
  std::string policy;                          ///< of accounts that have none of their own; empty: AcmePolicy's defaults
  std::map<std::string, AcmePolicy> policies;  ///< by name
  std::vector<std::string>
      vantage_points;                 ///< "tcp://HOST:PORT KEY": chancery-validate elsewhere; none: the front end alone looks
  std::optional<int> vantage_quorum;  ///< how many of them must agree; none: usual_quorum

  /// How long whoever claimed a validation has for it: twice 10 s to look, 25 s for vantage points to, and what it waits before.
  std::chrono::seconds claim_life() const { return std::chrono::seconds(vantage_points.empty() ? 30 : 60); }
  int quorum() const { return vantage_quorum.value_or(usual_quorum(vantage_points.size())); }
  bool operator==(const AcmeConfig&) const = default;
};

struct RealmConfig {
  explicit RealmConfig(RealmName realm_name) : name(std::move(realm_name)) {}

  RealmName name;
  std::filesystem::path directory;

  // uPKI's documented keys (UPKI.md 4.1)
  std::string company = "Company Name";
  std::string domain = "example.com";
  ClientsMode clients = ClientsMode::All;
  std::string seed_file;  ///< registration seed, one line, mode 0600; empty: registration closed
  base::KeySpec key;      ///< of the CA
  std::string digest = "sha256";

  // CA
  std::vector<std::string> key_block_lists;  ///< files of hashes of keys that are refused

  std::string ca_subject;  ///< slash DN; empty: from company and realm name
  std::chrono::days ca_validity{3650};
  std::string passphrase_file;              ///< of ca.key
  std::string passphrase_credential;        ///< systemd credential name
  bool key_unencrypted = false;             ///< must be asked for
  KeysConfig keys;                          ///< where the key is, and who opens it
  std::vector<std::string> crl_urls;        ///< CDP (RFC 5280 4.2.1.13)
  std::vector<std::string> crl_delta_urls;  ///< FreshestCRL (4.2.1.15)
  std::vector<std::string> ca_issuer_urls;  ///< AIA caIssuers (4.2.2.1)
  std::vector<std::string> ocsp_urls;       ///< AIA ocsp

  std::chrono::seconds crl_validity{std::chrono::hours{24 * 7}};
  std::chrono::seconds crl_after_revocation{std::chrono::minutes{5}};  ///< PROMISES B10
  std::chrono::seconds crl_delta{0};                                   ///< how often a delta CRL is made; 0: none is

  /// From thisUpdate to nextUpdate of a delta CRL: the next one is made at half of it, like a full one (PROMISES C8).
  std::chrono::seconds crl_delta_validity() const { return 2 * crl_delta; }

  /// How often somebody looks whether a CRL is due; one that would be before the next look is due now.
  std::chrono::seconds crl_round() const {
    constexpr std::chrono::seconds kShortest{1};
    constexpr std::chrono::seconds kLongest{30};
    const auto wanted = crl_delta.count() == 0 ? crl_after_revocation : std::min(crl_after_revocation, crl_delta);
    return std::clamp(wanted / 2, kShortest, kLongest);
  }

  int own_renewals_per_day = 3;  ///< of one certificate's names, by whoever holds it; 0: none

  std::chrono::seconds backdate{std::chrono::minutes{5}};  ///< notBefore lies this far back, for clients whose clocks lag
  AcmeConfig acme;
  PolicyConfig policy;
  EnrolmentConfig enrolment;
  RequestsConfig requests;
  NoticesConfig notices;
  PublishingConfig publishing;
  RolloverConfig rollover;
  RetentionConfig retention;
  SelfAuditConfig self_audit;
  std::map<std::string, Role> command_roles;  ///< "a realm may demand more": command name -> least role here
  PeopleConfig people;
  std::map<ProfileName, Profile> profiles;  ///< built-in ones, overridden and added to
  std::map<std::string, CaConfig> cas;      ///< by name: CAs beside the first one

  bool operator==(const RealmConfig&) const = default;

  std::filesystem::path ca_certificate_file() const { return directory / "ca.crt"; }
  std::filesystem::path ca_key_file() const { return directory / "ca.key"; }
  /// Where the CAs and generations beside the first one are: <name>-<generation>/{ca.crt,ca.key,crl.pem}.
  std::filesystem::path ca_directory() const { return directory / "cas"; }
  /// Where the keys of its services are: <name>-<number>/{key.pem,cert.pem}.
  std::filesystem::path service_directory() const { return directory / "services"; }
  std::filesystem::path crl_file() const { return directory / "crl.pem"; }
  std::filesystem::path delta_crl_file() const { return directory / "delta-crl.pem"; }
  std::filesystem::path database_file() const { return directory / "db" / "realm.db"; }
  std::filesystem::path journal_directory() const { return directory / "journal"; }
  std::filesystem::path list_directory() const { return directory / "lists"; }  ///< what look-ups of policy rules read
  std::filesystem::path node_directory() const { return directory / "nodes"; }
};

}  // namespace chancery::config
