#include <gtest/gtest.h>

#include "server/worker/stand_in_handlers.h"
#include "server/worker/testing.h"

/// Every parameter of every row of the command table, as the table wants it and as it does not.
namespace chancery::worker {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

using Names = std::vector<std::string>;
using wire::Type;

struct BadValue {
  std::string name;
  Json value;
  Code want = Code::InvalidParams;
};

bool is_text(Type type) {
  return type == Type::Text || type == Type::Word || type == Type::Hex || type == Type::Pem || type == Type::File ||
         type == Type::Time;
}
bool is_list(Type type) { return type == Type::Texts || type == Type::Objects; }

/// Values of other kinds than the parameter's.
std::vector<BadValue> of_other_kinds(const wire::Param& param) {
  std::vector<BadValue> bad{{"a real", 1.5}, {"an integer of 80 bits", Json::BigInteger{"1208925819614629174706176"}}};
  if (param.required) bad.push_back({"null", Json()});
  if (!is_text(param.type)) bad.push_back({"a text", "1"});
  if (!is_list(param.type)) bad.push_back({"an array", Json::array({"x"})});
  if (param.type != Type::Integer) bad.push_back({"an integer", 1});
  if (param.type != Type::Boolean) bad.push_back({"a truth value", true});
  if (param.type != Type::Object) bad.push_back({"an object", Json::object()});
  return bad;
}

/// Values of the parameter's kind that are not of its form.
std::vector<BadValue> of_other_forms(const wire::Param& param) {
  switch (param.type) {
    case Type::Text: return {{"NUL", std::string(1, '\0')}, {"a line's end", "a\nb"}, {"DEL", "\x7f"}, {"an escape", "\x1b[2J"}};
    case Type::Word:
      return {{"nothing", ""}, {"a path", "../x"}, {"capitals", "X"}, {"two words", "a b"}, {"no such word", "-x-"}};
    case Type::Hex: return {{"nothing", ""}, {"no digits", "0g"}, {"white space", "01 "}, {"a prefix", "0x01"}, {"a sign", "-1"}};
    case Type::Pem:
    case Type::File: return {{"nothing", ""}};
    case Type::Time:
      return {{"nothing", ""}, {"a word", "tomorrow"}, {"a date alone", "2027-01-15"}, {"month 13", "2027-13-01T00:00:00Z"}};
    case Type::Integer: return {{"below 0", -1}, {"above the bound", param.bound + 1}};
    case Type::Texts: return {{"an integer in it", Json::array({1})}, {"a line's end in it", Json::array({"x", "a\nb"})}};
    case Type::Objects: return {{"a text in it", Json::array({Json::object(), "x"})}};
    case Type::Boolean:
    case Type::Object:
    case Type::Any: return {};
  }
  return {};
}

std::vector<BadValue> too_large(const wire::Param& param) {
  const auto above = static_cast<std::size_t>(param.bound) + 1;
  if (is_text(param.type)) return {{"too long", std::string(above, '1'), Code::TooLarge}};
  if (!is_list(param.type)) return {};
  const auto item = param.type == Type::Texts ? Json("x") : Json::object();
  return {{"too many", Json(Json::Array(above, item)), Code::TooLarge}};
}

std::vector<BadValue> bad_values(const wire::Param& param) {
  auto all = of_other_kinds(param);
  for (auto&& one : of_other_forms(param)) all.push_back(std::move(one));
  for (auto&& one : too_large(param)) all.push_back(std::move(one));
  return all;
}

/// A parameter's name with one letter less or more: near enough to be meant, and no other parameter.
std::string misspelt(const wire::Command& command) {
  return command.params.empty() ? "x" : std::string(command.params.front().name) + "x";
}

class DispatchParams : public DispatchFixture {
 protected:
  /// Refused with that code and a message that names the parameter; neither done nor recorded.
  void expect_refused(Session& session, const wire::Command& command, const Json& params, std::string_view param,
                      const BadValue& bad) {
    const auto reply = ask(session, command.name, params);
    const auto what = std::string(command.name) + " " + std::string(param) + ": " + bad.name;
    ASSERT_EQ(code_of(reply), base::describe(bad.want).text) << what;
    EXPECT_NE(reply.error->message().find(param), std::string::npos) << what << ": " << reply.error->message();
    EXPECT_EQ(take_handled(), Names{}) << what;
    EXPECT_EQ(signer.count_events(), 0U) << what;
  }
};

TEST_F(DispatchParams, WhatTheTableAllowsReachesTheHandler) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command))), "ok") << command.name;
      EXPECT_EQ(code_of(ask(session, command.name, sample_params(command, false))), "ok") << command.name;
      EXPECT_EQ(take_handled().size(), 2U) << command.name;
    }
  });
}

