#include <gtest/gtest.h>

#include "server/config/testing.h"

namespace chancery::config {
namespace {

using testing::Place;

constexpr std::string_view kXml = R"(<chancery run-directory="run">
  <realms directory="realms"/>
  <listeners>
    <listener name="https" address="127.0.0.1" port="8000" default-realm="default" realms="*" names="pki.example.com"/>
    <listener name="http" tls="false" address="127.0.0.1" port="8080" default-realm="default" realms="default"/>
  </listeners>
</chancery>
)";

/// The findings about that address, without what is said of the missing front end.
std::string finding_for(const std::string& realm, const std::string& setting, const std::string& url) {
  const Place place;
  place.write("chancery.xml", kXml);
  place.write("realms/other/ca.config.yml", testing::kGoodRealm);
  place.write("realms/" + realm + "/ca.config.yml", std::string(testing::kGoodRealm) + setting + ": [\"" + url + "\"]\n");
  for (const auto& line : place.findings()) {
    if (line.find(setting) != std::string::npos) return line.substr(line.find("warning: ") + 9);
  }
  return "";
}

TEST(SnapshotChecks, AddressesThatNobodyServes) {
  constexpr std::string_view kLost = ": clients that check certificates get nothing there";
  struct Case {
    const char* name;
    const char* realm;
    const char* url;
    std::string want;
  };
  const Case cases[] = {
      {"served", "default", "http://127.0.0.1:8080/realms/default/crl", ""},
      {"served at the bare path", "default", "http://localhost:8080/crl", ""},
      {"somebody else's host", "default", "http://www.example.com:99/realms/nobody/crl", ""},
      {"no such port", "default", "http://pki.example.com/crl",
       "found http://pki.example.com/crl, but no listener has port 80" + std::string(kLost)},
      {"http to https", "default", "http://pki.example.com:8000/crl",
       "found http://pki.example.com:8000/crl, but listener https on that port speaks https" + std::string(kLost)},
      {"https to http", "default", "https://localhost:8080/crl",
       "found https://localhost:8080/crl, but listener http on that port speaks http" + std::string(kLost)},
      {"another realm's", "default", "http://localhost:8080/realms/other/crl",
       "found http://localhost:8080/realms/other/crl, which is of realm other" + std::string(kLost)},
      {"bare path of another's listener", "other", "http://localhost:8080/crl",
       "found http://localhost:8080/crl, which is of realm default" + std::string(kLost)},
      {"a realm that the listener leaves out", "other", "http://localhost:8080/realms/other/crl",
       "found http://localhost:8080/realms/other/crl, but listener http does not serve the realm" + std::string(kLost)},
      {"https needs itself", "default", "https://localhost:8000/crl",
       "found https, expected http: checking that server's certificate needs what is served there (RFC 5280 8)"},
      {"no number", "default", "http://localhost:x/crl", "found no port number in http://localhost:x/crl" + std::string(kLost)},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(finding_for(one.realm, "crl_urls", one.url), one.want) << one.name;
    EXPECT_EQ(finding_for(one.realm, "ca_issuer_urls", one.url), one.want) << one.name;
  }
}

TEST(SnapshotChecks, I15_RealmsShareNothing) {
  const Place place;
  place.write("realms/devices/ca.config.yml", testing::kGoodRealm);
  EXPECT_EQ(place.findings(), std::vector<std::string>{});
  place.write("realms/default/ca.key", "the same key");
  place.write("realms/devices/ca.key", "the same key");
  EXPECT_EQ(place.findings(),
            std::vector<std::string>{"realms/devices/ca.config.yml:1:1: found the ca.key of realm default, expected a CA of its "
                                     "own: two journals for one key cannot keep serial numbers apart"});
  place.write("realms/devices/ca.key", "another key");
  EXPECT_EQ(place.findings(), std::vector<std::string>{});
  std::filesystem::remove_all(place / "realms/devices");
  std::filesystem::create_directory_symlink("default", place / "realms/devices");
  const auto lines = place.findings();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("found the directory of realm default, expected one of its own"), std::string::npos) << lines[0];
}

