#include <gtest/gtest.h>

#include "server/config/builtin_profiles.h"
#include "server/config/testing.h"
#include "server/config/upki_view.h"

// uPKI's files in both dialects (UPKI.md 3 and 4.1), each key by itself, and what is wrong in them.
namespace chancery::config {
namespace {

using testing::Place;
using Kind = base::KeySpec::Kind;

constexpr std::string_view kFile = "realms/default/profiles/extra.yml";

/// The profile that a file makes; nothing when there were findings, which fail the test.
std::optional<Profile> read(std::string_view text, const std::string& name = "extra") {
  const Place place;
  place.write("realms/default/profiles/" + name + ".yml", text);
  const auto loaded = place.load();
  EXPECT_EQ(testing::lines(loaded.findings), "") << text;
  if (!loaded.snapshot) return std::nullopt;
  auto profile = loaded.snapshot->realms[0]->profiles.at(testing::profile_name(name));
  profile.origin = "";
  return profile;
}

std::vector<std::string> findings_of(std::string_view text) {
  const Place place;
  place.write(kFile, text);
  return place.findings();
}

constexpr std::string_view kOfPrograms = R"(keyType: "rsa"
keyLen: 3072
duration: 90
digest: "sha384"
altnames: true
domain: "kitchen.example"
subject:
  C: "FR"
  O: "Kitchen Inc"
  CN: ""
keyUsage: ["digitalSignature", "keyEncipherment"]
extendedKeyUsage: ["serverAuth", "clientAuth"]
certType: "server"
)";

constexpr std::string_view kOfDocumentation = R"(name: extra
type: server
validity: 90
key_type: rsa
key_length: 3072
digest: sha384
ca: false
domain: kitchen.example
subject: {C: FR, O: Kitchen Inc, CN: ""}
key_usage: [digitalSignature, keyEncipherment]
extended_key_usage: [serverAuth, clientAuth]
subject_alt_name: [{dns: true}, {ip: true}, {email: true}, {uri: true}]
)";

/// uPKI's older programs: subject a list of maps, certType a list.
constexpr std::string_view kOfOlderPrograms = R"(keyType: rsa
keyLen: 3072
duration: 90
digest: sha384
altnames: true
domain: kitchen.example
subject:
  - C: FR
  - O: Kitchen Inc
  - CN: ""
keyUsage:
  - digitalSignature
  - keyEncipherment
extendedKeyUsage:
  - serverAuth
  - clientAuth
certType:
  - server
)";

TEST(Dialects, SayTheSame) {
  const auto programs = read(kOfPrograms);
  auto documentation = read(kOfDocumentation);
  const auto older = read(kOfOlderPrograms);
  ASSERT_TRUE(programs && documentation && older);
  EXPECT_TRUE(*programs == *older);
  EXPECT_EQ(documentation->san_types, (std::vector<std::string>{"dns", "ip", "email", "uri"}));  // which is all of them
  documentation->san_types.clear();
  EXPECT_TRUE(*programs == *documentation);
  EXPECT_EQ(programs->key, (base::KeySpec{Kind::Rsa, 3072}));
  EXPECT_EQ(programs->validity, std::chrono::days{90});
  EXPECT_EQ(programs->subject.size(), 3U);
}

/// Those of PyYAML, with which uPKI reads its profiles (YAML 1.1).
TEST(Dialects, TruthValuesAsPyYamlReadsThem) {
  for (const auto* word : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}) {
    const auto one = read("keyUsage: [digitalSignature]\naltnames: " + std::string(word) + "\n");
    EXPECT_TRUE(one && one->altnames) << word;
    const auto of_list = read("key_usage: [digitalSignature]\nsubject_alt_name: [{dns: " + std::string(word) + "}]\n");
    EXPECT_TRUE(of_list && of_list->san_types == std::vector<std::string>{"dns"}) << word;
  }
  for (const auto* word : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}) {
    const auto one = read("keyUsage: [digitalSignature]\naltnames: true\nca: " + std::string(word) + "\n");
    EXPECT_TRUE(one && !one->is_ca) << word;
  }
  for (const auto* word : {"y", "n", "Y", "N", "yEs", "tRUE", "oN", "1", "0", "\"yes\"", "'on'", "~", "disabled"}) {
    const auto lines = findings_of("keyUsage: [digitalSignature]\naltnames: " + std::string(word) + "\n");
    EXPECT_EQ(lines.size(), 1U) << word;
  }
}

