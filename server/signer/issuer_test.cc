#include "server/signer/issuer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "server/signer/operations.h"
#include "server/signer/testing.h"
#include "server/x509/csr.h"

namespace chancery::signer {
namespace {

/// A clock that stands.
class Stopped : public base::Clock {
 public:
  Seconds now() const override { return kNow; }
};

/// After so many days arithmetic in 32 bits, which <chrono> has for dates, comes to the same date.
constexpr std::chrono::days kRound{1 << 30};

/// A realm in a directory of its own with a key of its own, and its issuer.
class Office : public TestRealm {
 public:
  explicit Office(const std::string& profiles = {}) {
    create_unencrypted();
    if (!profiles.empty()) write("profiles/extra.yml", profiles);
    open();
  }
};

SignRequest good(int number = 1) { return leaf_request(number); }

TEST(Issuer, SignsWhatTheProfileAllows) {
  const Office office;
  const auto made = office.issuer->sign_certificate(good(), kNow).value();
  const auto certificate = x509::Certificate::from_der(made.certificate).value();
  EXPECT_EQ(certificate.serial(), good().serial);
  EXPECT_FALSE(made.replayed);
  EXPECT_EQ(certificate.subject().to_slash(), "/CN=www.example.com");
}

TEST(Issuer, C5_TheSameRequestGivesTheSameCertificateForEver) {
  Office office;
  const auto first = office.issuer->sign_certificate(good(), kNow).value();
  const auto second = office.issuer->sign_certificate(good(), kNow).value();
  office.open();
  const auto third = office.issuer->sign_certificate(good(), kNow).value();
  EXPECT_EQ(first.certificate, second.certificate);
  EXPECT_EQ(first.certificate, third.certificate);
  EXPECT_TRUE(second.replayed && third.replayed);
}

struct Refused {
  const char* name;
  void (*change)(SignRequest&);
  Code code;
};
const Refused kRefused[] = {
    {"C5 another subject under a used serial",
     [](SignRequest& r) {
       r.subject = x509::Name::from_slash("/CN=evil.example.com").value();
       r.sans = {x509::GeneralName::parse("DNS:evil.example.com").value()};
     },
     Code::Exists},
    {"C5 another validity under a used serial", [](SignRequest& r) { r.not_after -= std::chrono::seconds{1}; }, Code::Exists},
    {"F51 a profile of another realm", [](SignRequest& r) { r.profile = ProfileName::parse("theirs").value(); }, Code::NotFound},
    {"C12 no proof of possession", [](SignRequest& r) { r.csr.reset(); }, Code::BadProof},
    {"C12 a flipped bit in the proof", [](SignRequest& r) { r.csr->back() ^= 1; }, Code::BadProof},
    {"C12 proof of another key",
     [](SignRequest& r) {
       const auto other = crypto::PrivateKey::generate(base::parse_key_spec("ec:P-256").value()).value();
       r.csr = x509::make_csr(other, r.subject, {}).value();
     },
     Code::BadProof},
    {"C12 a renewal of a certificate with another key",
     [](SignRequest& r) {
       r.csr.reset();
       r.renews = Serial::from_hex("0102").value();
     },
     Code::BadProof},
    {"C11 longer than the profile", [](SignRequest& r) { r.not_after = kNow + std::chrono::days{366}; }, Code::PolicyRefused},
    {"C11 longer than the CA", [](SignRequest& r) { r.not_after = kNow + std::chrono::days{3660}; }, Code::PolicyRefused},
    {"C11 before the CA", [](SignRequest& r) { r.not_before = kNow - std::chrono::minutes{6}; }, Code::PolicyRefused},
    {"C11 long before now", [](SignRequest& r) { r.not_before = kNow - std::chrono::days{3}; }, Code::PolicyRefused},
    {"C11 over already",
     [](SignRequest& r) {
       r.not_before = kNow - std::chrono::minutes{5};
       r.not_after = kNow;
     },
     Code::PolicyRefused},
    {"C11 an end before its beginning", [](SignRequest& r) { r.not_after = r.not_before; }, Code::PolicyRefused},
    {"F34 a path for a name", [](SignRequest& r) { r.subject = x509::Name::from_slash("/CN=..").value(); }, Code::PolicyRefused},
    {"a CA's subject for an end entity",
     [](SignRequest& r) { r.subject = x509::Name::from_slash("/O=Company Name/CN=default CA").value(); }, Code::PolicyRefused},
    {"C14 the common name is not among the names",
     [](SignRequest& r) { r.sans = {x509::GeneralName::parse("DNS:other.example.com").value()}; }, Code::PolicyRefused},
    {"a name twice", [](SignRequest& r) { r.sans.push_back(r.sans.front()); }, Code::LintFailed},
    {"B1 a short serial", [](SignRequest& r) { r.serial = Serial::from_hex("01").value(); }, Code::LintFailed},
    {"no key", [](SignRequest& r) { r.spki.clear(); }, Code::BadProof},
};

TEST(Issuer, C3_F51_RefusesWhatAWorkerMayNotHave) {
  const Office office;
  ASSERT_TRUE(office.issuer->sign_certificate(good(), kNow).ok());
  for (const auto& one : kRefused) {
    auto request = good();
    one.change(request);
    const auto answer = office.issuer->sign_certificate(request, kNow);
    ASSERT_FALSE(answer.ok()) << one.name;
    EXPECT_EQ(answer.error().code(), one.code) << one.name << ": " << answer.error().message();
    EXPECT_FALSE(answer.error().message().empty()) << one.name;
  }
  EXPECT_EQ(office.issuer->journal_since(0, 100)->records.size(), 1U);  // nothing of it reached the journal's signatures
}

TEST(Issuer, TheCasOwnKeyGetsNoCertificate) {
  Office office;
  const auto pem = base::read_file(office.in("ca.key").string(), 65536).value();
  const auto ca_key = crypto::PrivateKey::from_pem(base::as_bytes(pem), nullptr).value();
  auto request = good();
  const auto half = ca_key.public_key();
  request.spki.assign(half.spki().begin(), half.spki().end());
  request.csr = x509::make_csr(ca_key, request.subject, {}).value();
  EXPECT_EQ(office.issuer->sign_certificate(request, kNow).error().code(), Code::BadKey);
}

TEST(Issuer, C2_I4_AReloadMakesNoSecondContentForASerial) {
  Office office("keyUsage: [digitalSignature]\nextendedKeyUsage: [clientAuth]\naltnames: true\nsubject_from: request\n");
  auto request = good();
  request.profile = ProfileName::parse("extra").value();
  const auto first = office.issuer->sign_certificate(request, kNow);
  ASSERT_TRUE(first.ok()) << first.error().message();
  const std::string changed =
      "keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\naltnames: true\nsubject_from: request\n";
  ASSERT_TRUE(base::replace_file(office.in("profiles/extra.yml"), base::as_bytes(changed), 0600).ok());
  office.open();
  EXPECT_EQ(office.issuer->sign_certificate(request, kNow).error().code(), Code::Exists);
}

TEST(Issuer, F3_AnInterruptedSignatureIsMadeAtTheStart) {
  Office office;
  ASSERT_TRUE(office.issuer->sign_certificate(good(1), kNow).ok());
  ASSERT_TRUE(office.issuer->sign_certificate(good(2), kNow).ok());
  office.issuer.reset();
  // As after a crash between the intent and the signature: the last record, which is the second signature, is gone.
  const auto file = office.in("journal/journal.log");
  const auto whole = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, whole - 10);
  office.open();
  const auto page = office.issuer->journal_since(0, 10).value();
  ASSERT_EQ(page.records.size(), 2U);
  EXPECT_EQ(x509::Certificate::from_der(page.records[1].certificate)->serial(), good(2).serial);
  EXPECT_TRUE(office.issuer->sign_certificate(good(2), kNow)->replayed);
}

TEST(Issuer, C8_I14_CrlsThatAWorkerMayNotHave) {
  const Office office;
  const auto crl = [&](std::uint64_t number, std::int64_t begin, std::chrono::seconds length) {
    return office.issuer->sign_crl(
        {number, kNow + std::chrono::seconds{begin}, kNow + std::chrono::seconds{begin} + length, {}, "upkeep"}, kNow);
  };
  const auto week = std::chrono::days{7};
  ASSERT_TRUE(crl(5, 0, week).ok());
  EXPECT_EQ(crl(5, 0, week).error().code(), Code::Conflict);
  EXPECT_EQ(crl(4, 0, week).error().code(), Code::Conflict);
  EXPECT_EQ(crl(6, -1, week).error().code(), Code::Conflict);
  EXPECT_EQ(crl(6, 3600, week).error().code(), Code::PolicyRefused);
  EXPECT_EQ(crl(6, 0, std::chrono::days{8}).error().code(), Code::PolicyRefused);
  EXPECT_FALSE(crl(6, 0, std::chrono::seconds{0}).ok());  // I14
  EXPECT_FALSE(crl(6, 0, std::chrono::seconds{-5}).ok());
  EXPECT_EQ(crl(std::uint64_t{1} << 40, 0, week).error().code(), Code::PolicyRefused);
  EXPECT_TRUE(crl(6, 0, week).ok());
}

/// A realm that makes delta CRLs, with a full CRL 1 published.
class DeltaOffice : public Office {
 public:
  DeltaOffice() : Office() {
    write("ca.config.yml", read("ca.config.yml") + "\ncrl_delta: 1h\ncrl_delta_urls: [\"http://ca.example/delta\"]\n");
    open();
    const auto full = issuer->sign_crl({1, kNow, kNow + std::chrono::days{7}, {entry("01", 6), entry("02", 1)}, "upkeep"}, kNow);
    EXPECT_TRUE(full.ok() && issuer->publish_crl(full->crl).ok());
  }
  static x509::RevokedEntry entry(const char* serial, int reason) { return {Serial::from_hex(serial).value(), kNow, reason}; }
  Result<SignedCrl> delta(std::uint64_t number, std::vector<x509::RevokedEntry> entries, std::uint64_t base = 1,
                          std::chrono::seconds life = std::chrono::hours{2}) const {
    return issuer->sign_crl({number, kNow, kNow + life, std::move(entries), "upkeep", "ca", base}, kNow);
  }
};

TEST(Issuer, ADeltaCrlSaysWhatChangedSinceThePublishedOne) {
  const DeltaOffice office;
  const auto made = office.delta(2, {office.entry("02", 1), office.entry("03", 4)});
  ASSERT_TRUE(made.ok()) << made.error().message();
  const auto crl = x509::Crl::from_der(made->crl).value();
  EXPECT_EQ(crl.base(), 1U);
  EXPECT_EQ(crl.entries(), (std::vector{office.entry("01", x509::kReasonRemoveFromCrl), office.entry("03", 4)}));
  EXPECT_TRUE(office.issuer->publish_crl(made->crl).ok());
  EXPECT_TRUE(base::read_file(office.in("delta-crl.pem"), 65536).ok());
  const auto full = x509::Crl::from_pem(base::read_file(office.in("crl.pem"), 65536).value()).value();
  EXPECT_EQ(full.number(), 1U);  // the base is still there
}

TEST(Issuer, C8_DeltaCrlsThatAWorkerMayNotHave) {
  const DeltaOffice office;
  const auto code = [](const Result<SignedCrl>& made) { return made.ok() ? Code::Internal : made.error().code(); };
  EXPECT_EQ(code(office.delta(5, {}, 2)), Code::NotFound);  // that base is not published
  EXPECT_EQ(code(office.delta(5, {}, 1, std::chrono::hours{3})), Code::PolicyRefused);
  EXPECT_EQ(code(office.delta(1, {}, 1)), Code::InvalidParams);  // not above its base
  EXPECT_EQ(code(office.delta(5, {}, 5)), Code::NotFound);
  EXPECT_EQ(code(office.delta(5, {}, 1)), Code::Internal);
  EXPECT_EQ(code(office.delta(5, {}, 1)), Code::Conflict);  // one sequence for both kinds
  EXPECT_EQ(code(office.issuer->sign_crl({5, kNow, kNow + std::chrono::days{7}, {}, "upkeep"}, kNow)), Code::Conflict);
  EXPECT_FALSE(office.issuer->publish_crl(Bytes(3, 1)).ok());
  const auto late = kNow + std::chrono::days{8};  // a delta to one that has run out
  EXPECT_EQ(code(office.issuer->sign_crl({6, late, late + std::chrono::hours{1}, {}, "upkeep", "ca", 1}, late)),
            Code::PolicyRefused);
  // What somebody put there is no base.
  ASSERT_TRUE(base::replace_file(office.in("crl.pem"), base::as_bytes("nothing"), 0644).ok());
  EXPECT_EQ(code(office.delta(7, {}, 1)), Code::Corrupt);
}

TEST(Issuer, C8_AnOlderCrlReplacesNoNewerOne) {
  const DeltaOffice office;
  const auto full = [&](std::uint64_t number) {
    return office.issuer->sign_crl({number, kNow, kNow + std::chrono::days{7}, {}, "upkeep"}, kNow).value().crl;
  };
  const auto number = [&](const char* file) {
    return x509::Crl::from_pem(base::read_file(office.in(file), 65536).value())->number();
  };
  const auto early_delta = office.delta(2, {office.entry("02", 1)}).value().crl;
  const auto late_delta = office.delta(3, {office.entry("02", 1)}).value().crl;
  ASSERT_TRUE(office.issuer->publish_crl(late_delta).ok());
  EXPECT_TRUE(office.issuer->publish_crl(early_delta).ok());  // who comes late fails nothing
  EXPECT_EQ(number("delta-crl.pem"), 3U);
  const auto early = full(4);
  const auto late = full(5);
  const auto delta_to_none = office.delta(6, {}).value().crl;
  ASSERT_TRUE(office.issuer->publish_crl(late).ok());
  EXPECT_TRUE(office.issuer->publish_crl(early).ok());
  EXPECT_EQ(number("crl.pem"), 5U);
  EXPECT_TRUE(office.issuer->publish_crl(delta_to_none).ok());  // CRL 1, to which it adds, is not published any more
  EXPECT_EQ(number("delta-crl.pem"), 3U);
  EXPECT_TRUE(office.issuer->publish_crl(office.delta(7, {}, 5).value().crl).ok());
  EXPECT_EQ(number("delta-crl.pem"), 7U);
}

TEST(Issuer, C8_WhatTheJournalHasRevokedLeavesNoDeltaCrl) {
  const DeltaOffice office;
  const auto state = [&](const char* reason) {
    const auto about = Json::object({{"serial", "01"}, {"reason", reason}, {"at", base::to_epoch(kNow)}});
    return office.issuer->record(
        {.what = std::string(kStateChange), .phase = "begin", .about = wire::to_text(about), .at = kNow});
  };
  ASSERT_TRUE(state("certificateHold").ok());
  EXPECT_TRUE(office.delta(2, {office.entry("02", 1)}).ok());  // a hold comes to its end
  ASSERT_TRUE(state("keyCompromise").ok());
  const auto hiding = office.delta(3, {office.entry("02", 1)});
  ASSERT_FALSE(hiding.ok());
  EXPECT_EQ(hiding.error().code(), Code::Conflict);
  EXPECT_TRUE(office.delta(3, {office.entry("01", 1), office.entry("02", 1)}).ok());
}

/// Two certificates that end after 30 days, and what the events and CRLs say of them.
class RevokingOffice : public Office {
 public:
  RevokingOffice() : Office() {
    for (int number = 1; number <= 2; ++number) EXPECT_TRUE(issuer->sign_certificate(good(number), kNow).ok());
  }
  void state(int number, const char* reason, Seconds now = kNow) const {
    const auto about = Json::object({{"serial", good(number).serial.hex()}, {"reason", reason}, {"at", base::to_epoch(now)}});
    EXPECT_TRUE(
        issuer->record({.what = std::string(kStateChange), .phase = "begin", .about = wire::to_text(about), .at = now}).ok());
  }
  /// @return why not; Internal: it was made.
  Code crl(const std::vector<int>& numbers, Seconds now) {
    std::vector<x509::RevokedEntry> entries;
    for (const int number : numbers) entries.push_back({good(number).serial, kNow, 1});
    const auto made = issuer->sign_crl({++last_, now, now + std::chrono::days{7}, std::move(entries), "upkeep"}, now);
    return made.ok() ? Code::Internal : made.error().code();
  }

