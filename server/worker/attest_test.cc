#include "server/worker/attest.h"

#include <gtest/gtest.h>

#include "server/worker/testing.h"
#include "server/x509/testing.h"

/// session.attest: what evidence makes of a front end's session, what it does not, and when that ends.
namespace chancery::worker {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

constexpr const char* kKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
constexpr const char* kRemoteKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hIE";
constexpr const char* kOtherKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

Json by_certificate(const x509::Certificate& certificate) {
  return Json::object({{"evidence", "certificate"}, {"certificate", certificate.pem()}});
}
Json by_key(const char* key) { return Json::object({{"evidence", "curve_key"}, {"curve_key", key}}); }
Json by_endpoint(const char* endpoint) { return Json::object({{"evidence", "loopback"}, {"endpoint", endpoint}}); }

/// A front end of two roles in realm "default", and what chancery.xml says about its peers.
class Attest : public ::testing::Test {
 protected:
  Attest() {
    place.server.front_ends.push_back({.name = "door",
                                       .program = {},
                                       .user = std::to_string(program_),
                                       .realms = {"default"},
                                       .roles = {Role::Frontend, Role::RaOperator}});
    place.server.zmq_peers = {{.name = "ra1", .key = kKey, .realm = "default", .roles = {Role::Admin}},
                              {.name = "web2", .key = kRemoteKey, .realm = "default", .roles = {Role::Frontend, Role::User}},
                              {.name = "far", .key = kOtherKey, .realm = "other", .roles = {Role::Admin}}};
    place.server.zmq_endpoints = {
        {.address = "127.0.0.1", .port = 5000, .realm = "default", .loopback_peers = {Role::RaOperator, Role::Admin}},
        {.address = "127.0.0.1", .port = 5010, .realm = "default"},
        {.address = "127.0.0.1", .port = 5020, .realm = "other", .loopback_peers = {Role::Admin}}};
  }

  void in_front_end(const std::function<void(Session&)>& use) {
    place.connect({program_}, [&](Session& session) {
      ASSERT_TRUE(session.open("default", "door").ok());
      use(session);
    });
  }

  Place place;
  StandInSigner signer{place.signer_socket("default")};

