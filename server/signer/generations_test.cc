#include "server/signer/generations.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "server/signer/testing.h"
#include "server/x509/csr.h"

namespace chancery::signer {
namespace {

constexpr const char* kCas =
    "cas:\n  tls:\n    profiles: [server]\n    issuer: top\n  top:\n    purpose: root\n  own:\n    key: ec:P-384\n";

/// A realm with what more its ca.config.yml says.
class Office : public TestRealm {
 public:
  explicit Office(const std::string& more = {}, const std::string& subject = {}) {
    create_unencrypted(subject);
    write("ca.config.yml", read("ca.config.yml") + more);
    open();
  }
  GenerationInfo info(const std::string& ca) const {
    for (const auto& one : issuer->generations()) {
      if (one.ca == ca) return one;
    }
    ADD_FAILURE() << "no generation " << ca;
    return {};
  }
  x509::Certificate certificate(const std::string& ca) const {
    return x509::Certificate::from_pem_chain(info(ca).chain)->front();
  }
  /// From nothing to a new generation that issues.
  void roll(const std::string& from, const std::string& to) {
    ASSERT_TRUE(issuer->create_generation({to, "self"}, kNow).ok());
    ASSERT_TRUE(issuer->cross_sign(to, kNow).ok());
    ASSERT_TRUE(issuer->set_generation(to, "active", "unix:alice", kNow).ok());
    ASSERT_TRUE(issuer->set_generation(from, "draining", "unix:alice", kNow).ok());
  }
};

SignRequest request(const std::string& ca, int number = 1, const char* profile = "server") {
  auto one = leaf_request(number, std::chrono::days{29});
  one.profile = ProfileName::parse(profile).value();
  one.ca = ca;
  return one;
}

CrlRequest crl(const std::string& ca, std::uint64_t number, std::vector<x509::RevokedEntry> entries = {}) {
  return {number, kNow, kNow + std::chrono::hours{24}, std::move(entries), "upkeep", ca};
}

Code code_of(const Status& status) { return status.ok() ? Code::Internal : status.error().code(); }
template <class T>
Code code_of(const Result<T>& result) {
  return result.ok() ? Code::Internal : result.error().code();
}

TEST(Generations, TheNewOneIssuesAfterTheSwitchAndTheOldOneNoMore) {
  Office office;
  ASSERT_TRUE(office.issuer->create_generation({"ca-2", "self"}, kNow).ok());
  EXPECT_EQ(code_of(office.issuer->sign_certificate(request("ca-2"), kNow)), Code::Conflict);  // not yet
  EXPECT_TRUE(office.issuer->sign_certificate(request("ca"), kNow).ok());
  ASSERT_TRUE(office.issuer->set_generation("ca-2", "active", "unix:alice", kNow).ok());
  ASSERT_TRUE(office.issuer->set_generation("ca", "draining", "unix:alice", kNow).ok());
  for (int i = 0; i < 2; ++i) {  // also after a start
    EXPECT_EQ(code_of(office.issuer->sign_certificate(request("ca", 2), kNow)), Code::Conflict);
    const auto made = office.issuer->sign_certificate(request("ca-2", 3), kNow);
    ASSERT_TRUE(made.ok()) << made.error().message();
    const auto certificate = x509::Certificate::from_der(made->certificate).value();
    EXPECT_TRUE(certificate.verify_signed_by(office.certificate("ca-2")).ok());
    EXPECT_FALSE(certificate.verify_signed_by(office.certificate("ca")).ok());
    office.open();
  }
}

TEST(Generations, C5_SerialsAreTheRealmsAndARepetitionIsTheCertificateOfBefore) {
  Office office;
  auto before = request("ca", 1);
  before.idempotency_key = "once";
  const auto first = office.issuer->sign_certificate(before, kNow).value();
  office.roll("ca", "ca-2");
  auto after = request("ca-2", 2);
  after.idempotency_key = "once";
  const auto again = office.issuer->sign_certificate(after, kNow).value();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.certificate, first.certificate);
  EXPECT_EQ(code_of(office.issuer->sign_certificate(request("ca-2", 1), kNow)), Code::Exists);
}

TEST(Generations, EachHasItsOwnCrl) {
  Office office;
  office.roll("ca", "ca-2");
  EXPECT_TRUE(office.issuer->sign_crl(crl("ca", 5), kNow).ok());
  EXPECT_TRUE(office.issuer->sign_crl(crl("ca-2", 1), kNow).ok());
  EXPECT_EQ(code_of(office.issuer->sign_crl(crl("ca", 5), kNow)), Code::Conflict);
  EXPECT_EQ(office.issuer->authority("ca")->last_crl_number, 5U);
  EXPECT_EQ(office.issuer->authority("ca-2")->last_crl_number, 1U);
  office.open();
  const auto second = office.issuer->sign_crl(crl("ca-2", 2), kNow).value();
  EXPECT_EQ(office.issuer->authority("ca")->last_crl_number, 5U);
  EXPECT_TRUE(x509::Crl::from_der(second.crl)->verify_signed_by(office.certificate("ca-2")).ok());
  EXPECT_EQ(code_of(office.issuer->publish_crl(second.crl, "ca")), Code::BadProof);
  ASSERT_TRUE(office.issuer->publish_crl(second.crl, "ca-2").ok());
  EXPECT_TRUE(std::filesystem::exists(office.in("cas/ca-2/crl.pem")));
  EXPECT_FALSE(std::filesystem::exists(office.in("crl.pem")));
}

TEST(Generations, ACrlListsNoSerialOfAnother) {
  Office office;
  ASSERT_TRUE(office.issuer->sign_certificate(request("ca", 1), kNow).ok());
  office.roll("ca", "ca-2");
  const x509::RevokedEntry entry{request("ca", 1).serial, kNow, 0};
  EXPECT_EQ(code_of(office.issuer->sign_crl(crl("ca-2", 1, {entry}), kNow)), Code::PolicyRefused);
  EXPECT_TRUE(office.issuer->sign_crl(crl("ca", 1, {entry}), kNow).ok());
  office.open();
  EXPECT_EQ(code_of(office.issuer->sign_crl(crl("ca-2", 1, {entry}), kNow)), Code::PolicyRefused);
}

TEST(Generations, CrossCertificatesLeadBothWays) {
  Office office;
  office.roll("ca", "ca-2");
  const auto old_root = office.certificate("ca");
  const auto new_root = office.certificate("ca-2");
  const auto info = office.info("ca-2");
  const auto new_with_old = x509::Certificate::from_pem(info.new_with_old).value();
  const auto old_with_new = x509::Certificate::from_pem(info.old_with_new).value();
  EXPECT_TRUE(new_with_old.verify_signed_by(old_root).ok());
  EXPECT_TRUE(old_with_new.verify_signed_by(new_root).ok());
  EXPECT_TRUE(new_with_old.public_key() == new_root.public_key());
  EXPECT_TRUE(std::ranges::equal(old_with_new.subject_der(), old_root.subject_der()));
  EXPECT_TRUE(std::ranges::equal(old_with_new.subject_key_id(), old_root.subject_key_id()));
  EXPECT_LE(new_with_old.not_after(), old_root.not_after());
  ASSERT_TRUE(office.issuer->cross_sign("ca-2", kNow).ok());  // once more changes nothing
  EXPECT_EQ(office.info("ca-2"), info);
}

TEST(Generations, WhatAnInterruptedAttemptLeftIsTakenUp) {
  Office office;
  ASSERT_TRUE(make_generation_key(*office.realm, "ca-2", nullptr).ok());  // killed behind the key
  const auto left = base::read_file(office.in("cas/ca-2/ca.key"), 65536).value();
  office.open();
  ASSERT_TRUE(office.issuer->create_generation({"ca-2", "self"}, kNow).ok());
  EXPECT_EQ(base::read_file(office.in("cas/ca-2/ca.key"), 65536).value(), left);
  const auto made = office.certificate("ca-2").fingerprint_hex();
  ASSERT_TRUE(office.issuer->create_generation({"ca-2", "self"}, kNow).ok());  // killed before the store heard of it
  EXPECT_EQ(office.certificate("ca-2").fingerprint_hex(), made);
  std::filesystem::remove(office.in("cas/ca-2/ca.crt"));  // killed behind the journal
  ASSERT_TRUE(office.try_open().ok());
  EXPECT_TRUE(office.info("ca-2").chain.empty());
  EXPECT_EQ(code_of(office.issuer->set_generation("ca-2", "active", "a", kNow)), Code::Unavailable);
  ASSERT_TRUE(office.issuer->create_generation({"ca-2", "self"}, kNow).ok());
  EXPECT_EQ(base::read_file(office.in("cas/ca-2/ca.key"), 65536).value(), left);
  ASSERT_TRUE(office.issuer->set_generation("ca-2", "active", "a", kNow).ok());
  std::filesystem::remove(office.in("cas/ca-2/ca.crt"));
  EXPECT_FALSE(office.try_open().ok());  // one that issues has to have it
}

struct Refused {
  const char* name;
  NewGeneration wanted;
  Code want;
};
const Refused kRefused[] = {
    {"no CA of the realm", {"gone-1", "self"}, Code::NotFound},
    {"the generation that issues", {"ca", "self"}, Code::Conflict},
    {"no name of a generation", {"../evil", "self"}, Code::Malformed},
    {"a number without a name", {"-2", "self"}, Code::Malformed},
    {"nobody who certifies", {"ca-2", "heaven"}, Code::Malformed},
    {"a root that is not there", {"tls-1", "root"}, Code::Unavailable},
    {"a number far ahead", {"ca-102", "self"}, Code::Conflict},
    {"the last number of all", {"ca-2147483647", "self"}, Code::Conflict},
    {"a first one far ahead", {"own-101", "self"}, Code::Conflict},
};

TEST(Generations, WhatIsNotMade) {
  Office office(kCas);
  for (const auto& one : kRefused) EXPECT_EQ(code_of(office.issuer->create_generation(one.wanted, kNow)), one.want) << one.name;
  ASSERT_TRUE(office.issuer->create_generation({"ca-3", "self"}, kNow).ok());
  EXPECT_EQ(code_of(office.issuer->create_generation({"ca-2", "self"}, kNow)), Code::Conflict);  // behind the newest
}

TEST(Generations, NoStateIsSkippedOrTakenBack) {
  Office office;
  const auto set = [&](const char* ca, const char* state) {
    return code_of(office.issuer->set_generation(ca, state, "unix:alice", kNow));
  };
  EXPECT_EQ(set("ca-2", "active"), Code::NotFound);
  EXPECT_EQ(set("ca", "retired"), Code::Conflict);
  EXPECT_EQ(set("ca", "aborted"), Code::Conflict);
  EXPECT_EQ(set("ca", "splendid"), Code::Malformed);
  EXPECT_EQ(set("ca", "draining"), Code::Conflict);  // nobody would issue
  ASSERT_TRUE(office.issuer->create_generation({"ca-2", "self"}, kNow).ok());
  EXPECT_EQ(set("ca", "draining"), Code::Conflict);  // the next one does not, yet
  office.roll("ca", "ca-2");
  EXPECT_EQ(set("ca", "active"), Code::Conflict);
  EXPECT_EQ(set("ca-2", "aborted"), Code::Conflict);
  EXPECT_EQ(set("ca", "draining"), Code::Internal);  // it is, already
  EXPECT_EQ(set("ca", "retired"), Code::Internal);
  EXPECT_EQ(code_of(office.issuer->sign_crl(crl("ca", 1), kNow)), Code::Conflict);
  office.open();
  EXPECT_EQ(code_of(office.issuer->sign_crl(crl("ca", 1), kNow)), Code::Conflict);
}

TEST(Generations, AnOutsideCaCertifiesOne) {
  Office office;
  ASSERT_TRUE(office.issuer->create_generation({"ca-2", "request"}, kNow).ok());
  const auto waiting = office.info("ca-2");
  EXPECT_TRUE(waiting.chain.empty());
  const auto csr = x509::Csr::from_pem(waiting.request).value();
  EXPECT_TRUE(csr.verify_possession().ok());
  EXPECT_EQ(csr.subject(), office.certificate("ca").subject());
  EXPECT_EQ(code_of(office.issuer->set_generation("ca-2", "active", "a", kNow)), Code::Unavailable);
  EXPECT_EQ(code_of(office.issuer->cross_sign("ca-2", kNow)), Code::Unavailable);
  EXPECT_EQ(code_of(office.issuer->import_certificate(office.info("ca").chain, kNow, "ca-2")), Code::BadConfig);  // another key
  EXPECT_EQ(code_of(office.issuer->import_certificate("junk", kNow, "ca-2")), Code::Malformed);
  EXPECT_EQ(code_of(office.issuer->import_certificate(office.info("ca").chain, kNow, "ca-9")), Code::NotFound);
}

TEST(Generations, FurtherCasIssueTheirProfilesBelowTheRealmsRoot) {
  Office office(kCas);
  for (const auto& wanted : {NewGeneration{"top-1", "self"}, NewGeneration{"own-1", "self"}}) {
    const auto made = office.issuer->create_generation(wanted, kNow);
    ASSERT_TRUE(made.ok()) << made.error().message();
    ASSERT_TRUE(office.issuer->set_generation(wanted.ca, "active", "unix:alice", kNow).ok());
  }
  ASSERT_TRUE(office.issuer->create_generation({"tls-1", "root"}, kNow).ok());
  ASSERT_TRUE(office.issuer->set_generation("tls-1", "active", "unix:alice", kNow).ok());
  EXPECT_TRUE(office.certificate("tls-1").verify_signed_by(office.certificate("top-1")).ok());
  EXPECT_EQ(base::to_text(office.certificate("own-1").public_key().spec()), "ec:P-384");
  EXPECT_TRUE(office.issuer->sign_certificate(request("tls-1", 1), kNow).ok());
  EXPECT_TRUE(office.issuer->sign_certificate(request("own-1", 2, "user"), kNow).ok());
  EXPECT_EQ(code_of(office.issuer->sign_certificate(request("tls-1", 3, "user"), kNow)), Code::PolicyRefused);
  EXPECT_EQ(code_of(office.issuer->sign_certificate(request("top-1", 4), kNow)), Code::PolicyRefused);
  EXPECT_EQ(code_of(office.issuer->sign_certificate(request("tls-2", 5), kNow)), Code::NotFound);
  auto long_one = request("tls-1", 6);
  long_one.not_after = office.certificate("tls-1").not_after() + std::chrono::seconds{1};
  EXPECT_EQ(code_of(office.issuer->sign_certificate(long_one, kNow)), Code::PolicyRefused);
  auto own_key = request("tls-1", 7);
  const auto key = office.certificate("own-1").public_key();
  own_key.spki = Bytes(key.spki().begin(), key.spki().end());
  EXPECT_FALSE(office.issuer->sign_certificate(own_key, kNow).ok());
}

TEST(Generations, AFurtherCaIsWhoseTheFirstOneIs) {
  const std::pair<const char*, const char*> kCases[] = {{"", "/O=Ours/CN=default own CA"},
                                                        {"company: Theirs\n", "/O=Theirs/CN=default own CA"}};
  for (const auto& [company, subject] : kCases) {
    const Office office(std::string(company) + kCas, "/C=FR/O=Ours/CN=First");
    ASSERT_TRUE(office.issuer->create_generation({"own-1", "self"}, kNow).ok());
    EXPECT_EQ(office.certificate("own-1").subject().to_slash(), subject);
  }
  const Office nameless(kCas, "/CN=First");
  ASSERT_TRUE(nameless.issuer->create_generation({"own-1", "self"}, kNow).ok());
  EXPECT_EQ(nameless.certificate("own-1").subject().to_slash(), "/CN=default own CA");
}

TEST(Generations, AWrongKeyOrNoneKeepsTheRealmFromStarting) {
  Office office;
  office.roll("ca", "ca-2");
  const auto key = office.in("cas/ca-2/ca.key");
  const auto saved = base::read_file(key, 65536).value();
  const auto other = base::read_file(office.in("ca.key"), 65536).value();
  ASSERT_TRUE(base::replace_file(key, base::as_bytes(other), 0600).ok());
  const auto wrong = office.try_open();
  EXPECT_EQ(code_of(wrong), Code::BadConfig);
  std::filesystem::remove(key);
  EXPECT_EQ(code_of(office.try_open()), Code::NotFound);
  ASSERT_TRUE(base::replace_file(key, base::as_bytes(saved), 0600).ok());
  EXPECT_TRUE(office.try_open().ok());
}

TEST(Generations, AnOldOneThatHasExpiredKeepsNobodyFromStarting) {
  Office office;
  office.roll("ca", "ca-2");
  ASSERT_TRUE(office.issuer->set_generation("ca", "retired", "unix:alice", kNow).ok());
  std::filesystem::remove(office.in("ca.crt"));
  EXPECT_TRUE(office.try_open().ok());
}

TEST(Generations, AnExpiredFurtherCaKeepsNobodyFromStarting) {
  Office office(std::string("ca_validity: 60d\n") + kCas);
  for (const auto& wanted : {NewGeneration{"top-1", "self"}, NewGeneration{"own-1", "self"}, NewGeneration{"tls-1", "root"}}) {
    ASSERT_TRUE(office.issuer->create_generation(wanted, kNow).ok());
    ASSERT_TRUE(office.issuer->set_generation(wanted.ca, "active", "unix:alice", kNow).ok());
  }
  ASSERT_TRUE(office.issuer->create_generation({"own-2", "self"}, kNow).ok());
  const auto later = kNow + std::chrono::days{61};
  const auto opened = office.try_open(later);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  const auto at_later = [&](const char* ca, int number) {
    auto wanted = request(ca, number);
    wanted.not_before = later;
    wanted.not_after = later + std::chrono::days{29};
    return office.issuer->sign_certificate(wanted, later);
  };
  const auto made = at_later("ca", 1);
  EXPECT_TRUE(made.ok()) << made.error().message();
  EXPECT_EQ(code_of(at_later("own-1", 2)), Code::PolicyRefused);
  EXPECT_EQ(code_of(at_later("tls-1", 3)), Code::PolicyRefused);
  EXPECT_EQ(code_of(office.issuer->create_generation({"tls-2", "root"}, later)), Code::Unavailable);
  EXPECT_TRUE(office.issuer->set_generation("own-2", "aborted", "unix:alice", later).ok());
  const auto file = office.in("cas/own-1/ca.crt");  // expired, and of another key
  ASSERT_TRUE(base::replace_file(file, base::as_bytes(office.info("top-1").chain), 0644).ok());
  EXPECT_EQ(code_of(office.try_open(later)), Code::BadConfig);
}

TEST(Generations, C5_ARepetitionIsOfTheSameCaWhicheverGenerationSigns) {
  Office office(kCas);
  for (const auto* ca : {"own-1", "top-1"}) {
    ASSERT_TRUE(office.issuer->create_generation({ca, "self"}, kNow).ok());
    ASSERT_TRUE(office.issuer->set_generation(ca, "active", "unix:alice", kNow).ok());
  }
  ASSERT_TRUE(office.issuer->create_generation({"tls-1", "root"}, kNow).ok());
  ASSERT_TRUE(office.issuer->set_generation("tls-1", "active", "unix:alice", kNow).ok());
  auto wanted = request("own-1", 1);
  wanted.idempotency_key = "once";
  const auto first = office.issuer->sign_certificate(wanted, kNow).value();
  office.roll("own-1", "own-2");
  wanted = request("own-2", 2);
  wanted.idempotency_key = "once";
  EXPECT_EQ(office.issuer->sign_certificate(wanted, kNow)->certificate, first.certificate);
  for (const auto* other : {"tls-1", "ca"}) {
    wanted = request(other, 3);
    wanted.idempotency_key = "once";
    EXPECT_EQ(code_of(office.issuer->sign_certificate(wanted, kNow)), Code::Conflict) << other;
  }
}

CrlRequest crl_at(const std::string& ca, std::uint64_t number, Seconds at) {
  return {number, at, at + std::chrono::hours{24}, {}, "upkeep", ca};
}

TEST(Generations, B9_OneEndsWhenItsLastCertificateHasExpiredAndWasOnACrlAfterThat) {
  Office office;
  ASSERT_TRUE(office.issuer->sign_certificate(request("ca"), kNow).ok());
  office.roll("ca", "ca-2");
  const auto end = kNow + std::chrono::days{29};
  EXPECT_EQ(office.info("ca").last_end, end);
  EXPECT_EQ(office.info("ca-2").last_end, std::nullopt);
  const auto retire = [&](Seconds at) { return code_of(office.issuer->set_generation("ca", "retired", "unix:mallory", at)); };
  EXPECT_EQ(retire(kNow), Code::Conflict);
  ASSERT_TRUE(office.issuer->sign_crl(crl_at("ca", 1, kNow), kNow).ok());
  EXPECT_EQ(retire(end), Code::Conflict);  // its last second counts
  const auto after = end + std::chrono::seconds{1};
  EXPECT_EQ(retire(after), Code::Conflict);  // the CRL is older
  ASSERT_TRUE(office.issuer->sign_crl(crl_at("ca-2", 1, after), after).ok());
  EXPECT_EQ(retire(after), Code::Conflict);  // and another one's does not count
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(retire(kNow), Code::Conflict);
    office.open(after);  // what a start knows is the same
  }
  ASSERT_TRUE(office.issuer->sign_crl(crl_at("ca", 2, after), after).ok());
  EXPECT_EQ(retire(after), Code::Internal);
  EXPECT_EQ(office.info("ca").state, "retired");
}

