#include "server/base/notice_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "server/base/mail_address.h"

namespace chancery::base {
namespace {

struct Case {
  const char* name;
  std::string text;
  std::string want;  ///< of a good text: filled; of a bad one: its message
};
const std::map<std::string, std::string> kValues{{"cn", "a {{serial}} b"}, {"serial", "4f"}};

const Case kGood[] = {
    {"nothing", "", ""},
    {"no variable", "a { b } }} c", "a { b } }} c"},
    {"a variable", "x {{cn}} y", "x a {{serial}} b y"},  // what a value holds is text
    {"blanks inside", "{{ serial }}", "4f"},
    {"two in a row", "{{serial}}{{serial}}", "4f4f"},
    {"without a value", "<{{names}}>", "<>"},
};
TEST(NoticeText, IsFilled) {
  for (const auto& one : kGood) {
    ASSERT_TRUE(check_notice_text(one.text).ok()) << one.name;
    EXPECT_EQ(fill_notice_text(one.text, kValues), one.want) << one.name;
  }
}

const Case kBad[] = {
    {"unknown", "a\nb {{sereal}}", "line 2: unknown variable \"sereal\", expected one of "},
    {"empty", "{{}}", "line 1: unknown variable \"\", expected one of "},
    {"code", "{{system('x')}}", "line 1: unknown variable \"system('x')\", expected one of "},
    {"nested", "{{ {{cn}} }}", "line 1: unknown variable \"{{cn\", expected one of "},
    {"open", "\n\n{{cn}", "line 3: found {{ without }}"},
    {"not UTF-8", "\xff", "found octets that are not UTF-8"},
    {"too long", std::string(kMaxNoticeText + 1, 'x'), "found a text of 65537 octets, expected at most 65536"},
};
TEST(NoticeText, BadOnesAreRefusedWithTheirLine) {
  for (const auto& one : kBad) {
    const auto checked = check_notice_text(one.text);
    ASSERT_FALSE(checked.ok()) << one.name;
    EXPECT_TRUE(checked.error().message().starts_with(one.want)) << one.name << ": " << checked.error().message();
  }
}

TEST(NoticeText, EachBuiltInLanguageIsGood) {
  for (const auto* language : {"de", "en", "fr"}) {
    const auto* texts = built_in_notice_texts(language);
    ASSERT_NE(texts, nullptr) << language;
    EXPECT_TRUE(check_notice_text(texts->subject).ok() && check_notice_text(texts->body).ok()) << language;
    EXPECT_EQ(texts->subject.find('\n'), std::string_view::npos) << language;
  }
  EXPECT_EQ(built_in_notice_texts("xx"), nullptr);
  EXPECT_TRUE(std::ranges::is_sorted(kNoticeVariables, {}, &NoticeVariable::name));
}

TEST(NoticeText, RemindersHaveVariablesOfTheirOwn) {
  for (const auto* language : {"de", "en", "fr"}) {
    const auto* texts = built_in_notice_texts(language, NoticeKind::Request);
    ASSERT_NE(texts, nullptr) << language;
    EXPECT_TRUE(check_notice_text(texts->subject, NoticeKind::Request).ok()) << language;
    EXPECT_TRUE(check_notice_text(texts->body, NoticeKind::Request).ok()) << language;
    EXPECT_FALSE(check_notice_text(texts->body).ok()) << language;
  }
  EXPECT_EQ(built_in_notice_texts("xx", NoticeKind::Request), nullptr);
  EXPECT_FALSE(check_notice_text("{{serial}}", NoticeKind::Request).ok());
}

TEST(NoticeText, LanguagesAreFileNames) {
  for (const auto* good : {"en", "pt-br", "de2"}) EXPECT_TRUE(is_language(good)) << good;
  for (const auto* bad : {"", "..", "a/b", "EN", "-en", "aaaaaaaaaaaaaaaaa", "e n"}) EXPECT_FALSE(is_language(bad)) << bad;
}

TEST(MailAddress, IsWhatSmtpTakesWithoutQuotes) {
  for (const auto* good : {"a@b", "a.b+c@mail.example.com", "O'Neil@example.com", "x@127.example"}) {
    EXPECT_TRUE(is_mail_address(good)) << good;
  }
  const std::string kNone[] = {"",
                               "a",
                               "@b",
                               "a@",
                               "a b@c",
                               "a@b c",
                               "a@b\r\nRCPT TO:<c@d>",
                               "a\n@b",
                               "<a@b>",
                               "a@b>",
                               "a,b@c",
                               "\"a\"@b",
                               "a..b@c",
                               ".a@b",
                               "a@.b",
                               "a@b.",
                               "a@-b",
                               "a@[127.0.0.1]",
                               "\xc3\xa9@b",
                               std::string(65, 'a') + "@b",
                               "a@" + std::string(64, 'b'),
                               std::string("a\0@b", 4)};
  for (const auto& one : kNone) EXPECT_FALSE(is_mail_address(one)) << one;
  EXPECT_EQ(mail_domain("A@Example.COM"), "example.com");
}

}  // namespace
}  // namespace chancery::base
