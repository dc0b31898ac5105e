#include "server/realm/generations.h"

#include <gtest/gtest.h>

#include <set>

#include "server/realm/testing.h"
#include "server/x509/tbs.h"

namespace chancery::realm {
namespace {

using G = GenerationState;
using x509::testing::at;

/// A CA certificate with a key of its own and that validity.
x509::Certificate ca_certificate(const char* from, const char* until) {
  auto spec = x509::testing::ca_spec();
  static int serial = 0;
  Bytes octets(16, 0x31);
  octets.back() = static_cast<std::uint8_t>(++serial);
  spec.serial = Serial::from_octets(octets).value();
  const auto key = crypto::PrivateKey::generate(base::parse_key_spec("ec:P-256").value()).value();
  spec.spki = x509::testing::spki_of(key);
  spec.not_before = at(from);
  spec.not_after = at(until);
  const auto tbs = x509::build_tbs(spec).value();
  const auto signature = key.sign(x509::testing::kAlgorithm, tbs).value();
  return x509::Certificate::from_der(x509::assemble_signed(tbs, x509::testing::kAlgorithm, signature).value()).value();
}

Generation generation(const char* label, G state, const char* from, const char* until) {
  Generation one{.label = label, .state = state, .authority = {}};
  one.authority = Authority{ca_certificate(from, until), {}, x509::testing::kAlgorithm, one.name(), label};
  return one;
}

/// Three generations whose validities overlap.
std::vector<Generation> three() {
  return {generation("ca", G::Active, "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
          generation("ca-2", G::Active, "2028-01-01T00:00:00Z", "2032-01-01T00:00:00Z"),
          generation("ca-3", G::Active, "2029-01-01T00:00:00Z", "2029-07-01T00:00:00Z"),
          generation("tls-1", G::Active, "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z")};
}

std::string issuer(const std::vector<Generation>& all, const char* now, const char* end, const char* ca = "ca") {
  const auto* found = issuing(all, ca, at(now), at(end));
  return found == nullptr ? "none" : found->label;
}

struct Moment {
  const char* now;
  const char* end;
  const char* want;
};
const Moment kMoments[] = {
    {"2025-12-31T23:59:59Z", "2026-02-01T00:00:00Z", "none"},  // none has begun
    {"2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "ca"},   {"2027-12-31T23:59:59Z", "2028-02-01T00:00:00Z", "ca"},
    {"2027-12-31T23:59:59Z", "2031-01-01T00:00:00Z", "ca"},  // shortens it: the next has not begun
    {"2028-01-01T00:00:00Z", "2028-02-01T00:00:00Z", "ca-2"}, {"2029-02-01T00:00:00Z", "2029-03-01T00:00:00Z", "ca-3"},
    {"2029-02-01T00:00:00Z", "2029-08-01T00:00:00Z", "ca-2"},  // the newest does not cover it
    {"2029-02-01T00:00:00Z", "2033-01-01T00:00:00Z", "ca-3"},  // none covers it: the newest, which shortens it
    {"2029-07-01T00:00:01Z", "2029-08-01T00:00:00Z", "ca-2"},  // the newest has expired
    {"2030-01-01T00:00:01Z", "2030-02-01T00:00:00Z", "ca-2"}, {"2032-01-01T00:00:00Z", "2032-02-01T00:00:00Z", "ca-2"},
    {"2032-01-01T00:00:01Z", "2032-02-01T00:00:00Z", "none"},
};

TEST(Generations, TheClockChoosesTheOneThatIssues) {
  const auto all = three();
  for (const auto& one : kMoments) EXPECT_EQ(issuer(all, one.now, one.end), one.want) << one.now << " until " << one.end;
  EXPECT_EQ(issuer(all, "2029-02-01T00:00:00Z", "2029-03-01T00:00:00Z", "tls"), "tls-1");
  EXPECT_EQ(issuer(all, "2029-02-01T00:00:00Z", "2029-03-01T00:00:00Z", "ca-2"), "none");  // a generation is no CA
}

TEST(Generations, OnlyAnActiveOneIssues) {
  for (const auto state : kGenerationStates) {
    auto all = three();
    for (auto& one : all) one.state = state;
    const auto want = state == G::Active ? "ca-2" : "none";
    EXPECT_EQ(issuer(all, "2028-06-01T00:00:00Z", "2028-07-01T00:00:00Z"), want) << to_text(state);
    EXPECT_EQ(may_issue(state), state == G::Active);
    EXPECT_EQ(may_sign_crl(state), state == G::Prepared || state == G::Active || state == G::Draining) << to_text(state);
  }
  auto all = three();
  all[1].authority.reset();  // it waits for its certificate
  EXPECT_EQ(issuer(all, "2028-06-01T00:00:00Z", "2028-07-01T00:00:00Z"), "ca");
}

TEST(Generations, EachStateAfterEachOther) {
  const std::set<std::pair<G, G>> kMay{
      {G::Prepared, G::Active}, {G::Prepared, G::Aborted}, {G::Active, G::Draining}, {G::Draining, G::Retired}};
  for (const auto from : kGenerationStates) {
    EXPECT_EQ(generation_state(to_text(from)), from);
    for (const auto to : kGenerationStates)
      EXPECT_EQ(may_follow(from, to), kMay.contains({from, to})) << to_text(from) << " " << to_text(to);
  }
  EXPECT_FALSE(generation_state("issuing"));
}

TEST(Generations, Labels) {
  for (const auto* good : {"ca", "ca-2", "ca-17", "tls-1", "web-tls-3", "a-1"}) {
    const auto label = parse_label(good);
    ASSERT_TRUE(label.ok()) << good;
    EXPECT_EQ(label->text(), good);
  }
  EXPECT_EQ(parse_label("web-tls-3").value(), (Label{"web-tls", 3}));
  for (const auto* bad :
       {"", "tls", "ca-1", "ca-0", "ca-02", "ca--2x", "ca-99999999999999", "-1", "../ca-2", "a/b-2", "CA-2", "ca-2 "})
    EXPECT_EQ(parse_label(bad).error().code(), Code::Malformed) << bad;
}

config::RealmConfig realm_with_cas() {
  auto realm = testing::new_realm();
  realm.crl_urls = {"http://pki.example.com/cas/{ca}/crl"};
  realm.ca_issuer_urls = {"http://pki.example.com/ca.crt"};
  config::CaConfig tls;
  tls.profiles = {ProfileName::parse("server").value()};
  tls.crl_urls = {"http://tls.example.com/{ca}"};
  config::CaConfig any;
  config::CaConfig root;
  root.purpose = "root";
  realm.cas = {{"tls", tls}, {"any", any}, {"top", root}};
  return realm;
}

TEST(Generations, ProfilesHaveTheirCa) {
  const auto realm = realm_with_cas();
  const auto server = ProfileName::parse("server").value();
  const auto user = ProfileName::parse("user").value();
  EXPECT_EQ(ca_for(realm, server), "tls");
  EXPECT_EQ(ca_for(realm, user), "ca");
  EXPECT_TRUE(check_ca_issues(realm, "ca", user).ok());
  EXPECT_TRUE(check_ca_issues(realm, "any", user).ok());
  EXPECT_EQ(check_ca_issues(realm, "tls", user).error().code(), Code::PolicyRefused);
  EXPECT_EQ(check_ca_issues(realm, "top", user).error().code(), Code::PolicyRefused);
  EXPECT_EQ(check_ca_issues(realm, "gone", user).error().code(), Code::NotFound);
}

TEST(Generations, UrlsAreTheGenerationsOwn) {
  const auto realm = realm_with_cas();
  const auto all = three();
  EXPECT_EQ(crl_urls(realm, *all[0].authority).front(), "http://pki.example.com/cas/ca/crl");
  EXPECT_EQ(crl_urls(realm, *all[1].authority).front(), "http://pki.example.com/cas/ca-2/crl");
  EXPECT_EQ(crl_urls(realm, *all[3].authority).front(), "http://tls.example.com/tls-1");
  EXPECT_EQ(ca_issuer_urls(realm, *all[1].authority).front(), "http://pki.example.com/ca.crt");
}

}  // namespace
}  // namespace chancery::realm