 private:
  std::uint64_t last_ = 0;
};

TEST(Issuer, C8_NoCrlForgetsARevocation) {
  RevokingOffice office;
  const auto soon = kNow + std::chrono::minutes{2};
  EXPECT_EQ(office.crl({}, kNow), Code::Internal);
  office.state(1, "keyCompromise");
  EXPECT_EQ(office.crl({}, kNow), Code::Internal);  // who revokes it may not have stored that yet
  EXPECT_EQ(office.crl({}, soon), Code::Conflict);
  EXPECT_EQ(office.crl({2}, soon), Code::Conflict);
  EXPECT_EQ(office.crl({1}, soon), Code::Internal);
  EXPECT_EQ(office.crl({2, 1}, soon), Code::Internal);
  office.state(1, "");  // which takes back nothing
  EXPECT_EQ(office.crl({}, soon), Code::Conflict);
  office.open();
  EXPECT_EQ(office.crl({}, soon), Code::Conflict);
  EXPECT_EQ(office.crl({1}, soon), Code::Internal);
}

TEST(Issuer, C8_AHoldIsOnTheCrlAsLongAsItLasts) {
  RevokingOffice office;
  const auto soon = kNow + std::chrono::minutes{2};
  office.state(2, "certificateHold");
  EXPECT_EQ(office.crl({}, soon), Code::Conflict);
  office.state(2, "", soon);
  EXPECT_EQ(office.crl({}, soon), Code::Internal);
  office.state(2, "certificateHold", soon);
  office.state(2, "superseded", soon + std::chrono::minutes{2});  // it was to be listed before
  EXPECT_EQ(office.crl({}, soon + std::chrono::minutes{2}), Code::Conflict);
  EXPECT_EQ(office.crl({2}, soon + std::chrono::minutes{2}), Code::Internal);
}

TEST(Issuer, C8_WhatHasEndedStandsOnOneCrlMore) {
  RevokingOffice office;
  office.state(1, "superseded");
  const auto ended = kNow + std::chrono::days{31};
  EXPECT_EQ(office.crl({1}, kNow + std::chrono::days{29}), Code::Internal);
  EXPECT_EQ(office.crl({}, ended), Code::Conflict);
  EXPECT_EQ(office.crl({1}, ended), Code::Internal);
  EXPECT_EQ(office.crl({}, ended + std::chrono::hours{1}), Code::Internal);
}

TEST(Issuer, C8_NoDeltaCrlForgetsARevocation) {
  const DeltaOffice office;
  ASSERT_TRUE(office.issuer->sign_certificate(good(), kNow).ok());
  const auto about = Json::object({{"serial", good().serial.hex()}, {"reason", "keyCompromise"}, {"at", base::to_epoch(kNow)}});
  const auto earlier = kNow - std::chrono::minutes{2};
  ASSERT_TRUE(
      office.issuer->record({.what = std::string(kStateChange), .phase = "begin", .about = wire::to_text(about), .at = earlier})
          .ok());
  const auto hiding = office.delta(2, {office.entry("01", 6), office.entry("02", 1)});
  ASSERT_FALSE(hiding.ok());
  EXPECT_EQ(hiding.error().code(), Code::Conflict);
  EXPECT_TRUE(office.delta(2, {office.entry("01", 6), office.entry("02", 1), {good().serial, kNow, 1}}).ok());
}

TEST(Issuer, ARealmWithoutDeltaCrlsMakesNone) {
  const Office office;
  const auto full = office.issuer->sign_crl({1, kNow, kNow + std::chrono::days{7}, {}, "upkeep"}, kNow);
  ASSERT_TRUE(full.ok() && office.issuer->publish_crl(full->crl).ok());
  const auto made = office.issuer->sign_crl({2, kNow, kNow + std::chrono::hours{2}, {}, "upkeep", "ca", 1}, kNow);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Code::PolicyRefused);
}

