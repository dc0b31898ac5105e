#include <gtest/gtest.h>

#include "server/x509/general_name.h"
#include "server/x509/name.h"
#include "server/x509/pem.h"
#include "server/x509/reasons.h"

namespace chancery::x509 {
namespace {

TEST(Name, I7_SlashAndCommaThereAndBack) {
  const auto name = Name::from_slash("/C=FR/O=Company/CN=a\\/b, c").value();
  EXPECT_EQ(name.to_slash(), "/C=FR/O=Company/CN=a\\/b, c");
  EXPECT_EQ(name.to_comma(), "CN=a/b\\, c,O=Company,C=FR");
  EXPECT_EQ(Name::parse_any(name.to_comma()).value(), name);
  EXPECT_EQ(Name::from_der(name.der().value()).value(), name);
  EXPECT_EQ(name.common_name(), "a/b, c");
  EXPECT_TRUE(Name::from_slash("").value().empty());
  EXPECT_EQ(Name::from_slash("/1.2.3.4=x").value().to_slash(), "/1.2.3.4=x");
  EXPECT_EQ(Name::from_comma("cn=\\C3\\A9,dc=x").value().to_slash(), "/DC=x/CN=\xc3\xa9");
}

TEST(Name, F33_RefusesAndNeverCuts) {
  const std::string nul("/CN=a\0b", 7);
  for (const std::string& text :
       {nul, std::string("/CN=") + std::string(65, 'a'), std::string("/C=FRA"), std::string("/C=fr"), std::string("/CN="),
        std::string("/CN=a\nb"),
        std::string("/CN=\xe2\x80\xae"
                    "a"),
        std::string("/CN=\xff"), std::string("/XX=a"), std::string("/CN"), std::string("CN=a+O=b"), std::string("/CN=a\\"),
        std::string("/CN=a//O=b"), std::string("/serialNumber=a_b"), std::string("/DC=\xc3\xa9"), std::string("/CN=\xc2\x85")}) {
    EXPECT_FALSE(Name::parse_any(text).ok()) << text;
  }
  EXPECT_TRUE(Name::from_slash("/CN=" + std::string(64, 'a')).ok());
}

TEST(Name, F31_RefusesBadDer) {
  for (const char* hex : {"", "30", "3001", "3080", "30810000", "310030", "300100", "3000ff", "3010310e300c06035504030c0561"}) {
    EXPECT_FALSE(Name::from_der(base::from_hex(hex).value()).ok()) << hex;
  }
  EXPECT_TRUE(Name::from_der(base::from_hex("3000").value()).ok());
}

TEST(GeneralName, C14_OneForm) {
  const auto text = [](std::string_view in) { return GeneralName::parse(in).value().to_text(); };
  EXPECT_EQ(text("A.Example.COM"), "DNS:a.example.com");
  EXPECT_EQ(text("dns:*.example.com"), "DNS:*.example.com");
  EXPECT_EQ(text("192.0.2.1"), "IP:192.0.2.1");
  EXPECT_EQ(text("IP:2001:DB8:0:0::1"), "IP:2001:db8::1");
  EXPECT_EQ(text("a.b@Example.com"), "EMAIL:a.b@example.com");
  EXPECT_EQ(text("https://example.com/x"), "URI:https://example.com/x");
  EXPECT_EQ(text("localhost"), "DNS:localhost");
  const std::vector<GeneralName> names{GeneralName::parse("a.b.c").value(), GeneralName::parse("::1").value()};
  EXPECT_EQ(decode_general_names(encode_general_names(names).value()).value(), names);
}

TEST(GeneralName, F33_SaysWhatIsWrong) {
  const auto said = [](const std::string& text) { return GeneralName::parse(text).error().message(); };
  EXPECT_NE(said("DNS:" + std::string(64, 'a') + ".example.com").find("above 63 characters"), std::string::npos);
  EXPECT_NE(said("DNS:www.example.com.").find("ends with a dot"), std::string::npos);
  EXPECT_NE(said("DNS:a..example.com").find("empty label"), std::string::npos);
  EXPECT_NE(said("DNS:a_b.example.com").find("letters, digits and hyphens"), std::string::npos);
  EXPECT_TRUE(GeneralName::parse("DNS:" + std::string(63, 'a') + ".example.com").ok());
}

TEST(GeneralName, F33_ALabels) {
  const auto text = [](const std::string& given) { return GeneralName::parse(given)->to_text(); };
  EXPECT_EQ(text("xn--mnchen-3ya.example"), "DNS:xn--mnchen-3ya.example");
  EXPECT_EQ(text("XN--BCHER-KVA.example"), "DNS:xn--bcher-kva.example");
  EXPECT_EQ(text("*.xn--strae-oqa.example"), "DNS:*.xn--strae-oqa.example");
  EXPECT_EQ(text("www.xn--wgv71a119e.xn--jxalpdlp"), "DNS:www.xn--wgv71a119e.xn--jxalpdlp");
  EXPECT_NE(GeneralName::parse("xn--0.example.com").error().message().find("no A-label"), std::string::npos);
}

TEST(GeneralName, F33_Refuses) {
  const std::string nul("a\0.example.com", 14);
  for (const std::string& text : {nul,
                                  std::string("*"),
                                  std::string("*.com"),
                                  std::string("*.*.a.b"),
                                  std::string("a.*.b.c"),
                                  std::string("a*.b.c"),
                                  std::string("a..b"),
                                  std::string("a.b."),
                                  std::string(".a.b"),
                                  std::string("a_b.c"),
                                  std::string("-a.b"),
                                  std::string("a-.b"),
                                  std::string("ab--c.d"),
                                  std::string("xn--.d"),
                                  std::string("xn--0.example.com"),             // no punycode
                                  std::string("xn--99999999.example.com"),      // overflows
                                  std::string("xn--abc-.example.com"),          // of nothing but ASCII
                                  std::string("xn--a.example.com"),             // of a control character
                                  std::string("xn--n3h.example.com"),           // of a symbol: not in IDNA2008
                                  std::string("www.xn--xn---epa.example.com"),  // of "xn--ä"
                                  std::string("a@xn--0.example.com"),
                                  std::string("DNS:1.2.3.4"),
                                  std::string("IP:a.b"),
                                  std::string("IP:01.2.3.4"),
                                  std::string("IP:::ffff:1.2.3.4"),
                                  std::string("IP:fe80::1%eth0"),
                                  std::string("\"a b\"@c.d"),
                                  std::string("@c.d"),
                                  std::string("a@"),
                                  std::string("a@*.c.d"),
                                  std::string("https://u:p@h/"),
                                  std::string("URI:x"),
                                  std::string("https:///x"),
                                  std::string("https://h/a b"),
                                  std::string("DNS:"),
                                  std::string(""),
                                  std::string(64, 'a') + ".b",
                                  std::string("\xc3\xa9.example.com")}) {
    EXPECT_FALSE(GeneralName::parse(text).ok()) << text;
  }
  EXPECT_FALSE(decode_general_names(base::from_hex("3003810161").value()).ok());
  EXPECT_FALSE(decode_general_names(base::from_hex("300587037f0000").value()).ok());
  EXPECT_FALSE(decode_general_names(base::from_hex("3003880103").value()).ok());
  EXPECT_FALSE(encode_general_names(std::vector<GeneralName>(kMaxSans + 1, GeneralName{GeneralName::Type::Dns, "a.b"})).ok());
}

TEST(Reasons, NamesAndNumbers) {
  EXPECT_EQ(reason_name(1), "keyCompromise");
  EXPECT_EQ(reason_name(7), "");
  EXPECT_EQ(reason_from_name("Key_Compromise").value(), 1);
  EXPECT_FALSE(reason_from_name("because").ok());
}

TEST(Pem, ThereAndBack) {
  const Bytes der(100, 0x41);
  const auto pem = to_pem("X", der);
  EXPECT_EQ(from_pem("X", pem).value(), der);
  EXPECT_EQ(all_from_pem("X", "words\n" + pem + pem, 2)->size(), 2U);
  EXPECT_FALSE(all_from_pem("X", pem + pem, 1).ok());
  EXPECT_FALSE(from_pem("Y", pem).ok());
  EXPECT_FALSE(from_pem("X", pem + pem).ok());
  EXPECT_FALSE(from_pem("X", "words" + pem).ok());
  EXPECT_FALSE(from_pem("X", pem.substr(0, 60)).ok());
}

}  // namespace
}  // namespace chancery::x509