/// One key each, in every spelling, and what it changes.
struct One {
  const char* line;
  bool (*holds)(const Profile&);
};
const One kEach[] = {
    {"keyType: ec",
     [](const Profile& p) {
       return p.key == base::KeySpec{Kind::Ec, 256};
     }},
    {"key_type: ed25519",
     [](const Profile& p) {
       return p.key == base::KeySpec{Kind::Ed25519, 256};
     }},
    {"keyType: rsa\nkeyLen: 2048",
     [](const Profile& p) {
       return p.key == base::KeySpec{Kind::Rsa, 2048};
     }},
    {"key_type: ec\nkey_length: 384",
     [](const Profile& p) {
       return p.key == base::KeySpec{Kind::Ec, 384};
     }},
    {"duration: 7", [](const Profile& p) { return p.validity == std::chrono::days{7}; }},
    {"validity: 8", [](const Profile& p) { return p.validity == std::chrono::days{8}; }},
    {"digest: sha512", [](const Profile& p) { return p.digest == "sha512"; }},
    {"altnames: false\nsubject: {O: x, CN: \"\"}", [](const Profile& p) { return !p.altnames; }},
    {"subject_alt_name: [{dns: true}, {ip: false}]",
     [](const Profile& p) { return p.san_types == std::vector<std::string>{"dns"}; }},
    {"subject_alt_name: [{email: false}]", [](const Profile& p) { return !p.altnames; }},
    {"domain: a.example", [](const Profile& p) { return p.domain == "a.example"; }},
    {"subject: {O: x}", [](const Profile& p) { return p.subject.size() == 1 && p.subject[0].second == "x"; }},
    {"subject: [{O: x}, {OU: z}]", [](const Profile& p) { return p.subject.size() == 2 && p.subject[1].first == "OU"; }},
    {"keyUsage: [keyAgreement]", [](const Profile& p) { return p.key_usage == std::vector<std::string>{"keyAgreement"}; }},
    {"key_usage: [keyAgreement]", [](const Profile& p) { return p.key_usage == std::vector<std::string>{"keyAgreement"}; }},
    {"extendedKeyUsage: [timeStamping]", [](const Profile& p) { return p.extended_key_usage[0] == "timeStamping"; }},
    {"extended_key_usage: [OCSPSigning]", [](const Profile& p) { return p.extended_key_usage[0] == "OCSPSigning"; }},
    {"certType: [user, email]", [](const Profile& p) { return p.cert_type == "user,email"; }},
    {"type: user", [](const Profile& p) { return p.cert_type == "user"; }},
    {"keyUsage: [keyCertSign, cRLSign]\npathLen: 1\nleast_role: admin",
     [](const Profile& p) { return p.is_ca && p.path_length == 1; }},
    {"ca: true\nkey_usage: [keyCertSign]\npath_length: 0\nleast_role: admin",
     [](const Profile& p) { return p.is_ca && p.path_length == 0; }},
    {"name: extra", [](const Profile& p) { return p.name.text() == "extra"; }},
};

TEST(Dialects, EachKeyDoesSomething) {
  for (const auto& one : kEach) {
    const std::string line = one.line;
    const bool has_usage = line.find("Usage") != std::string::npos || line.find("key_usage") != std::string::npos;
    const bool is_documentations = line.find("extended_key_usage") != std::string::npos || line.find('_') != std::string::npos ||
                                   line.starts_with("validity") || line.starts_with("type");
    const auto usage = line.find("key_usage: [k") != std::string::npos || line.find("keyUsage: [k") != std::string::npos;
    const auto more = usage || (has_usage && line.find("xtended") == std::string::npos)
                          ? std::string()
                          : std::string(is_documentations ? "key_usage" : "keyUsage") + ": [digitalSignature]\n";
    const auto profile = read(more + line + "\n");
    ASSERT_TRUE(profile) << line;
    EXPECT_TRUE(one.holds(*profile)) << line;
  }
}

/// The older built-in ones, as files.
TEST(Dialects, OlderBuiltInsAreRead) {
  const auto server = read(R"(keyType: rsa
keyLen: 4096
duration: 365
digest: sha256
altnames: true
domain: kitchen.io
subject: [{C: FR}, {ST: PACA}, {L: Gap}, {O: Kitchen Inc.}, {OU: Servers}, {CN: ""}]
keyUsage: [digitalSignature, nonRepudiation, keyEncipherment]
extendedKeyUsage: [serverAuth]
certType: [server]
)",
                           "server");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->subject[1], (std::pair<std::string, std::string>{"ST", "PACA"}));
  EXPECT_EQ(server->cert_type, "server");
}

struct Bad {
  const char* name;
  std::string text;
  std::vector<std::string> want;
};
const std::string kUse = "keyUsage: [digitalSignature]\n";
const std::string kAt = "realms/default/profiles/extra.yml:";

