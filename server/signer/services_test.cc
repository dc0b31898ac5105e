#include "server/signer/services.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "server/signer/testing.h"
#include "server/x509/csr.h"
#include "server/x509/tbs.h"

namespace chancery::signer {
namespace {

using x509::OcspStatus;

constexpr std::chrono::hours kDay{24};
constexpr const char* kServices =
    "cas:\n  va:\n    purpose: ocsp\n    validity: 30d\n    answers_valid_for: 1h\n  scep:\n    purpose: ra\n    key: rsa:2048\n";

/// A realm in a directory of its own, and its issuer.
class Office : public TestRealm {
 public:
  explicit Office(const std::string& more = kServices) {
    create_unencrypted();
    configure(more);
  }
  void configure(const std::string& more) {
    if (plain_.empty()) plain_ = read("ca.config.yml");
    write("ca.config.yml", plain_ + more);
    open();
  }
  void renew(Seconds now = kNow) {
    const auto renewed = issuer->renew_services("upkeep", now);
    ASSERT_TRUE(renewed.ok()) << renewed.error().message();
  }
  /// "va-1 active ca"
  std::vector<std::string> services(Seconds now = kNow) const {
    std::vector<std::string> out;
    for (const auto& one : issuer->services(now)) out.push_back(one.label + " " + one.state + " " + one.ca);
    return out;
  }
  x509::Certificate certificate(const std::string& label, Seconds now = kNow) const {
    for (const auto& one : issuer->services(now)) {
      if (one.label == label) return x509::Certificate::from_pem(one.certificate).value();
    }
    throw std::runtime_error("no service " + label);
  }
  x509::Certificate ca(const std::string& label = "ca") const {
    return x509::Certificate::from_pem_chain(issuer->authority(label)->chain)->front();
  }
  void revoke(const Serial& serial, const std::string& reason = "keyCompromise") {
    const auto about = wire::to_text(Json::object({{"serial", serial.hex()}, {"reason", reason}}));
    ASSERT_TRUE(issuer->record({std::string(kStateChange), "begin", "unix:alice", "", "", about, "", "", kNow}).ok());
  }
  /// From nothing to a new generation that issues.
  void roll(const std::string& from, const std::string& to) {
    ASSERT_TRUE(issuer->create_generation({to, "self"}, kNow).ok());
    ASSERT_TRUE(issuer->set_generation(to, "active", "unix:alice", kNow).ok());
    ASSERT_TRUE(issuer->set_generation(from, "draining", "unix:alice", kNow).ok());
  }

