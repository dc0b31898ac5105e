#include "server/signer/journal_testing.h"

/// What another program issued, at the beginning of a journal.
namespace chancery::signer {
namespace {

using testing::intent;
using testing::owner;
using testing::Place;
using testing::signature;

Imported imported(int number, Bytes certificate = Bytes(30, 0x30)) {
  Imported out{.facts = {.serial = intent(number).serial, .subject = "/CN=a.example.com", .cn = "a.example.com"}};
  out.certificate = std::move(certificate);
  out.profile = "server";
  out.spki_sha256 = "key-" + std::to_string(number);
  out.requester = "import";
  return out;
}

TEST(History, C5_SerialsOfAnotherProgramAreUsed) {
  const Place place;
  {
    const auto journal = place.open();
    ASSERT_TRUE(journal->add_history({imported(1), imported(2, {})}, {}).ok());
    EXPECT_EQ(journal->begin(intent(1)).error().code(), Code::Exists);
    EXPECT_EQ(journal->begin(intent(2)).error().code(), Code::Exists);
    EXPECT_EQ(journal->add_history({imported(2)}, {}).error().code(), Code::Exists);
    EXPECT_TRUE(journal->begin(intent(3)).ok());
  }
  const auto journal = place.open();
  EXPECT_EQ(journal->begin(intent(1)).error().code(), Code::Exists);
  EXPECT_TRUE(journal->has_key_of(intent(1).serial, "key-1").value());
  EXPECT_FALSE(journal->has_key_of(intent(1).serial, "key-2").value());
  EXPECT_EQ(journal->unfinished().value().size(), 1U);  // the third, which is our own
}

TEST(History, ComesBeforeWhatIsIssued) {
  const Place place;
  const auto journal = place.open();
  AuditEvent event;
  event.what = kAdminImport;
  event.phase = kImportPhase;
  ASSERT_TRUE(journal->add_history({imported(1), imported(2, {})}, {event}).ok());
  ASSERT_TRUE(journal->begin(intent(3)).ok() && journal->finish(intent(3).serial, signature(3)).ok());
  const auto first = journal->since(0, 2).value();
  ASSERT_EQ(first.first.size(), 2U);
  ASSERT_TRUE(first.first[0].imported && first.first[1].imported);
  EXPECT_EQ(first.first[0].imported->certificate, Bytes(30, 0x30));
  EXPECT_EQ(first.first[0].imported->facts.subject, "/CN=a.example.com");
  EXPECT_TRUE(first.first[1].imported->certificate.empty());
  const auto rest = journal->since(first.second, 10).value();
  ASSERT_EQ(rest.first.size(), 1U);
  EXPECT_FALSE(rest.first[0].imported);
  EXPECT_EQ(rest.first[0].signature, signature(3));
  EXPECT_EQ(journal->records_since(0, 10, kEvent).value().records.size(), 1U);
  EXPECT_TRUE(Journal::check(place.directory(), owner()).ok());
}

}  // namespace
}  // namespace chancery::signer
