#include "server/realm/request_content.h"

#include <algorithm>

#include "server/realm/testing.h"

namespace chancery::realm {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

RequestContent content() {
  RequestContent out;
  out.realm = "default";
  out.id = "0123456789abcdef0123456789abcdef";
  out.requester = "unix:alice";
  out.expires = kNow;
  out.profile = "server";
  out.subject = "/CN=www.example.com";
  out.names = {"DNS:www.example.com", "DNS:example.com"};
  out.spki = {1, 2, 3};
  out.validity = std::chrono::hours{24};
  out.uses = "no CA; digitalSignature; serverAuth";
  return out;
}

struct Changed {
  const char* name;
  void (*change)(RequestContent&);
};
const Changed kChanged[] = {
    {"realm", [](RequestContent& c) { c.realm = "devices"; }},
    {"id", [](RequestContent& c) { c.id.back() = '0'; }},
    {"kind", [](RequestContent& c) { c.kind = RequestKind::Renewal; }},
    {"requester", [](RequestContent& c) { c.requester = "unix:bob"; }},
    {"front end", [](RequestContent& c) { c.front_end = "http"; }},
    {"end", [](RequestContent& c) { c.expires += std::chrono::seconds{1}; }},
    {"certificate", [](RequestContent& c) { c.certificate = "01"; }},
    {"reason", [](RequestContent& c) { c.reason = "keyCompromise"; }},
    {"profile", [](RequestContent& c) { c.profile = "user"; }},
    {"subject", [](RequestContent& c) { c.subject += "."; }},
    {"a name more", [](RequestContent& c) { c.names.emplace_back("DNS:evil.example.com"); }},
    {"a name fewer", [](RequestContent& c) { c.names.pop_back(); }},
    {"names in another order", [](RequestContent& c) { std::swap(c.names[0], c.names[1]); }},
    {"key", [](RequestContent& c) { c.spki.back() ^= 1; }},
    {"validity", [](RequestContent& c) { c.validity += std::chrono::seconds{1}; }},
    {"uses", [](RequestContent& c) { c.uses += " clientAuth"; }},
    {"CA", [](RequestContent& c) { c.ca = "ca-2"; }},
    {"another CA", [](RequestContent& c) { c.ca = "ca-3"; }},
    {"step", [](RequestContent& c) { c.step = "ca-2"; }},
    {"source", [](RequestContent& c) { c.source = "ca-2"; }},
    {"rules", [](RequestContent& c) { c.rules = "ca-2"; }},
    // Where a value is cut in two, or made to look like the line that follows.
    {"a line inside", [](RequestContent& c) { c.requester += "\nfront_end: 0 "; }},
    {"two names in one", [](RequestContent& c) { c.names = {"DNS:www.example.com\nname: 15 DNS:example.com"}; }},
};

TEST(RequestContent, F52_AnyChangeMakesAnotherDigest) {
  const auto before = digest_of(content());
  EXPECT_EQ(before, digest_of(content()));
  EXPECT_EQ(before.size(), 64U);
  std::vector<std::string> all{before};
  for (const auto& one : kChanged) {
    auto other = content();
    one.change(other);
    const auto digest = digest_of(other);
    EXPECT_EQ(std::ranges::count(all, digest), 0) << one.name;
    all.push_back(digest);
  }
}

TEST(RequestContent, ValuesAreReadBack) {
  const auto text = canonical_text(content());
  EXPECT_EQ(values_in(text, "subject"), std::vector<std::string>{"/CN=www.example.com"});
  EXPECT_EQ(values_in(text, "name"), (std::vector<std::string>{"DNS:www.example.com", "DNS:example.com"}));
  EXPECT_EQ(values_in(text, "reason"), std::vector<std::string>{""});
  EXPECT_TRUE(values_in(text, "nothing").empty());
  auto hostile = content();
  hostile.requester = "x\nsubject: 5 /CN=y";
  EXPECT_EQ(values_in(canonical_text(hostile), "subject"), std::vector<std::string>{"/CN=www.example.com"});
  for (const auto* bad :
       {"", "x", "subject", "subject: ", "subject: 99999999999999999999 x\n", "subject: 100 x\n", "subject: -1 x\n"})
    EXPECT_TRUE(values_in(std::string("chancery request 1\n") + bad, "subject").empty()) << bad;
}

TEST(RequestContent, WhatAProfileUsesIsPartOfIt) {
  Scene scene;
  const auto uses = uses_of(scene.profile);
  scene.profile.extended_key_usage.emplace_back("clientAuth");
  EXPECT_NE(uses_of(scene.profile), uses);
  scene.profile.is_ca = true;
  EXPECT_TRUE(uses_of(scene.profile).starts_with("CA;"));
  scene.profile.path_length = 0;
  EXPECT_TRUE(uses_of(scene.profile).starts_with("CA 0;"));
}

struct Pair {
  const char* one;
  const char* other;
  bool same;
};
const Pair kPairs[] = {
    {"unix:alice", "unix:alice", true},         {"unix:alice", "user:alice", true},
    {"unix:alice", "user:ALICE", true},         {"unix:alice", "cert:/O=Company/CN=alice", true},
    {"cert:/CN=alice", "cert:/CN=alice", true}, {"cert:/O=A/CN=alice", "cert:/O=B/CN=alice", false},
    {"unix:alice", "unix:bob", false},          {"unix:alice", "cert:/CN=alice b", false},
    {"unix:1000", "unix:1001", false},          {"cert:/O=alice", "unix:alice", false},
};

TEST(RequestContent, F52_TwoNamesOfOnePersonAreOne) {
  for (const auto& pair : kPairs) {
    EXPECT_EQ(may_be_same_person(pair.one, pair.other), pair.same) << pair.one << " " << pair.other;
    EXPECT_EQ(may_be_same_person(pair.other, pair.one), pair.same) << pair.other << " " << pair.one;
  }
  EXPECT_EQ(count_people({"unix:bob", "user:bob", "unix:carol", "unix:alice"}, "user:alice"), 2U);
  EXPECT_EQ(count_people({}, "user:alice"), 0U);
}

}  // namespace
}  // namespace chancery::realm