 private:
  std::string plain_;
};

using Lines = std::vector<std::string>;

template <class T>
Code code_of(const Result<T>& result) {
  return result.ok() ? Code::Internal : result.error().code();
}

SignRequest request(int number, std::chrono::hours life = 10 * kDay) { return leaf_request(number, life); }

/// What a worker would say of a certificate.
x509::OcspSingle said(const x509::Certificate& issuer, const Serial& serial, OcspStatus status) {
  const auto asked = x509::parse_ocsp_request(x509::make_ocsp_request(issuer, serial).value()).value();
  return {asked.asked.front(), status, kNow - std::chrono::hours{1}, x509::kReasonKeyCompromise};
}

TEST(Services, AreMadeOnceAndAreThereAfterAStart) {
  Office office;
  EXPECT_TRUE(office.services().empty());
  office.renew();
  const Lines both{"scep-1 active ca", "va-1 active ca"};
  EXPECT_EQ(office.services(), both);
  office.renew();
  EXPECT_EQ(office.services(), both);
  const auto first = office.certificate("va-1");
  office.open();
  EXPECT_EQ(office.services(), both);
  EXPECT_EQ(office.certificate("va-1"), first);
  EXPECT_TRUE(first.verify_signed_by(office.ca()).ok());
  EXPECT_EQ(first.key_usage(), Lines{"digitalSignature"});
  EXPECT_EQ(first.extended_key_usage(), Lines{"OCSPSigning"});
  EXPECT_NE(x509::find_extension(first.extensions(), x509::kOcspNoCheck), nullptr);
  EXPECT_EQ(office.certificate("scep-1").key_usage(), (Lines{"digitalSignature", "keyEncipherment"}));
  EXPECT_EQ(x509::find_extension(office.certificate("scep-1").extensions(), x509::kOcspNoCheck), nullptr);
  EXPECT_EQ(std::filesystem::status(office.in("services/va-1/key.pem")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Services, AreReplacedBeforeTheyExpireAndDestroyedAfter) {
  Office office;
  office.renew();
  office.renew(kNow + 19 * kDay);
  EXPECT_EQ(office.services().size(), 2U);
  const auto then = kNow + 21 * kDay;  // two thirds of 30 days
  office.renew(then);
  EXPECT_EQ(office.services(then), (Lines{"scep-1 draining ca", "scep-2 active ca", "va-1 draining ca", "va-2 active ca"}));
  const auto late = kNow + 31 * kDay;
  office.renew(late);
  EXPECT_EQ(office.services(late), (Lines{"scep-2 active ca", "va-2 active ca"}));
  EXPECT_FALSE(std::filesystem::exists(office.in("services/va-1")));
  // Nobody was there for a year: the number goes on.
  const auto much_later = kNow + 400 * kDay;
  office.renew(much_later);
  EXPECT_EQ(office.services(much_later), (Lines{"scep-3 active ca", "va-3 active ca"}));
}

TEST(Services, OneThatIsRevokedIsReplacedAtOnceAndSignsNothing) {
  Office office;
  office.renew();
  office.revoke(office.certificate("va-1").serial());
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca", {said(office.ca(), Serial::random(), OcspStatus::Unknown)}}, kNow)),
            Code::NotFound);
  office.renew();
  EXPECT_EQ(office.services(), (Lines{"scep-1 active ca", "va-1 retired ca", "va-2 active ca"}));
}

TEST(Services, AResponderAnswersForEachGenerationByItsKey) {
  Office office;
  office.renew();
  ASSERT_TRUE(office.issuer->sign_certificate(request(1, 5 * kDay), kNow).ok());
  office.roll("ca", "ca-2");
  office.renew();
  EXPECT_EQ(office.services(), (Lines{"scep-1 draining ca", "scep-2 active ca-2", "va-1 active ca", "va-2 active ca-2"}));
  EXPECT_TRUE(office.certificate("va-2").verify_signed_by(office.ca("ca-2")).ok());
  EXPECT_TRUE(office.issuer->sign_ocsp({"ca", {said(office.ca(), request(1).serial, OcspStatus::Good)}}, kNow).ok());
  EXPECT_TRUE(office.issuer->sign_ocsp({"ca-2", {said(office.ca("ca-2"), Serial::random(), OcspStatus::Unknown)}}, kNow).ok());
}

TEST(Services, ADrainingGenerationHasAResponderUntilItsLastCertificateEndsAndNoLonger) {
  Office office("cas:\n  va:\n    purpose: ocsp\n    validity: 30d\n");
  ASSERT_TRUE(office.issuer->sign_certificate(request(1, 20 * kDay), kNow).ok());
  office.roll("ca", "ca-2");
  office.renew();
  EXPECT_EQ(office.services(), (Lines{"va-1 active ca", "va-2 active ca-2"}));
  EXPECT_EQ(office.certificate("va-1").not_after(), kNow + 20 * kDay);
  EXPECT_GT(office.certificate("va-2").not_after(), kNow + 29 * kDay);
  const auto then = kNow + 21 * kDay;
  office.renew(then);
  EXPECT_EQ(office.services(then), (Lines{"va-2 draining ca-2", "va-3 active ca-2"}));
}

TEST(Services, C9_NothingIsGoodThatTheJournalHasRevokedAndNothingUnknownThatItHas) {
  Office office;
  office.renew();
  const auto good = office.issuer->sign_certificate(request(1), kNow).value().serial;
  const auto bad = office.issuer->sign_certificate(request(2), kNow).value().serial;
  const auto held = office.issuer->sign_certificate(request(3), kNow).value().serial;
  office.revoke(bad);
  office.revoke(held, "certificateHold");
  const auto ca = office.ca();
  const auto never = Serial::random();
  struct Case {
    const char* name;
    Serial serial;
    OcspStatus status;
    Code want;  ///< Internal: it is signed
  };
  const Case cases[] = {
      {"good", good, OcspStatus::Good, Code::Internal},
      {"revoked", bad, OcspStatus::Revoked, Code::Internal},
      {"never issued", never, OcspStatus::Unknown, Code::Internal},
      {"revoked as good", bad, OcspStatus::Good, Code::Conflict},
      {"held as good", held, OcspStatus::Good, Code::Conflict},
      {"revoked as unknown", bad, OcspStatus::Unknown, Code::Conflict},
      {"good as unknown", good, OcspStatus::Unknown, Code::Conflict},
      {"never issued as good", never, OcspStatus::Good, Code::PolicyRefused},
      {"never issued as revoked", never, OcspStatus::Revoked, Code::PolicyRefused},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca", {said(ca, c.serial, c.status)}}, kNow)), c.want) << c.name;
  }
  // One wrong answer among right ones is one too many.
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca", {said(ca, good, OcspStatus::Good), said(ca, bad, OcspStatus::Good)}}, kNow)),
            Code::Conflict);
  const auto other = office.certificate("scep-1");  // no CA of ours by these digests
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca", {said(other, good, OcspStatus::Good)}}, kNow)), Code::PolicyRefused);
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca", {said(other, good, OcspStatus::Unknown)}}, kNow)), Code::Internal);
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca-7", {said(ca, good, OcspStatus::Good)}}, kNow)), Code::NotFound);
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"va-1", {said(ca, good, OcspStatus::Good)}}, kNow)), Code::NotFound);
  // What is over may be forgotten.
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca", {said(ca, bad, OcspStatus::Unknown)}}, kNow + 11 * kDay)), Code::Internal);
}

