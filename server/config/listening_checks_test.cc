#include <gtest/gtest.h>

#include "server/base/user.h"
#include "server/config/testing.h"

/// What listens, the front ends that shall serve it, and the files that both need.
namespace chancery::config {
namespace {

using testing::Place;

constexpr std::string_view kKey = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";

std::string server(const std::string& body) {
  return "<chancery run-directory=\"run\">\n  <realms directory=\"realms\"/>\n" + body + "</chancery>\n";
}

std::string front_end(const std::string& name, const std::string& rest) {
  return "<front-ends><front-end name=\"" + name + "\" program=\"chancery-" + name + "\" " + rest + "/></front-ends>\n";
}

/// Findings of a server with the realms default and devices.
std::vector<std::string> findings_of(const std::string& body) {
  const Place place;
  place.write("realms/devices/ca.config.yml", testing::kGoodRealm);
  place.write("good.curve", std::string(kKey) + "\n");
  place.write("bad.curve", "not a key\n");
  place.write("long.curve", std::string(300, '0'));
  place.write("short.curve", kKey.substr(1));
  place.write("binary.curve", std::string(40, '\0'));
  place.write("chancery.xml", server(body));
  return place.findings();
}

using Lines = std::vector<std::string>;

TEST(Listening, EndpointsOfRealmsThatTheFrontEndServes) {
  const auto zmq = [](const std::string& realms, const std::string& realm) {
    return findings_of(front_end("zmq", "realms=\"" + realms + "\" roles=\"frontend\"") +
                       "<zmq>\n<endpoint address=\"127.0.0.1\" port=\"5000\" realm=\"" + realm + "\"/></zmq>\n");
  };
  EXPECT_EQ(zmq("*", "devices"), Lines());
  EXPECT_EQ(zmq("default devices", "devices"), Lines());
  EXPECT_EQ(
      zmq("default", "devices"),
      Lines{"chancery.xml:5:43: chancery/zmq/endpoint/@realm: found realm devices, but front end zmq serves default, expected "
            "one of those, or the realm in the realms of that <front-end>"});
  EXPECT_EQ(
      zmq("default", "device"),
      Lines{"chancery.xml:5:43: chancery/zmq/endpoint/@realm: unknown realm \"device\", expected one of default, devices (did "
            "you mean \"devices\"?)"})
      << "said once";
}

TEST(Listening, ListenersOfRealmsThatTheFrontEndServes) {
  const auto http = [](const std::string& realms, const std::string& listener) {
    return findings_of(front_end("http", "realms=\"" + realms + "\" roles=\"frontend\"") +
                       "<listeners>\n<listener name=\"a\" tls=\"false\" address=\"::1\" port=\"80\" " + listener +
                       "/></listeners>\n");
  };
  EXPECT_EQ(http("*", "realms=\"*\""), Lines());
  EXPECT_EQ(http("default", "default-realm=\"default\" realms=\"default\""), Lines());
  EXPECT_EQ(
      http("default", "realms=\"default devices\""),
      Lines{"chancery.xml:5:56: chancery/listeners/listener/@realms: found realm devices, but front end http serves default, "
            "expected one of those, or the realm in the realms of that <front-end>"});
  EXPECT_EQ(http("default", "default-realm=\"devices\" realms=\"devices\""),
            Lines{"chancery.xml:5:56: chancery/listeners/listener/@default-realm: found realm devices, but front end http serves "
                  "default, expected one of those, or the realm in the realms of that <front-end>"})
      << "said once";
  EXPECT_EQ(http("default", "realms=\"*\""),
            Lines{"chancery.xml:5:56: chancery/listeners/listener/@realms: warning: found *, which has realm devices in it, but "
                  "front end http serves default: whoever asks for that realm here is refused"});
}

TEST(Listening, HostNamesLeadToRealmsThatAreServed) {
  const auto hosts = [](const std::string& realms, const std::string& host_realms) {
    return findings_of(
        front_end("http", "realms=\"*\" roles=\"frontend\"") +
        "<listeners>\n<listener name=\"a\" tls=\"false\" address=\"::1\" port=\"80\" names=\"a.example B.example\" realms=\"" +
        realms + "\"\nhost-realms=\"" + host_realms + "\"/></listeners>\n");
  };
  const std::string place = "chancery.xml:6:1: chancery/listeners/listener/@host-realms: ";
  EXPECT_EQ(hosts("*", "a.example=default b.example=devices"), Lines());
  EXPECT_EQ(hosts("*", "c.example=devices"), Lines{place + "found c.example, which names lacks: expected it there, too"});
  EXPECT_EQ(hosts("default", "a.example=devices"),
            Lines{place + "found a.example=devices, expected a realm that this listener serves (realms)"});
  EXPECT_EQ(hosts("*", "a.example=default A.example=devices"),
            Lines{place + "found a.example a second time, expected one realm for each host name"});
  EXPECT_EQ(hosts("*", "a.example=device"),
            Lines{place + "unknown realm \"device\", expected one of default, devices (did you mean \"devices\"?)"});
  for (const auto* bad : {"a.example", "a.example=", "=devices", "127.0.0.1=devices", "*.example=devices", "a.example=a=b"})
    EXPECT_EQ(hosts("*", bad).size(), 1) << bad;
}

TEST(Listening, RolesThatTheFrontEndCanGive) {
  const auto zmq = [](const std::string& roles, const std::string& loopback, const std::string& peer) {
    return findings_of(front_end("zmq", "realms=\"default\" roles=\"" + roles + "\"") +
                       "<zmq>\n<endpoint address=\"127.0.0.1\" port=\"5000\" realm=\"default\" server-key-file=\"good.curve\" "
                       "loopback-peers=\"" +
                       loopback + "\"/></zmq>\n<zmq-peers>\n<peer name=\"p\" key=\"" +
                       "Yne@$w-vo&lt;fVvi]a&lt;NY6T1ed:M$fCG*[IaLV{hID\" realm=\"default\" roles=\"" + peer +
                       "\"/></zmq-peers>\n");
  };
  const std::string usual =
      "chancery.xml:5:88: chancery/zmq/endpoint/@loopback-peers: warning: found ra-operator: every program of this machine may "
      "do "
      "that here, whoever runs it";
  EXPECT_EQ(zmq("frontend ra-operator", "ra-operator", "frontend ra-operator"), Lines{usual});
  EXPECT_EQ(zmq("frontend admin", "ra-operator", "frontend ra-operator"), Lines{usual}) << "an administrator is an RA, too";
  EXPECT_EQ(
      zmq("frontend", "ra-operator", "frontend"),
      (Lines{usual,
             "chancery.xml:5:88: chancery/zmq/endpoint/@loopback-peers: warning: found ra-operator, which nobody gets here: "
             "front end zmq has the roles frontend, and what comes through it may do no more; expected roles that it has, or "
             "ra-operator among those of its <front-end>"}));
  EXPECT_EQ(
      zmq("frontend ra-operator", "ra-operator", "frontend admin"),
      (Lines{usual,
             "chancery.xml:7:85: chancery/zmq-peers/peer/@roles: warning: found admin, which nobody gets here: front end zmq "
             "has the roles ra-operator frontend, and what comes through it may do no more; expected roles that it has, or "
             "admin among those of its <front-end>"}));
}

TEST(Listening, CurveKeysThatAreNone) {
  const auto zmq = [](const std::string& file) {
    return findings_of(front_end("zmq", "realms=\"default\" roles=\"frontend\"") +
                       "<zmq>\n<endpoint address=\"0.0.0.0\" port=\"5000\" realm=\"default\" server-key-file=\"" + file +
                       "\"/></zmq>\n");
  };
  EXPECT_EQ(zmq("good.curve"), Lines());
  for (const std::string file : {"bad.curve", "long.curve", "short.curve", "binary.curve"}) {
    EXPECT_EQ(zmq(file),
              Lines{"chancery.xml:5:57: chancery/zmq/endpoint/@server-key-file: found no CURVE key in " + file +
                    ", expected the 40 characters of Z85 of a secret one and nothing else (chancery zmq-key --out FILE "
                    "makes one)"});
  }
  EXPECT_EQ(zmq("none.curve").size(), 1U);
}

TEST(Listening, ProgramsAreLookedForWhereTheServerDoes) {
  const auto found = [](const std::string& attributes, const std::string& program) {
    const Place place;
    place.write("libexec/chancery-http", "x", 0700);
    place.write("other/chancery-http", "x", 0600);
    place.write("chancery.xml", "<chancery run-directory=\"run\" " + attributes + ">\n<realms directory=\"realms\"/>\n" +
                                    "<front-ends>\n<front-end name=\"a\" program=\"" + program +
                                    "\" realms=\"*\" roles=\"frontend\"/></front-ends></chancery>\n");
    return place.lines(load(place / "chancery.xml", {{}, {place / "libexec", place / "other"}}).findings);
  };
  const std::string at = "chancery.xml:4:21: chancery/front-ends/front-end/@program: ";
  const std::string unused =
      "chancery.xml:4:1: chancery/front-ends/front-end: warning: found chancery-http, but no address below "
      "<listeners> for it";
  EXPECT_EQ(found("", "chancery-http"), Lines{unused});
  EXPECT_EQ(found("", "chancery-htp"),
            Lines{at + "found no program chancery-htp that can be run in libexec or other, expected one there (did you mean "
                       "\"chancery-http\"?), an absolute path, or the program-directory that has it"});
  EXPECT_EQ(found("program-directory=\"libexec\"", "chancery-http"), Lines{unused});
  EXPECT_EQ(found("program-directory=\"other\"", "chancery-http"),
            (Lines{unused, at + "found no program that can be run: other/chancery-http"}))
      << "of mode 0600";
  EXPECT_EQ(found("program-directory=\".\"", "libexec"), Lines{at + "found no program that can be run: libexec"})
      << "a directory";
}

TEST(Listening, DirectoriesThatOthersCanWrite) {
  const Place place;
  std::filesystem::create_directory(place / "realms/default/db");
  EXPECT_EQ(place.findings(), Lines());
  std::filesystem::permissions(place / "realms", std::filesystem::perms(0777));
  std::filesystem::permissions(place / "realms/default/db", std::filesystem::perms(0707));
  EXPECT_EQ(place.findings(),
            (Lines{"chancery.xml:2:11: chancery/realms/@directory: found mode 0777, expected that others cannot write (chmod o-w "
                   "realms)",
                   "realms/default/ca.config.yml:1:1: found mode 0707, expected that others cannot write (chmod o-w "
                   "realms/default/db)"}));
}

TEST(Listening, DirectoriesOfStrangers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  constexpr uid_t kStranger = 54321;
  const Place place;
  std::filesystem::create_directory(place / "realms/default/db");
  ASSERT_EQ(::chown((place / "realms/default/db").c_str(), kStranger, 0), 0);
  ASSERT_EQ(::chown((place / "realms").c_str(), kStranger, 0), 0);
  EXPECT_EQ(place.findings(),
            (Lines{"chancery.xml:2:11: chancery/realms/@directory: warning: found owner uid 54321, expected root or the server: "
                   "whoever it is rules this CA (realms)",
                   "realms/default/ca.config.yml:1:1: warning: found owner uid 54321, expected root or the server: whoever it is "
                   "rules this CA (realms/default/db)"}));
  const auto daemon = base::find_user("daemon");
  if (!daemon) GTEST_SKIP() << "this machine has no user daemon";
  ASSERT_EQ(::chown((place / "realms/default/db").c_str(), daemon->uid, 0), 0);
  ASSERT_EQ(::chown((place / "realms").c_str(), daemon->uid, 0), 0);
  place.write("chancery.xml",
              "<chancery run-directory=\"run\"><users worker=\"daemon\"/><socket mode=\"0666\"/>"
              "<realms directory=\"realms\"/></chancery>\n");
  EXPECT_EQ(place.findings(), Lines()) << "the workers' own";
}

TEST(Seeds, ShortOnesAreTakenWithAWarning) {
  const auto found = [](const std::string& seed) {
    const Place place;
    place.write("realms/default/db/seed", seed);
    place.write("realms/default/ca.config.yml", std::string(testing::kGoodRealm) + "seed_file: \"db/seed\"\n");
    return place.findings();
  };
  EXPECT_EQ(found("sixteen-octets-x\n"), Lines());
  EXPECT_EQ(found("abc\n"),
            Lines{"realms/default/ca.config.yml:2:12: seed_file: warning: found a registration seed of 3 characters, expected at "
                  "least 16: whoever guesses it registers an RA (openssl rand -base64 24 makes a better one)"});
  EXPECT_EQ(found("fifteen-octets-\n").size(), 1U);
}

TEST(Company, IsTheOrganisationOfBuiltInProfiles) {
  const auto organisation = [](const std::string& settings, const std::string& profile) -> std::string {
    const Place place;
    place.write("realms/default/ca.config.yml", std::string(testing::kGoodRealm) + settings);
    const auto loaded = place.load();
    EXPECT_EQ(testing::lines(loaded.findings), "");
    if (!loaded.snapshot) return {};
    for (const auto& [name, value] : loaded.snapshot->realms[0]->profiles.at(testing::profile_name(profile)).subject)
      if (name == "O") return value;
    return {};
  };
  EXPECT_EQ(organisation("", "server"), "Company");
  EXPECT_EQ(organisation("", "ra"), "uPKI");
  EXPECT_EQ(organisation("company: \"Company Name\"\n", "server"), "Company") << "uPKI writes that into every file";
  for (const auto* one : {"server", "ra", "ca", "user", "admin"})
    EXPECT_EQ(organisation("company: \"Kitchen & Sons\"\n", one), "Kitchen & Sons") << one;
  EXPECT_EQ(organisation("company: \"Kitchen\"\nprofiles:\n  server: {subject: {O: Other, CN: \"\"}}\n", "server"), "Other");
  const Place place;
  place.write("realms/default/ca.config.yml", std::string(testing::kGoodRealm) + "company: \"" + std::string(65, 'x') + "\"\n");
  EXPECT_EQ(place.findings().size(), 1U) << "longer than an O may be";
}

}  // namespace
}  // namespace chancery::config