TEST(Dialects, C28_WhatIsWrongIsNamedWithItsPlace) {
  const Bad cases[] = {
      {"mixed",
       kUse + "key_length: 384\nduration: 9\n",
       {kAt + "2:1: key_length: found key_length beside keyUsage, expected keyLen: a profile has uPKI's names or those of its "
              "documentation, not both"}},
      {"mixed the other way",
       "key_usage: [digitalSignature]\ncertType: user\n",
       {kAt + "2:1: certType: found certType beside key_usage, expected type: a profile has uPKI's names or those of its "
              "documentation, "
              "not both"}},
      {"said twice",
       kUse + "key_usage: [digitalSignature]\n",
       {kAt + "2:1: key_usage: found the setting a second time, expected it once: keyUsage is another name of it"}},
      {"names allowed twice",
       "key_usage: [digitalSignature]\nsubject_alt_name: [{dns: true}]\nsan_types: [dns]\n",
       {kAt + "3:1: san_types: found san_types beside subject_alt_name, expected one of them: both say which names are allowed"}},
      {"a kind of name twice",
       "key_usage: [digitalSignature]\nsubject_alt_name: [{dns: true}, {dns: false}]\n",
       {kAt + "2:34: subject_alt_name[1].dns: found dns a second time, expected it once"}},
      {"MD5", kUse + "digest: md5\n", {}},
      {"SHA-1", kUse + "digest: sha1\n", {}},
      {"DSA",
       kUse + "keyType: dsa\n",
       {kAt + "2:10: keyType: found \"dsa\", expected rsa, ec or ed25519: no current standard makes DSA signatures any more "
              "(FIPS 186-5)"}},
      {"1024 bits",
       kUse + "keyType: rsa\nkeyLen: 1024\n",
       {kAt + "3:9: keyLen: found 1024 bits, expected at least 2048: shorter RSA keys can be factored (NIST SP 800-131A)"}},
      {"another file's name",
       "key_usage: [digitalSignature]\nname: other\n",
       {kAt + "2:7: name: found the name \"other\", expected \"extra\", since the file is called so"}},
      {"a subject that is a list of lists",
       kUse + "subject: [[C, FR]]\n",
       {kAt + "2:11: subject[0]: found an item that is no map of one attribute, expected items like - C: \"FR\""}},
      {"an item of two attributes",
       kUse + "subject: [{C: FR, O: x}]\n",
       {kAt + "2:11: subject[0]: found an item that is no map of one attribute, expected items like - C: \"FR\""}},
  };
  for (const auto& one : cases) {
    const auto found = findings_of(one.text);
    if (one.want.empty()) {
      ASSERT_EQ(found.size(), 1U) << one.name;
      EXPECT_TRUE(found[0].starts_with(kAt + "2:9: digest: found")) << found[0];
    } else {
      EXPECT_EQ(found, one.want) << one.name;
    }
  }
}

TEST(Dialects, MisspeltKeysAreGuessed) {
  const std::pair<const char*, const char*> cases[] = {{"keyTpye: rsa", "keyType"},
                                                       {"key_lenght: 3072", "key_length"},
                                                       {"durration: 3", "duration"},
                                                       {"extended_key_usages: []", "extended_key_usage"},
                                                       {"subject_alt_names: []", "subject_alt_name"},
                                                       {"certtype: user", "certType"}};
  for (const auto& [line, meant] : cases) {
    const auto found = findings_of(kUse + line + "\n");
    ASSERT_GE(found.size(), 1U) << line;
    EXPECT_NE(found[0].find(":2:1: "), std::string::npos) << found[0];
    EXPECT_NE(found[0].find(std::string("did you mean \"") + meant + "\"?"), std::string::npos) << found[0];
  }
}

/// The address that uPKI's file names is where chancery.xml serves the realm.
TEST(Dialects, HostAndPortAreHeldAgainstTheEndpoints) {
  const std::string xml = R"(<chancery run-directory="run">
  <realms directory="realms"/>
  <front-ends><front-end name="zmq" program="chancery-zmq" realms="*" roles="frontend"/></front-ends>
  <zmq><endpoint address="127.0.0.1" port="5000" realm="default"/></zmq>
</chancery>
)";
  const auto said = [&](const std::string& more) {
    const Place place;
    place.write("chancery.xml", xml);
    place.write("realms/default/ca.config.yml", "key_unencrypted: true\n" + more);
    std::vector<std::string> errors;
    for (const auto& finding : place.load().findings) {
      if (finding.path == "host" || finding.path == "port") errors.push_back(finding.message);
    }
    return errors;
  };
  EXPECT_TRUE(said("host: 127.0.0.1\nport: 5000\n").empty());
  EXPECT_TRUE(said("port: 5000\n").empty());
  EXPECT_EQ(said("host: 127.0.0.1\nport: 5001\n"),
            std::vector<std::string>{
                "found 127.0.0.1 port 5001, but chancery.xml serves this realm at 127.0.0.1 port 5000, expected them "
                "to agree: change one of them, or leave host and port out here"});
  EXPECT_EQ(said("host: 127.0.0.2\n").size(), 1U);
}

/// What `init` of uPKI writes, with what it keeps in clear taken out.
TEST(Dialects, AFileAsUpkiWritesItLoads) {
  const Place place;
  place.write("realms/default/ca.config.yml", R"(key_unencrypted: true
company: "Company Name"
domain: "example.com"
host: "127.0.0.1"
port: 5000
clients: "all"
password: null
seed: null
key_type: rsa
key_length: 4096
digest: sha256
crl_validity: 7
)");
  const auto loaded = place.load();
  ASSERT_TRUE(loaded.snapshot) << testing::lines(loaded.findings);
  const auto& realm = *loaded.snapshot->realms[0];
  EXPECT_EQ(realm.key, (base::KeySpec{Kind::Rsa, 4096}));
  EXPECT_EQ(realm.crl_validity, std::chrono::days{7});
}

}  // namespace
}  // namespace chancery::config
