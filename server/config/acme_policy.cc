#include "server/config/acme_policy.h"

#include <array>

#include "server/config/challenge_methods.h"
#include "server/config/policy_codecs.h"
#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kMostOfAnything = 1000000;

/// What reads it later is base::NamePattern, which takes names as well.
Status check_trusted(std::string_view text) {
  const auto network = check_network(text);
  return network.ok() ? check_name_pattern(text) : network;
}

constexpr std::array kPolicy{
    row<&AcmePolicy::allowed_names>(
        {.name = "allowed_names",
         .check = check_name_pattern,
         .doc = "The only names and addresses that orders may have: `host.example.com` is that name, `*.example.com` and "
                "`web-*.example.com` are globs whose `*` holds no dot, `.example.com` is all below it, `10.0.0.0/8` a network. "
                "Where "
                "the list has only names, addresses are refused, and the other way round. Empty: what the profile takes.",
         .type = "name pattern"}),
    row<&AcmePolicy::denied_names>(
        {.name = "denied_names",
         .check = check_name_pattern,
         .doc = "Names and addresses that orders may not have, allowed or not; a wildcard neither where it "
                "stands for one of them.",
         .type = "name pattern"}),
    row<&AcmePolicy::wildcards>({.name = "wildcards", .doc = "Whether orders may have wildcard names."}),
    row<&AcmePolicy::challenges>({.name = "challenges",
                                  .words = kNameMethods,
                                  .doc = "How DNS names may be proved, among what the realm offers. Empty: by all of that."}),
    row<&AcmePolicy::wildcard_challenges>(
        {.name = "wildcard_challenges", .words = kWildcardMethods, .doc = "The same for names like *.example.com."}),
    row<&AcmePolicy::ip_challenges>({.name = "ip_challenges", .words = kAddressMethods, .doc = "The same for IP addresses."}),
    row<&AcmePolicy::preauthorized>(
        {.name = "preauthorized",
         .check = check_name_pattern,
         .doc = "Names and addresses that need no proof, among those that the policy allows: orders for them are ready at once, "
                "and CAA is not looked at. Only for accounts that were given this policy by an operator or by the key that bound "
                "them, or with trusted_networks or trusted_client_profiles.",
         .type = "name pattern"}),
    row<&AcmePolicy::trusted_networks>(
        {.name = "trusted_networks",
         .check = check_trusted,
         .doc = "preauthorized counts for orders that come from here alone, whoever's they are. The address is that of the "
                "connection: behind a proxy, the proxy's. Empty: from anywhere.",
         .type = "address or network"}),
    row<&AcmePolicy::trusted_client_profiles>(
        {.name = "trusted_client_profiles",
         .check = check_name,
         .doc = "preauthorized counts for orders alone whose client shows TLS a certificate in force of one of these profiles of "
                "the realm, whoever's they are; with trusted_networks, from there only. Behind a proxy that the listener trusts, "
                "the proxy's headers show it. Empty: no certificate is looked at.",
         .type = "profile name"}),
    row<&AcmePolicy::trusted_client_subjects>(
        {.name = "trusted_client_subjects",
         .doc = "One of these means the subject of that certificate: `/O=Company/*`. Empty: any."}),
    row<&AcmePolicy::profiles>({.name = "profiles",
                                .doc = "The profiles that orders may name or get, among those that ACME offers here. Empty: all "
                                       "of them. Where the realm's is "
                                       "not among them, orders that name none get the first."}),
    row<&AcmePolicy::certificates_per_name>(
        {.name = "certificates_per_name",
         .least = 0,
         .most = kMostOfAnything,
         .doc = "Certificates in a week that have the same name, whoever had them. Orders that replace a certificate in time "
                "(RFC 9773) are not refused for it. 0: any number."}),
    row<&AcmePolicy::orders_per_hour>({.name = "orders_per_hour",
                                       .least = 0,
                                       .most = kMostOfAnything,
                                       .doc = "New orders of one account in an hour. 0: any number."}),
    row<&AcmePolicy::failed_validations_per_hour>({.name = "failed_validations_per_hour",
                                                   .least = 0,
                                                   .most = kMostOfAnything,
                                                   .doc = "Failed validations of one name in an hour, after which its account "
                                                          "gets no new order for that name. 0: any number."}),
    row<&AcmePolicy::pending_authorizations>({.name = "pending_authorizations",
                                              .least = 0,
                                              .most = kMostOfAnything,
                                              .doc = "Pending authorizations of one account at a time. 0: any number."}),
};

}  // namespace

std::span<const Setting<AcmePolicy>> acme_policy_settings() { return kPolicy; }

void read_acme_policies(const Node& section, AcmeConfig& acme, Report& report) {
  acme.policies.clear();
  read_named(acme_policy_settings(), section, acme.policies, report);
}

Node write_acme_policies(const AcmeConfig& acme) {
  return write_named(acme_policy_settings(), acme.policies, kAcmePoliciesSection);
}

}  // namespace chancery::config
