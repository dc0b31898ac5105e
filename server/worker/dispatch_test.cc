#include "server/worker/dispatch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "server/worker/stand_in_handlers.h"
#include "server/worker/testing.h"

/// Every row of the command table, asked by everybody in every state of a session: the table says the answer.
namespace chancery::worker {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

using Names = std::vector<std::string>;

/// What the table has dispatch answer to somebody with those roles: a code, or "ok" where the handler is to run.
std::string expected(const wire::Command& command, const Roles& roles, const Session& session) {
  if (command.state != wire::In::Anywhere && !session.is_open()) return "no_session";
  if (command.state == wire::In::Holder) return "denied";  // nobody here has shown a certificate
  if (command.least_role != Role::Anonymous && !roles.allow(command.least_role)) return "denied";
  return "ok";
}

/// The answer, and that the handler ran exactly when that is "ok".
void expect_answer(Session& session, const wire::Command& command, const std::string& want, const std::string& who) {
  const auto reply = ask(session, command.name, sample_params(command));
  const auto handled = take_handled();
  EXPECT_EQ(code_of(reply), want) << command.name << " as " << who;
  EXPECT_EQ(handled, want == "ok" ? Names{std::string(command.name)} : Names{}) << command.name << " as " << who;
}

void expect_table(Session& session, const Roles& roles, const std::string& who) {
  const auto state = session.is_open() ? " in a session" : " before a session";
  for (const auto& command : wire::commands()) {
    expect_answer(session, command, expected(command, roles, session), who + state);
  }
}

/// Somebody and what the configuration gives them.
struct Somebody {
  std::string name;
  Peer peer;
  std::string front_end;  ///< as which they open the session
  Roles before;           ///< until then
  Roles opened;
};

/// Every role by every way that leads to it.
std::vector<Somebody> everybody(Place& place) {
  std::vector<Somebody> all;
  for (const auto role : all_roles()) {
    const std::string word(base::to_text(role));
    const auto everywhere = place.somebody();
    place.grant(everywhere, "*", {role});
    all.push_back({word + " of every realm", {everywhere}, "", {role}, {role}});
    const auto here = place.somebody();
    place.grant(here, "default", {role});
    place.grant(here, "other", {Role::Admin});
    all.push_back({word + " of this realm", {here}, "", {}, {role}});
    const auto program = place.somebody();
    place.server.front_ends.push_back(
        {.name = word, .program = {}, .user = std::to_string(program), .realms = {"default"}, .roles = {role}});
    all.push_back({"front end of role " + word, {program}, word, {}, {role}});
  }
  all.push_back({"upkeep", {place.somebody(), true}, "", {Role::Admin}, {Role::Admin}});
  all.push_back({"root", {0}, "", {Role::Admin}, {Role::Admin}});
  all.push_back({"the server's user", {::geteuid()}, "", {Role::Admin}, {Role::Admin}});
  return all;
}

class Dispatch : public DispatchFixture {};

TEST_F(Dispatch, EveryCommandByEveryRoleInEveryStateIsAsTheTableSays) {
  for (const auto& one : everybody(place)) {
    place.connect(one.peer, [&](Session& session) {
      expect_table(session, one.before, one.name);
      ASSERT_TRUE(session.open("default", one.front_end).ok()) << one.name;
      expect_table(session, one.opened, one.name);
    });
  }
}

TEST_F(Dispatch, EveryCommandOfSomebodyWithoutAnyRole) {
  place.connect({place.somebody()}, [&](Session& session) {
    EXPECT_EQ(session.open("default", "").error().code(), Code::NotFound);
    expect_table(session, {}, "nobody");
  });
}

TEST_F(Dispatch, TheServersUserIsNobodyWhereWorkersHaveTheirOwn) {
  if (::geteuid() == 0) GTEST_SKIP() << "root is an administrator everywhere";
  place.server.worker_user = "worker";
  place.connect({::geteuid()}, [&](Session& session) { expect_table(session, {}, "the server's user"); });
}

TEST_F(Dispatch, SeveralRolesAddUp) {
  const auto uid = place.somebody();
  place.grant(uid, "default", {Role::Auditor});
  place.grant(uid, "*", {Role::RaOperator});
  place.connect({uid}, [&](Session& session) {
    expect_table(session, {Role::RaOperator}, "two rules");
    ASSERT_TRUE(session.open("default", "").ok());
    expect_table(session, {Role::RaOperator, Role::Auditor}, "two rules");
  });
}

TEST_F(Dispatch, ARealmDemandsMoreOfEveryCommandAndNeverLess) {
  for (const auto demanded : all_roles()) {
    auto& rules = place.realm("default").command_roles;
    rules.clear();
    for (const auto& command : wire::commands()) rules.emplace(command.name, demanded);
    for (const auto role : all_roles()) {
      place.in_session(role, [&](Session& session) {
        const auto who = std::string(base::to_text(role)) + " where " + std::string(base::to_text(demanded)) + " is demanded";
        const Roles roles{role};
        for (const auto& command : wire::commands()) {
          const auto want = roles.allow(demanded) ? expected(command, roles, session) : "denied";
          expect_answer(session, command, want, who);
        }
      });
    }
  }
}

TEST_F(Dispatch, WhatARealmDemandsHoldsInThatRealmAlone) {
  for (const auto& command : wire::commands()) place.realm("default").command_roles.emplace(command.name, Role::Admin);
  const StandInSigner others(place.signer_socket("other"));
  const auto uid = place.somebody();
  place.grant(uid, "*", {Role::User});
  place.connect({uid}, [&](Session& session) {
    expect_table(session, {Role::User}, "a user of all realms");
    ASSERT_TRUE(session.open("other", "").ok());
    expect_table(session, {Role::User}, "a user of all realms");
  });
}

TEST_F(Dispatch, ADenialSaysWhichRoleIsNeeded) {
  place.realm("default").command_roles.emplace("crl.get", Role::CaOperator);
  place.in_session(Role::Auditor, [&](Session& session) {
    const auto admin = ask(session, "admin.add", Json::object({{"dn", "/CN=x"}}));
    EXPECT_EQ(admin.error->message(), "admin.add needs the role admin, " + session.identity().name + " has auditor");
    const auto crl = ask(session, "crl.get");
    EXPECT_EQ(crl.error->message(), "crl.get needs the role ca-operator, " + session.identity().name + " has auditor");
  });
}

TEST_F(Dispatch, AnotherIdentityHasItsOwnRoles) {
  place.in_session(Role::Anonymous, [&](Session& session) {
    session.become({"cert:/CN=admin", "", Roles{Role::Admin}});
    expect_table(session, {Role::Admin}, "an administrator after session.login");
    session.become({"cert:/CN=user", "", Roles{Role::User}});
    expect_table(session, {Role::User}, "a user");
  });
}

TEST_F(Dispatch, F30_CommandsThatThereAreNot) {
  Names names{"",
              "server",
              "server.",
              "server.pin",
              "server.pingg",
              "Server.ping",
              "server.ping ",
              "server.ping\n",
              "rpc.discover",
              "\xef\xbb\xbfserver.ping"};
  for (const auto& command : wire::commands()) names.push_back(std::string(command.name) + "s");
  place.in_full_session([&](Session& session) {
    for (const auto& name : names) {
      EXPECT_EQ(code_of(ask(session, name)), name.empty() ? "malformed" : "unknown_method") << name;
      EXPECT_EQ(take_handled(), Names{}) << name;
    }
    EXPECT_EQ(ask(session, "server.pin").error->hint(), "did you mean \"server.ping\"?");
  });
}

TEST_F(Dispatch, F30_LinesThatAreNoRequests) {
  const Names lines{"",
                    "garbage",
                    "{}",
                    "[]",
                    "null",
                    "\xff\xfe",
                    std::string(1, '\0'),
                    std::string(100000, '['),
                    std::string(wire::kMaxLineBytes + 1, ' '),
                    R"([{"jsonrpc":"2.0","id":1,"method":"server.ping"}])",
                    R"({"jsonrpc":"2.0","method":"server.ping"})",
                    R"({"jsonrpc":"2.0","id":1,"id":1,"method":"server.ping"})",
                    R"({"jsonrpc":"2.0","id":1.5,"method":"server.ping"})",
                    R"({"jsonrpc":"2.0","id":1,"method":["server.ping"]})",
                    R"({"jsonrpc":"2.0","id":1,"method":"server.ping"} {})"};
  place.in_full_session([&](Session& session) {
    for (const auto& line : lines) {
      const auto reply = say(session, line);
      EXPECT_TRUE(code_of(reply) == "malformed" || code_of(reply) == "too_large") << line.substr(0, 80);
      EXPECT_TRUE(reply.id.is_null()) << line.substr(0, 80);
      EXPECT_EQ(take_handled(), Names{}) << line.substr(0, 80);
    }
    EXPECT_EQ(code_of(ask(session, "server.ping")), "ok");
  });
}

TEST_F(Dispatch, TheAnswerHasTheRequestsId) {
  place.in_session(Role::User, [&](Session& session) {
    for (const Json& id : {Json(7), Json(-1), Json("seven"), Json(""), Json()}) {
      for (const auto* command : {"server.ping", "admin.add", "no.such"}) {
        const auto reply = say(session, wire::encode_request({id, command, Json::object(), {}}));
        EXPECT_EQ(reply.id, id) << command;
      }
    }
  });
}

TEST_F(Dispatch, TheHandlersAnswerIsTheReplys) {
  place.in_session(Role::User, [&](Session& session) {
    handle_with([](Session& /*session*/) { return Json::object({{"pong", true}}); });
    EXPECT_EQ(ask(session, "server.ping").result, Json::object({{"pong", true}}));
    handle_with([](Session& /*session*/) { return Error(Code::NotFound, "no such thing", "look there"); });
    const auto reply = ask(session, "server.ping");
    EXPECT_EQ(base::to_line(*reply.error), "no such thing (look there)");
    EXPECT_EQ(reply.error->code(), Code::NotFound);
  });
}

TEST_F(Dispatch, D13_ABugIsAnsweredAndTheSessionLivesOn) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      handle_with([](Session& /*session*/) -> Result<Json> { throw Bug("secret detail"); });
      const auto reply = ask(session, command.name, sample_params(command));
      EXPECT_EQ(code_of(reply), "internal") << command.name;
      EXPECT_EQ(base::to_line(*reply.error).find("secret"), std::string::npos) << command.name;
      handle_with({});
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command))), "ok") << command.name;
    }
  });
  EXPECT_NE(place.log().find("server.ping: bug: secret detail"), std::string::npos);
}

}  // namespace
}  // namespace chancery::worker
