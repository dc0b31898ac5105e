#include "clients/http/gateway.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "clients/lib/repeat.h"
#include "server/wire/message.h"

namespace chancery::http {
namespace {

/// How one request ends: with an answer; an error that leaves the session as it is; without a word; before it was read.
enum class Fate { Answered, Refused, CutOff, Unread, TimedOut };

/// What every session of a test shares: the fates of the requests to come, and what was asked so far.
struct Script {
  std::vector<Fate> fates;
  std::vector<std::string> asked;
  int opened = 0;
};

class ScriptedSession : public Session {
 public:
  explicit ScriptedSession(Script& script) : script_(script) {}
  Result<Json> call(std::string_view method, const Json& /*params*/, const std::string& /*acting_for*/) override {
    script_.asked.emplace_back(method);
    const auto fate = script_.fates.at(script_.asked.size() - 1);
    connected_ = fate == Fate::Answered || fate == Fate::Refused;
    if (fate == Fate::Answered) return Json::object();
    if (fate == Fate::Refused) return Error(Code::NotFound, "no such thing");
    if (fate == Fate::Unread) return Error(Code::Timeout, "no longer in force", std::string(wire::kConnectAgain));
    return Error(fate == Fate::CutOff ? Code::Closed : Code::Timeout, "no answer");
  }
  bool connected() const override { return connected_; }
  bool is_over() const override { return false; }

 private:
  Script& script_;
  bool connected_ = true;
};

class ScriptedConnector : public Connector {
 public:
  explicit ScriptedConnector(Script& script) : script_(script) {}
  Result<std::unique_ptr<Session>> open(const std::string& /*realm*/) override {
    ++script_.opened;
    return std::unique_ptr<Session>(std::make_unique<ScriptedSession>(script_));
  }

 private:
  Script& script_;
};

class Gateways : public testing::Test {
 protected:
  Result<Json> call(const char* method) { return gateway_.call("default", method, Json::object(), "acme:someone"); }
  Script script_;
  Gateway gateway_{std::make_unique<ScriptedConnector>(script_)};
};

constexpr const char* kReads = "certificate.get";
constexpr const char* kChanges = "acme.order.finalize";

TEST_F(Gateways, KeepASessionForTheNextCall) {
  script_.fates = {Fate::Answered, Fate::Refused, Fate::Answered};
  EXPECT_TRUE(call(kReads).ok());
  EXPECT_EQ(call(kReads).error().code(), Code::NotFound);
  EXPECT_TRUE(call(kChanges).ok());
  EXPECT_EQ(script_.opened, 1);
}

TEST_F(Gateways, AskOnceMoreWhatReadsWhenAUsedSessionIsCutOff) {
  script_.fates = {Fate::Answered, Fate::CutOff, Fate::Answered, Fate::CutOff, Fate::CutOff};
  EXPECT_TRUE(call(kReads).ok());
  EXPECT_TRUE(call(kReads).ok());
  EXPECT_EQ(script_.opened, 2);
  EXPECT_EQ(call(kReads).error().code(), Code::Closed) << "the second was a fresh one";
  EXPECT_EQ(script_.asked.size(), 5U);
}

TEST_F(Gateways, DoNothingTwiceThatMayHaveBeenDone) {
  script_.fates = {Fate::Answered, Fate::CutOff};
  EXPECT_TRUE(call(kChanges).ok());
  EXPECT_EQ(call(kChanges).error().code(), Code::Closed);
  EXPECT_EQ(script_.asked.size(), 2U);
}

TEST_F(Gateways, RepeatNothingThatMayStillRun) {
  script_.fates = {Fate::Answered, Fate::TimedOut};
  EXPECT_TRUE(call(kReads).ok());
  EXPECT_EQ(call(kReads).error().code(), Code::Timeout);
  EXPECT_EQ(script_.asked.size(), 2U);
}

TEST_F(Gateways, GoOnUntilASessionReadsTheRequest) {
  script_.fates = {Fate::Unread, Fate::Unread, Fate::Answered};
  EXPECT_TRUE(call(kChanges).ok());
  EXPECT_EQ(script_.opened, 3);
}

TEST_F(Gateways, ButNotForEver) {
  script_.fates.assign(100, Fate::Unread);
  EXPECT_TRUE(client::says_connect_again(call(kChanges).error()));
  EXPECT_EQ(script_.asked.size(), static_cast<std::size_t>(client::kMostSessions));
}

TEST_F(Gateways, AHoldersSessionIsAttestedAnewWhenItEndsUnread) {
  script_.fates = {Fate::Unread, Fate::Answered, Fate::Unread, Fate::Answered, Fate::Answered};
  auto holder = gateway_.attest("default", "a certificate");
  ASSERT_TRUE(holder.ok());
  EXPECT_TRUE(holder->call(kChanges, Json::object()).ok());
  EXPECT_EQ(script_.asked, (std::vector<std::string>{"session.attest", "session.attest", kChanges, "session.attest", kChanges}));
}

TEST_F(Gateways, AHoldersCommandIsNotRepeatedOtherwise) {
  script_.fates = {Fate::Answered, Fate::CutOff};
  auto holder = gateway_.attest("default", "a certificate");
  ASSERT_TRUE(holder.ok());
  EXPECT_EQ(holder->call(kReads, Json::object()).error().code(), Code::Closed);
  EXPECT_EQ(script_.asked.size(), 2U);
}

}  // namespace
}  // namespace chancery::http
