#include "server/store/testing.h"

namespace chancery::store {
namespace {

class Certificates : public Contract {};
INSTANTIATE_TEST_SUITE_P(Store, Certificates, testing::ValuesIn(all_backends()), backend_name);

TEST_P(Certificates, ComeBackAsTheyWere) {
  const auto given = certificate_of("a1b2c3");
  EXPECT_EQ(store_.add_certificate(given).value(), Added::New);
  const auto record = store_.certificate(given.serial).value();
  EXPECT_EQ(record.serial, given.serial);
  EXPECT_EQ(record.ca, "ca");
  EXPECT_EQ(record.state, CertificateState::Valid);
  EXPECT_EQ(record.profile, given.profile);
  EXPECT_EQ(record.subject, given.subject);
  EXPECT_EQ(record.cn, given.cn);
  EXPECT_EQ(record.sans, given.sans);
  EXPECT_EQ(record.not_before, given.not_before);
  EXPECT_EQ(record.not_after, given.not_after);
  EXPECT_EQ(record.issued_at, given.issued_at);
  EXPECT_EQ(record.requester, given.requester);
  EXPECT_EQ(record.front_end, given.front_end);
  EXPECT_EQ(record.rule, given.rule);
  EXPECT_EQ(record.evidence, given.evidence);
  EXPECT_EQ(record.der, given.der);
  EXPECT_FALSE(record.revoked_at);
  EXPECT_EQ(record.reason, "");
}

TEST_P(Certificates, C6_Q7_TheSameOneAgainChangesNothing) {
  auto given = certificate_of("01");
  given.idempotency_key = "order-1";
  EXPECT_EQ(store_.add_certificate(given).value(), Added::New);
  EXPECT_EQ(store_.add_certificate(given).value(), Added::Already);
  given.requester = "unix:bob";
  EXPECT_EQ(store_.add_certificate(given).value(), Added::Already);
  EXPECT_EQ(store_.certificate(given.serial)->requester, "unix:alice");
}

TEST_P(Certificates, I15_Q2_ASerialIsGivenOnceForEachCa) {
  auto given = certificate_of("01");
  EXPECT_OK(store_.add_certificate(given));
  given.der.push_back(0);
  EXPECT_EQ(code_of(store_.add_certificate(given)), Code::Exists);
  given.ca = "other";
  EXPECT_EQ(store_.add_certificate(given).value(), Added::New);
  EXPECT_EQ(code_of(store_.certificate(given.serial)), Code::Conflict);  // which of the two?
  EXPECT_EQ(store_.certificate(given.serial, "other")->der, given.der);
  EXPECT_EQ(code_of(store_.revoke({given.serial, "superseded", kNow})), Code::Conflict);
}

TEST_P(Certificates, C7_OneThatWasRevokedBeforeItCameIsNeverGood) {
  const Revocation held{.serial = serial_of("01"), .reason = "certificateHold", .at = kNow, .by = "import"};
  const std::string spki(64, 'a');
  const Revocation revoked{
      .serial = serial_of("02"), .reason = "keyCompromise", .at = kNow, .by = "import", .compromised_key = spki};
  EXPECT_EQ(store_.add_certificate(certificate_of("01"), held).value(), Added::New);
  EXPECT_EQ(store_.add_certificate(certificate_of("02"), revoked).value(), Added::New);
  EXPECT_EQ(store_.certificate(serial_of("01"))->state, CertificateState::Held);
  EXPECT_EQ(store_.certificate(serial_of("02"))->state, CertificateState::Revoked);
  EXPECT_EQ(store_.certificate(serial_of("02"))->revoked_by, "import");
  EXPECT_EQ(store_.compromised_key(spki).value()->serial, serial_of("02"));
  EXPECT_EQ(store_.revoked_for_crl("ca", kNow)->size(), 2U);
  EXPECT_OK(store_.unrevoke(serial_of("01"), kNow));
  EXPECT_EQ(store_.add_certificate(certificate_of("01"), held).value(), Added::Already);
  EXPECT_EQ(store_.certificate(serial_of("01"))->state, CertificateState::Valid);  // what happened here since holds
}

TEST_P(Certificates, C7_AStateThatCannotBeStoredTakesItsCertificateBack) {
  const Revocation of_another{.serial = serial_of("09"), .reason = "superseded", .at = kNow};
  EXPECT_FALSE(store_.add_certificate(certificate_of("01"), of_another).ok());
  EXPECT_EQ(code_of(store_.certificate(serial_of("01"))), Code::NotFound);
}

TEST_P(Certificates, C6_Q2_AnIdempotencyKeyNamesOneCertificate) {
  auto first = certificate_of("01");
  first.idempotency_key = "k";
  EXPECT_OK(store_.add_certificate(first));
  EXPECT_EQ(store_.by_idempotency_key("k").value()->serial, first.serial);
  EXPECT_EQ(store_.by_idempotency_key("k").value()->der, first.der);
  EXPECT_FALSE(store_.by_idempotency_key("other").value());
  auto second = certificate_of("02");
  second.idempotency_key = "k";
  EXPECT_EQ(code_of(store_.add_certificate(second)), Code::Conflict);
  EXPECT_EQ(code_of(store_.certificate(second.serial)), Code::NotFound);  // nothing of it stayed
  EXPECT_TRUE(store_.search({.san = second.sans.front()}, 10, "")->items.empty());
}

TEST_P(Certificates, Q13_DerAboveTheLimitIsRefused) {
  auto given = certificate_of("01");
  given.der.assign(kMaxDerBytes, 0x30);
  EXPECT_OK(store_.add_certificate(given));
  auto above = certificate_of("02");
  above.der.assign(kMaxDerBytes + 1, 0x30);
  EXPECT_EQ(code_of(store_.add_certificate(above)), Code::TooLarge);
}

TEST_P(Certificates, B4_AKeyIsCompromisedOnceAndForThisRealm) {
  const std::string spki(64, 'a');
  EXPECT_FALSE(store_.compromised_key(spki).value());
  EXPECT_OK(store_.add_certificate(certificate_of("01")));
  EXPECT_OK(store_.add_certificate(certificate_of("02")));
  EXPECT_OK(store_.revoke({.serial = serial_of("01"), .reason = "keyCompromise", .at = kNow, .compromised_key = spki}));
  EXPECT_OK(store_.revoke(
      {.serial = serial_of("02"), .reason = "keyCompromise", .at = kNow + std::chrono::seconds{9}, .compromised_key = spki}));
  const auto report = store_.compromised_key(spki).value();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->serial, serial_of("01"));
  EXPECT_EQ(report->reported_at, kNow);
  EXPECT_FALSE(store_.compromised_key(std::string(64, 'b')).value());
  EXPECT_EQ(code_of(store_.revoke(
                {.serial = serial_of("01"), .reason = "keyCompromise", .at = kNow, .compromised_key = std::string(64, 'b')})),
            Code::Conflict);
  EXPECT_FALSE(store_.compromised_key(std::string(64, 'b')).value());  // nothing of a revocation that was refused
}

TEST_P(Certificates, C9_UnknownOnesAreNotFound) {
  EXPECT_EQ(code_of(store_.certificate(serial_of("ff"))), Code::NotFound);
  EXPECT_EQ(code_of(store_.certificate(serial_of("ff"), "ca")), Code::NotFound);
  EXPECT_EQ(code_of(store_.newest_by_cn("nobody")), Code::NotFound);
  EXPECT_EQ(code_of(store_.newest_by_subject("/CN=nobody")), Code::NotFound);
  EXPECT_EQ(code_of(store_.revoke({serial_of("ff"), "superseded", kNow})), Code::NotFound);
  EXPECT_EQ(code_of(store_.unrevoke(serial_of("ff"), kNow)), Code::NotFound);
}

TEST_P(Certificates, LivingOnesAreCountedAsFarAsAnybodyAsks) {
  for (const auto* serial : {"01", "02", "03", "04", "05"}) {
    auto given = certificate_of(serial);
    given.subject = "/CN=many.example.com";
    given.requester = "user:many";
    given.issued_at = kNow;
    given.not_after = kNow + std::chrono::days{std::string_view(serial) == "05" ? -1 : 30};
    EXPECT_OK(store_.add_certificate(given));
  }
  EXPECT_OK(store_.revoke({serial_of("01"), "superseded", kNow}));
  const Living all{.now = kNow, .issued_after = kNow - std::chrono::days{400}, .most = 100};
  EXPECT_EQ(store_.living_with_subject("/CN=many.example.com", all).value(),
            3);  // neither the revoked one nor the one that ended
  EXPECT_EQ(store_.living_of_requester("user:many", all).value(), 3);
  EXPECT_EQ(
      store_.living_with_subject("/CN=many.example.com", {.now = kNow, .issued_after = all.issued_after, .most = 2}).value(), 2);
  EXPECT_EQ(
      store_.living_with_subject("/CN=many.example.com", {.now = kNow, .issued_after = kNow + std::chrono::seconds{1}, .most = 9})
          .value(),
      0);
  EXPECT_EQ(store_.living_with_subject("/CN=other.example.com", all).value(), 0);
  EXPECT_EQ(store_.living_of_requester("user:other", all).value(), 0);
}

/// RFC 5280 7.1: letters of either case are the same. Who looks for an administrator's DN looks for its letters.
TEST_P(Certificates, SubjectsCompareAsNamesDoWhereTheyAreCounted) {
  const std::pair<const char*, const char*> given[] = {{"01", "/O=Company/CN=www.example.com"},
                                                       {"02", "/O=COMPANY/CN=WWW.example.com"},
                                                       {"03", "/O=Company/CN=www.example.org"},
                                                       {"04", "/O=Company/CN=J\xc3\x9crgen"}};
  for (const auto& [serial, subject] : given) {
    auto one = certificate_of(serial);
    one.subject = subject;
    one.issued_at = kNow;
    one.not_after = kNow + std::chrono::days{30};
    EXPECT_OK(store_.add_certificate(one));
  }
  const Living all{.now = kNow, .issued_after = kNow - std::chrono::days{400}, .most = 100};
  for (const auto* const same : {"/O=Company/CN=www.example.com", "/O=company/CN=Www.Example.Com"}) {
    EXPECT_EQ(store_.living_with_subject(same, all).value(), 2) << same;
    EXPECT_EQ(store_.of_name(same, 9).value().size(), 2U) << same;
  }
  for (const auto* const other :
       {"/O=Company/CN=www.example.co", "/O=Company", "/O=Company/CN=www.example.com/CN=a", "/O=%/CN=%"}) {
    EXPECT_EQ(store_.living_with_subject(other, all).value(), 0) << other;
    EXPECT_TRUE(store_.of_name(other, 9).value().empty()) << other;
  }
  EXPECT_EQ(store_.living_with_subject("/O=Company/CN=j\xc3\x9cRGEN", all).value(), 1) << "beyond ASCII each letter is itself";
  EXPECT_EQ(store_.by_subject("/O=Company/CN=www.example.com", 9).value().size(), 1U);
  EXPECT_TRUE(store_.by_subject("/O=company/CN=www.example.com", 9).value().empty());
  EXPECT_EQ(store_.newest_by_subject("/O=COMPANY/CN=WWW.example.com")->serial, serial_of("02"));
}

TEST_P(Certificates, TheNewestOfANameIsFound) {
  for (const auto* serial : {"03", "01", "02"}) {
    auto given = certificate_of(serial);
    given.cn = "same.example.com";
    given.subject = "/CN=same.example.com";
    given.issued_at = kNow + std::chrono::seconds(std::string_view(serial) == "01" ? 9 : 1);
    EXPECT_OK(store_.add_certificate(given));
  }
  EXPECT_EQ(store_.newest_by_cn("same.example.com")->serial, serial_of("01"));
  EXPECT_EQ(store_.newest_by_subject("/CN=same.example.com")->serial, serial_of("01"));
  EXPECT_FALSE(store_.newest_by_cn("same.example.com")->der.empty());
}

TEST_P(Certificates, F50_ARealmSeesOnlyItsOwn) {
  if (!GetParam().shared) GTEST_SKIP() << "one connection is one realm";
  auto other = open_store(*backend_, "devices");
  const auto given = certificate_of("01");
  EXPECT_OK(store_.add_certificate(given));
  EXPECT_EQ(code_of(other.certificate(given.serial)), Code::NotFound);
  EXPECT_EQ(code_of(other.revoke({given.serial, "superseded", kNow})), Code::NotFound);
  EXPECT_TRUE(other.search({}, 10, "")->items.empty());
  EXPECT_EQ(code_of(other.node(given.cn)), Code::NotFound);
  EXPECT_EQ(other.add_certificate(given).value(), Added::New);  // its own serials
}

TEST_P(Certificates, F35_TextIsNeverSql) {
  for (const auto& hostile : {"'; DROP TABLE certificate; --", "\" OR 1=1", "%", "_", "a\\b", ":serial", "$1"}) {
    auto given = certificate_of("01");
    given.serial = Serial::random();
    given.cn = hostile;
    given.requester = hostile;
    EXPECT_OK(store_.add_certificate(given));
    EXPECT_EQ(store_.newest_by_cn(hostile)->requester, hostile);
    EXPECT_EQ(store_.search({.cn_prefix = hostile}, 10, "")->items.size(), 1U) << hostile;
    EXPECT_EQ(store_.search({.requester = hostile}, 10, "")->items.size(), 1U) << hostile;
  }
}

// ----- states

/// One step of a certificate's life, from a state, by a reason (empty: unrevoke).
struct Step {
  const char* from;    ///< reason of the revocation before; empty: valid
  const char* reason;  ///< empty: unrevoke
  bool allowed;
};

TEST_P(Certificates, F18_OnlyTheTransitionsOfTheTable) {
  const Step kSteps[] = {
      {"", "keyCompromise", true},
      {"", "certificateHold", true},
      {"", "", false},
      {"certificateHold", "keyCompromise", true},
      {"certificateHold", "certificateHold", false},
      {"certificateHold", "", true},
      {"superseded", "keyCompromise", false},
      {"superseded", "superseded", false},
      {"superseded", "certificateHold", false},
      {"superseded", "", false},
  };
  int n = 16;
  for (const auto& step : kSteps) {
    const auto given = certificate_of(base::to_hex(Bytes{static_cast<std::uint8_t>(n++)}));
    EXPECT_OK(store_.add_certificate(given));
    if (*step.from != 0) {
      EXPECT_OK(store_.revoke({given.serial, step.from, kNow, "unix:alice"}));
    }
    const auto later = kNow + std::chrono::hours(1);
    const auto result =
        *step.reason == 0 ? store_.unrevoke(given.serial, later) : store_.revoke({given.serial, step.reason, later, "unix:bob"});
    EXPECT_EQ(result.ok(), step.allowed) << step.from << " -> " << step.reason;
    const auto record = store_.certificate(given.serial).value();
    EXPECT_EQ(record.reason, step.allowed ? step.reason : step.from);
    if (!step.allowed) {
      EXPECT_EQ(code_of(result), Code::Conflict);
    }
  }
}

TEST_P(Certificates, ARevocationSaysWhenWhyAndBywhom) {
  const auto given = certificate_of("01");
  EXPECT_OK(store_.add_certificate(given));
  const auto record = store_.revoke({given.serial, "keyCompromise", kNow, "unix:bob"}).value();
  EXPECT_EQ(record.state, CertificateState::Revoked);
  EXPECT_EQ(record.revoked_at, kNow);
  EXPECT_EQ(record.revoked_by, "unix:bob");
  EXPECT_EQ(store_.certificate(given.serial)->revoked_by, "unix:bob");
}

TEST_P(Certificates, AHoldThatWasTakenBackLeavesNothing) {
  const auto given = certificate_of("01");
  EXPECT_OK(store_.add_certificate(given));
  EXPECT_OK(store_.revoke({given.serial, "certificateHold", kNow, "unix:bob"}));
  EXPECT_OK(store_.unrevoke(given.serial, kNow));
  const auto record = store_.certificate(given.serial).value();
  EXPECT_EQ(record.state, CertificateState::Valid);
  EXPECT_FALSE(record.revoked_at);
  EXPECT_EQ(record.reason, "");
  EXPECT_EQ(record.revoked_by, "");
}

// ----- nodes

TEST_P(Certificates, MakeANodeOfTheirName) {
  auto first = certificate_of("01");
  first.cn = "n.example.com";
  EXPECT_OK(store_.add_certificate(first));
  auto second = certificate_of("02");
  second.cn = first.cn;
  second.issued_at = kNow + std::chrono::hours(1);
  second.profile = "user";
  EXPECT_OK(store_.add_certificate(second));
  auto late = certificate_of("03");  // an older one, from the journal
  late.cn = first.cn;
  late.issued_at = kNow - std::chrono::hours(1);
  EXPECT_OK(store_.add_certificate(late));
  const auto node = store_.node("n.example.com").value();
  EXPECT_EQ(node.serial, second.serial);
  EXPECT_EQ(node.profile, "user");
  EXPECT_EQ(node.registered_at, kNow);
  EXPECT_OK(store_.revoke({second.serial, "superseded", kNow}));
  EXPECT_EQ(store_.node("n.example.com")->state, CertificateState::Revoked);
}

TEST_P(Certificates, WithoutANameMakeNoNode) {
  auto given = certificate_of("01");
  given.cn.clear();
  EXPECT_OK(store_.add_certificate(given));
  EXPECT_TRUE(store_.nodes(10, "")->items.empty());
}

TEST_P(Certificates, NodesPageByName) {
  for (const auto* serial : {"05", "01", "04", "02", "03"}) EXPECT_OK(store_.add_certificate(certificate_of(serial)));
  std::vector<std::string> seen;
  std::string after;
  do {
    const auto page = store_.nodes(2, after).value();
    for (const auto& node : page.items) seen.push_back(node.serial.hex());
    after = page.next;
  } while (!after.empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"01", "02", "03", "04", "05"}));
}