TEST(SnapshotChecks, ThisServerAnswersNoOcsp) {
  constexpr std::string_view kLost = ": clients that check certificates get nothing there";
  struct Case {
    const char* name;
    const char* url;
    std::string want;
  };
  const Case cases[] = {
      {"somebody else's responder", "http://ocsp.example.com/", ""},
      {"on a listener", "http://127.0.0.1:8080/realms/default/ocsp",
       "found http://127.0.0.1:8080/realms/default/ocsp, but nobody of this realm answers OCSP there: no CA below cas has "
       "purpose: ocsp (RFC 6960)"},
      {"at its bare path", "http://localhost:8080/",
       "found http://localhost:8080/, but nobody of this realm answers OCSP there: no CA below cas has "
       "purpose: ocsp (RFC 6960)"},
      {"on no listener", "http://pki.example.com/ocsp", "found http://pki.example.com/ocsp, but no listener has port 80"},
      {"http to https", "http://pki.example.com:8000/ocsp",
       "found http://pki.example.com:8000/ocsp, but listener https on that port speaks https"},
      {"another realm's", "http://localhost:8080/realms/other/ocsp",
       "found http://localhost:8080/realms/other/ocsp, which is of realm other"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(finding_for("default", "ocsp_urls", one.url), one.want.empty() ? "" : one.want + std::string(kLost)) << one.name;
  }
  EXPECT_NE(finding_for("default", "ocsp_urls", "https://ocsp.example.com/").find("found https"), std::string::npos);
}

/// Two realms, with everything that a server that ran has left.
class TwoRealms {
 public:
  TwoRealms() {
    for (const auto* realm : {"default", "devices"}) {
      const std::string directory = std::string("realms/") + realm;
      place.write(directory + "/ca.config.yml", testing::kGoodRealm);
      place.write(directory + "/db/realm.db", std::string("rows of ") + realm);
      place.write(directory + "/journal/journal", realm);
      for (const auto* name : {"nodes", "profiles", "cas"}) std::filesystem::create_directories(place / (directory + "/" + name));
    }
  }
  /// realms/devices/<name> becomes a link to that.
  void link(const std::string& name, const std::string& target) const {
    const auto path = place / ("realms/devices/" + name);
    std::filesystem::remove_all(path);
    std::filesystem::create_symlink(target, path);
  }
  const Place place;
};

TEST(SnapshotChecks, I15_RealmsShareNothingThroughLinks) {
  struct Case {
    const char* name;
    const char* link;
    std::string target;
    std::string want;
  };
  const Case cases[] = {
      {"the database", "db/realm.db", "../../default/db/realm.db",
       "found realms/devices/db/realm.db, which is the database of realm default (realms/default/db/realm.db), expected one of "
       "its own"},
      {"its directory", "db", "../default/db",
       "found realms/devices/db, which is the database directory of realm default (realms/default/db), expected one of its own"},
      {"by a long way", "db", "../devices/../default/./db",
       "found realms/devices/db, which is the database directory of realm default (realms/default/db), expected one of its own"},
      {"the journal", "journal", "../default/journal",
       "found realms/devices/journal, which is the journal of realm default (realms/default/journal), expected one of its own"},
      {"one for another", "nodes", "../default/db",
       "found realms/devices/nodes, which is the database directory of realm default (realms/default/db), expected one of its "
       "own"},
      {"into the other", "nodes", "../default/elsewhere",
       "found realms/devices/nodes, which leads into the directory of realm default, to realms/default/elsewhere, expected one "
       "of its own"},
      {"the other as a whole", "cas", "../default",
       "found realms/devices/cas, which is the directory of realm default (realms/default), expected one of its own"},
  };
  for (const auto& one : cases) {
    const TwoRealms two;
    ASSERT_EQ(two.place.findings(), std::vector<std::string>{}) << one.name;
    two.link(one.link, one.target);
    EXPECT_EQ(two.place.findings(), std::vector<std::string>{"realms/devices/ca.config.yml:1:1: " + one.want}) << one.name;
  }
}

TEST(SnapshotChecks, I15_AlsoWhatIsNotThereYetOrHasTwoNames) {
  const TwoRealms two;
  std::filesystem::remove_all(two.place / "realms/default/journal");
  two.link("journal", "../default/journal");
  ASSERT_EQ(two.place.findings().size(), 1U) << "a link to where the other's journal will be";
  std::filesystem::remove(two.place / "realms/devices/journal");
  EXPECT_EQ(two.place.findings(), std::vector<std::string>{});
  std::filesystem::remove(two.place / "realms/devices/db/realm.db");
  std::filesystem::create_hard_link(two.place / "realms/default/db/realm.db", two.place / "realms/devices/db/realm.db");
  ASSERT_EQ(two.place.findings().size(), 1U) << "one file under two names";
  EXPECT_NE(two.place.findings()[0].find("which is the database of realm default"), std::string::npos);
  std::filesystem::remove(two.place / "realms/devices/db/realm.db");
  two.place.write("realms/devices/db/realm.db", "rows of its own");
  // The realm that comes first may be the one with the link.
  std::filesystem::remove_all(two.place / "realms/default/db");
  std::filesystem::create_directory_symlink("../devices/db", two.place / "realms/default/db");
  const auto found = two.place.findings();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].find("is the database directory of realm default (realms/default/db)"), std::string::npos) << found[0];
  std::filesystem::remove(two.place / "realms/default/db");
  std::filesystem::create_directory_symlink("../devices/elsewhere", two.place / "realms/default/db");
  ASSERT_EQ(two.place.findings().size(), 1U);
  EXPECT_NE(two.place.findings()[0].find("found realms/default/db of realm default, which leads into this realm's directory, to "
                                         "realms/devices/elsewhere, expected nothing of another realm there"),
            std::string::npos)
      << two.place.findings()[0];
}