/// The journal knows which key it is: another one would end the signer at its next start.
TEST(Generations, OneWhoseKeyIsLostGetsNoOther) {
  Office office;
  ASSERT_TRUE(office.issuer->create_generation({"ca-2", "request"}, kNow).ok());
  for (const auto* file : {"cas/ca-2/ca.key", "cas/ca-2/ca.csr"}) ASSERT_TRUE(std::filesystem::remove(office.in(file))) << file;
  for (int i = 0; i < 2; ++i) {
    const auto again = office.issuer->create_generation({"ca-2", "request"}, kNow);
    EXPECT_EQ(code_of(again), Code::Conflict);
    EXPECT_NE(again.error().message().find("the key that generation ca-2 was begun with"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(office.in("cas/ca-2/ca.key")));
  }
}

TEST(Generations, ARootEndsWithTheLastCaThatItCertified) {
  Office office(kCas);
  for (const auto& [label, from] : {std::pair("top-1", "self"), std::pair("tls-1", "root")}) {
    ASSERT_TRUE(office.issuer->create_generation({label, from}, kNow).ok());
    ASSERT_TRUE(office.issuer->set_generation(label, "active", "unix:alice", kNow).ok());
  }
  office.roll("top-1", "top-2");
  EXPECT_EQ(office.info("top-1").last_end, office.certificate("tls-1").not_after());
  EXPECT_EQ(code_of(office.issuer->set_generation("top-1", "retired", "unix:mallory", kNow)), Code::Conflict);
}

TEST(Generations, WhatIsRetiredNeedsNoKey) {
  Office office;
  office.roll("ca", "ca-2");
  std::filesystem::rename(office.in("ca.key"), office.in("kept.key"));
  EXPECT_EQ(code_of(office.try_open()), Code::NotFound);  // while it drains it signs CRLs
  std::filesystem::rename(office.in("kept.key"), office.in("ca.key"));
  office.open();
  ASSERT_TRUE(office.issuer->set_generation("ca", "retired", "unix:alice", kNow).ok());
  EXPECT_EQ(code_of(office.issuer->sign_crl(crl("ca", 9), kNow)), Code::Conflict);
  for (const bool is_there : {true, false}) {
    if (!is_there) std::filesystem::remove(office.in("ca.key"));
    office.open();
    EXPECT_EQ(office.issuer->obstacle(), "");
    EXPECT_TRUE(office.issuer->sign_certificate(request("ca-2", is_there ? 4 : 5), kNow).ok());
    EXPECT_EQ(code_of(office.issuer->sign_crl(crl("ca", 9), kNow)), Code::Conflict);
    EXPECT_FALSE(office.issuer->key().sign(crypto::SignatureAlgorithm::EcdsaSha256, Bytes{1}).ok());
    EXPECT_TRUE(office.issuer->verify_journal().ok());
  }
  office.roll("ca-2", "ca-3");
  ASSERT_TRUE(office.issuer->sign_crl(crl_at("ca-2", 1, kNow), kNow).ok());
  std::filesystem::remove(office.in("cas/ca-2/ca.key"));
  EXPECT_EQ(code_of(office.try_open()), Code::NotFound);
}

}  // namespace
}  // namespace chancery::signer
