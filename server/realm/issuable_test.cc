#include "server/realm/issuable.h"

#include <gtest/gtest.h>

#include <functional>

#include "server/config/builtin_profiles.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"
#include "server/x509/testing.h"

namespace chancery::realm {
namespace {

using x509::testing::at;

const Seconds kNow = at("2026-06-01T00:00:00Z");

/// The testing CA with name constraints in hex, and a path length or none.
x509::Certificate ca_with(const std::string& constraints, std::optional<int> path_length) {
  auto spec = x509::testing::ca_spec();
  spec.path_length = path_length;
  auto elements = x509::testing::elements_of(x509::build_tbs(spec).value());
  const auto outer = x509::der::only(x509::der::constructed(3), elements.back(), "extensions").value();
  auto extensions = x509::testing::elements_of(outer.content);
  if (!constraints.empty())
    extensions.push_back(x509::encode_extension(x509::kNameConstraints, true, base::from_hex(constraints).value()));
  elements.back() = x509::der::tlv(x509::der::constructed(3), x509::testing::sequence_of(extensions));
  return x509::testing::sign(x509::testing::sequence_of(elements));
}
const std::string kOnlyExampleNet = "3011a00f300d820b6578616d706c652e6e6574";  ///< permitted: DNS example.net
const std::string kNotExampleNet = "3011a10f300d820b6578616d706c652e6e6574";   ///< excluded: DNS example.net
const std::string kNoDnsName = "3006a10430028200";                             ///< excluded: DNS, all of it

struct Scene {
  config::Profile profile;
  std::string constraints{};
  std::optional<int> path_length = 0;
  Seconds now = kNow;