TEST(Services, AnAnswerEndsWithItsTimeOrItsSigner) {
  Office office;
  office.renew();
  const auto asked = said(office.ca(), Serial::random(), OcspStatus::Unknown);
  EXPECT_EQ(office.issuer->sign_ocsp({"ca", {asked}}, kNow)->next_update, kNow + std::chrono::hours{1});
  const auto end = office.certificate("va-1").not_after();
  EXPECT_EQ(office.issuer->sign_ocsp({"ca", {asked}}, end - std::chrono::minutes{1})->next_update, end);
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca", {asked}}, end)), Code::NotFound);
}

TEST(Services, D17_IssueNothingAndHaveNoOtherCertificate) {
  Office office;
  office.renew();
  auto by_service = request(1);
  by_service.ca = "va-1";
  EXPECT_EQ(code_of(office.issuer->sign_certificate(by_service, kNow)), Code::NotFound);
  EXPECT_EQ(office.issuer->create_generation({"va-2", "self"}, kNow).error().code(), Code::NotFound);
  EXPECT_EQ(office.issuer->import_certificate("", kNow, "va-1").error().code(), Code::NotFound);
  EXPECT_EQ(code_of(office.issuer->sign_crl({1, kNow, kNow + kDay, {}, "upkeep", "va-1"}, kNow)), Code::NotFound);
  const auto responder = office.certificate("va-1");
  auto renewal = request(2);
  renewal.csr.reset();
  renewal.renews = responder.serial();
  renewal.spki = Bytes(responder.public_key().spki().begin(), responder.public_key().spki().end());
  EXPECT_EQ(code_of(office.issuer->sign_certificate(renewal, kNow)), Code::BadProof);
  auto as_service = request(3);
  as_service.rule = kServiceRule;
  EXPECT_EQ(code_of(office.issuer->sign_certificate(as_service, kNow)), Code::PolicyRefused);
}

