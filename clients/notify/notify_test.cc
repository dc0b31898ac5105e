#include <gtest/gtest.h>

#include "clients/notify/back_off.h"
#include "clients/notify/directory.h"
#include "clients/notify/hook.h"
#include "clients/notify/message.h"
#include "clients/notify/settings.h"
#include "clients/notify/transfer.h"
#include "server/base/text.h"

namespace chancery::notify {
namespace {

constexpr Seconds kNow{std::chrono::seconds{1'800'000'000}};

RealmSettings realm() { return {.realm = "default", .mail_server = "127.0.0.1:25", .mail_from = "ca@example.com"}; }

Json notice(const std::string& cn = "a", const std::string& recipient = "b@example.com") {
  return Json::object({{"id", "00ff"},
                       {"token", "11"},
                       {"recipient", recipient},
                       {"ahead", 86400},
                       {"seconds_left", 14 * 86400 - 20},
                       {"attempt", 1},
                       {"serial", "4f"},
                       {"subject", "/CN=" + cn},
                       {"cn", cn},
                       {"names", Json::array({"DNS:a", "DNS:b"})},
                       {"not_after", "2027-03-01T09:30:59Z"}});
}

std::string header(const std::string& mail, const std::string& name) {
  const auto head = mail.substr(0, mail.find("\r\n\r\n") + 2);
  const auto begin = head.find("\r\n" + name + ": ") + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

TEST(Mail, SaysWhatEndsAndWhen) {
  const auto mail = make_mail(realm(), notice(), kNow).value();
  EXPECT_EQ(header(mail, "Subject"), "Certificate a ends in 14 days");
  EXPECT_EQ(header(mail, "To"), "<b@example.com>");
  EXPECT_EQ(header(mail, "Date"), "Fri, 15 Jan 2027 08:00:00 +0000");
  EXPECT_EQ(header(mail, "Message-ID"), "<00ff.default@example.com>");
  std::string body = mail.substr(mail.find("\r\n\r\n") + 4);
  std::erase_if(body, [](char c) { return c == '\r' || c == '\n'; });
  const auto text = base::from_base64(body).value();
  EXPECT_NE(base::as_text(text).find("ends on 2027-03-01 09:30 UTC, in 14 days.\r\n"), std::string_view::npos);
  EXPECT_NE(base::as_text(text).find("DNS:a, DNS:b\r\n"), std::string_view::npos);
}

/// Whatever a name holds, it is one header's value and no command of SMTP's.
TEST(Mail, D41_NoValueMakesAHeaderOrALine) {
  const std::string kNames[] = {"a\r\nBcc: x@y",
                                "a\nX: y",
                                "a\r\n.\r\nMAIL FROM:<x>",
                                std::string("a\0b", 3),
                                "=?utf-8?Q?=0ABcc:_x?=",
                                std::string(500, '\n'),
                                std::string(300, 'a') + "\r\nBcc: x"};
  for (const auto& name : kNames) {
    const auto mail = make_mail(realm(), notice(name), kNow).value();
    const auto head = mail.substr(0, mail.find("\r\n\r\n"));
    EXPECT_EQ(head.find("\nBcc"), std::string::npos) << name;
    EXPECT_EQ(head.find("\nX:"), std::string::npos) << name;
    EXPECT_EQ(mail.find("\r\n.\r\n"), std::string::npos) << name;
    std::size_t lines = 0;
    for (const auto& line : base::split(mail, '\n')) {
      EXPECT_LE(line.size(), 79U) << line;  // RFC 5322 2.1.1, with the CR
      EXPECT_TRUE(line.empty() || line.back() == '\r') << line;
      lines += line.starts_with("Subject:") ? 1 : 0;
    }
    EXPECT_EQ(lines, 1U);
  }
}

TEST(Mail, BadAddresseesGetNone) {
  for (const auto* one : {"", "b", "b@c\r\nBcc: d@e", "b@c>, <d@e", "b@c d"})
    EXPECT_FALSE(make_mail(realm(), notice("a", one), kNow).ok());
}

TEST(Mail, TextsThatAreNotThereAreAnError) {
  auto strange = realm();
  strange.language = "xx";
  EXPECT_FALSE(make_mail(strange, notice(), kNow).ok());
  strange.templates = "/nonexistent";
  EXPECT_FALSE(make_mail(strange, notice(), kNow).ok());
}

TEST(Mail, TheDomainChoosesTheLanguage) {
  auto settings = realm();
  settings.languages = {"example.fr=fr", "example.de=de"};
  EXPECT_EQ(language_of(settings, "a@Example.FR"), "fr");
  EXPECT_EQ(language_of(settings, "a@sub.example.fr"), "en");
  EXPECT_EQ(header(make_mail(settings, notice("a", "b@example.de"), kNow).value(), "Subject"), "Zertifikat a endet in 14 Tagen");
}

TEST(HeaderText, IsEncodedInWordsOfWholeCharacters) {
  EXPECT_EQ(header_text("plain"), "plain");
  EXPECT_EQ(header_text("\xc3\xa9t\xc3\xa9"), "=?UTF-8?B?w6l0w6k=?=");
  std::string many;
  for (int i = 0; i < 60; ++i) many += "\xc3\xa9";
  for (const auto& word : base::split(header_text(many), '\n')) {
    const std::string text(base::trim(word));
    ASSERT_LE(text.size(), 75U);
    const auto inside = base::from_base64(text.substr(10, text.size() - 12)).value();
    EXPECT_TRUE(base::is_utf8(base::as_text(inside))) << text;
  }
}

TEST(LeftText, IsRounded) {
  const struct {
    std::int64_t seconds;
    const char* want;
  } kCases[] = {{30 * 86400 - 5, "30 days"},
                {86400, "24 hours"},
                {2 * 86400, "2 days"},
                {3600, "60 minutes"},
                {59, "1 minute"},
                {0, "1 minute"},
                {-5, "1 minute"}};
  for (const auto& one : kCases) EXPECT_EQ(left_text(one.seconds, "en"), one.want);
  EXPECT_EQ(left_text(2 * 86400, "xx"), "2 days");
}

/// What `printf '1800000000.{}' | openssl dgst -sha256 -hmac key` prints.
TEST(Signature, IsHmacOverTimeAndBody) {
  EXPECT_EQ(sign(base::as_bytes("key"), kNow, "{}"), "v1=7321475872b03ff21bdc2dfd86ea2d99ec29c479fbe4a77aa6acf4509505493f");
  EXPECT_NE(sign(base::as_bytes("key"), kNow + std::chrono::seconds(1), "{}"), sign(base::as_bytes("key"), kNow, "{}"));
}

TEST(Json, HasNoToken) {
  const auto text = make_json(realm(), notice());
  const auto json = wire::parse_json(text).value();
  EXPECT_EQ(json.find("token"), nullptr);
  EXPECT_EQ(json.text("event"), "certificate.ends");
  EXPECT_EQ(json.find("certificate")->text("cn"), "a");
}

TEST(Settings, WhatMustNotBeSentIsRefused) {
  const auto read = [](Json more) {
    auto one = Json::object({{"realm", "default"}, {"mail_server", "mail.example.com:25"}, {"mail_from", "a@b"}});
    for (const auto& [name, value] : *more.as_object()) one.set(name, value);
    return read_settings(Json::object({{"socket", "/s"}, {"notices", Json::array({one})}}));
  };
  EXPECT_TRUE(read(Json::object()).ok());
  EXPECT_TRUE(read(Json::object({{"mail_tls", "none"}, {"mail_server", "[::1]:25"}})).ok());
  const Json kBad[] = {Json::object({{"mail_tls", "none"}}),
                       Json::object({{"mail_tls", "None"}}),
                       Json::object({{"mail_from", "a"}}),
                       Json::object({{"timeout", 0}}),
                       Json::object({{"mail_tls", "none"}, {"mail_server", "127.0.0.1.example.com:25"}}),
                       Json::object({{"round", 0}})};
  for (const auto& one : kBad) EXPECT_FALSE(read(one).ok()) << wire::to_text(one);
}

TEST(Settings, AnLdapServerThatMustNotBeWrittenToIsRefused) {
  const auto read = [](const char* name, const Json& value) {
    auto ldap = Json::object({{"url", "ldaps://ldap.example.com"},
                              {"bind_dn", "cn=w"},
                              {"bind_password_file", "/p"},
                              {"ca_dn", "cn={ca},dc=example"}});
    if (*name != '\0') ldap.set(name, value);
    return read_settings(
        Json::object({{"socket", "/s"}, {"notices", Json::array({Json::object({{"realm", "default"}, {"ldap", ldap}})})}}));
  };
  EXPECT_TRUE(read("", {}).ok());
  for (const auto* url :
       {"ldap://127.0.0.1", "ldap://127.0.0.1:3890/", "ldap://localhost:389", "ldap://[::1]", "ldapi://%2Frun%2Fldapi"})
    EXPECT_TRUE(read("url", url).ok()) << url;
  for (const auto* url : {"ldap://ldap.example.com", "ldap://127.0.0.1.example.com:389", "ldap://localhost.example.com"})
    EXPECT_FALSE(read("url", url).ok()) << url;
  EXPECT_FALSE(read("bind_dn", "").ok());
  EXPECT_FALSE(read("bind_password_file", "").ok());
  EXPECT_FALSE(read("ca_dn", "cn=ca,dc=example").ok());
  EXPECT_FALSE(read("timeout", 0).ok());
}

TEST(Directory, D41_NoNameLeavesItsPlaceInADn) {
  const std::pair<const char*, const char*> kCases[] = {
      {"Alice", "cn=Alice,dc=x"},
      {"a,dc=evil", "cn=a\\,dc\\=evil,dc=x"},
      {"a+uid=0", "cn=a\\+uid\\=0,dc=x"},
      {" both ends ", "cn=\\ both ends\\ ,dc=x"},
      {"#1", "cn=\\#1,dc=x"},
      {"q\"<>;\\", "cn=q\\\"\\<\\>\\;\\\\,dc=x"},
      {"line\nend", "cn=line\\0aend,dc=x"},
      {"{cn}", "cn={cn},dc=x"},
      {"J\xc3\xb6rg", "cn=J\xc3\xb6rg,dc=x"},
  };
  for (const auto& [name, want] : kCases) EXPECT_EQ(fill_dn("cn={cn},dc=x", "cn", name), want) << name;
  EXPECT_EQ(fill_dn("ou={ca},cn={ca}", "ca", "ca-2"), "ou=ca-2,cn=ca-2");
}

TEST(BackOff, WaitsTwiceAsLongEachTimeUpToAnHour) {
  using std::chrono::seconds;
  BackOff back_off;
  auto now = BackOff::Clock::time_point(seconds(1000));
  EXPECT_TRUE(back_off.may_try(now));
  for (const int pause : {5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600, 3600, 3600}) {
    back_off.failed(now);
    EXPECT_FALSE(back_off.may_try(now + seconds(pause - 1))) << pause;
    EXPECT_TRUE(back_off.may_try(now + seconds(pause))) << pause;
    now += seconds(pause);
  }
  back_off.succeeded();
  back_off.failed(now);
  EXPECT_TRUE(back_off.may_try(now + seconds(5)));
}

TEST(Audit, IsToldInWordsAndAsJson) {
  const auto found =
      Json::object({{"id", "00ff"},
                    {"token", "secret-token"},
                    {"recipient", "b@example.com"},
                    {"event", "self_audit.findings"},
                    {"findings", 2},
                    {"finished", "2027-03-01T03:12:00Z"},
                    {"first", Json::array({Json::object({{"part", "crls"}, {"about", "CRL of ca"}, {"fault", "{{realm}}"}})})}});
  const auto mail = make_mail(realm(), found, kNow).value();
  EXPECT_EQ(header(mail, "Subject"), "Realm default: the self-audit has 2 findings");
  auto text = mail.substr(mail.find("\r\n\r\n") + 4);
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  const auto octets = base::from_base64(text).value();
  const std::string body(base::as_text(octets));
  EXPECT_NE(body.find("crls: CRL of ca: {{realm}}"), std::string::npos);  // never read as a template
  const auto json = wire::parse_json(make_json(realm(), found)).value();
  EXPECT_EQ(json.text("event"), "self_audit.findings");
  EXPECT_EQ(json.integer("findings"), 2);
  EXPECT_EQ(json.find("token"), nullptr);
}

TEST(Post, IsPlainToLoopbackOnly) {
  for (const auto* url : {"http://192.0.2.1/", "http://localhost.example.com/", "http://127.0.0.1@192.0.2.1/", "http://a/"}) {
    const auto sent = post(realm(), url, {}, "{}");
    ASSERT_FALSE(sent.ok());
    EXPECT_EQ(sent.error().code(), Code::Denied) << url;
  }
  EXPECT_EQ(post(realm(), "ftp://127.0.0.1/", {}, "{}").error().code(), Code::Unavailable);
}

TEST(Hook, SaysHowItEnded) {
  using std::chrono::seconds;
  EXPECT_TRUE(run_hook("/bin/true", "{}", seconds(20)).ok());
  EXPECT_EQ(run_hook("/bin/false", "{}", seconds(20)).error().message(), "the program ended with 1");
  EXPECT_EQ(run_hook("/nonexistent", "{}", seconds(20)).error().message(), "the program cannot be run (127)");
  EXPECT_EQ(run_hook("/bin/true; /bin/true", "{}", seconds(20)).error().message(), "the program cannot be run (127)");
  // It has no arguments and reads its input to the end: without a limit it would be cat that waits for more.
  EXPECT_TRUE(run_hook("/bin/cat", std::string(200000, 'x'), seconds(20)).ok());
  // /bin/sh reads its commands from the input.
  EXPECT_EQ(run_hook("/bin/sh", "sleep 600", seconds(1)).error().message(), "the program took longer than 1 s");
  EXPECT_EQ(run_hook("/bin/sh", "kill -9 $$", seconds(20)).error().message(), "the program was ended by signal 9");
  EXPECT_TRUE(run_hook("/bin/sh", "test -z \"$HOME\" && test \"$(pwd)\" = / && sleep 600 &", seconds(20)).ok());
}

Json reminder() {
  return Json::object({{"id", "00ff"},
                       {"token", "11"},
                       {"event", "request.waits"},
                       {"recipient", "b@example.com"},
                       {"ahead", 86400},
                       {"attempt", 1},
                       {"request", "0123"},
                       {"kind", "enrolment"},
                       {"profile", "web\r\nBcc: x@y"},
                       {"names", Json::array({"DNS:a", "DNS:b"})},
                       {"requester", "unix:alice\r\nBcc: x@y"},
                       {"digest", "ab"},
                       {"approvals", 1},
                       {"approvals_needed", 2},
                       {"approval_roles", Json::array({"ra-operator"})},
                       {"expires_at", "2027-03-01T09:30:59Z"},
                       {"seconds_waited", 2 * 86400 + 100}});
}

TEST(Reminder, SaysWhatWaitsAndHowLong) {
  const auto mail = make_mail(realm(), reminder(), kNow).value();
  EXPECT_EQ(header(mail, "Subject"), "Request of unix:alice  Bcc: x@y has waited 2 days");
  EXPECT_EQ(mail.find("\r\nBcc:"), std::string::npos);
  std::string body = mail.substr(mail.find("\r\n\r\n") + 4);
  std::erase_if(body, [](char c) { return c == '\r' || c == '\n'; });
  const auto octets = base::from_base64(body).value();
  const std::string text(base::as_text(octets));
  for (const auto* piece :
       {"has waited 2 days", "1 of 2", "DNS:a, DNS:b", "ra-operator", "2027-03-01 09:30 UTC", "--request 0123"})
    EXPECT_NE(text.find(piece), std::string::npos) << piece << " in " << text;
  auto settings = realm();
  settings.language = "de";
  EXPECT_TRUE(make_mail(settings, reminder(), kNow).ok());
  settings.language = "xx";  // without texts of its own for reminders
  EXPECT_TRUE(make_mail(settings, reminder(), kNow).ok());
  EXPECT_FALSE(make_mail(settings, notice(), kNow).ok());
}

TEST(Reminder, IsAnotherEventWithoutItsToken) {
  const auto json = wire::parse_json(make_json(realm(), reminder())).value();
  EXPECT_EQ(json.text("event"), "request.waits");
  EXPECT_EQ(json.find("token"), nullptr);
  EXPECT_EQ(json.find("certificate"), nullptr);
  EXPECT_EQ(json.find("request")->text("request"), "0123");
  EXPECT_EQ(json.integer("seconds_waited"), 2 * 86400 + 100);
}

}  // namespace
}  // namespace chancery::notify
