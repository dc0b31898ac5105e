#include <gtest/gtest.h>
#include <sys/socket.h>

#include "server/wire/commands.h"
#include "server/wire/json.h"
#include "server/wire/message.h"

namespace chancery::wire {
namespace {

struct BadText {
  const char* name;
  std::string text;
  Code want;
};

const BadText kBadTexts[] = {
    {"empty", "", Code::Malformed},
    {"bare word", "garbage", Code::Malformed},
    {"trailing octets", "{} x", Code::Malformed},
    {"duplicate key", R"({"id":1,"id":2})", Code::Malformed},
    {"duplicate key, escaped", R"({"id":1,"\u0069d":2})", Code::Malformed},
    {"byte order mark", "\xef\xbb\xbf{}", Code::Malformed},
    {"invalid UTF-8", "\"\xff\"", Code::Malformed},
    {"lone surrogate", R"("\ud800")", Code::Malformed},
    {"NUL in a key", R"({"a\u0000b":1})", Code::Malformed},
    {"trailing comma", "[1,]", Code::Malformed},
    {"too deep", std::string(kMaxJsonDepth + 1, '['), Code::TooLarge},
    {"a million levels", std::string(1000000, '['), Code::TooLarge},
    {"integer of 10000 digits", std::string(10000, '9'), Code::Malformed},
    {"real out of range", "1e999", Code::Malformed},
};

TEST(Json, F30_RefusesBadTexts) {
  for (const auto& one : kBadTexts) {
    const auto parsed = parse_json(one.text);
    ASSERT_FALSE(parsed.ok()) << one.name;
    EXPECT_EQ(parsed.error().code(), one.want) << one.name;
  }
}

TEST(Json, F30_RefusesTooManyValues) {
  std::string text = "[0";
  for (std::size_t i = 0; i < kMaxJsonNodes; ++i) text += ",0";
  EXPECT_EQ(parse_json(text + "]").error().code(), Code::TooLarge);
}

TEST(Json, F30_RefusesDuplicatesHoweverManyMembersThereAre) {
  for (const int count : {2, 15, 16, 17, 40}) {
    std::string members;
    for (int i = 0; i < count; ++i) members += "\"m" + std::to_string(i) + "\":{\"m0\":1},";
    EXPECT_TRUE(parse_json("{" + members + "\"last\":1}").ok()) << count;
    for (const auto* again : {"m0", "m1"})
      EXPECT_EQ(parse_json("{" + members + "\"" + again + "\":1}").error().code(), Code::Malformed) << count << again;
    const auto newest = "m" + std::to_string(count - 1);
    EXPECT_EQ(parse_json("{" + members + "\"" + newest + "\":1}").error().code(), Code::Malformed) << count;
  }
}

TEST(Json, AMemberIsTakenOnce) {
  auto value = Json::object({{"a", Json::array({1, "x"})}, {"b", 2}});
  EXPECT_EQ(value.take("a"), Json::array({1, "x"}));
  EXPECT_TRUE(value.take("a").is_null());
  EXPECT_TRUE(value.take("c").is_null());
  EXPECT_EQ(value.integer("b"), 2);
  EXPECT_TRUE(Json(7).take("a").is_null());
}

TEST(Json, WhatIsPutTogetherIsStillThere) {
  const Json inner = Json::object({{"x", "y"}});
  const auto outer = Json::object({{"inner", inner}, {"list", Json::array({inner, inner})}});
  EXPECT_EQ(to_text(outer), R"({"inner":{"x":"y"},"list":[{"x":"y"},{"x":"y"}]})");
  EXPECT_EQ(to_text(inner), R"({"x":"y"})");
}

TEST(Json, KeepsIntegersOf159Bits) {
  const std::string digits = "497800169520955033516576454320879695289832660353";
  const auto parsed = parse_json("{\"serial\":" + digits + "}");
  ASSERT_TRUE(parsed.ok());
  ASSERT_NE(parsed->find("serial")->as_big_integer(), nullptr);
  EXPECT_EQ(to_text(*parsed), "{\"serial\":" + digits + "}");
}

TEST(Json, WritesWhatItReads) {
  for (const std::string text :
       {"null", "true", "[1,2,[]]", R"({"b":1,"a":{"c":"\u0001\"\\"}})", "-7", "1.5", "\"caf\xc3\xa9\""}) {
    const auto parsed = parse_json(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(to_text(*parsed), text);
  }
}