TEST(Services, WhatWasCutOffIsTakenUp) {
  Office office;
  office.renew();
  const auto before = office.certificate("va-1");
  std::filesystem::remove(office.in("services/va-1/cert.pem"));  // between the journal and the file
  office.open();
  EXPECT_EQ(office.services(), Lines{"scep-1 active ca"});
  office.renew(kNow + std::chrono::minutes{5});
  EXPECT_EQ(office.certificate("va-1"), before);            // the same one: nothing is signed twice
  std::filesystem::remove_all(office.in("services/va-1"));  // and one that is lost
  office.open();
  office.renew();
  EXPECT_EQ(office.services(), (Lines{"scep-1 active ca", "va-1 active ca"}));
  EXPECT_FALSE(office.certificate("va-1") == before);
}

TEST(Services, FilesThatTheJournalDoesNotKnowAreLeftOut) {
  Office office;
  office.renew();
  Office other;
  other.renew();
  for (const auto* file : {"key.pem", "cert.pem"}) {
    std::filesystem::copy_file(other.in("services/va-1") / file, office.in("services/va-1") / file,
                               std::filesystem::copy_options::overwrite_existing);
  }
  office.open();
  EXPECT_EQ(office.services(), Lines{"scep-1 active ca"});
  office.renew();
  EXPECT_EQ(office.services(), (Lines{"scep-1 active ca", "va-2 active ca"}));
  // The key of another service beside a certificate of ours.
  std::filesystem::copy_file(office.in("services/scep-1/key.pem"), office.in("services/va-2/key.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  office.open();
  EXPECT_EQ(office.services(), Lines{"scep-1 active ca"});
}

TEST(Services, OnesThatAreNoneAnyMoreAnswerNothing) {
  Office office;
  office.renew();
  const auto asked = said(office.ca(), Serial::random(), OcspStatus::Unknown);
  office.configure("");
  EXPECT_EQ(code_of(office.issuer->sign_ocsp({"ca", {asked}}, kNow)), Code::NotFound);
  EXPECT_EQ(code_of(office.issuer->sign_for_ra({"scep", Bytes{1}}, kNow)), Code::NotFound);
  office.renew();
}

TEST(Services, AnRaSignsByItsNewestKeyAndOpensByEachThatIsInForce) {
  Office office;
  office.renew();
  const auto then = kNow + 21 * kDay;
  office.renew(then);
  const auto signed_by = [&](const char* service, Seconds now) {
    const auto made = office.issuer->sign_for_ra({service, Bytes{'x'}}, now);
    return made.ok() ? *made : Bytes();
  };
  const auto has = [&](const Bytes& message, const std::string& label) {
    const auto certificate = office.certificate(label, then);
    return !std::ranges::search(message, certificate.der()).empty();
  };
  EXPECT_TRUE(has(signed_by("scep", then), "scep-2"));
  EXPECT_TRUE(has(signed_by("scep-1", then), "scep-1"));
  EXPECT_TRUE(signed_by("scep-1", kNow + 31 * kDay).empty());
  for (const auto* none : {"va", "va-1", "ca", "scep-9", ""}) {
    EXPECT_EQ(code_of(office.issuer->sign_for_ra({none, Bytes{'x'}}, then)), Code::NotFound) << none;
    EXPECT_EQ(code_of(office.issuer->open_for_ra({none, Bytes{'x'}}, then)), Code::NotFound) << none;
  }
  EXPECT_EQ(code_of(office.issuer->open_for_ra({"scep", Bytes{'x'}}, then)), Code::Malformed);
}

}  // namespace
}  // namespace chancery::signer