  Authority ca() const { return {ca_with(constraints, path_length), {}, x509::testing::kAlgorithm}; }
};

struct Case {
  const char* name;
  const char* profile;  ///< a built-in one, which the case changes
  std::function<void(Scene&)> change;
  std::string what{};    ///< in the obstacle; empty: there is none
  std::string advice{};  ///< in what it says to do
};

const Case kCases[] = {
    {"as it is", "server", [](Scene&) {}},
    {"a person's", "user", [](Scene&) {}},
    {"a CA below a CA", "ca", [](Scene& s) { s.path_length = 1; }},
    {"a CA below any", "ca", [](Scene& s) { s.path_length = std::nullopt; }},
    {"where the CA permits names", "server", [](Scene& s) { s.constraints = kOnlyExampleNet; }},
    {"a domain inside", "server", [](Scene& s) { s.constraints = kOnlyExampleNet, s.profile.domain = "a.example.net"; }},
    {"a domain around", "server", [](Scene& s) { s.constraints = kOnlyExampleNet, s.profile.domain = "net"; }},
    {"another domain than the excluded one", "server", [](Scene& s) { s.constraints = kNotExampleNet; }},
    {"what people approve", "server", [](Scene& s) { s.profile.approval.needed = 2; }},
    {"an address where no DNS name may be", "server", [](Scene& s) { s.constraints = kNoDnsName; }},
    {"the common name is the only name", "server", [](Scene& s) { s.profile.altnames = false; }},
    {"keys that can encipher", "server", [](Scene& s) { s.profile.key_usage = {"keyEncipherment"}; }},
    {"a domain of long names", "server",
     [](Scene& s) { s.profile.domain = std::string(60, 'a') + "." + std::string(60, 'b') + ".example"; }},

    {"a CA below a CA of none", "ca", [](Scene&) {}, "path length is 0", "pathLen"},
    {"a CA as deep as the one above", "ca", [](Scene& s) { s.path_length = 1, s.profile.path_length = 1; },
     "must be below the CA's, 1", "pathLen"},
    {"a CA without a depth", "ca", [](Scene& s) { s.path_length = 1, s.profile.path_length = std::nullopt; },
     "must be below the CA's, 1", "pathLen"},
    {"a CA that ended", "server", [](Scene& s) { s.now = at("2056-01-01T00:00:00Z"); }, "ended 2055-12-31T23:59:59Z", "anew"},
    {"a domain that is not permitted", "server",
     [](Scene& s) { s.constraints = kOnlyExampleNet, s.profile.domain = "example.com"; },
     "DNS:www.example.com lies outside of what is permitted: DNS:example.net", "domain"},
    {"a domain that is excluded", "server", [](Scene& s) { s.constraints = kNotExampleNet, s.profile.domain = "a.example.net"; },
     "DNS:example.net, which is excluded", "domain"},
    {"a server that may have mailboxes only", "server",
     [](Scene& s) { s.profile.altnames = false, s.profile.san_types = {"email"}; }, "no names of that type", "altnames"},
    {"addresses in a domain", "server", [](Scene& s) { s.profile.domain = "example.com", s.profile.san_types = {"ip"}; },
     "DNS:www.example.com: the profile allows no names of that type", "san_types"},
    {"a purpose that the usage has no use for", "user", [](Scene& s) { s.profile.key_usage = {"nonRepudiation"}; },
     "clientAuth is of no use with this key usage", "keyUsage"},
    {"keys that cannot encipher", "server",
     [](Scene& s) {
       s.profile.key_usage = {"keyEncipherment"};
       s.profile.allowed_keys = {{base::KeySpec::Kind::Ec, 256}, {base::KeySpec::Kind::Ed25519, 256}};
     },
     "key usage", "allowed_keys"},
};

TEST(Issuable, ProfilesThatTheCaCanIssue) {
  config::RealmConfig realm(RealmName::parse("default").value());
  for (const auto& one : kCases) {
    Scene scene{.profile = config::builtin_profiles().at(ProfileName::parse(one.profile).value())};
    one.change(scene);
    const auto found = obstacle_to_profile(realm, scene.profile, scene.ca(), scene.now);
    EXPECT_EQ(found.has_value(), !one.what.empty()) << one.name << ": " << (found ? found->what : "");
    if (!found) continue;
    EXPECT_NE(found->what.find(one.what), std::string::npos) << one.name << ": " << found->what;
    EXPECT_NE(found->advice.find(one.advice), std::string::npos) << one.name << ": " << found->advice;
  }
}

TEST(Issuable, SubjectsThatNoCertificateBears) {
  using Subject = std::vector<std::pair<std::string, std::string>>;
  const struct {
    const char* name;
    Subject subject;
    bool from_request;
    bool altnames;
    std::string want;
  } cases[] = {
      {"the request's common name", {{"C", "FR"}, {"O", "x"}, {"CN", ""}}, false, false, ""},
      {"no common name", {{"C", "FR"}, {"O", "x"}}, false, false, ""},
      {"the CA's, which no request gets", {{"C", "FR"}, {"O", "x"}, {"CN", "Root"}}, true, false, ""},
      {"a host's", {{"CN", "www.example.com"}}, false, false, ""},
      {"nobody's, beside alternative names", {{"CN", "Our Server"}}, false, true, ""},
      {"nobody's", {{"CN", "Our Server"}}, false, false, "no subject alternative name"},
      {"the CA's", {{"C", "FR"}, {"O", "x"}, {"CN", "Root"}}, false, true, "the subject is the CA's own"},
  };
  config::RealmConfig realm(RealmName::parse("default").value());
  for (const auto& one : cases) {
    Scene scene{.profile = config::builtin_profiles().at(ProfileName::parse("server").value())};
    scene.profile.subject = one.subject;
    scene.profile.subject_from_request = one.from_request;
    scene.profile.altnames = one.altnames;
    const auto found = obstacle_to_subject(realm, scene.profile, scene.ca(), kNow);
    EXPECT_EQ(found.has_value(), !one.want.empty()) << one.name << ": " << (found ? found->what : "");
    const auto said = found ? found->what : "";
    EXPECT_NE(said.find(one.want), std::string::npos) << one.name << ": " << said;
  }
}

}  // namespace
}  // namespace chancery::realm