TEST(Json, WritesAsPythonDoes) {
  const auto value = Json::object({{"EVENT", "ANSWER"}, {"DATA", Json::array({"caf\xc3\xa9", "\xf0\x9f\x94\x91", 1})}});
  EXPECT_EQ(to_python_text(value), R"({"EVENT": "ANSWER", "DATA": ["caf\u00e9", "\ud83d\udd11", 1]})");
}

const BadText kBadRequests[] = {
    {"no version", R"({"id":1,"method":"server.ping"})", Code::Malformed},
    {"other version", R"({"jsonrpc":"1.0","id":1,"method":"server.ping"})", Code::Malformed},
    {"a batch", R"([{"jsonrpc":"2.0","id":1,"method":"server.ping"}])", Code::Malformed},
    {"no id", R"({"jsonrpc":"2.0","method":"server.ping"})", Code::Malformed},
    {"id that is an object", R"({"jsonrpc":"2.0","id":{},"method":"server.ping"})", Code::Malformed},
    {"no method", R"({"jsonrpc":"2.0","id":1})", Code::Malformed},
    {"method that is a number", R"({"jsonrpc":"2.0","id":1,"method":7})", Code::Malformed},
    {"long method", R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(65, 'x') + "\"}", Code::Malformed},
    {"for that is a number", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","for":5})", Code::Malformed},
    {"for that is null", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","for":null})", Code::Malformed},
    {"for in other letters", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","For":"acme:alice"})", Code::Malformed},
    {"a time of nothing", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","within_ms":0})", Code::Malformed},
    {"a time before now", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","within_ms":-1})", Code::Malformed},
    {"a time above an hour", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","within_ms":3600001})", Code::Malformed},
    {"a time that is a text", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","within_ms":"1"})", Code::Malformed},
    {"a time that is null", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","within_ms":null})", Code::Malformed},
    {"a member of no use", R"({"jsonrpc":"2.0","id":1,"method":"server.ping","x":1})", Code::Malformed},
    {"line above the limit", std::string(kMaxLineBytes + 1, 'x'), Code::TooLarge},
};

TEST(Message, F30_RefusesBadRequests) {
  for (const auto& one : kBadRequests) {
    const auto request = decode_request(one.text);
    ASSERT_FALSE(request.ok()) << one.name;
    EXPECT_EQ(request.error().code(), one.want) << one.name;
  }
}

TEST(Message, SaysHowLongTheAnswerIsOfUse) {
  const Request request{Json(1), "server.ping", Json::object(), "", std::chrono::milliseconds{3000}};
  const auto back = decode_request(encode_request(request));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->within, request.within);
  EXPECT_EQ(decode_request(R"({"jsonrpc":"2.0","id":1,"method":"server.ping"})")->within, std::nullopt);
}

TEST(Message, IsWrittenAsAnObjectOfItsMembers) {
  const Request request{Json("a\"b"), "node.get", Json::object({{"cn", "x"}}), "acme:\\1", std::chrono::milliseconds{5}};
  EXPECT_EQ(encode_request(request), to_text(Json::object({{"jsonrpc", "2.0"},
                                                           {"id", "a\"b"},
                                                           {"method", "node.get"},
                                                           {"params", Json::object({{"cn", "x"}})},
                                                           {"for", "acme:\\1"},
                                                           {"within_ms", 5}})));
  EXPECT_EQ(encode_result(Json(7), Json::object({{"pong", true}})), R"({"jsonrpc":"2.0","id":7,"result":{"pong":true}})");
}

TEST(Message, ErrorsComeBackAsTheyWere) {
  const auto line = encode_error(Json(7), Error(Code::NotFound, "profile not found", "try another"));
  const auto reply = decode_reply(line);
  ASSERT_TRUE(reply.ok() && reply->error.has_value());
  EXPECT_EQ(reply->error->code(), Code::NotFound);
  EXPECT_EQ(reply->error->message(), "profile not found");
  EXPECT_EQ(reply->error->hint(), "try another");
}

TEST(Message, RefusesRepliesOfNeitherKind) {
  for (const char* line : {R"({"jsonrpc":"2.0","id":1})", R"({"jsonrpc":"2.0","id":1,"result":1,"error":{}})", "[]", "x"}) {
    EXPECT_FALSE(decode_reply(line).ok()) << line;
  }
}

class Lines : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    here_.reset(ends[0]);
    there_.reset(ends[1]);
  }
  base::UniqueFd here_;
  base::UniqueFd there_;
};

