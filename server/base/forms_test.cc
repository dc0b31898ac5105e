#include <gtest/gtest.h>

#include "server/base/address.h"
#include "server/base/network.h"
#include "server/base/xml_text.h"
#include "server/base/z85.h"

/// Small forms of text that several rooms ask about.
namespace chancery::base {
namespace {

TEST(Address, LoopbackInEachForm) {
  for (const auto* one : {"127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f01:203"})
    EXPECT_TRUE(is_loopback(one)) << one;
  for (const auto* one : {"", "localhost", "[::1]", "127.evil.example", "127.1", "128.0.0.1", "10.0.0.1", "0.0.0.0",
                          "::", "::ffff:10.0.0.1", "::127.0.0.1", "127.0.0.1 ", "10.127.0.1", "::2", "curve:127.0.0.1"})
    EXPECT_FALSE(is_loopback(one)) << one;
}

TEST(Address, IsReadToItsLastOctet) {
  EXPECT_EQ(octets_of_address("10.0.0.1"), (Bytes{10, 0, 0, 1}));
  EXPECT_EQ(octets_of_address("2001:db8::1")->size(), 16U);
  using std::string_view_literals::operator""sv;
  for (const auto text :
       {""sv, "10.0.0.1\0"sv, "10.0.0.1\0.evil.example"sv, "::1\0"sv, "\0::1"sv, "[::1]"sv, "10.0.0.256"sv, " ::1"sv}) {
    EXPECT_FALSE(octets_of_address(text)) << text;
    EXPECT_FALSE(is_loopback(text)) << text;
    EXPECT_FALSE(Network::parse(text).ok()) << text;
  }
}

TEST(Address, NamesOfThisMachine) {
  for (const auto* one : {"localhost", "a.localhost"}) EXPECT_TRUE(is_localhost(one)) << one;
  for (const auto* one : {"", "localhost.", "notlocalhost", "localhost.example", "127.0.0.1"})
    EXPECT_FALSE(is_localhost(one)) << one;
}

TEST(Z85, KeysAndWhatIsNone) {
  const std::string good = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";  // RFC 26's example
  EXPECT_TRUE(is_curve_key(good));
  EXPECT_TRUE(is_curve_key("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"));
  EXPECT_FALSE(is_curve_key(""));
  EXPECT_FALSE(is_curve_key(good.substr(1)));
  EXPECT_FALSE(is_curve_key(good + "0"));
  EXPECT_FALSE(is_curve_key("~" + good.substr(1)));
  EXPECT_FALSE(is_curve_key(" " + good.substr(1)));
  EXPECT_FALSE(is_curve_key(std::string(40, '#'))) << "above 2^32 - 1 in each group";
  EXPECT_TRUE(is_curve_key("%nSc0" + good.substr(5))) << "2^32 - 1";
  EXPECT_FALSE(is_curve_key("%nSc1" + good.substr(5))) << "2^32";
}

TEST(Xml, TextThereAndBack) {
  const std::string text = R"(a<b> & "c" 'd' &amp;)";
  EXPECT_EQ(to_xml(text), "a&lt;b&gt; &amp; &quot;c&quot; 'd' &amp;amp;");
  EXPECT_EQ(from_xml(to_xml(text)), text);
  EXPECT_EQ(from_xml("&apos;&&lt"), "&apos;&&lt") << "what is no entity of ours stays";
}

}  // namespace
}  // namespace chancery::base
