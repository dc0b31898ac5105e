#include <gtest/gtest.h>

#include "server/base/text.h"
#include "server/worker/audit.h"
#include "server/worker/stand_in_handlers.h"
#include "server/worker/testing.h"

/// What the audit stream gets of each row of the command table, and what is done when it takes nothing.
namespace chancery::worker {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

using Names = std::vector<std::string>;

bool acts(const wire::Command& command) { return command.effect == wire::Effect::Acts; }

class DispatchAudit : public DispatchFixture {
 protected:
  DispatchAudit() {
    place.server.front_ends.push_back(
        {.name = "door", .program = {}, .user = std::to_string(program_), .realms = {"default"}, .roles = {Role::Admin}});
  }

  /// As the front end "door", an administrator.
  void in_front_end(const std::function<void(Session&)>& use) {
    place.connect({program_}, [&](Session& session) {
      ASSERT_TRUE(session.open("default", "door").ok());
      use(session);
    });
  }

 private:
  uid_t program_ = place.somebody();
};

TEST_F(DispatchAudit, C17_C18_EveryActIsThereBeforeItIsDoneAndAfter) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      std::size_t before = 99;
      handle_with([&](Session& /*session*/) {
        before = signer.count_events();
        return Json::object();
      });
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command))), "ok") << command.name;
      const auto events = signer.take_events();
      EXPECT_EQ(before, acts(command) ? 1U : 0U) << command.name;
      ASSERT_EQ(events.size(), acts(command) ? 2U : 0U) << command.name;
      if (!acts(command)) continue;
      EXPECT_EQ(events[0].phase, "begin") << command.name;
      EXPECT_EQ(events[1].phase, "end") << command.name;
      EXPECT_EQ(events[1].outcome, "ok") << command.name;
      for (const auto& event : events) {
        EXPECT_EQ(event.what, command.name);
        EXPECT_EQ(event.requester, session.identity().name) << command.name;
        EXPECT_EQ(event.roles, "admin") << command.name;
        EXPECT_EQ(event.peer, "uid " + std::to_string(session.peer().uid) + " pid " + std::to_string(session.peer().pid));
      }
    }
  });
}

TEST_F(DispatchAudit, C17_WhatBecameOfAnActIsThere) {
  place.in_full_session([&](Session& session) {
    handle_with([](Session& /*session*/) { return Error(Code::NotFound, "no such thing"); });
    for (const auto& command : wire::commands()) {
      if (!acts(command)) continue;
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command))), "not_found") << command.name;
      const auto events = signer.take_events();
      ASSERT_EQ(events.size(), 2U) << command.name;
      EXPECT_EQ(events[1].outcome, "not_found: no such thing") << command.name;
    }
  });
}

TEST_F(DispatchAudit, C17_AnActThatABugBrokeHasABeginningAlone) {
  place.in_full_session([&](Session& session) {
    handle_with([](Session& /*session*/) -> Result<Json> { throw Bug("broken"); });
    EXPECT_EQ(code_of(ask(session, "admin.add", Json::object({{"dn", "/CN=x"}}))), "internal");
    const auto events = signer.take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].phase, "begin");
  });
}

TEST_F(DispatchAudit, C18_WhatCannotBeRecordedIsNotDone) {
  signer.refuse_with(Error(Code::Io, "no space"));
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      const auto reply = ask(session, command.name, sample_params(command));
      EXPECT_EQ(code_of(reply), acts(command) ? "io" : "ok") << command.name;
      EXPECT_EQ(take_handled(), acts(command) ? Names{} : Names{std::string(command.name)}) << command.name;
      if (acts(command)) {
        EXPECT_EQ(reply.error->message(), "not done, since it cannot be recorded: no space");
      }
    }
    signer.refuse_with({});
    EXPECT_EQ(code_of(ask(session, "admin.add", Json::object({{"dn", "/CN=x"}}))), "ok");
  });
}

TEST_F(DispatchAudit, C18_WithoutASignerActsAreUnavailableAndTheRestGoesOn) {
  const auto uid = place.somebody();
  place.grant(uid, "other", {Role::Admin});
  place.connect({uid}, [&](Session& session) {  // nobody listens for that realm
    ASSERT_TRUE(session.open("other", "").ok());
    for (const auto& command : wire::commands()) {
      if (command.state == wire::In::Holder) continue;
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command))), acts(command) ? "unavailable" : "ok")
          << command.name;
      EXPECT_EQ(take_handled(), acts(command) ? Names{} : Names{std::string(command.name)}) << command.name;
    }
  });
}

TEST_F(DispatchAudit, C27_ASignerThatIsKnownNotToRunIsNotAsked) {
  place.board->show_process(
      0, {.kind = "signer", .name = "default", .state = base::ProcessState::Degraded, .detail = "no key", .since = kNow});
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      const auto reply = ask(session, command.name, sample_params(command));
      EXPECT_EQ(code_of(reply), acts(command) ? "unavailable" : "ok") << command.name;
      if (acts(command)) {
        EXPECT_NE(reply.error->message().find("does not run: no key"), std::string::npos) << command.name;
      }
    }
    EXPECT_EQ(signer.pass(), "");
  });
}

TEST_F(DispatchAudit, ARestartedSignerIsFoundAgain) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      if (!acts(command)) continue;
      signer.hang_up(1);
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command))), "ok") << command.name;
      EXPECT_EQ(take_handled(), Names{std::string(command.name)});
      EXPECT_EQ(signer.take_events().size(), 2U) << command.name;
    }
    EXPECT_EQ(signer.pass(), kPass);
    signer.hang_up(2);
    EXPECT_EQ(code_of(ask(session, "admin.add", Json::object({{"dn", "/CN=x"}}))), "closed");
    EXPECT_EQ(take_handled(), Names{});
  });
}

