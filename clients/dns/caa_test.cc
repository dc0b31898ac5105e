#include "clients/dns/caa.h"

#include <gtest/gtest.h>

#include <map>

namespace chancery::dns {
namespace {

using Records = std::vector<std::string>;

constexpr const char* kAccount = "https://ca.example/acme/account/1";

std::string record(const std::string& tag, const std::string& value, int flags = 0) {
  return std::string(1, static_cast<char>(flags)) + static_cast<char>(tag.size()) + tag + value;
}

CaaWish wish(bool wildcard = false) { return {"www.shop.example", wildcard, {"ca.example", "ca.test"}, kAccount, "dns-01"}; }

struct Case {
  const char* name;
  Records records;
  bool plain;  ///< whether it allows www.shop.example
  bool wild;   ///< whether it allows *.www.shop.example
};

const Case kCases[] = {
    {"none", {}, true, true},
    {"this CA", {record("issue", "ca.example")}, true, true},
    {"this CA by its other name", {record("issue", "ca.test")}, true, true},
    {"this CA in capitals", {record("ISSUE", "CA.Example")}, true, true},
    {"another CA", {record("issue", "other.example")}, false, false},
    {"another CA and this one", {record("issue", "other.example"), record("issue", "ca.example")}, true, true},
    {"nobody", {record("issue", ";")}, false, false},
    {"nobody, empty", {record("issue", "")}, false, false},
    {"nobody and this CA", {record("issue", ";"), record("issue", "ca.example")}, true, true},
    {"no grammar counts as nobody", {record("issue", "%%%")}, false, false},
    {"a name below this CA's", {record("issue", "x.ca.example")}, false, false},
    {"a name above this CA's", {record("issue", "example")}, false, false},
    {"wildcards by this CA only", {record("issue", ";"), record("issuewild", "ca.example")}, false, true},
    {"wildcards by nobody", {record("issue", "ca.example"), record("issuewild", ";")}, true, false},
    {"issuewild alone restricts plain names by nothing", {record("issuewild", "other.example")}, true, false},
    {"iodef alone", {record("iodef", "mailto:a@shop.example")}, true, true},
    {"issuemail alone", {record("issuemail", ";")}, true, true},
    {"critical iodef", {record("iodef", "x", 0x80), record("issue", "ca.example")}, true, true},
    {"critical issue", {record("issue", "ca.example", 0x80)}, true, true},
    {"unknown tag", {record("tbs", "Unknown")}, true, true},
    {"unknown critical tag", {record("tbs", "Unknown", 0x80)}, false, false},
    {"unknown critical tag beside this CA", {record("issue", "ca.example"), record("tbs", "Unknown", 0x80)}, false, false},
    {"other flags", {record("tbs", "Unknown", 0x7f)}, true, true},
    {"record that cannot be read", {record("issue", "ca.example"), std::string(1, '\0')}, false, false},
    {"this account", {record("issue", std::string("ca.example; accounturi=") + kAccount)}, true, true},
    {"another account", {record("issue", std::string("ca.example; accounturi=") + kAccount + "2")}, false, false},
    {"an account in other capitals", {record("issue", "ca.example; accounturi=HTTPS://ca.example/acme/account/1")}, false, false},
    {"two accounts",
     {record("issue", std::string("ca.example; accounturi=") + kAccount + "; accounturi=" + kAccount)},
     false,
     false},
    {"empty account", {record("issue", "ca.example; accounturi=")}, false, false},
    {"this method", {record("issue", "ca.example; validationmethods=dns-01")}, true, true},
    {"one of these methods", {record("issue", "ca.example; validationmethods=http-01,dns-01,x")}, true, true},
    {"another method", {record("issue", "ca.example; validationmethods=http-01")}, false, false},
    {"no method", {record("issue", "ca.example; validationmethods=")}, false, false},
    {"a method that begins so", {record("issue", "ca.example; validationmethods=dns-010")}, false, false},
    {"methods twice", {record("issue", "ca.example; validationmethods=dns-01; validationmethods=dns-01")}, false, false},
    {"method and account",
     {record("issue", std::string("ca.example; validationmethods=dns-01; accounturi=") + kAccount)},
     true,
     true},
    {"method, but another account", {record("issue", "ca.example; validationmethods=dns-01; accounturi=x:y")}, false, false},
    {"unknown parameter", {record("issue", "ca.example; policy=ev")}, true, true},
    {"account of this record, CA of that",
     {record("issue", "ca.example; accounturi=x:y"), record("issue", "other.example")},
     false,
     false},
};

TEST(Caa, EveryRule) {
  for (const auto& one : kCases) {
    EXPECT_EQ(judge_caa(one.records, wish(false)).ok(), one.plain) << one.name;
    EXPECT_EQ(judge_caa(one.records, wish(true)).ok(), one.wild) << one.name << ", wildcard";
  }
}

TEST(Caa, F46_WhatIsSaidOfRecordsIsPrintable) {
  std::string value(3000, 'x');
  value.replace(0, 5, "\x1b[2J\n");
  const auto refused = judge_caa(Records{record("issue", value)}, wish());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message().find('\x1b'), std::string::npos);
  EXPECT_EQ(refused.error().message().find('\n'), std::string::npos);
  EXPECT_LT(refused.error().message().size(), 500U);
}

struct Zone {
  std::map<std::string, Records> records;
  std::string fails_at;
  std::vector<std::string> asked;

  Result<Records> operator()(const std::string& name) {
    asked.push_back(name);
    if (name == fails_at) return Error(Code::Unavailable, name + " CAA: SERVFAIL");
    const auto found = records.find(name);
    return found == records.end() ? Records() : found->second;
  }
};

TEST(CaaSearch, ClimbsToTheFirstNameThatHasSome) {
  Zone zone{{{"shop.example", {record("issue", "ca.example")}}, {"example", {record("issue", "other.example")}}}, "", {}};
  const auto found = check_caa(wish(), std::ref(zone));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, "CAA of shop.example: issue \"ca.example\"");
  EXPECT_EQ(zone.asked, (std::vector<std::string>{"www.shop.example", "shop.example"}));
}

TEST(CaaSearch, RecordsThatRestrictNobodyEndTheClimb) {
  Zone zone{{{"www.shop.example", {record("iodef", "mailto:x")}}, {"shop.example", {record("issue", ";")}}}, "", {}};
  EXPECT_TRUE(check_caa(wish(), std::ref(zone)).ok());
}

TEST(CaaSearch, RefusesWithTheNameOfTheRecords) {
  Zone zone{{{"example", {record("issue", "other.example")}}}, "", {}};
  const auto refused = check_caa(wish(), std::ref(zone));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Denied);
  EXPECT_EQ(refused.error().message(),
            "CAA of example: issue \"other.example\" names another CA; expected ca.example or ca.test");
  EXPECT_EQ(zone.asked.size(), 3U);
}

TEST(CaaSearch, ANameThatCannotBeAskedForEndsIt) {
  Zone zone{{{"example", {record("issue", "ca.example")}}}, "shop.example", {}};
  const auto failed = check_caa(wish(), std::ref(zone));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::Unavailable);
}

TEST(CaaSearch, WithoutAnyRecordsEverybodyMay) {
  Zone zone;
  EXPECT_EQ(check_caa(wish(), std::ref(zone)).value(), "no CAA records");
  EXPECT_EQ(zone.asked, (std::vector<std::string>{"www.shop.example", "shop.example", "example"}));
}

}  // namespace
}  // namespace chancery::dns
