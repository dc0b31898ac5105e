#include "server/x509/name_constraints.h"

#include <gtest/gtest.h>

#include "server/x509/der.h"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

/// One GeneralSubtree. Names of directories are in slash form; of IP ranges the octets.
Bytes tree(std::uint8_t tag, std::string_view text) { return der::tlv(der::kSequence, der::tlv(tag, base::as_bytes(text))); }
Bytes dns(std::string_view text) { return tree(der::context(2), text); }
Bytes email(std::string_view text) { return tree(der::context(1), text); }
Bytes uri(std::string_view text) { return tree(der::context(6), text); }
Bytes ip(const char* hex) { return der::tlv(der::kSequence, der::tlv(der::context(7), base::from_hex(hex).value())); }
Bytes directory(const char* slash) {
  return der::tlv(der::kSequence, der::tlv(der::constructed(4), Name::from_slash(slash)->der().value()));
}

Bytes list(std::uint8_t tag, const std::vector<Bytes>& trees) {
  Bytes content;
  for (const auto& one : trees) der::append(content, one);
  return trees.empty() ? Bytes() : der::tlv(tag, content);
}
Bytes extension_of(const std::vector<Bytes>& permitted, const std::vector<Bytes>& excluded) {
  return der::wrap(der::kSequence, {list(der::constructed(0), permitted), list(der::constructed(1), excluded)});
}

struct Case {
  const char* subject;
  std::vector<std::string> sans;
  bool holds;
  bool is_ca = false;
};

void check(const char* what, const std::vector<Bytes>& permitted, const std::vector<Bytes>& excluded,
           const std::vector<Case>& cases) {
  const auto constraints = NameConstraints::read(extension_of(permitted, excluded));
  ASSERT_TRUE(constraints.ok()) << what << constraints.error().message();
  for (const auto& one : cases) {
    std::vector<GeneralName> sans;
    for (const auto& text : one.sans) sans.push_back(GeneralName::parse(text).value());
    const auto fault = constraints->fault_in(Name::from_slash(one.subject).value(), sans, one.is_ca);
    EXPECT_EQ(fault.empty(), one.holds) << what << ": " << one.subject << " " << (sans.empty() ? "" : sans.front().to_text())
                                        << ": " << fault;
  }
}

TEST(NameConstraints, DnsNames) {
  check("permitted", {dns("Corp.example"), dns("other.example")}, {},
        {{"", {"DNS:corp.example"}, true},
         {"", {"DNS:a.b.corp.example", "DNS:other.example"}, true},
         {"", {"DNS:*.corp.example"}, true},
         {"", {"IP:192.0.2.1"}, true},
         {"/CN=John Smith", {}, true},
         {"/CN=alice", {}, true},
         {"/CN=a.corp.example", {}, true},
         {"/CN=ca.evil.com", {}, true, true},
         {"", {"DNS:a.corp.example", "DNS:evil.com"}, false},
         {"", {"DNS:evilcorp.example"}, false},
         {"", {"DNS:corp.example.evil.com"}, false},
         {"", {"DNS:example"}, false},
         {"/CN=evil.com", {}, false},
         {"/CN=evil_1.com", {}, false},
         {"/CN=evil.com", {"IP:192.0.2.1"}, false},
         {"/CN=evil.com/CN=x y", {}, false}});
  check("excluded", {}, {dns("secret.example")},
        {{"", {"DNS:public.example"}, true},
         {"", {"DNS:*.public.example"}, true},
         {"", {"DNS:secret.example"}, false},
         {"", {"DNS:a.secret.example"}, false},
         {"", {"DNS:*.secret.example"}, false},
         {"/CN=a.secret.example", {}, false}});
  check("a dot in front", {dns(".corp.example")}, {}, {{"", {"DNS:a.corp.example"}, true}, {"", {"DNS:corp.example"}, false}});
  check("permitted and excluded", {dns("corp.example")}, {dns("secret.corp.example")},
        {{"", {"DNS:a.corp.example"}, true},
         {"", {"DNS:a.secret.corp.example"}, false},
         {"", {"DNS:*.corp.example"}, false},  // may mean secret.corp.example
         {"", {"DNS:evil.com"}, false}});
  check("everything excluded", {}, {dns("")}, {{"/CN=x y", {"IP:192.0.2.1"}, true}, {"", {"DNS:a.example"}, false}});
}

TEST(NameConstraints, IpAddresses) {
  check("permitted", {ip("c0000200ffffff00"), ip("20010db8000000000000000000000000ffffffff000000000000000000000000")}, {},
        {{"", {"IP:192.0.2.7", "IP:2001:db8::7"}, true},
         {"", {"DNS:evil.com"}, true},
         {"", {"IP:192.0.3.7"}, false},
         {"", {"IP:192.0.2.7", "IP:2001:db9::7"}, false}});
  check("only one family is permitted", {ip("c0000200ffffff00")}, {}, {{"", {"IP:2001:db8::7"}, false}});
  check("excluded", {}, {ip("0a000000ff000000")}, {{"", {"IP:192.0.2.7"}, true}, {"", {"IP:10.1.2.3"}, false}});
}

