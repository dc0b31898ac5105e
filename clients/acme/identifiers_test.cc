#include "clients/acme/identifiers.h"

#include <gtest/gtest.h>

#include "clients/acme/problems.h"

namespace chancery::acme {
namespace {

Json parse(const char* text) { return wire::parse_json(text).value(); }

TEST(Identifiers, AreReadWithoutWhatElseThereIs) {
  EXPECT_EQ(wire::to_text(read_identifier(parse(R"({"value":"a.example","more":1,"type":"dns"})")).value()),
            R"({"type":"dns","value":"a.example"})");
  EXPECT_EQ(wire::to_text(read_identifier_of(parse(R"({"identifier":{"type":"x","value":""}})")).value()),
            R"({"type":"x","value":""})");
  EXPECT_EQ(
      wire::to_text(
          read_identifiers_of(parse(R"({"identifiers":[{"type":"ip","value":"::1"},{"type":"dns","value":"b"}]})")).value()),
      R"([{"type":"ip","value":"::1"},{"type":"dns","value":"b"}])");
}

template <class Read>
void expect_malformed(Read read, std::initializer_list<const char*> texts) {
  for (const auto* text : texts) {
    const auto refused = read(parse(text));
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_EQ(to_problem(refused.error()).type, "malformed") << text;
  }
}

TEST(Identifiers, OfOtherFormsAreRefused) {
  expect_malformed(read_identifier,
                   {"1", "null", R"("dns")", "[]", "{}", R"({"type":"dns"})", R"({"value":"a"})", R"({"type":1,"value":"a"})",
                    R"({"type":"dns","value":["a"]})", R"({"type":"dns","value":null})"});
  expect_malformed(read_identifier_of, {"{}", R"({"identifier":null})", R"({"identifier":"a"})", R"({"identifier":[]})",
                                        R"({"identifier":{"type":"dns"}})", R"({"identifiers":[{"type":"dns","value":"a"}]})"});
  expect_malformed(
      read_identifiers_of,
      {"{}", R"({"identifiers":[]})", R"({"identifiers":{}})", R"({"identifiers":"a"})", R"({"identifiers":["a"]})",
       R"({"identifiers":[{"type":"dns","value":"a"},{"type":"dns"}]})", R"({"identifier":{"type":"dns","value":"a"}})"});
}

}  // namespace
}  // namespace chancery::acme