TEST(Issuer, C20_TheJournalKnowsWhatItSigned) {
  const Office office;
  ASSERT_TRUE(office.issuer->sign_certificate(good(1), kNow).ok());
  EXPECT_EQ(office.issuer->unknown_serials({good(1).serial, good(2).serial}), std::vector{good(2).serial});
  EXPECT_FALSE(serials_from_json(Json::object({{"serials", Json::strings({"xyz"})}})).ok());
  EXPECT_EQ(serials_from_json(Json::object({{"serials", Json::strings(std::vector<std::string>(1001, "01"))}})).error().code(),
            Code::TooLarge);
}

/// The code that a line's answer says, or what ends the connection.
std::string said(Issuer& issuer, const std::string& line) {
  const auto reply = operate(issuer, Stopped(), line);
  if (!reply.ok()) return "ends";
  const auto answer = wire::parse_json(*reply).value();
  const auto* error = answer.find("error");
  return error == nullptr ? "result" : error->find("data")->text("code");
}

TEST(Operations, F51_FramesThatAreNone) {
  const Office office;
  const std::pair<std::string, std::string> cases[] = {
      {"", "ends"},
      {"x", "ends"},
      {"[]", "ends"},
      {"{}", "ends"},
      {R"({"id":1,"method":"ping"})", "ends"},
      {R"({"id":"1","method":"ping","params":{}})", "ends"},
      {R"({"id":1,"method":1,"params":{}})", "ends"},
      {R"({"id":1,"method":"ping","params":[]})", "ends"},
      {R"({"id":1,"id":2,"method":"ping","params":{}})", "ends"},
      {std::string(100, '['), "ends"},
      {R"({"id":1,"method":"sign","params":{"digest":"00"}})", "unknown_method"},
      {R"({"id":1,"method":"sign_digest","params":{"digest":"00"}})", "unknown_method"},
      {R"({"id":1,"method":"export_key","params":{}})", "unknown_method"},
      {R"({"id":1,"method":"sign_certificate","params":{}})", "malformed"},
      {R"({"id":1,"method":"sign_certificate","params":{"tbs":"MAA="}})", "malformed"},
      {R"({"id":1,"method":"sign_crl","params":{}})", "malformed"},
      {R"({"id":1,"method":"import_certificate","params":{"chain":"x"}})", "exists"},
      {R"({"id":1,"method":"record","params":{"what":"admin.import","phase":"end","requester":"a"}})", "policy_refused"},
      {R"({"id":1,"method":"record","params":{"what":"certificate.state","phase":"import","requester":"a"}})", "policy_refused"},
      {R"({"id":1,"method":"record","params":{"what":"certificate.state","phase":"end","requester":"a"}})", "result"},
      {R"x({"id":1,"method":"record","params":{"what":"certificate.state","phase":"begin","requester":"a","about":"{\"serial\":\"01\",\"reason\":\"nonsense\"}"}})x",
       "invalid_params"},
      {R"x({"id":1,"method":"record","params":{"what":"certificate.state","phase":"begin","requester":"a","about":"{\"serial\":\"01\",\"reason\":\"removeFromCRL\"}"}})x",
       "invalid_params"},
      {R"x({"id":1,"method":"record","params":{"what":"certificate.state","phase":"begin","requester":"a","about":"{\"serial\":\"01\",\"reason\":\"key_compromise\"}"}})x",
       "invalid_params"},
      {R"x({"id":1,"method":"record","params":{"what":"certificate.state","phase":"begin","requester":"a","about":"{\"serial\":\"01\",\"reason\":\"superseded\"}"}})x",
       "result"},
      {R"({"id":1,"method":"ping","params":{}})", "result"},
      {R"({"id":1,"method":"authority","params":{}})", "result"},
      {R"({"id":1,"method":"journal_since","params":{"position":-5,"limit":99999999}})", "result"},
  };
  for (const auto& [line, want] : cases) EXPECT_EQ(said(*office.issuer, line), want) << line.substr(0, 80);
}