TEST(SnapshotChecks, LinksToOneOwnPlacesAreFine) {
  const TwoRealms two;
  std::filesystem::create_directories(two.place / "elsewhere/devices-db");
  two.link("db", (two.place / "elsewhere/devices-db").string());
  two.link("nodes", "../../elsewhere/devices-nodes");
  two.link("profiles", "../default/profiles");
  EXPECT_EQ(two.place.findings(), std::vector<std::string>{});
}

TEST(SnapshotChecks, RulesThatAddNothing) {
  const auto warnings = [](const std::string& rules) {
    const Place place;
    place.write("chancery.xml", "<chancery run-directory=\"run\">\n<realms directory=\"realms\"/>\n<identities>\n" + rules +
                                    "</identities>\n</chancery>\n");
    return place.findings();
  };
  const std::string wide = "<identity user=\"root\" realm=\"*\" roles=\"auditor user\"/>\n";
  const std::string narrow = "<identity user=\"root\" realm=\"default\" roles=\"auditor\"/>\n";
  const std::string more = "<identity user=\"root\" realm=\"default\" roles=\"auditor admin\"/>\n";
  EXPECT_EQ(warnings(wide + more), std::vector<std::string>{});
  EXPECT_EQ(warnings(narrow + wide).size(), 1U);
  EXPECT_EQ(warnings(wide + wide).size(), 1U);
  const auto found = warnings(wide + narrow);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].find("chancery.xml:5:1"), std::string::npos) << found[0];
  EXPECT_NE(found[0].find("found a rule that gives nothing which the rule in line 4 does not give already"), std::string::npos)
      << found[0];
}

TEST(SnapshotChecks, RolesOfCommandsThatThereAre) {
  const std::vector<KnownCommand> known{
      {"audit.list", Role::Auditor}, {"certificate.issue", Role::RaOperator}, {"crl.get", Role::Anonymous}};
  const auto findings = [&](const std::string& line) {
    const Place place;
    place.write("realms/default/ca.config.yml", std::string(testing::kGoodRealm) + "command_roles:\n  " + line + "\n");
    return place.lines(config::load(place / "chancery.xml", {known, {}}).findings);
  };
  const std::string at = "realms/default/ca.config.yml:3:";
  const struct {
    std::string line;
    std::vector<std::string> want;
  } cases[] = {
      {"certificate.issue: admin", {}},
      {"audit.list: ca-operator", {}},  // neither is the other: both are demanded
      {"crl.get: user", {}},
      {"certificate.isue: admin",
       {at + "3: command_roles.certificate.isue: unknown command \"certificate.isue\" (did you mean \"certificate.issue\"?)"}},
      {"quite.another: admin",
       {at + "3: command_roles.quite.another: unknown command \"quite.another\", expected one of doc/commands.md"}},
      {"nocommand: admin",
       {at + "3: command_roles.nocommand: found \"nocommand\", expected the name of a command like certificate.issue"}},
      {"certificate.issue: user",
       {at + "22: command_roles.certificate.issue: warning: found user, but certificate.issue needs ra-operator in every realm, "
             "expected a role that is more"}},
      {"certificate.issue: ra-operator",
       {at + "22: command_roles.certificate.issue: warning: found ra-operator, but certificate.issue needs ra-operator in every "
             "realm, expected a role that is more"}},
  };
  for (const auto& one : cases) EXPECT_EQ(findings(one.line), one.want) << one.line;
}