TEST_P(Certificates, AForgottenNodeKeepsItsCertificates) {
  const auto given = certificate_of("01");
  EXPECT_OK(store_.add_certificate(given));
  EXPECT_OK(store_.delete_node(given.cn));
  EXPECT_EQ(code_of(store_.node(given.cn)), Code::NotFound);
  EXPECT_EQ(code_of(store_.delete_node(given.cn)), Code::NotFound);
  EXPECT_OK(store_.certificate(given.serial));
}

TEST_P(Certificates, ARenewalIsItsNodesAndBringsNoDeletedOneBack) {
  const auto first = certificate_of("01");
  EXPECT_OK(store_.add_certificate(first));
  auto renewal = certificate_of("02");
  renewal.cn = first.cn;
  renewal.issued_at = first.issued_at;
  renewal.is_renewal = true;
  EXPECT_OK(store_.add_certificate(renewal));
  EXPECT_EQ(store_.node(first.cn).value().serial.hex(), "02");
  EXPECT_OK(store_.delete_node(first.cn));
  auto late = certificate_of("03");
  late.cn = first.cn;
  late.is_renewal = true;
  EXPECT_OK(store_.add_certificate(late));
  EXPECT_EQ(code_of(store_.node(first.cn)), Code::NotFound);
  EXPECT_OK(store_.certificate(late.serial));
}

