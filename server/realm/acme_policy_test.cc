#include "server/realm/acme_policy.h"

#include <gtest/gtest.h>

namespace chancery::realm {
namespace {

using std::chrono::seconds;

x509::GeneralName name(std::string_view text) { return x509::GeneralName::parse(text).value(); }
ProfileName profile(std::string_view text) { return ProfileName::parse(text).value(); }

struct NameCase {
  std::vector<std::string> allowed;
  std::vector<std::string> denied;
  bool wildcards;
  const char* name;
  bool want;
};
const NameCase kNames[] = {
    {{}, {}, true, "DNS:a.example.com", true},
    {{}, {}, true, "IP:10.0.0.1", true},
    {{".example.com"}, {}, true, "DNS:a.example.com", true},
    {{".example.com"}, {}, true, "DNS:a.example.net", false},
    {{".example.com"}, {}, true, "IP:10.0.0.1", false},
    {{".example.com", "10.0.0.0/8"}, {}, true, "IP:10.0.0.1", true},
    {{"10.0.0.0/8"}, {}, true, "IP:11.0.0.1", false},
    {{"10.0.0.0/8"}, {}, true, "DNS:a.example.com", false},
    {{"fd00::/8"}, {}, true, "IP:fd00::1", true},
    {{".example.com"}, {"secret.example.com"}, true, "DNS:secret.example.com", false},
    {{".example.com"}, {"secret.example.com"}, true, "DNS:a.secret.example.com", true},
    {{"a.example.com"}, {"a.example.com"}, true, "DNS:a.example.com", false},
    {{}, {"10.0.0.1"}, true, "IP:10.0.0.1", false},
    {{}, {"10.0.0.1"}, true, "IP:10.0.0.2", true},
    {{}, {}, true, "DNS:*.example.com", true},
    {{}, {}, false, "DNS:*.example.com", false},
    {{}, {"secret.example.com"}, true, "DNS:*.example.com", false},
    {{}, {"secret.example.com"}, true, "DNS:*.a.example.com", true},
    {{}, {".example.com"}, true, "DNS:*.example.com", false},
    {{"*.example.com"}, {}, true, "DNS:*.example.com", true},
    {{"a.example.com"}, {}, true, "DNS:*.example.com", false},
};

TEST(AcmePolicy, SaysWhichNamesThereMayBe) {
  for (const auto& one : kNames) {
    const config::AcmePolicy policy{.allowed_names = one.allowed, .denied_names = one.denied, .wildcards = one.wildcards};
    EXPECT_EQ(fault_in_acme_name(policy, name(one.name)).empty(), one.want) << one.name;
  }
}

TEST(AcmePolicy, TheFaultNamesTheName) {
  EXPECT_NE(fault_in_acme_name({.denied_names = {"a.example.com"}}, name("DNS:a.example.com")).find("a.example.com is denied"),
            std::string::npos);
}

TEST(AcmePolicy, AnAccountHasItsOwnElseTheRealms) {
  config::AcmeConfig acme;
  EXPECT_EQ(policy_of(acme, ""), config::AcmePolicy());
  EXPECT_FALSE(policy_of(acme, "web"));
  acme.policies["web"].orders_per_hour = 7;
  acme.policies["other"].orders_per_hour = 8;
  acme.policy = "web";
  EXPECT_EQ(policy_of(acme, "")->orders_per_hour, 7);
  EXPECT_EQ(policy_of(acme, "other")->orders_per_hour, 8);
  EXPECT_FALSE(policy_of(acme, "gone"));
}

TEST(AcmePolicy, OnlyAnAccountsOwnGrantsNamesFromAnywhere) {
  config::AcmeConfig acme;
  acme.policies["web"].preauthorized = {".example.com"};
  acme.policies["near"] = {.preauthorized = {".example.com"}, .trusted_networks = {"10.0.0.0/8"}};
  EXPECT_EQ(policy_of(acme, "web")->preauthorized.size(), 1U);
  acme.policy = "web";
  EXPECT_TRUE(policy_of(acme, "")->preauthorized.empty());
  acme.policies["shown"] = {.preauthorized = {".example.com"}, .trusted_client_profiles = {"user"}};
  for (const auto* const one : {"near", "shown"}) {
    acme.policy = one;
    EXPECT_EQ(policy_of(acme, "")->preauthorized.size(), 1U) << one;
  }
}

struct GrantCase {
  std::vector<std::string> preauthorized;
  std::vector<std::string> networks;
  const char* name;
  const char* from;
  bool want;
};
const GrantCase kGrants[] = {
    {{}, {}, "DNS:a.example.com", "10.0.0.1", false},
    {{}, {"10.0.0.0/8"}, "DNS:a.example.com", "10.0.0.1", false},
    {{".example.com"}, {}, "DNS:a.example.com", "", true},
    {{".example.com"}, {}, "DNS:example.com", "", false},
    {{".example.com"}, {}, "DNS:*.example.com", "", true},
    {{"a.example.com"}, {}, "DNS:*.example.com", "", false},
    {{".example.com"}, {}, "IP:10.0.0.1", "10.0.0.1", false},
    {{"10.0.0.0/24"}, {}, "IP:10.0.0.1", "", true},
    {{"10.0.0.0/24"}, {}, "IP:10.0.1.1", "", false},
    {{".example.com"}, {"10.0.0.0/8"}, "DNS:a.example.com", "10.1.2.3", true},
    {{".example.com"}, {"10.0.0.0/8"}, "DNS:a.example.com", "::ffff:10.1.2.3", true},
    {{".example.com"}, {"192.0.2.1", "fd00::/8"}, "DNS:a.example.com", "fd00::7", true},
    {{".example.com"}, {"10.0.0.0/8"}, "DNS:a.example.com", "11.1.2.3", false},
    {{".example.com"}, {"10.0.0.0/8"}, "DNS:a.example.com", "::ffff:11.1.2.3", false},
    {{".example.com"}, {"10.0.0.0/8"}, "DNS:a.example.com", "fd00::7", false},
    {{".example.com"}, {"10.0.0.0/8"}, "DNS:a.example.com", "", false},
    {{".example.com"}, {"10.0.0.0/8"}, "DNS:a.example.com", "localhost", false},
};

TEST(AcmePolicy, SaysWhichNamesNeedNoProof) {
  for (const auto& one : kGrants) {
    const config::AcmePolicy policy{.preauthorized = one.preauthorized, .trusted_networks = one.networks};
    EXPECT_EQ(needs_no_proof(policy, name(one.name), {.address = one.from}), one.want) << one.name << " from " << one.from;
  }
}

struct ClientCase {
  std::vector<std::string> profiles;
  const char* subject;  ///< pattern; null: none
  std::vector<std::string> networks;
  AcmeAsker asker;
  bool want;
};
const AcmeAsker kShows{.address = "10.0.0.1", .profile = "user", .subject = "/O=Company/CN=agent", .serial = "01"};
const ClientCase kClients[] = {
    {{"user"}, nullptr, {}, kShows, true},
    {{"laptop", "user"}, nullptr, {}, kShows, true},
    {{"user"}, "/O=Company/*", {}, kShows, true},
    {{"user"}, "/o=company/cn=agent", {}, kShows, true},
    {{"user"}, nullptr, {"10.0.0.0/8"}, kShows, true},
    {{"user"}, nullptr, {}, {.address = "10.0.0.1"}, false},
    {{"user"}, nullptr, {"10.0.0.0/8"}, {.address = "10.0.0.1"}, false},
    {{"user"}, nullptr, {"192.0.2.0/24"}, kShows, false},
    {{"user"}, "/O=Other/*", {}, kShows, false},
    {{"user"}, "/O=Company", {}, kShows, false},
    {{"laptop"}, nullptr, {}, kShows, false},
    {{"User"}, nullptr, {}, kShows, false},
    {{"user"}, "*", {}, {.address = "10.0.0.1", .profile = "", .subject = "/O=Company/CN=agent"}, false},
    {{""}, nullptr, {}, {.address = "10.0.0.1"}, false},
};

TEST(AcmePolicy, SaysWhichClientsNeedNoProof) {
  for (std::size_t i = 0; i < std::size(kClients); ++i) {
    const auto& one = kClients[i];
    config::AcmePolicy policy{
        .preauthorized = {".example.com"}, .trusted_networks = one.networks, .trusted_client_profiles = one.profiles};
    if (one.subject != nullptr) policy.trusted_client_subjects.push_back(base::TextPattern::parse(one.subject).value());
    EXPECT_EQ(needs_no_proof(policy, name("DNS:a.example.com"), one.asker), one.want) << i;
    EXPECT_FALSE(needs_no_proof(policy, name("DNS:a.example.org"), one.asker)) << i;
  }
}

TEST(AcmePolicy, LeavesTheRealmsMethodsInTheirOrder) {
  using Methods = std::vector<std::string>;
  const config::AcmeConfig acme;
  EXPECT_EQ(narrowed(acme, {}), acme);
  const auto less = narrowed(acme, {.challenges = {"tls-alpn-01", "http-01"}, .ip_challenges = {"http-01"}});
  EXPECT_EQ(less.challenges, (Methods{"http-01", "tls-alpn-01"}));
  EXPECT_EQ(less.wildcard_challenges, acme.wildcard_challenges);
  EXPECT_EQ(less.ip_challenges, (Methods{"http-01"}));
  EXPECT_TRUE(narrowed(acme, {.challenges = {"dns-account-01"}}).challenges.empty());  // nothing that the realm does not offer
}

TEST(AcmePolicy, ChoosesAmongProfiles) {
  config::AcmePolicy policy;
  EXPECT_TRUE(allows_profile(policy, profile("server")));
  EXPECT_EQ(profile_without_wish(policy, profile("server")), profile("server"));
  policy.profiles = {profile("webapp"), profile("user")};
  EXPECT_FALSE(allows_profile(policy, profile("server")));
  EXPECT_TRUE(allows_profile(policy, profile("user")));
  EXPECT_EQ(profile_without_wish(policy, profile("server")), profile("webapp"));
  EXPECT_EQ(profile_without_wish(policy, profile("user")), profile("user"));
}

TEST(AcmePolicy, ALimitSlides) {
  const Seconds now{seconds{1'000'000}};
  const std::vector<Seconds> times{now, now - seconds{10}, now - seconds{3000}};
  EXPECT_FALSE(wait_for({0, kAcmeHour}, times, now));
  EXPECT_FALSE(wait_for({4, kAcmeHour}, times, now));
  EXPECT_EQ(wait_for({3, kAcmeHour}, times, now), seconds{600});
  EXPECT_EQ(wait_for({2, kAcmeHour}, times, now), seconds{3590});
  EXPECT_EQ(wait_for({1, kAcmeHour}, times, now), seconds{3600});
  EXPECT_FALSE(wait_for({3, kAcmeHour}, times, now + seconds{600}));
  EXPECT_FALSE(wait_for({1, kAcmeHour}, {}, now));
}

}  // namespace
}  // namespace chancery::realm