TEST(Operations, EveryMemberOfARequestIsChecked) {
  const Office office;
  const auto line = [](const Json& params) {
    return wire::to_text(Json::object({{"id", std::int64_t{1}}, {"method", "sign_certificate"}, {"params", params}}));
  };
  const auto whole = to_json(good());
  ASSERT_EQ(said(*office.issuer, line(whole)), "result");
  for (const auto* name : {"serial", "profile", "subject", "sans", "spki", "not_before", "not_after"}) {
    for (const auto& wrong : {Json(nullptr), Json("%%%"), Json(std::int64_t{-1}), Json::array(), Json::object()}) {
      auto params = whole;
      params.set(name, wrong);
      const auto what = said(*office.issuer, line(params));
      EXPECT_NE(what, "ends") << name;
      EXPECT_NE(what, "result") << name << wire::to_text(wrong);
    }
  }
}

// ----- messages

TEST(Messages, I12_ACrlEntryKeepsItsReasonOrIsRefused) {
  const auto read = [](const std::string& reason) {
    return crl_request_from_json(Json::object({{"number", 1}, {"entries", "1f:1795203585:" + reason + " "}}));
  };
  const auto good = read("10");
  ASSERT_TRUE(good.ok()) << good.error().message();
  EXPECT_EQ(good->entries.at(0).reason, 10);
  for (const auto* reason : {"11", "-1", "4294967297", "9223372036854775807", "1.0", "", "1 ", "true"}) {
    const auto bad = read(reason);
    ASSERT_FALSE(bad.ok()) << reason;
    EXPECT_EQ(bad.error().code(), Code::Malformed) << reason;
  }
}

