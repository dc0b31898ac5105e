#include "server/worker/session.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "server/base/realm_passes.h"
#include "server/worker/testing.h"

namespace chancery::worker {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

/// What session.open says: "ok" or a code.
std::string opened(Session& session, const std::string& realm, const std::string& front_end = {}) {
  const auto done = session.open(realm, front_end);
  return done.ok() ? "ok" : std::string(base::describe(done.error().code()).text);
}

TEST(Session, F50_ARealmWithoutARoleIsAsARealmThatIsNotThere) {
  Place place;
  const auto uid = place.somebody();
  place.grant(uid, "default", {Role::User});
  place.connect({uid}, [](Session& session) {
    const auto foreign = session.open("other", "");
    const auto missing = session.open("nothing", "");
    EXPECT_EQ(foreign.error().code(), Code::NotFound);
    EXPECT_EQ(missing.error().code(), Code::NotFound);
    EXPECT_EQ(foreign.error().message(), "no realm \"other\" for this peer");
    EXPECT_EQ(missing.error().message(), "no realm \"nothing\" for this peer");
    EXPECT_EQ(base::to_line(foreign.error()).size() + 2, base::to_line(missing.error()).size());
    EXPECT_FALSE(session.is_open());
    EXPECT_EQ(opened(session, "default"), "ok");
  });
}

TEST(Session, F50_IsBoundToOneRealmForLife) {
  Place place;
  place.connect({0}, [](Session& session) {
    EXPECT_EQ(opened(session, "default"), "ok");
    for (const auto* realm : {"default", "other", "nothing"}) EXPECT_EQ(opened(session, realm), "conflict") << realm;
    EXPECT_EQ(session.realm().name.text(), "default");
  });
}

TEST(Session, RolesAreThoseOfTheRealm) {
  Place place;
  const auto uid = place.somebody();
  place.grant(uid, "default", {Role::Auditor});
  place.grant(uid, "other", {Role::Admin});
  place.connect({uid}, [](Session& session) {
    EXPECT_TRUE(session.identity().roles.empty());
    EXPECT_EQ(opened(session, "default"), "ok");
    EXPECT_EQ(session.identity().roles, Roles{Role::Auditor});
  });
  place.connect({uid}, [](Session& session) {
    EXPECT_EQ(opened(session, "other"), "ok");
    EXPECT_EQ(session.identity().roles, Roles{Role::Admin});
  });
}

struct FrontEndCase {
  const char* name;
  const char* realm;
  const char* front_end;
  bool its_user;
  const char* want;
};

TEST(Session, C22_AFrontEndIsItsUserInItsRealms) {
  Place place;
  const auto program = place.somebody();
  const auto stranger = place.somebody();
  place.grant(stranger, "*", {Role::CaOperator});
  place.server.front_ends.push_back(
      {.name = "door", .program = {}, .user = std::to_string(program), .realms = {"default"}, .roles = {Role::Frontend}});
  const FrontEndCase cases[] = {
      {"its user, its realm", "default", "door", true, "ok"},
      {"its user, no such realm", "nothing", "door", true, "not_found"},
      {"its user, without its name", "default", "", true, "not_found"},
      {"another user, its realm", "default", "door", false, "denied"},
      {"another user as who they are", "default", "", false, "ok"},
  };
  for (const auto& one : cases) {
    place.connect({one.its_user ? program : stranger},
                  [&](Session& session) { EXPECT_EQ(opened(session, one.realm, one.front_end), one.want) << one.name; });
  }
}

TEST(Session, C22_AFrontEndOpensNothingElse) {
  Place place;
  const auto program = place.somebody();
  place.server.front_ends.push_back(
      {.name = "door", .program = {}, .user = std::to_string(program), .realms = {"default"}, .roles = {Role::Frontend}});
  place.connect({program}, [](Session& session) {
    EXPECT_NE(opened(session, "other", "door"), "ok");
    EXPECT_NE(opened(session, "default", "gate"), "ok");
    EXPECT_FALSE(session.is_open());
    EXPECT_EQ(opened(session, "default", "door"), "ok");
  });
}

TEST(Session, AFrontEndHasItsConfiguredRolesAndNoMore) {
  Place place;
  place.server.front_ends.push_back({.name = "door", .program = {}, .user = "0", .realms = {"*"}, .roles = {Role::Frontend}});
  place.connect({0}, [](Session& session) {
    EXPECT_TRUE(session.identity().roles.allow(Role::Admin));
    EXPECT_EQ(opened(session, "default", "door"), "ok");
    EXPECT_EQ(session.identity().roles, Roles{Role::Frontend});
    EXPECT_EQ(session.identity().name, "frontend:door");
    EXPECT_EQ(session.identity().front_end, "door");
  });
}

TEST(Session, D1_ARealmTakesNoMoreWorkersThanItMay) {
  Place place;
  place.server.limits.max_workers_per_realm = 1;
  place.board->occupy(1, 0, kNow);
  ASSERT_TRUE(place.board->enter_realm(1, RealmName::parse("default").value(), 1).ok());
  place.connect({0}, [](Session& session) {
    EXPECT_EQ(opened(session, "default"), "busy");
    EXPECT_FALSE(session.is_open());
    EXPECT_EQ(opened(session, "other"), "ok");
  });
}

TEST(Session, EachHasAChallengeOfItsOwn) {
  Place place;
  std::set<std::string> challenges;
  for (const auto* realm : {"default", "default", "other"}) {
    place.connect({0}, [&](Session& session) {
      EXPECT_EQ(session.challenge(), "");
      EXPECT_EQ(opened(session, realm), "ok");
      EXPECT_TRUE(session.challenge().starts_with("chancery-login:" + std::string(realm) + ":"));
      challenges.insert(session.challenge());
    });
  }
  EXPECT_EQ(challenges.size(), 3U);
}

TEST(Session, WhatNeedsARealmBeforeOneIsOpenIsABug) {
  Place place;
  place.connect({0}, [](Session& session) { EXPECT_THROW((void)session.realm(), Bug); });
}

TEST(Session, TheSignerHearsItsRealmsPass) {
  Place place;
  const StandInSigner signer(place.signer_socket("default"));
  place.connect({0}, [&](Session& session) {
    EXPECT_EQ(opened(session, "default"), "ok");
    auto connected = session.signer();
    ASSERT_TRUE(connected.ok());
    EXPECT_EQ((*connected)->ping().error().code(), Code::Unsupported);
    EXPECT_EQ(signer.pass(), kPass);
  });
}

/// What the session asked the master for: places of realms.
std::vector<std::uint32_t> asked_for(const Place& place) {
  std::vector<std::uint32_t> found;
  for (auto one = base::read_pass_request(place.master.get()); one.ok(); one = base::read_pass_request(place.master.get()))
    found.push_back(*one);
  return found;
}

TEST(Session, C22_TheMasterIsAskedForItsRealmsPassesOnce) {
  Place place;
  StandInSigner signer(place.signer_socket("default"));
  place.connect({0}, [&](Session& session) {
    EXPECT_EQ(asked_for(place), std::vector<std::uint32_t>{}) << "before a realm is open";
    EXPECT_EQ(opened(session, "nothing"), "not_found");
    EXPECT_EQ(opened(session, "default", "nobody"), "denied");
    EXPECT_EQ(asked_for(place), std::vector<std::uint32_t>{}) << "by a refusal";
    EXPECT_EQ(opened(session, "default"), "ok");
    EXPECT_EQ(opened(session, "other"), "conflict");
    EXPECT_EQ(asked_for(place), std::vector<std::uint32_t>{0});
    for (int i = 0; i < 3; ++i) {
      const auto connected = session.signer();
      ASSERT_TRUE(connected.ok());
      signer.hang_up(1);
      EXPECT_EQ((*connected)->ping().error().code(), Code::Closed);
    }
    EXPECT_EQ(asked_for(place), std::vector<std::uint32_t>{});
  });
  place.connect({0}, [&](Session& session) {
    EXPECT_EQ(opened(session, "other"), "ok");
    EXPECT_EQ(asked_for(place), std::vector<std::uint32_t>{1});
  });
}

TEST(Session, D17_AMasterThatIsGoneOpensNothing) {
  Place place;
  place.connect({0}, [&](Session& session) {
    place.master.reset();
    EXPECT_EQ(opened(session, "default"), "unavailable");
    EXPECT_FALSE(session.is_open());
  });
}

TEST(Session, WithoutAPassTheSignerIsNotAsked) {
  Place place;
  place.gives_passes = false;
  const StandInSigner signer(place.signer_socket("default"));
  place.connect({0}, [&](Session& session) {
    EXPECT_EQ(opened(session, "default"), "ok");
    place.master.reset();  // it refuses the worker, or is gone
    const auto connected = session.signer();
    ASSERT_FALSE(connected.ok());
    EXPECT_EQ(connected.error().code(), Code::Unavailable);
    EXPECT_NE(connected.error().message().find("the master gave no passes"), std::string::npos) << connected.error().message();
    EXPECT_TRUE(session.key_pass().empty());
    EXPECT_EQ(signer.pass(), "");
  });
}

TEST(Session, RefusalsAreCountedByTheMinute) {
  Place place;
  place.connect({0}, [&](Session& session) {
    for (int i = 1; i <= 3; ++i) EXPECT_EQ(session.count_refusal(), i);
    place.clock.time += std::chrono::seconds{59};
    EXPECT_EQ(session.count_refusal(), 4);
    place.clock.time += std::chrono::seconds{1};
    EXPECT_EQ(session.count_refusal(), 1);
    place.clock.time -= std::chrono::hours{1};  // a clock that was set back opens no gap
    EXPECT_EQ(session.count_refusal(), 1);
    EXPECT_EQ(session.count_refusal(), 2);
  });
}

}  // namespace
}  // namespace chancery::worker