TEST(SnapshotChecks, B9_CrlSchedule) {
  const auto warnings = [](const std::string& validity) {
    const Place place;
    place.write("realms/default/ca.config.yml", std::string(testing::kGoodRealm) + "crl_validity: " + validity + "\n");
    return place.findings().size();
  };
  EXPECT_EQ(warnings("10d"), 0U);
  EXPECT_EQ(warnings("11d"), 1U);
  EXPECT_EQ(warnings("1h"), 0U);
  EXPECT_EQ(warnings("59m"), 1U);
}

/// What is said of a realm with vantage points beside that front end.
std::vector<std::string> vantage_findings(const std::string& front_end, const std::string& acme = {}) {
  const Place place;
  place.write("good.curve", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\n");
  place.write("bad.curve", "no key\n");
  place.write("open.curve", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\n", 0644);
  place.write("chancery-http", "", 0700);
  place.write("chancery.xml", "<chancery run-directory=\"run\">\n<realms directory=\"realms\"/>\n<front-ends>\n<front-end " +
                                  front_end + "/>\n</front-ends></chancery>\n");
  place.write("realms/default/ca.config.yml",
              std::string(testing::kGoodRealm) +
                  "acme:\n  vantage_points: [\"tcp://a.example:5010 rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"]\n" + acme);
  auto all = place.findings();
  std::erase_if(all, [](const std::string& line) { return line.find("vantage") == std::string::npos; });
  return all;
}

TEST(SnapshotChecks, I10_RealmsWithVantagePointsNeedAFrontEndThatCanAskThem) {
  using Lines = std::vector<std::string>;
  const std::string http = "name=\"http\" program=\"chancery-http\" roles=\"frontend\" ";
  const Lines missing{
      "realms/default/ca.config.yml:3:19: acme.vantage_points: found vantage points, but front end http of chancery.xml has no "
      "vantage-key-file to ask them with, expected one (chancery zmq-key --out FILE makes it): without it every proof fails"};
  EXPECT_EQ(vantage_findings(http + "realms=\"*\""), missing);
  EXPECT_EQ(vantage_findings(http + "realms=\"default\""), missing);
  EXPECT_EQ(vantage_findings(http + "realms=\"*\" vantage-key-file=\"good.curve\""), Lines());
  EXPECT_EQ(vantage_findings(http + "realms=\"*\" enabled=\"false\""), Lines()) << "nobody asks";
  EXPECT_EQ(vantage_findings(http + "realms=\"*\"", "  enabled: false\n"), Lines()) << "nobody answers ACME clients";
  EXPECT_EQ(vantage_findings("name=\"zmq\" program=\"chancery-zmq\" roles=\"frontend\" realms=\"*\""), Lines());
}

TEST(SnapshotChecks, KeysForVantagePointsAreKeys) {
  const auto said = [](const std::string& file) {
    const auto all = vantage_findings(
        "name=\"http\" program=\"chancery-http\" roles=\"frontend\" realms=\"*\" vantage-key-file=\"" + file + "\"");
    return all.size() == 1 ? all.front().substr(all.front().find(": ") + 2) : std::to_string(all.size()) + " findings";
  };
  EXPECT_TRUE(said("bad.curve").starts_with("chancery/front-ends/front-end/@vantage-key-file: found no CURVE key in bad.curve"));
  EXPECT_NE(said("open.curve").find("0644"), std::string::npos) << said("open.curve");
  EXPECT_NE(said("none.curve").find("none.curve"), std::string::npos) << said("none.curve");
}

TEST(SnapshotChecks, AQuorumBelowTheUsualOneIsADecision) {
  const auto quorum = [](const std::string& value) {
    return vantage_findings(
        "name=\"http\" program=\"chancery-http\" roles=\"frontend\" realms=\"*\" vantage-key-file=\"good.curve\"",
        "  vantage_quorum: " + value + "\n");
  };
  EXPECT_EQ(quorum("1"), std::vector<std::string>());
  EXPECT_EQ(quorum("none"), std::vector<std::string>());
  EXPECT_EQ(quorum("2").size(), 1U);
}

}  // namespace
}  // namespace chancery::config