// ----- administrators and facts

TEST_P(Certificates, AdministratorsAreASortedSet) {
  EXPECT_EQ(store_.add_admin({"/CN=b", {}, kNow, "unix:root"}).value(), Added::New);
  EXPECT_EQ(store_.add_admin({"/CN=a", {}, kNow, "unix:root"}).value(), Added::New);
  EXPECT_EQ(store_.add_admin({"/CN=a", {}, kNow, "unix:root"}).value(), Added::Already);
  EXPECT_EQ(store_.admins().value(), (std::vector<std::string>{"/CN=a", "/CN=b"}));
  EXPECT_TRUE(store_.remove_admin("/CN=a").value());
  EXPECT_FALSE(store_.remove_admin("/CN=a").value());
  EXPECT_EQ(store_.admins().value(), (std::vector<std::string>{"/CN=b"}));
  EXPECT_TRUE(store_.admin("/CN=b").value().listed);
  EXPECT_FALSE(store_.admin("/CN=a").value().listed);
}

TEST_P(Certificates, AdministratorsHaveTheKeysThatWereBoundToThem) {
  const std::vector<std::string> two{"k1", "k2"};
  EXPECT_OK(store_.add_admin({"/CN=a", {"k1"}, kNow, "unix:root"}));
  EXPECT_OK(store_.add_admin({"/CN=b", {}, kNow, "unix:root"}));
  EXPECT_EQ(store_.add_admin({"/CN=a", {"k3"}, kNow, "unix:root"}).value(), Added::Already);  // and no key
  EXPECT_TRUE(store_.bind_admin_keys({"/CN=a", {"k2", "k1"}, kNow, "unix:root"}).value());
  EXPECT_EQ(store_.admin("/CN=a").value().keys, two);
  EXPECT_TRUE(store_.is_admin_key("/CN=a", "k1").value());
  for (const auto* key : {"k3", "", "K1"}) EXPECT_FALSE(store_.is_admin_key("/CN=a", key).value()) << key;
  EXPECT_FALSE(store_.is_admin_key("/CN=b", "k1").value());
  EXPECT_TRUE(store_.admin("/CN=b").value().keys.empty());
}

TEST_P(Certificates, AnAdministratorsKeysGoWithTheName) {
  EXPECT_OK(store_.add_admin({"/CN=a", {"k1"}, kNow, "unix:root"}));
  EXPECT_TRUE(store_.remove_admin("/CN=a").value());
  EXPECT_FALSE(store_.is_admin_key("/CN=a", "k1").value());
  EXPECT_FALSE(store_.bind_admin_keys({"/CN=a", {"k1"}, kNow, "unix:root"}).value());
  EXPECT_OK(store_.add_admin({"/CN=a", {}, kNow, "unix:root"}));
  EXPECT_FALSE(store_.is_admin_key("/CN=a", "k1").value());
}

TEST_P(Certificates, FactsAreReplaced) {
  EXPECT_FALSE(store_.get_meta("journal").value());
  EXPECT_OK(store_.set_meta("journal", "1"));
  EXPECT_OK(store_.set_meta("journal", "2"));
  EXPECT_EQ(store_.get_meta("journal").value(), "2");
  EXPECT_FALSE(store_.get_meta("other").value());
}

}  // namespace
}  // namespace chancery::store