TEST_F(Lines, ArePartedAtLineFeeds) {
  ASSERT_TRUE(base::write_all(there_.get(), base::as_bytes("one\r\ntwo\nthr")).ok());
  LineReader reader(here_.get(), 10);
  EXPECT_EQ(*reader.next(std::chrono::seconds(5)), "one");
  EXPECT_TRUE(reader.has_line());
  EXPECT_EQ(*reader.next(std::chrono::seconds(5)), "two");
  there_.reset();
  EXPECT_EQ(reader.next(std::chrono::seconds(5)).error().code(), Code::Malformed);  // it ends in the middle of a line
}

TEST_F(Lines, D11_AreLimitedBeforeTheyEnd) {
  ASSERT_TRUE(base::write_all(there_.get(), base::as_bytes(std::string(11, 'x'))).ok());
  LineReader reader(here_.get(), 10);
  EXPECT_EQ(reader.next(std::chrono::seconds(5)).error().code(), Code::TooLarge);
}

TEST_F(Lines, D9_ArriveInTimeOrNotAtAll) {
  LineReader reader(here_.get(), 10);
  EXPECT_EQ(reader.next(std::chrono::milliseconds(1)).error().code(), Code::Timeout);
  there_.reset();
  EXPECT_EQ(reader.next(std::chrono::seconds(5)).error().code(), Code::Closed);
}

struct BadParams {
  const char* name;
  const char* command;
  const char* params;
  Code want;
};

const BadParams kBadParams[] = {
    {"unknown one", "certificate.get", R"({"seriall":"01"})", Code::InvalidParams},
    {"missing one", "certificate.issue", "{}", Code::InvalidParams},
    {"an array", "certificate.issue", "[]", Code::InvalidParams},
    {"number for text", "certificate.issue", R"({"csr":1})", Code::InvalidParams},
    {"text for integer", "certificate.search", R"({"limit":"5"})", Code::InvalidParams},
    {"no day", "certificate.issue", R"({"csr":"-----BEGIN CERTIFICATE REQUEST-----\n","days":0})", Code::InvalidParams},
    {"less than no day", "certificate.renew", R"({"serial":"01","days":-1})", Code::InvalidParams},
    {"integer above its bound", "certificate.search", R"({"limit":1001})", Code::InvalidParams},
    {"negative integer", "certificate.search", R"({"limit":-1})", Code::InvalidParams},
    {"integer below its least", "certificate.search", R"({"limit":0})", Code::InvalidParams},
    {"a page of nothing", "node.list", R"({"limit":0})", Code::InvalidParams},
    {"no hexadecimal digits", "certificate.get", R"({"serial":"xyz"})", Code::InvalidParams},
    {"too many digits", "certificate.get", R"({"serial":"00112233445566778899aabbccddeeff0011223344"})", Code::TooLarge},
    {"word outside the list", "certificate.revoke", R"({"serial":"01","reason":"bored"})", Code::InvalidParams},
    {"control character", "certificate.get", R"({"cn":"a\u0000b"})", Code::InvalidParams},
    {"no time", "certificate.search", R"({"expires_before":"tomorrow"})", Code::InvalidParams},
    {"name as a path", "profile.get", R"({"profile":"../../x"})", Code::InvalidParams},
    {"texts with a number", "certificate.issue", R"({"csr":"x","sans":[1]})", Code::InvalidParams},
    {"required one null", "profile.get", R"({"profile":null})", Code::InvalidParams},
};

TEST(Params, RefusesWhatTheTableDoesNotAllow) {
  for (const auto& one : kBadParams) {
    const auto checked = check_params(*find_command(one.command), parse_json(one.params).value());
    ASSERT_FALSE(checked.ok()) << one.name;
    EXPECT_EQ(checked.error().code(), one.want) << one.name;
  }
}

TEST(Params, SaysWhatWasMeant) {
  const auto checked = check_params(*find_command("certificate.get"), parse_json(R"({"serail":"01"})").value());
  EXPECT_EQ(checked.error().hint(), "did you mean \"serial\"?");
}

TEST(Params, TakesOptionalOnesAsNull) {
  EXPECT_TRUE(check_params(*find_command("certificate.search"), parse_json(R"({"limit":null})").value()).ok());
}

TEST(Commands, AreFoundByTheirNames) {
  for (const auto& command : commands()) EXPECT_EQ(find_command(command.name), &command);
  EXPECT_EQ(find_command("certificate"), nullptr);
  EXPECT_EQ(find_command(""), nullptr);
}

TEST(Commands, DescribeThemselves) {
  const auto described = describe_command(*find_command("certificate.revoke"));
  EXPECT_EQ(described.text("role"), "ra-operator");
  EXPECT_EQ(described.find("params")->as_array()->front().text("name"), "serial");
}

}  // namespace
}  // namespace chancery::wire