TEST_F(DispatchAudit, C17_DenialsAreThereAndNothingElseThatWasNotDone) {
  place.in_session(Role::User, [&](Session& session) {
    for (const auto& command : wire::commands()) {
      if (Roles{Role::User}.allow(command.least_role)) continue;
      place.clock.time += std::chrono::minutes{1};
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command))), "denied") << command.name;
      const auto events = signer.take_events();
      ASSERT_EQ(events.size(), 1U) << command.name;
      EXPECT_EQ(events[0].what, command.name);
      EXPECT_EQ(events[0].phase, "refused") << command.name;
      EXPECT_TRUE(events[0].outcome.starts_with("denied: ")) << command.name;
      EXPECT_EQ(events[0].roles, "user") << command.name;
    }
    ask(session, "no.such");
    ask(session, "profile.get");
    say(session, "garbage");
    handle_with([](Session& /*session*/) { return Error(Code::NotFound, "no such thing"); });
    ask(session, "profile.get", Json::object({{"profile", "x"}}));
    EXPECT_EQ(signer.count_events(), 0U);
  });
}

TEST_F(DispatchAudit, NobodyFillsTheStreamByAsking) {
  place.in_session(Role::User, [&](Session& session) {
    for (int minute = 0; minute < 3; ++minute) {
      for (int i = 0; i < 3 * kMostRefusals; ++i) EXPECT_EQ(code_of(ask(session, "crl.issue")), "denied");
      const auto events = signer.take_events();
      ASSERT_EQ(events.size(), static_cast<std::size_t>(kMostRefusals)) << minute;
      EXPECT_TRUE(events.back().outcome.starts_with("further refusals of this minute are in the log only; denied: "));
      EXPECT_FALSE(events.front().outcome.starts_with("further"));
      place.clock.time += std::chrono::minutes{1};
    }
  });
}

TEST_F(DispatchAudit, ADenialNeedsNoSigner) {
  const auto uid = place.somebody();
  place.grant(uid, "other", {Role::User});
  place.connect({uid}, [&](Session& session) {
    ASSERT_TRUE(session.open("other", "").ok());
    EXPECT_EQ(code_of(ask(session, "crl.issue")), "denied");
  });
  EXPECT_NE(place.log().find("a refusal is not recorded"), std::string::npos);
}

TEST_F(DispatchAudit, D37_ParametersThatAreSecretOrLongAreNotThere) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      auto params = Json::object();
      for (const auto& param : command.params) {
        const bool hidden = param.type == wire::Type::Pem || param.name == "signature" || param.name == "seed";
        params.set(param.name, hidden ? Json("do-not-show") : sample(param));
      }
      EXPECT_EQ(code_of(ask(session, command.name, params)), "ok") << command.name;
      for (const auto& event : signer.take_events()) {
        EXPECT_EQ(event.about.find("do-not-show"), std::string::npos) << event.about;
        EXPECT_LE(event.about.size(), 1024U) << command.name;
      }
    }
    const auto dn = "/CN=" + std::string(1000, 'x') + "\xc3\xa9\xc3\xa9\xc3\xa9";
    EXPECT_EQ(code_of(ask(session, "admin.add", Json::object({{"dn", dn}}))), "ok");
    for (const auto& event : signer.take_events()) EXPECT_TRUE(base::is_utf8(event.about)) << event.about;
  });
}

// ----- for whom

TEST_F(DispatchAudit, C17_AFrontEndActsForWhomItAttests) {
  in_front_end([&](Session& session) {
    std::string seen;
    handle_with([&](Session& one) {
      seen = one.requester();
      return Json::object();
    });
    for (const auto& command : wire::commands()) {
      if (command.state == wire::In::Holder) continue;
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command), "acme:alice")), "ok") << command.name;
      EXPECT_EQ(seen, "acme:alice") << command.name;
      for (const auto& event : signer.take_events()) {
        EXPECT_EQ(event.requester, "acme:alice") << command.name;
        EXPECT_EQ(event.front_end, "door") << command.name;
      }
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command))), "ok") << command.name;
      EXPECT_EQ(seen, "frontend:door") << command.name << ": the one before is forgotten";
      signer.take_events();
    }
  });
}

TEST_F(DispatchAudit, NobodyElseActsForOthers) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      const auto reply = ask(session, command.name, sample_params(command), "acme:alice");
      EXPECT_EQ(code_of(reply), "denied") << command.name;
      EXPECT_EQ(session.requester(), session.identity().name) << command.name;
    }
    EXPECT_EQ(take_handled(), Names{});
    for (const auto& event : signer.take_events()) EXPECT_EQ(event.requester, session.identity().name);
  });
}

TEST_F(DispatchAudit, D41_NamesOfWhomAFrontEndActsForAreLines) {
  in_front_end([&](Session& session) {
    for (const auto& whom : {std::string("a\nb"), std::string("\0", 1), std::string("\x1b[2J"), std::string("\x7f")}) {
      EXPECT_EQ(code_of(ask(session, "crl.get", Json::object(), whom)), "malformed");
    }
    EXPECT_EQ(code_of(ask(session, "crl.get", Json::object(), std::string(129, 'x'))), "too_large");
    EXPECT_EQ(take_handled(), Names{});
    EXPECT_EQ(code_of(ask(session, "crl.get", Json::object(), std::string(128, 'x'))), "ok");
  });
}

}  // namespace
}  // namespace chancery::worker