 private:
  uid_t program_ = place.somebody();
};

/// "identity: roles", or the code of the refusal.
std::string attested(Session& session, const Json& params) {
  const auto reply = ask(session, "session.attest", params);
  if (reply.error) return code_of(reply);
  std::string out = reply.result->text("identity") + ":";
  for (const auto& role : reply.result->texts("roles")) out += " " + role;
  return out;
}

/// Whoever it was for before: no role now, and nothing that needs one.
void expect_nobody(Session& session) {
  EXPECT_EQ(session.identity().name, "nobody");
  EXPECT_TRUE(session.identity().roles.empty());
  EXPECT_EQ(code_of(ask(session, "admin.list")), "denied");
  EXPECT_EQ(code_of(ask(session, "own.certificate.get")), "denied");
  EXPECT_EQ(code_of(ask(session, "server.ping")), "ok");
}

TEST_F(Attest, NobodyIsMoreThanTheFrontEndMayBe) {
  const auto admin = place.certify("/CN=alice", "admin");
  const auto ra = place.certify("/CN=ra", "ra");
  const auto plain = place.certify("/CN=plain", "ra-like");
  ASSERT_TRUE(place.open_store().add_admin({"/CN=alice", {admin.public_key().spki_sha256_hex()}, kNow, "test"}).ok());
  in_front_end([&](Session& session) {
    EXPECT_EQ(attested(session, by_certificate(admin)), "cert:/CN=alice: ra-operator frontend");
    EXPECT_EQ(code_of(ask(session, "admin.add", Json::object({{"dn", "/CN=x"}}))), "denied");
    EXPECT_EQ(attested(session, by_certificate(ra)), "cert:/CN=ra: ra-operator");
    EXPECT_EQ(code_of(ask(session, "acme.realm.get")), "denied");
    EXPECT_EQ(attested(session, by_certificate(plain)), "cert:/CN=plain: anonymous");
    EXPECT_EQ(code_of(ask(session, "admin.list")), "denied");
    EXPECT_EQ(attested(session, by_key(kKey)), "curve:ra1: ra-operator frontend");
    EXPECT_EQ(attested(session, by_endpoint("127.0.0.1:5000")), "loopback: ra-operator frontend");
    EXPECT_EQ(attested(session, Json::object({{"evidence", "anybody"}})), "anybody: anonymous");
    EXPECT_EQ(code_of(ask(session, "profile.list")), "ok");
    EXPECT_EQ(code_of(ask(session, "admin.list")), "denied");
    const auto seeded = Json::object({{"seed", "wrong"}, {"cn", "x"}});  // the front end's own right: the seed decides
    EXPECT_EQ(ask(session, "node.register", seeded).error->message(), "registration is closed in this realm");
    EXPECT_EQ(attested(session, Json::object({{"evidence", "none"}})), "frontend:door: ra-operator frontend");
  });
}

Json as_front_end(Json evidence) { return evidence.set("as_front_end", true); }
Json holding(Json evidence, const x509::Certificate& holder) { return as_front_end(evidence).set("holder", holder.pem()); }

TEST_F(Attest, AFrontEndBehindThisOneSpeaksForOthers) {
  const auto admin = place.certify("/CN=alice", "admin");
  ASSERT_TRUE(place.open_store().add_admin({"/CN=alice", {admin.public_key().spki_sha256_hex()}, kNow, "test"}).ok());
  in_front_end([&](Session& session) {
    EXPECT_EQ(attested(session, as_front_end(by_key(kRemoteKey))), "curve:web2: frontend");
    EXPECT_EQ(session.identity().front_end, "door/curve:web2");
    ASSERT_TRUE(session.act_for("acme:somebody").ok());
    EXPECT_EQ(session.requester(), "acme:somebody");
    ASSERT_TRUE(session.act_for("").ok());
    EXPECT_EQ(code_of(ask(session, "crl.issue")), "denied");
    // The administrator is no more than the front end between, though the one before could do more.
    EXPECT_EQ(attested(session, holding(by_key(kRemoteKey), admin)), "cert:/CN=alice: frontend");
    EXPECT_EQ(session.identity().front_end, "door/curve:web2");
    EXPECT_FALSE(session.act_for("acme:somebody").ok());
    EXPECT_EQ(code_of(ask(session, "admin.list")), "ok");  // looked at again, and still through both
    EXPECT_EQ(session.identity().front_end, "door/curve:web2");
    EXPECT_EQ(attested(session, by_certificate(admin)), "cert:/CN=alice: ra-operator frontend");
    EXPECT_EQ(session.identity().front_end, "door");
  });
}

TEST_F(Attest, WhoIsNoFrontEndSpeaksForNobody) {
  const auto admin = place.certify("/CN=alice", "admin");
  ASSERT_TRUE(place.open_store().add_admin({"/CN=alice", {admin.public_key().spki_sha256_hex()}, kNow, "test"}).ok());
  const auto revoked = place.certify("/CN=revoked", "ra");
  ASSERT_TRUE(place.open_store().revoke({.serial = revoked.serial(), .reason = "superseded", .at = kNow, .by = "test"}).ok());
  const std::tuple<const char*, Json, const char*> cases[] = {
      {"an administrator's key", as_front_end(by_key(kKey)), "denied"},
      {"loopback without the word", as_front_end(by_endpoint("127.0.0.1:5000")), "denied"},
      {"a stranger", as_front_end(Json::object({{"evidence", "anybody"}})), "denied"},
      {"an administrator's certificate", as_front_end(by_certificate(admin)), "denied"},
      {"an administrator's key for a holder", holding(by_key(kKey), admin), "denied"},
      {"an unknown key", as_front_end(by_key("0123456789012345678901234567890123456789")), "auth_failed"},
      {"another realm's key", as_front_end(by_key(kOtherKey)), "auth_failed"},
      {"for a revoked holder", holding(by_key(kRemoteKey), revoked), "auth_failed"},
      {"for the CA itself", holding(by_key(kRemoteKey), x509::testing::ca()), "auth_failed"},
      {"a holder without as_front_end", by_key(kRemoteKey).set("holder", admin.pem()), "invalid_params"},
      {"the front end itself", as_front_end(Json::object({{"evidence", "none"}})), "invalid_params"},
      {"a holder that is no certificate", as_front_end(by_key(kRemoteKey)).set("holder", "x"), "malformed"},
  };
  in_front_end([&](Session& session) {
    for (const auto& [name, params, want] : cases) {
      SCOPED_TRACE(name);
      EXPECT_EQ(attested(session, as_front_end(by_key(kRemoteKey))), "curve:web2: frontend");
      EXPECT_EQ(attested(session, params), want);
      if (std::string_view(want) == "malformed") continue;  // by the command table, before anything changed
      expect_nobody(session);
      EXPECT_EQ(session.identity().front_end, "door");
      EXPECT_FALSE(session.act_for("acme:somebody").ok());
    }
  });
}

TEST_F(Attest, ACertificateIsDescribed) {
  const auto one = place.certify("/C=FR/CN=a.example.com", "server");
  in_front_end([&](Session& session) {
    const auto reply = ask(session, "session.attest", by_certificate(one));
    ASSERT_TRUE(reply.result);
    EXPECT_EQ(reply.result->text("serial"), one.serial().hex());
    EXPECT_EQ(reply.result->text("dn"), "/C=FR/CN=a.example.com");
    EXPECT_EQ(reply.result->text("cn"), "a.example.com");
    EXPECT_EQ(reply.result->text("profile"), "server");
    EXPECT_EQ(ask(session, "own.certificate.get").result->text("serial"), one.serial().hex());
  });
}

TEST_F(Attest, WhatIsNoEvidenceMakesTheSessionNobodys) {
  const auto good = place.certify("/CN=good", "ra");
  const auto revoked = place.certify("/CN=revoked", "ra");
  const auto known_key = x509::testing::leaf_key().public_key().spki_sha256_hex();
  ASSERT_TRUE(place.open_store().add_admin({"/CN=selfmade", {known_key}, kNow, "test"}).ok());
  ASSERT_TRUE(place.open_store().revoke({.serial = revoked.serial(), .reason = "superseded", .at = kNow, .by = "test"}).ok());
  // Neither this CA's: one that names it as issuer and is signed by another key, and one that the store does not know.
  auto spec = x509::testing::leaf_spec();
  spec.subject = x509::Name::from_slash("/CN=selfmade").value();
  spec.not_before = kNow - std::chrono::hours{1};
  spec.not_after = kNow + std::chrono::hours{1};
  const auto tbs = x509::build_tbs(spec).value();
  const auto signature = x509::testing::leaf_key().sign(x509::testing::kAlgorithm, tbs).value();
  const auto selfmade =
      x509::Certificate::from_der(x509::assemble_signed(tbs, x509::testing::kAlgorithm, signature).value()).value();
  const auto unknown = x509::testing::sign(tbs);
  const std::pair<const char*, Json> cases[] = {
      {"revoked", by_certificate(revoked)},
      {"signed by its own key", by_certificate(selfmade)},
      {"not in the store", by_certificate(unknown)},
      {"the CA's own", by_certificate(x509::testing::ca())},
      {"an unknown key", by_key("0123456789012345678901234567890123456789")},
      {"another realm's key", by_key(kOtherKey)},
      {"an endpoint without loopback peers", by_endpoint("127.0.0.1:5010")},
      {"another realm's endpoint", by_endpoint("127.0.0.1:5020")},
      {"no endpoint", by_endpoint("127.0.0.1:5001")},
  };
  in_front_end([&](Session& session) {
    for (const auto& [name, params] : cases) {
      SCOPED_TRACE(name);
      EXPECT_EQ(attested(session, by_certificate(good)), "cert:/CN=good: ra-operator");
      EXPECT_EQ(attested(session, params), "auth_failed");
      expect_nobody(session);
    }
    EXPECT_EQ(attested(session, Json::object({{"evidence", "none"}})), "frontend:door: ra-operator frontend");
  });
}

TEST_F(Attest, EachKindHasItsOwnParameter) {
  in_front_end([&](Session& session) {
    for (const char* text : {R"({"evidence":"certificate"})", R"({"evidence":"curve_key","endpoint":"127.0.0.1:5000"})",
                             R"({"evidence":"loopback"})", R"({"evidence":"none","curve_key":"x"})",
                             R"({"evidence":"loopback","endpoint":"127.0.0.1:5000","curve_key":"x"})"}) {
      EXPECT_EQ(attested(session, wire::parse_json(text).value()), "invalid_params") << text;
      expect_nobody(session);
    }
  });
}

TEST_F(Attest, ACertificateMustBeValidNow) {
  const auto one = place.certify("/CN=one", "ra");
  for (const auto& [moment, want] :
       {std::pair{kNow - std::chrono::hours{2}, "auth_failed"}, std::pair{kNow, "cert:/CN=one: ra-operator"},
        std::pair{kNow + std::chrono::hours{2}, "auth_failed"}}) {
    place.clock.time = moment;
    in_front_end([&](Session& session) { EXPECT_EQ(attested(session, by_certificate(one)), want); });
  }
}

struct Ending {
  const char* name;
  std::function<void(Place&, const x509::Certificate&)> happens;
};
const Ending kEndings[] = {
    {"it is revoked",
     [](Place& place, const x509::Certificate& one) {
       ASSERT_TRUE(place.open_store().revoke({.serial = one.serial(), .reason = "keyCompromise", .at = kNow, .by = "test"}).ok());
     }},
    {"it is held",
     [](Place& place, const x509::Certificate& one) {
       ASSERT_TRUE(
           place.open_store().revoke({.serial = one.serial(), .reason = "certificateHold", .at = kNow, .by = "test"}).ok());
     }},
    {"it expires", [](Place& place, const x509::Certificate& /*one*/) { place.clock.time += std::chrono::hours{2}; }},
};

TEST_F(Attest, ItEndsWithTheCertificateBetweenTwoCommands) {
  for (const auto& ending : kEndings) {
    place.clock.time = kNow;
    const auto one = place.certify("/CN=one", "ra");
    in_front_end([&](Session& session) {
      SCOPED_TRACE(ending.name);
      EXPECT_EQ(attested(session, by_certificate(one)), "cert:/CN=one: ra-operator");
      EXPECT_EQ(code_of(ask(session, "admin.list")), "ok");
      ending.happens(place, one);
      EXPECT_EQ(code_of(ask(session, "admin.list")), "auth_failed");
      expect_nobody(session);
    });
  }
}

TEST_F(Attest, RolesEndWithTheListAndTheNode) {
  const auto admin = place.certify("/CN=alice", "admin");
  const auto ra = place.certify("/CN=ra", "ra");
  ASSERT_TRUE(place.open_store().add_admin({"/CN=alice", {admin.public_key().spki_sha256_hex()}, kNow, "test"}).ok());
  in_front_end([&](Session& session) {
    EXPECT_EQ(attested(session, by_certificate(admin)), "cert:/CN=alice: ra-operator frontend");
    EXPECT_EQ(code_of(ask(session, "admin.list")), "ok");
    ASSERT_TRUE(place.open_store().remove_admin("/CN=alice").value());
    EXPECT_EQ(code_of(ask(session, "admin.list")), "denied");
    EXPECT_EQ(code_of(ask(session, "own.certificate.get")), "ok");
    EXPECT_EQ(attested(session, by_certificate(ra)), "cert:/CN=ra: ra-operator");
    ASSERT_TRUE(place.open_store().delete_node("ra").ok());
    EXPECT_EQ(code_of(ask(session, "admin.list")), "denied");
  });
}

TEST_F(Attest, BothNamesAreInTheAuditStream) {
  const auto ra = place.certify("/CN=ra", "ra");
  in_front_end([&](Session& session) {
    ask(session, "session.attest", by_certificate(ra));
    EXPECT_EQ(code_of(ask(session, "admin.add", Json::object({{"dn", "/CN=x"}}))), "denied");
    const auto events = signer.take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].requester, "cert:/CN=ra");
    EXPECT_EQ(events[0].front_end, "door");
    EXPECT_EQ(code_of(ask(session, "server.ping", Json::object(), "somebody")), "denied");
  });
}

TEST_F(Attest, NobodyElseMaySayIt) {
  const auto ra = place.certify("/CN=ra", "ra");
  place.in_session(Role::Admin, [&](Session& session) {
    EXPECT_EQ(attested(session, by_certificate(ra)), "denied");
    EXPECT_EQ(session.identity().roles, Roles{Role::Admin});
  });
  place.server.front_ends.push_back(
      {.name = "gate", .program = {}, .user = "0", .realms = {"default"}, .roles = {Role::RaOperator}});
  place.connect({0}, [&](Session& session) {
    ASSERT_TRUE(session.open("default", "gate").ok());
    EXPECT_EQ(attested(session, by_certificate(ra)), "denied");
  });
}

}  // namespace
}  // namespace chancery::worker