TEST_F(DispatchParams, OptionalOnesMayBeNull) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      auto params = sample_params(command);
      for (const auto& param : command.params) {
        if (!param.required) params.set(param.name, Json());
      }
      EXPECT_EQ(code_of(ask(session, command.name, params)), "ok") << command.name;
    }
  });
}

TEST_F(DispatchParams, BoundsAreInclusive) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      auto params = sample_params(command);
      for (const auto& param : command.params) {
        const auto bound = static_cast<std::size_t>(param.bound);
        if (param.type == Type::Text || param.type == Type::Hex || param.type == Type::Pem || param.type == Type::File)
          params.set(param.name, std::string(bound, '1'));
        if (param.type == Type::Texts) params.set(param.name, Json(Json::Array(bound, "x")));
        if (param.type == Type::Objects) params.set(param.name, Json(Json::Array(bound, Json::object())));
      }
      EXPECT_EQ(code_of(ask(session, command.name, params)), "ok") << command.name;
    }
  });
}

TEST_F(DispatchParams, F30_EveryBadValueOfEveryParameterIsRefused) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      for (const auto& param : command.params) {
        for (const auto& bad : bad_values(param)) {
          auto params = sample_params(command);
          params.set(param.name, bad.value);
          expect_refused(session, command, params, param.name, bad);
        }
      }
    }
  });
}

TEST_F(DispatchParams, EveryMissingOneIsNamed) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      for (const auto& missing : command.params) {
        if (!missing.required) continue;
        auto params = Json::object();
        for (const auto& param : command.params) {
          if (param.name != missing.name) params.set(param.name, sample(param));
        }
        expect_refused(session, command, params, missing.name, {"missing", {}});
      }
    }
  });
}

TEST_F(DispatchParams, EveryCommandRefusesUnknownOnes) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      for (const auto& name : {std::string("no_such_parameter"), misspelt(command), std::string("realm_"), std::string()}) {
        auto params = sample_params(command);
        params.set(name, Json());  // also where it says nothing
        expect_refused(session, command, params, name, {"unknown", {}});
      }
    }
  });
}

TEST_F(DispatchParams, EveryCommandWantsAnObject) {
  place.in_full_session([&](Session& session) {
    for (const auto& command : wire::commands()) {
      for (const Json& params : {Json::array(), Json::array({"x"}), Json("x"), Json(1), Json(false)}) {
        expect_refused(session, command, params, "params", {std::string(params.kind()), {}});
      }
      const auto reply = ask(session, command.name, Json());
      EXPECT_EQ(code_of(reply), sample_params(command, false).as_object()->empty() ? "ok" : "invalid_params") << command.name;
      take_handled();
      signer.take_events();
    }
  });
}

/// Whoever may not use a command learns nothing of its parameters.
TEST_F(DispatchParams, StateAndRoleCountBeforeParameters) {
  const auto bad = Json::object({{"no_such_parameter", 1}});
  const auto uid = place.somebody();
  place.grant(uid, "default", {Role::Anonymous});
  place.connect({uid}, [&](Session& session) {
    for (const bool open : {false, true}) {
      if (open) {
        ASSERT_TRUE(session.open("default", "").ok());
      }
      for (const auto& command : wire::commands()) {
        const bool no_session = command.state != wire::In::Anywhere && !open;
        const bool no_right = command.least_role != Role::Anonymous || command.state == wire::In::Holder;
        const auto* want = no_session ? "no_session" : no_right ? "denied" : "invalid_params";
        EXPECT_EQ(code_of(ask(session, command.name, bad)), want) << command.name;
      }
    }
    EXPECT_EQ(take_handled(), Names{});
  });
}

}  // namespace
}  // namespace chancery::worker
