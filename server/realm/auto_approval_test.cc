#include "server/realm/auto_approval.h"

#include "server/realm/testing.h"

namespace chancery::realm {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

constexpr std::string_view kHosts = "# known\nwww.example.com\n *.web.example.com # all of them\n\n10.0.0.0/8\nnot a pattern\n";

struct Case {
  const char* name;
  void (*set)(config::ApprovalRules&, AutoFacts&);
  const char* rule;
};
const Case kCases[] = {
    {"no rules", [](config::ApprovalRules&, AutoFacts& f) { f.is_own_renewal = true; }, ""},
    {"own renewal",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_renewals = true;
       f.is_own_renewal = true;
     },
     "own renewal"},
    {"another's renewal", [](config::ApprovalRules& r, AutoFacts&) { r.auto_renewals = true; }, ""},
    {"known host", [](config::ApprovalRules& r, AutoFacts&) { r.auto_hosts = "hosts"; }, "known hosts"},
    {"known glob and address",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_hosts = "hosts";
       f.names = {san("DNS:a.web.example.com"), san("IP:10.1.2.3")};
     },
     "known hosts"},
    {"one that is not known",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_hosts = "hosts";
       f.names.push_back(san("DNS:evil.example.com"));
     },
     ""},
    {"a deeper name than the glob",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_hosts = "hosts";
       f.names = {san("DNS:a.b.web.example.com")};
     },
     ""},
    {"a common name that is not known",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_hosts = "hosts";
       f.subject = name("/CN=evil.example.com");
     },
     ""},
    {"a common name that is no host's",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_hosts = "hosts";
       f.subject = name("/CN=Alice in Example");
     },
     ""},
    {"an e-mail address",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_hosts = "hosts";
       f.names = {san("EMAIL:root@www.example.com")};
     },
     ""},
    {"no names",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_hosts = "hosts";
       f.names.clear();
     },
     ""},
    {"no file",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_hosts = "hosts";
       f.hosts = {};
     },
     ""},
    {"the network",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_networks = {"192.0.2.0/24"};
       f.address = "192.0.2.9";
     },
     "network"},
    {"the network through IPv6",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_networks = {"192.0.2.0/24"};
       f.address = "::ffff:192.0.2.9";
     },
     "network"},
    {"another network",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_networks = {"192.0.2.0/24"};
       f.address = "192.0.3.9";
     },
     ""},
    {"no address that anybody said", [](config::ApprovalRules& r, AutoFacts&) { r.auto_networks = {"0.0.0.0/0"}; }, ""},
    {"an address that is none",
     [](config::ApprovalRules& r, AutoFacts& f) {
       r.auto_networks = {"0.0.0.0/0"};
       f.address = "localhost";
     },
     ""},
    {"out of hours",
     [](config::ApprovalRules& r, AutoFacts&) {
       r.auto_hosts = "hosts";
       r.auto_times = {"sat 08:00-18:00", "sun 00:00-24:00"};
     },
     ""},
    {"in hours",
     [](config::ApprovalRules& r, AutoFacts&) {
       r.auto_hosts = "hosts";
       r.auto_times = {"sat 08:00-18:00", "mon 00:00-01:00"};
     },
     "known hosts"},
    {"where approvals are signed",
     [](config::ApprovalRules& r, AutoFacts&) {
       r.auto_hosts = "hosts";
       r.are_signed = true;
     },
     ""},
};

TEST(AutoApproval, F52_ApprovesWhatARuleSaysAndNothingElse) {
  for (const auto& one : kCases) {
    config::ApprovalRules rules;
    // 2026-06-01 is a Monday.
    AutoFacts facts{.subject = name("/CN=www.example.com"),
                    .names = {san("DNS:www.example.com")},
                    .hosts = kHosts,
                    .address = {},
                    .now = kNow};
    one.set(rules, facts);
    EXPECT_EQ(approving_rule(rules, facts), one.rule) << one.name;
  }
}

TEST(Approvals, F52_NothingIsIssuedDirectlyWhereTheyAreNeeded) {
  for (const auto* profile : {"server", "user", "ra", "admin"}) {
    Scene scene(profile);
    ASSERT_TRUE(scene.decide().allowed()) << profile;
    scene.profile.approval.needed = 2;
    scene.wish.roles = Roles{Role::Admin};
    const auto decision = scene.decide();
    ASSERT_FALSE(decision.allowed()) << profile;
    EXPECT_EQ(decision.refusal().code(), Code::PolicyRefused);
    EXPECT_NE(decision.refusal().message().find("request.create"), std::string::npos);
    scene.wish.by_seed = true;
    EXPECT_FALSE(scene.decide().allowed()) << profile;
    scene.wish.keeps_its_key = true;
    EXPECT_FALSE(scene.decide().allowed()) << profile;
    scene.wish.is_approved = true;
    EXPECT_TRUE(scene.decide().allowed()) << profile;
  }
}

TEST(Approvals, DoNotStandInForTheRest) {
  Scene scene;
  scene.profile.approval.needed = 1;
  scene.wish.is_approved = true;
  scene.wish.subject = name("/CN=localhost");
  EXPECT_FALSE(scene.decide().allowed());
  Scene role;
  role.wish.is_approved = true;
  role.wish.roles = Roles{Role::User};
  EXPECT_FALSE(role.decide().allowed());
}

}  // namespace
}  // namespace chancery::realm