TEST(NameConstraints, EmailAddresses) {
  check("a host", {email("Corp.example")}, {},
        {{"", {"EMAIL:a@corp.example"}, true},
         {"/CN=x/emailAddress=a@CORP.example", {}, true},
         {"/CN=x", {}, true},
         {"", {"EMAIL:a@sub.corp.example"}, false},
         {"", {"EMAIL:corp.example@evil.com"}, false},
         {"/CN=x/emailAddress=a@evil.com", {"EMAIL:a@corp.example"}, false},
         {"/CN=x/emailAddress=nonsense", {}, false}});
  check("a tree", {email(".corp.example")}, {},
        {{"", {"EMAIL:a@sub.corp.example"}, true}, {"", {"EMAIL:a@corp.example"}, false}, {"", {"EMAIL:a@evil.com"}, false}});
  check("a mailbox", {email("root@Corp.example")}, {email("admin@corp.example")},
        {{"", {"EMAIL:root@corp.example"}, true},
         {"", {"EMAIL:a@corp.example"}, false},
         {"", {"EMAIL:admin@corp.example"}, false}});
}

TEST(NameConstraints, Uris) {
  check("a host", {uri("www.corp.example")}, {},
        {{"", {"URI:https://WWW.corp.example:8443/x"}, true},
         {"", {"DNS:evil.com"}, true},
         {"", {"URI:https://a.www.corp.example/"}, false},
         {"", {"URI:https://evil.com/www.corp.example"}, false},
         {"", {"URI:https://192.0.2.1/"}, false},
         {"", {"URI:urn:www.corp.example"}, false}});
  check("a tree", {}, {uri(".corp.example")},
        {{"", {"URI:https://corp.example/"}, true},
         {"", {"URI:https://a.corp.example/"}, false},
         {"", {"URI:https://[2001:db8::1]/"}, false},
         {"", {"URI:urn:x"}, false}});
}

TEST(NameConstraints, Directories) {
  check("permitted", {directory("/C=FR/O=My Company")}, {},
        {{"/C=FR/O=My Company/CN=x", {}, true},
         {"/C=FR/O=my  COMPANY/CN=x", {}, true},
         {"/C=FR/O=My Company/CN=Sub CA", {}, true, true},
         {"", {"DNS:evil.com"}, true},
         {"/C=FR/O=Other/CN=x", {}, false},
         {"/C=FR/CN=x", {}, false},
         {"/O=My Company/C=FR/CN=x", {}, false},
         {"/C=FR/O=Other/CN=Sub CA", {}, false, true},
         {"/CN=x", {"DNS:a.example"}, false}});
  check("excluded", {}, {directory("/C=FR/O=Secret")}, {{"/C=FR/CN=x", {}, true}, {"/C=FR/O=SECRET/CN=x", {}, false}});
}

TEST(NameConstraints, OtherKindsAreReadOver) {
  const auto other = der::tlv(der::kSequence, der::tlv(der::context(8), Bytes{0x2a, 0x03}));
  check("a registered id", {other}, {other}, {{"/CN=evil.com", {"DNS:evil.com"}, true}});
}

TEST(NameConstraints, WhatIsNoneIsRefused) {
  const auto minimum =
      der::wrap(der::kSequence, {der::tlv(der::context(2), base::as_bytes("a")), der::tlv(der::context(0), Bytes{1})});
  const std::pair<const char*, Bytes> cases[] = {
      {"nothing", {}},
      {"no sequence", der::tlv(der::kSet, Bytes())},
      {"another list", der::wrap(der::kSequence, {der::tlv(der::constructed(2), Bytes())})},
      {"the lists swapped", der::wrap(der::kSequence, {list(der::constructed(1), {dns("a")}), list(der::constructed(0), {dns("a")})})},
      {"a minimum", extension_of({minimum}, {})},
      {"an empty subtree", extension_of({der::tlv(der::kSequence, Bytes())}, {})},
      {"a range of 4 octets", extension_of({}, {ip("c0000201")})},
      {"a directory that is none", extension_of({}, {tree(der::constructed(4), "x")})},
      {"more behind it", [] {
         auto der = extension_of({dns("a")}, {});
         der.push_back(0);
         return der;
       }()},
  };
  for (const auto& [name, der] : cases) EXPECT_FALSE(NameConstraints::read(der).ok()) << name;
}

TEST(NameConstraints, SamplesArePermitted) {
  const auto constraints = NameConstraints::read(extension_of(
      {dns("corp.example"), dns(".deep.example"), email("a@mail.example"), email("corp.example"), email(".deep.example"),
       uri("web.example"), uri(".deep.example"), ip("c0000200ffffff00"), directory("/C=FR/O=My Company")},
      {}));
  const auto samples = constraints->samples();
  std::vector<std::string> texts;
  for (const auto& one : samples.names) {
    texts.push_back(one.to_text());
    if (texts.back() == "DNS:deep.example") continue;  // the root itself, which only some readers take as in the tree
    EXPECT_EQ(constraints->fault_in(Name(), {one}, false), "");
  }
  EXPECT_EQ(texts,
            (std::vector<std::string>{"DNS:www.corp.example", "DNS:corp.example", "DNS:www.deep.example", "DNS:deep.example",
                                      "EMAIL:a@mail.example", "EMAIL:somebody@corp.example", "EMAIL:somebody@www.deep.example",
                                      "URI:https://web.example/", "URI:https://www.deep.example/", "IP:192.0.2.0"}));
  ASSERT_EQ(samples.directories.size(), 1U);
  EXPECT_EQ(samples.directories.front().to_slash(), "/C=FR/O=My Company");
}

TEST(NameConstraints, SamplesOfNothingPermitted) {
  const auto samples = NameConstraints::read(extension_of({dns("")}, {dns("corp.example")}))->samples();
  EXPECT_TRUE(samples.names.empty() && samples.directories.empty());
}

TEST(NameConstraints, MostCertificatesHaveNone) {
  const auto none = name_constraints_of(testing::ca());
  EXPECT_TRUE(none.ok() && !none->has_value());
}

}  // namespace
}  // namespace chancery::x509