/// Whether it is read with that time in place of its own.
template <class Read>
bool takes(const Json& good, std::initializer_list<const char*> members, std::int64_t time, Read read) {
  for (const auto* member : members) {
    auto changed = good;
    changed.set(member, time);
    if (read(changed).ok()) return true;
  }
  return false;
}

TEST(Messages, C8_C11_NoTimeComesRoundToAnother) {
  auto request = good();
  request.approved = ApprovedRequest{.id = "r1", .kind = "enrolment", .validity = std::chrono::days{1}, .expires = kNow};
  const auto certificate = to_json(request);
  const auto crl = to_json(CrlRequest{1, kNow, kNow + std::chrono::days{7}, {}, "upkeep"});
  const auto event = to_json(AuditEvent{.what = "x", .phase = "end", .requester = "unix:alice"});
  const auto taken_over = to_json(TakenOver{.serial = request.serial});
  ASSERT_TRUE(sign_request_from_json(certificate).ok() && crl_request_from_json(crl).ok());
  ASSERT_TRUE(audit_event_from_json(event).ok() && taken_over_from_json(taken_over).ok());
  const auto round = std::chrono::seconds{kRound};
  const auto last = base::to_epoch(base::from_rfc3339("9999-12-31T23:59:59Z").value());
  for (const auto time : {base::to_epoch(kNow - round), base::to_epoch(kNow + round), last + 1, INT64_MIN, INT64_MAX}) {
    EXPECT_FALSE(takes(certificate, {"not_before", "not_after"}, time, sign_request_from_json)) << time;
    EXPECT_FALSE(takes(crl, {"this_update", "next_update"}, time, crl_request_from_json)) << time;
    EXPECT_FALSE(takes(event, {"at"}, time, audit_event_from_json)) << time;
    EXPECT_FALSE(takes(taken_over, {"not_before", "not_after"}, time, taken_over_from_json)) << time;
    EXPECT_FALSE(takes(to_json(*request.approved), {"expires"}, time, approved_request_from_json)) << time;
    auto entries = crl;
    EXPECT_FALSE(crl_request_from_json(entries.set("entries", "1f:" + std::to_string(time) + ":1 ")).ok()) << time;
  }
  EXPECT_TRUE(takes(crl, {"next_update"}, last, crl_request_from_json));
}

}  // namespace
}  // namespace chancery::signer
