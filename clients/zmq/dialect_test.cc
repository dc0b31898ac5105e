#include "clients/zmq/dialect.h"

#include <gtest/gtest.h>

namespace chancery::zmq_gateway {
namespace {

// ----- messages

TEST(Message, BothKeysOfParametersAreRead) {
  for (const auto* key : {"params", "PARAMS"}) {
    const auto message = parse_message(std::string(R"({"TASK":"view","x":1,")") + key + R"(":{"dn":"a"}})");
    ASSERT_TRUE(message.ok()) << key;
    EXPECT_EQ(message->task, "view");
    EXPECT_EQ(message->params.text("dn"), "a");
  }
}

TEST(Message, TheKeyOfTheParametersTellsTheDialect) {
  EXPECT_EQ(parse_message(R"({"TASK":"View","params":{}})")->dialect, Dialect::Newer);
  EXPECT_EQ(parse_message(R"({"TASK":"View","params":{}})")->task, "View");
  EXPECT_EQ(parse_message(R"({"TASK":"View","PARAMS":{}})")->dialect, Dialect::Older);
  EXPECT_EQ(parse_message(R"({"TASK":"View","PARAMS":null})")->task, "view");  // which knows no case
  EXPECT_EQ(parse_message(R"({"TASK":"View"})")->dialect, Dialect::Newer);
  EXPECT_EQ(parse_message(R"({"TASK":"View","PARAMS":{},"params":{}})")->dialect, Dialect::Newer);
}

TEST(Message, ParametersMayBeMissing) {
  for (const auto* text : {R"({"TASK":"get_ca"})", R"({"TASK":"get_ca","params":null})", R"({"TASK":"get_ca","PARAMS":null})"}) {
    const auto message = parse_message(text);
    ASSERT_TRUE(message.ok()) << text;
    EXPECT_TRUE(message->params.is_null()) << text;
  }
}

TEST(Message, RefusesWhatIsNone) {
  struct Case {
    const char* name;
    std::string text;
    const char* starts;
  };
  const Case cases[] = {
      {"empty", "", "Invalid JSON: "},
      {"no UTF-8", "\xff\xfe", "Invalid JSON: "},
      {"text", "hello", "Invalid JSON: "},
      {"cut", R"({"TASK":"get_ca")", "Invalid JSON: "},
      {"trailing", R"({"TASK":"get_ca"} x)", "Invalid JSON: "},
      {"two texts", R"({"TASK":"get_ca"}{})", "Invalid JSON: "},
      {"task twice", R"({"TASK":"get_ca","TASK":"get_crl"})", "Invalid JSON: "},
      {"deep", std::string(100'000, '['), "Invalid JSON: "},
      {"an array", "[]", "[700] Missing TASK"},
      {"a number", "7", "[700] Missing TASK"},
      {"null", "null", "[700] Missing TASK"},
      {"no task", "{}", "[700] Missing TASK"},
      {"task in lower case", R"({"task":"get_ca"})", "[700] Missing TASK"},
      {"task no text", R"({"TASK":7})", "[700] Missing TASK"},
  };
  for (const auto& one : cases) {
    const auto message = parse_message(one.text);
    ASSERT_FALSE(message.ok()) << one.name;
    EXPECT_TRUE(failure_text(message.error()).starts_with(one.starts)) << one.name << ": " << failure_text(message.error());
  }
}

// ----- answers, octet for octet as Python's json.dumps writes them (UPKI.md 1.1)

TEST(Answer, IsWrittenAsPythonDoes) {
  EXPECT_EQ(answer(Json(true)), R"({"EVENT": "ANSWER", "DATA": true})");
  EXPECT_EQ(answer(Json()), R"({"EVENT": "ANSWER", "DATA": null})");
  EXPECT_EQ(answer(Json("a\nb\"")), R"({"EVENT": "ANSWER", "DATA": "a\nb\""})");
  EXPECT_EQ(answer(Json("\xc3\xa9")), R"({"EVENT": "ANSWER", "DATA": "\u00e9"})");
  EXPECT_EQ(answer(Json("\xf0\x9f\x98\x80")), R"({"EVENT": "ANSWER", "DATA": "\ud83d\ude00"})");
  EXPECT_EQ(answer(Json::array({"a", 1})), R"({"EVENT": "ANSWER", "DATA": ["a", 1]})");
  EXPECT_EQ(answer(Json::object({{"a", Json::object()}})), R"({"EVENT": "ANSWER", "DATA": {"a": {}}})");
}

TEST(Failure, CarriesTheClassOfTheError) {
  struct Case {
    Error error;
    const char* text;
  };
  const Case cases[] = {
      {{Code::Io, "disk"}, "[100] disk"},
      {{Code::StoreFailed, "x"}, "[100] x"},
      {{Code::Corrupt, "x"}, "[100] x"},
      {{Code::InvalidParams, "x"}, "[200] x"},
      {{Code::Malformed, "x"}, "[200] x"},
      {{Code::PolicyRefused, "x"}, "[200] x"},
      {{Code::NotFound, "Certificate not found: x"}, "[300] Certificate not found: x"},
      {{Code::BadProof, "x"}, "[300] x"},
      {{Code::BadKey, "x"}, "[400] x"},
      {{Code::NotFound, "profile not found: nope"}, "[500] Profile not found: nope"},
      {{Code::Unavailable, "Authority not initialized"}, "[600] Authority not initialized"},
      {{Code::UnknownMethod, "[700] Unknown task: foo"}, "[700] Unknown task: foo"},
      {{Code::Internal, "x"}, "[700] x"},
      {{Code::Denied, "x"}, "[700] x"},
      {{Code::Timeout, "x"}, "[700] x"},
      {{Code::Conflict, "x"}, "[900] x"},
      {{Code::Malformed, "Invalid JSON: y"}, "Invalid JSON: y"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(failure_text(one.error), one.text);
    const std::string text = one.text;
    const auto plain = text.starts_with('[') ? text.substr(text.find(' ') + 1) : text;
    EXPECT_EQ(older_failure_text(one.error), one.error.code() == Code::UnknownMethod ? "Unknown command" : plain);
  }
  EXPECT_EQ(failure(Error(Code::BadKey, "x\ny", "advice")), R"({"EVENT": "UPKI ERROR", "MSG": "[400] x\ny"})");
}

// ----- names of certificates

TEST(Selector, TakesEverySpelling) {
  struct Case {
    const char* dn;
    const char* want;
  };
  const Case cases[] = {
      {"a.example.com", R"({"cn":"a.example.com"})"},
      {"12345", R"({"cn":"12345"})"},
      {"cafe", R"({"cn":"cafe"})"},
      {"/CN=a", R"({"dn":"/CN=a"})"},
      {"CN=a,O=b", R"({"dn":"CN=a,O=b"})"},
      {"/C=FR/O=Company/OU=Servers/CN=x", R"({"dn":"/C=FR/O=Company/OU=Servers/CN=x"})"},
      {"4fab00000000000000000000000000000000ff", R"({"serial":"4fab00000000000000000000000000000000ff"})"},
      {"4F:AB:00:00:00:00:00:FF", R"({"serial":"4F:AB:00:00:00:00:00:FF"})"},
      {"18446744073709551616", R"({"serial":"010000000000000000"})"},
      {"497800169520955033516576454320879695289832660353", R"({"serial":"573221b1c690f36677f113201b57099cb9cf5d81"})"},
      {"../../etc/passwd", R"({"cn":"../../etc/passwd"})"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(wire::to_text(selector(one.dn)), one.want) << one.dn;
  }
}

TEST(SerialNumber, I11_IsADecimalNumberHoweverLong) {
  EXPECT_EQ(wire::to_text(serial_number("01")), "1");
  EXPECT_EQ(wire::to_text(serial_number("7fffffffffffffffffffffffffffffffffffffff")),
            "730750818665451459101842416358141509827966271487");
  EXPECT_EQ(wire::to_text(serial_number("010000000000000000")), "18446744073709551616");
  EXPECT_TRUE(serial_number("no serial").is_null());
  EXPECT_TRUE(serial_number("").is_null());
}

// ----- reasons

TEST(Reason, ByNameInAnyCaseAndByNumber) {
  struct Case {
    Json value;
    const char* want;
  };
  const Case cases[] = {{"unspecified", "unspecified"},
                        {"keyCompromise", "keyCompromise"},
                        {"KEYCOMPROMISE", "keyCompromise"},
                        {"cacompromise", "cACompromise"},
                        {0, "unspecified"},
                        {1, "keyCompromise"},
                        {"0", "unspecified"},
                        {"6", "certificateHold"},
                        {10, "aACompromise"}};
  for (const auto& one : cases) {
    const auto got = reason_from(one.value);
    ASSERT_TRUE(got.ok()) << wire::to_text(one.value);
    EXPECT_EQ(*got, one.want);
  }
}

TEST(Reason, F42_RefusesOthers) {
  const Json bad[] = {"",   "bored",           7,      "7", 11, -1, "-1", 1.5, true, Json::array(), Json::object(),
                      "1 ", "keyCompromise\n", 1000000};
  for (const auto& one : bad) {
    const auto got = reason_from(one);
    ASSERT_FALSE(got.ok()) << wire::to_text(one);
    const auto text = failure_text(got.error());
    EXPECT_TRUE(text.starts_with("[200] Invalid revocation reason: ")) << text;
    EXPECT_TRUE(text.ends_with("'privilegeWithdrawn', 'aACompromise']")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos);
  }
}

// ----- names

TEST(Sans, ObjectsAndTexts) {
  const auto got = sans_from(
      wire::parse_json(R"([{"type":"DNS","value":"a.example.com"},"b.example.com",{"type":"IP","value":"10.0.0.1"}])").value());
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(wire::to_text(*got), R"(["DNS:a.example.com","b.example.com","IP:10.0.0.1"])");
  EXPECT_EQ(wire::to_text(sans_from(Json()).value()), "[]");
}

TEST(Sans, RefusesOtherForms) {
  for (const auto* text : {R"("a.example.com")", "7", "{}", "[7]", "[null]", "[[]]", R"([{"type":"DNS"}])", R"([{"value":"x"}])",
                           R"([{"type":7,"value":"x"}])"}) {
    EXPECT_EQ(sans_from(wire::parse_json(text).value()).error().code(), Code::InvalidParams) << text;
  }
}

TEST(Time, AsPythonWritesIt) {
  EXPECT_EQ(python_time("2026-11-20T19:59:45Z"), "2026-11-20T19:59:45+00:00");
  EXPECT_EQ(python_time(""), "");
}

}  // namespace
}  // namespace chancery::zmq_gateway
