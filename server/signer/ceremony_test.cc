#include "server/signer/ceremony.h"
#include "server/signer/ceremony_cas.h"
#include "server/signer/ceremony_plan.h"
#include "server/signer/transcript.h"

#include <gtest/gtest.h>

namespace chancery::signer {
namespace {

const std::string kHead = "title: Ours\ndirectory: /media/ours\n";
const std::string kRootCa = "root:\n  realm: root\n  subject: /O=Ours/CN=Root\n  days: 7300\n";

/// A realm below the root that may have further CAs: rows of six blanks, and deeper, follow.
const std::string kRealm = "issuing:\n  - realm: x\n    subject: /CN=x\n    days: 100\n    cas:\n";
const std::string kFurther = kHead + kRootCa + kRealm;

struct Case {
  const char* name;
  std::string plan;
  std::string says;
};
const Case kBadPlans[] = {
    {"nothing", "", "found no"},
    {"no YAML", "title: [", "plan.yml:"},
    {"no map", "- a\n", "expected settings below it"},
    {"no title", "directory: /x\n" + kRootCa, "found no title"},
    {"no directory", "title: x\n" + kRootCa, "found no directory"},
    {"a relative directory", "title: x\ndirectory: here\n" + kRootCa, "expected an absolute path"},
    {"no root", kHead, "found no root"},
    {"an unknown name", kHead + kRootCa + "  keys: 1\n", "did you mean \"key\"?"},
    {"a name twice", kHead + kRootCa + "  days: 3\n", "days"},
    {"no subject", kHead + "root:\n  realm: root\n", "found no subject"},
    {"a bad subject", kHead + "root:\n  realm: root\n  subject: CN=x\n", "subject"},
    {"a weak key", kHead + kRootCa + "  key: rsa:1024\n", "key"},
    {"too long", kHead + "root:\n  realm: root\n  subject: /CN=x\n  days: 40000\n", "days"},
    {"two ways to keep the key", kHead + kRootCa + "  unencrypted: true\n  shares: 3\n  threshold: 2\n", "expected one way"},
    {"shares without a threshold", kHead + kRootCa + "  shares: 3\n", "expected both"},
    {"a threshold above the shares", kHead + kRootCa + "  shares: 3\n  threshold: 4\n", "at most the 3"},
    {"a realm's name that climbs", kHead + "root:\n  realm: ../x\n  subject: /CN=x\n", "realm"},
    {"a root among the shares", kHead + "root:\n  realm: shares\n  subject: /CN=x\n", "the shares go there"},
    {"an issuing CA among the shares", kHead + kRootCa + "issuing:\n  - {realm: shares, subject: /CN=x, days: 10}\n",
     "the shares go there"},
    {"issuing CAs that are no list", kHead + kRootCa + "issuing:\n  realm: x\n", "found no list"},
    {"CRLs of no time", kHead + kRootCa + "  crl_days: 0\n", "from 1 to 366"},
    {"CRLs of years", kHead + kRootCa + "  crl_days: 367\n", "from 1 to 366"},
    {"CRLs beyond the root", kHead + "root:\n  realm: root\n  subject: /CN=x\n  days: 100\n  crl_days: 200\n",
     "expected at most those of the root, 100"},
    {"CRLs of an issuing CA", kHead + kRootCa + "issuing:\n  - {realm: x, subject: /CN=x, days: 10, crl_days: 5}\n",
     "the root alone"},
    {"one realm twice", kHead + kRootCa + "issuing:\n  - {realm: root, subject: /CN=x, days: 10}\n", "a second time"},
    {"one that outlives the root", kHead + kRootCa + "issuing:\n  - {realm: x, subject: /CN=x, days: 7301}\n",
     "at most the root's 7300"},
    {"the root's own name", kHead + kRootCa + "issuing:\n  - {realm: x, subject: /O=Ours/CN=Root, days: 10}\n",
     "found /O=Ours/CN=Root a second time"},
    {"the root's name in other letters", kHead + kRootCa + "issuing:\n  - {realm: x, subject: \"/O= ours /CN=ROOT\", days: 10}\n",
     "a second time"},
    {"one name of two issuing CAs",
     kHead + kRootCa + "issuing:\n  - {realm: x, subject: /CN=x, days: 10}\n  - {realm: other, subject: /CN=X, days: 10}\n",
     "issuing[1].subject: found /CN=X a second time"},
    {"below a root that has none below",
     kHead + kRootCa + "  path_length: 0\nissuing:\n  - {realm: x, subject: /CN=x, days: 10}\n", "path_length is 0"},
    {"as deep as the root",
     kHead + kRootCa + "  path_length: 1\nissuing:\n  - {realm: x, subject: /CN=x, days: 10, path_length: 1}\n", "expected less"},
    {"further CAs that are no map", kFurther + "      - tls\n", "expected settings below it"},
    {"a further CA called as the first one", kFurther + "      ca: {subject: /CN=y, days: 10}\n", "the realm's first CA"},
    {"one called as a generation", kFurther + "      tls-2: {subject: /CN=y, days: 10}\n", "which is a generation"},
    {"one twice", kFurther + "      tls: {subject: /CN=y, days: 10}\n      tls: {subject: /CN=z, days: 10}\n", "tls"},
    {"one without a name", kFurther + "      tls: {days: 10}\n", "found no subject of CA tls"},
    {"one with an unknown setting", kFurther + "      tls: {subject: /CN=y, dais: 10}\n", "did you mean \"days\"?"},
    {"one with a weak key", kFurther + "      tls: {subject: /CN=y, days: 10, key: rsa:1024}\n", "key"},
    {"one of another purpose", kFurther + "      tls: {subject: /CN=y, days: 10, purpose: tsa}\n", "purpose"},
    {"one with a passphrase of its own", kFurther + "      tls: {subject: /CN=y, days: 10, passphrase_file: /x}\n",
     "one secret opens all keys"},
    {"one with shares of its own", kFurther + "      tls: {subject: /CN=y, days: 10, shares: 3, threshold: 2}\n",
     "found threshold of a further CA"},
    {"one that outlives the root", kFurther + "      tls: {subject: /CN=y, days: 7301}\n", "at most the root's 7300"},
    {"one that outlives its issuer",
     kFurther +
         "      policy: {purpose: root, subject: /CN=p, days: 50}\n      tls: {issuer: policy, subject: /CN=y, days: 51}\n",
     "at most that of CA policy 50"},
    {"one as deep as its issuer",
     kFurther + "      policy: {purpose: root, subject: /CN=p, days: 50, path_length: 1}\n"
                "      tls: {issuer: policy, subject: /CN=y, days: 10, path_length: 1}\n",
     "expected less than that of CA policy, which is 1"},
    {"one of unlimited depth below a limited root",
     kHead + kRootCa +
         "  path_length: 2\nissuing:\n  - realm: x\n    subject: /CN=x\n    days: 10\n    path_length: 0\n    cas:\n"
         "      tls: {subject: /CN=y, days: 10}\n",
     "found no path_length, expected less than the root's, which is 2"},
    {"one in a token", kFurther + "      tls: {subject: /CN=y, days: 10, key_store: pkcs11}\n",
     "found key_store of a planned CA"},
    {"a root of nobody", kFurther + "      policy: {purpose: root, subject: /CN=y, days: 10, path_length: 0}\n",
     "found 0 of a CA that certifies others"},
    {"one of no said time below a shorter root",
     kHead + "root:\n  realm: root\n  subject: /CN=r\n  days: 100\nissuing:\n  - {realm: x, subject: /CN=x}\n",
     "found no days, which means 3650, expected at most the root's 100"},
    {"an issuer that is not there", kFurther + "      tls: {issuer: policy, subject: /CN=y, days: 10}\n", "purpose is root"},
    {"an issuer that issues",
     kFurther + "      one: {subject: /CN=p, days: 50}\n      tls: {issuer: one, subject: /CN=y, days: 10}\n", "expected a root"},
    {"a root with an issuer",
     kFurther + "      one: {purpose: root, subject: /CN=p, days: 50}\n      two: {purpose: root, issuer: one, subject: /CN=y, "
                "days: 10}\n",
     "found an issuer of a root"},
    {"a profile that no realm has", kFurther + "      tls: {subject: /CN=y, days: 10, profiles: [sever]}\n", "unknown profile"},
    {"a profile of two CAs",
     kFurther +
         "      one: {subject: /CN=y, days: 10, profiles: [server]}\n      two: {subject: /CN=z, days: 10, profiles: [server]}\n",
     "expected it at one CA"},
    {"the name of another CA", kFurther + "      tls: {subject: /CN=x, days: 10}\n", "a second time"},
    {"one URL for two CAs", kFurther + "      tls: {subject: /CN=y, days: 10, crl_urls: [\"http://ca.example/crl\"]}\n",
     "where the name of CA tls is to stand"},
    {"the realm's URL for two CAs",
     kHead + kRootCa +
         "issuing:\n  - realm: x\n    subject: /CN=x\n    days: 10\n    ca_issuer_urls: [\"http://ca.example/crt\"]\n"
         "    cas:\n      tls: {subject: /CN=y, days: 10}\n",
     "issuing[0].ca_issuer_urls"},
    {"a validity of a CA", kFurther + "      tls: {subject: /CN=y, days: 10, validity: 5d}\n", "expected days"},
    {"days of a service", kFurther + "      va: {purpose: ocsp, days: 10}\n", "expected validity"},
    {"two responders of one CA", kFurther + "      va: {purpose: ocsp}\n      vb: {purpose: ocsp}\n", "a second OCSP responder"},
    {"a service of no CA", kFurther + "      va: {purpose: ocsp, issuer: none}\n", "expected ca, or another CA below cas"},
    {"a CA in the root's realm", kHead + kRootCa + "  cas:\n    tls: {subject: /CN=y, days: 10}\n", "the root's stays offline"},
    {"two profiles of one name at the root",
     kFurther + "      y-z: {subject: /CN=y, days: 10}\n  - realm: x-y\n    subject: /CN=xy\n    days: 10\n    cas:\n"
                "      z: {subject: /CN=z, days: 10}\n",
     "ca-x-y-z, which another one of the plan has"},
    {"a name too long for its profile", kFurther + "      " + std::string(62, 'a') + ": {subject: /CN=y, days: 10}\n",
     "expected shorter names"},
};

TEST(CeremonyPlan, RefusesWhatDoesNotHoldWithItsPlace) {
  for (const auto& c : kBadPlans) {
    const auto plan = parse_plan(c.plan, "plan.yml");
    ASSERT_FALSE(plan.ok()) << c.name;
    EXPECT_EQ(plan.error().code(), Code::BadConfig) << c.name;
    EXPECT_NE(plan.error().message().find(c.says), std::string::npos) << c.name << ": " << plan.error().message();
    EXPECT_EQ(plan.error().message().find("plan.yml:"), 0U) << c.name;
  }
}

TEST(CeremonyPlan, SaysWhatWillBeDone) {
  const auto plan = parse_plan(kHead + kRootCa +
                                   "  shares: 3\n  threshold: 2\n  crl_urls: [\"http://ca.example/a\", "
                                   "\"http://ca.example/b\"]\nissuing:\n  - realm: default\n    subject: /CN=Issuing\n    "
                                   "key: ec:P-256\n    days: 1825\n    ca_issuer_urls: [\"http://ca.example/crt\"]\n",
                               "plan.yml");
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  const auto acts = acts_of(*plan);
  ASSERT_EQ(acts.size(), 4U);
  EXPECT_EQ(
      acts[0],
      "realm root: root CA /O=Ours/CN=Root, key ec:P-384, 7300 days; its key is kept in 3 shares, 2 of which open it; CRL at "
      "http://ca.example/a, http://ca.example/b; no URL of its certificate");
  EXPECT_EQ(acts[1],
            "realm default: issuing CA /CN=Issuing, key ec:P-256, 1825 days; its key is kept with a new passphrase in the file "
            "passphrase of its directory; no CRL URL; its certificate at http://ca.example/crt; certified by root");
  EXPECT_EQ(acts[2], "realm root: its first CRL, good for as long as crl_validity says by itself");
  const auto with_days = parse_plan(kHead + kRootCa + "  crl_days: 200\n", "plan.yml");
  EXPECT_EQ(acts_of(*with_days).at(1), "realm root: its first CRL, good for 200 days");
  EXPECT_EQ(plan->sha256.size(), 64U);
  EXPECT_NE(parse_plan(plan->text + "#\n", "x")->sha256, plan->sha256);  // one that was reviewed, to the octet
}

TEST(CeremonyPlan, SaysWhatWillBeDoneOfFurtherCas) {
  const auto plan = parse_plan(
      kHead + kRootCa + "  unencrypted: true\n  cas:\n    va: {purpose: ocsp, validity: 366d}\n" + kRealm +
          "      tls: {issuer: policy, subject: /CN=TLS, key: ec:P-256, days: 40, path_length: 0, profiles: [server, webapp]}\n"
          "      policy: {purpose: root, subject: /CN=Policy, days: 50}\n"
          "      scep: {purpose: ra, issuer: tls}\n",
      "plan.yml");
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  const auto acts = acts_of(*plan);
  ASSERT_EQ(acts.size(), 8U);
  EXPECT_EQ(acts[1],
            "realm root: service va, purpose ocsp, key ec:P-384, 366d; its key is kept without a passphrase; certified by CA ca");
  EXPECT_EQ(acts[3],
            "realm x: further CA policy, purpose root, /CN=Policy, key ec:P-384, 50 days; its key is kept as the realm's; no CRL "
            "URL; no URL of its certificate; certified by root");
  EXPECT_EQ(
      acts[4],
      "realm x: further CA tls, purpose issuing, /CN=TLS, key ec:P-256, 40 days, path length 0; profiles server, webapp; its "
      "key is kept as the realm's; no CRL URL; no URL of its certificate; certified by CA policy");
  EXPECT_EQ(
      acts[5],
      "realm x: service scep, purpose ra, key rsa:3072, 30d; its key is kept with the realm's passphrase; certified by CA tls");
}

TEST(CeremonyPlan, WritesFurtherCasAsTheConfigurationHasThem) {
  const auto plan = parse_plan(
      kFurther + "      tls: {subject: /CN=TLS, days: 40, profiles: [server]}\n      va: {purpose: ocsp}\n", "plan.yml");
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_EQ(
      settings_of_cas(plan->issuing.at(0)),
      "cas:\n  tls:\n    purpose: issuing\n    subject: \"/CN=TLS\"\n    profiles: [\"server\"]\n  va:\n    purpose: ocsp\n");
  EXPECT_EQ(settings_of_cas(plan->root), "");
}

TEST(CeremonyImport, TakesNoRealmFromAmongTheShares) {
  ImportOrder order;
  order.creation.realm = kSharesDirectory;
  const auto taken = import_ceremony(order, std::string(64, 'a'), Seconds{});
  ASSERT_FALSE(taken.ok());
  EXPECT_NE(taken.error().message().find("puts its shares"), std::string::npos) << taken.error().message();
}

const std::string kDigest(64, 'a');
const ListedFile kKey{"root/ca.key", kDigest, 0600};
const ListedFile kPlanItself{kPlanFile, kDigest, 0644};
const ListedFile kOther{"other/ca.key", kDigest, 0600};
const ListedFile kShare{"shares/root-share-1.txt", kDigest, 0600};

TEST(Transcript, IsReadAsItWasWritten) {
  Transcript transcript;
  transcript.head("title", "a\nfiles:\nforged");  // a line of its own it does not get
  transcript.head("plan", "SHA-256 " + kDigest);
  transcript.act(Seconds{}, "made\nfiles:");
  const auto text = transcript.text({kPlanItself, kKey});
  const auto read = parse_transcript(text);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->plan_sha256, kDigest);
  EXPECT_EQ(read->files, (std::vector<ListedFile>{kPlanItself, kKey}));
}

TEST(Transcript, RefusesWhatIsNone) {
  const std::string head = "plan: SHA-256 " + kDigest + "\nfiles:\n";
  const std::string bad[] = {"",
                             "files:\n",
                             head,
                             head + "short  0600  a\n",
                             head + kDigest + "  0800  a\n",
                             head + kDigest + "  0600  ../a\n",
                             head + kDigest + "  0600  /a\n",
                             head + kDigest + "  0600  a/../b\n",
                             head + kDigest + "  77777  a\n",
                             head + kDigest + "  0600  \n",
                             "files:\n" + kDigest + "  0600  a\n"};
  for (const auto& text : bad) EXPECT_FALSE(parse_transcript(text).ok()) << text;
}

TEST(Transcript, HoldsWhatIsThereAgainstTheList) {
  const std::vector<ListedFile> listed{kPlanItself, kKey, kOther, kShare};
  EXPECT_TRUE(check_files(listed, listed, "root").ok());
  EXPECT_TRUE(check_files(listed, {kPlanItself, kKey}, "root").ok());  // the shares are given away, the other realm is elsewhere
  EXPECT_FALSE(check_files(listed, {kPlanItself, kOther}, "root").ok());
  EXPECT_FALSE(check_files(listed, {kKey}, "root").ok());
  auto changed = kOther;
  changed.sha256[0] = 'b';
  EXPECT_FALSE(check_files(listed, {kPlanItself, kKey, changed}, "root").ok());
  EXPECT_FALSE(check_files(listed, {kPlanItself, kKey, {"root/more", kDigest, 0600}}, "root").ok());
}

}  // namespace
}  // namespace chancery::signer
