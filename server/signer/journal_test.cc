#include "server/signer/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "server/base/text.h"
#include "server/signer/journal_testing.h"

namespace chancery::signer {
namespace {

using testing::intent;
using testing::owner;
using testing::Place;
using testing::signature;

/// Where each record of a journal begins, and its end.
std::vector<std::size_t> boundaries(const std::string& content) {
  std::vector<std::size_t> offsets;
  for (std::size_t at = 0; at < content.size();) {
    offsets.push_back(at);
    std::size_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<std::uint8_t>(content[at + static_cast<std::size_t>(i)]);
    at += 72 + length;
  }
  offsets.push_back(content.size());
  return offsets;
}

/// What the program wrote before a realm had several CAs: no record says which.
TEST(Journal, OfBeforeThereWereSeveralCas) {
  const Place place;
  const auto serial = intent(1).serial.hex();
  std::string content;
  {
    std::filesystem::remove(place.file());
    const auto genesis = R"({"kind":"genesis","realm":"default","key":")" + std::string(64, 'a') + R"(","at":1800000000})";
    const auto first = JournalFile::first(genesis);
    place.write(std::string(first.begin(), first.end()));
    std::filesystem::permissions(place.file(), std::filesystem::perms(0600));
    const auto file = JournalFile::open(place.file(), [](std::uint64_t, std::string_view) { return Status(); }).value();
    for (
        const auto& body :
        {R"({"kind":"intent","serial":")" + serial +
             R"(","profile":"server","digest":"d","tbs":"AQEB","spki":"key-1","requester":"unix:alice","front_end":"","rule":"r","evidence":"csr","idempotency_key":"k","at":1800000000})",
         R"({"kind":"signature","serial":")" + serial + R"(","signature":"AQEB"})",
         std::string(
             R"({"kind":"crl","number":7,"this_update":1800000000,"digest":"d","requester":"upkeep","at":1800000000})")}) {
      ASSERT_TRUE(file->append(body).ok());
      file->wait_durable(file->end());
    }
  }
  const auto before = place.content();
  const auto journal = place.open();
  EXPECT_EQ(place.content(), before);
  const auto page = journal->since(0, 10).value();
  ASSERT_EQ(page.first.size(), 1U);
  EXPECT_EQ(page.first[0].intent.ca, "ca");
  EXPECT_EQ(journal->last_crl_number("ca"), 7U);
  EXPECT_EQ(journal->last_crl_number("ca-2"), 0U);
  EXPECT_TRUE(journal->generations().empty());
  EXPECT_TRUE(journal->begin(intent(2)).ok());  // and goes on
}

TEST(Journal, AGenerationThatEndedBeginsNothingMore) {
  const Place place;
  auto journal = place.open();
  ASSERT_TRUE(journal->begin(intent(1)).ok());
  auto other = intent(2);
  other.ca = "ca-2";
  EXPECT_EQ(journal->begin(other).error().code(), Code::NotFound);
  const auto key = std::string(64, 'b');
  EXPECT_EQ(journal->set_generation({"ca-2", "active", key, "a", {}}).error().code(), Code::NotFound);
  ASSERT_TRUE(journal->set_generation({"ca-2", "prepared", key, "a", {}}).ok());
  EXPECT_EQ(journal->begin(other).error().code(), Code::Conflict);
  EXPECT_EQ(journal->set_generation({"ca-2", "active", std::string(64, 'c'), "a", {}}).error().code(), Code::Conflict);
  ASSERT_TRUE(journal->set_generation({"ca-2", "active", key, "a", {}}).ok());
  ASSERT_TRUE(journal->begin(other).ok());
  ASSERT_TRUE(journal->set_generation({"ca", "draining", std::string(64, 'a'), "a", {}}).ok());
  journal.reset();
  journal = place.open();
  EXPECT_EQ(journal->begin(intent(3)).error().code(), Code::Conflict);
  EXPECT_TRUE(journal->begin(intent(1)).ok());  // that was begun before, and may be finished
  EXPECT_EQ(journal->unfinished()->size(), 2U);
  EXPECT_EQ(journal->check_all_of("ca", {{intent(2).serial, {}, 0}}).error().code(), Code::PolicyRefused);
  EXPECT_TRUE(journal->check_all_of("ca-2", {{intent(2).serial, {}, 0}, {intent(9).serial, {}, 0}}).ok());
}

TEST(Journal, HoldsWhatWasSignedAndWhatWasNot) {
  const Place place;
  place.fill();
  const auto journal = place.open();
  const auto page = journal->since(0, 10).value();
  ASSERT_EQ(page.first.size(), 2U);
  EXPECT_EQ(page.first[1].intent.serial, intent(2).serial);
  EXPECT_EQ(page.first[1].intent.tbs, intent(2).tbs);
  EXPECT_EQ(page.first[1].signature, signature(2));
  EXPECT_TRUE(journal->since(page.second, 10)->first.empty());
  ASSERT_EQ(journal->unfinished()->size(), 1U);
  EXPECT_EQ(journal->unfinished()->front().intent.serial, intent(3).serial);
  EXPECT_EQ(journal->last_crl_number(), 1U);
  EXPECT_TRUE(journal->has_key_of(intent(1).serial, "key-1").value());
  EXPECT_FALSE(journal->has_key_of(intent(1).serial, "key-2").value());
  EXPECT_FALSE(journal->has_key_of(intent(3).serial, "key-3").value());  // never signed
  EXPECT_FALSE(journal->has_key_of(intent(9).serial, "key-9").value());
}

TEST(Journal, PagesOneByOne) {
  const Place place;
  place.fill();
  const auto journal = place.open();
  const auto first = journal->since(0, 1).value();
  const auto second = journal->since(first.second, 1).value();
  ASSERT_EQ(first.first.size(), 1U);
  ASSERT_EQ(second.first.size(), 1U);
  EXPECT_EQ(second.first[0].intent.serial, intent(2).serial);
  EXPECT_TRUE(journal->since(second.second, 1)->first.empty());
}

TEST(Journal, C5_OneTbsPerSerial) {
  const Place place;
  const auto journal = place.open();
  ASSERT_TRUE(journal->begin(intent(1)).ok());
  EXPECT_FALSE(journal->begin(intent(1))->signature.has_value());  // the same once more
  EXPECT_EQ(journal->finish(intent(1).serial, signature(1)).value(), signature(1));
  EXPECT_EQ(journal->finish(intent(1).serial, signature(7)).value(), signature(1));  // the first one stands
  EXPECT_EQ(journal->begin(intent(1))->signature, signature(1));
  auto other = intent(1);
  other.tbs.back() ^= 1;
  const auto before = place.content();
  EXPECT_EQ(journal->begin(other).error().code(), Code::Exists);
  EXPECT_EQ(place.content(), before);  // a refusal leaves nothing
}

TEST(Journal, C5_OneTbsPerSerialAlsoAfterAStart) {
  const Place place;
  place.fill();
  const auto journal = place.open();
  for (int number = 1; number <= 3; ++number) {
    auto other = intent(number);
    other.tbs.push_back(0);
    EXPECT_EQ(journal->begin(other).error().code(), Code::Exists) << number;
  }
}

TEST(Journal, C6_TheSameKeyIsTheSameRequest) {
  const Place place;
  const auto journal = place.open();
  ASSERT_TRUE(journal->begin(intent(1, "order-7")).ok());
  ASSERT_TRUE(journal->finish(intent(1).serial, signature(1)).ok());
  auto again = intent(2, "order-7");  // a retry chooses a new serial and time
  again.digest = intent(1).digest;
  const auto found = journal->begin(again).value();
  EXPECT_EQ(found.intent.serial, intent(1).serial);
  EXPECT_EQ(found.signature, signature(1));
  EXPECT_EQ(journal->begin(intent(2, "order-7")).error().code(), Code::Conflict);  // another request
  EXPECT_TRUE(journal->begin(intent(2, "order-8")).ok());
}

TEST(Journal, C6_ManyThreadsOneRequest) {
  const Place place;
  const auto journal = place.open();
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::string> serials;
  for (int number = 1; number <= 16; ++number) {
    threads.emplace_back([&, number] {
      auto own = intent(number, "one");
      own.digest = "the same";
      const auto entry = journal->begin(own).value();
      const auto made = journal->finish(entry.intent.serial, signature(number));
      const std::lock_guard lock(mutex);
      serials.insert(entry.intent.serial.hex() + base::to_hex(made.value()));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(serials.size(), 1U);
  EXPECT_EQ(journal->since(0, 100)->first.size(), 1U);
}

TEST(Journal, C8_CrlNumbersAndDatesRise) {
  const Place place;
  place.fill();
  const auto journal = place.open();
  const auto at = [](std::int64_t seconds) { return base::from_epoch(1'800'000'000 + seconds); };
  EXPECT_EQ(journal->begin_crl({1, at(5), "d", "r", {}}).error().code(), Code::Conflict);
  EXPECT_EQ(journal->begin_crl({0, at(5), "d", "r", {}}).error().code(), Code::Conflict);
  EXPECT_EQ(journal->begin_crl({2, at(-1), "d", "r", at(0)}).error().code(), Code::Conflict);
  EXPECT_TRUE(journal->begin_crl({2, at(0), "d", "r", at(0)}).ok());
  EXPECT_TRUE(journal->begin_crl({9, at(1), "d", "r", at(0)}).ok());
}

TEST(Journal, C8_ACrlOfATimeToComeIsFollowedByOneOfNowAndByNoneOfBefore) {
  const Place place;
  place.fill();
  const auto journal = place.open();
  const auto at = [](std::int64_t seconds) { return base::from_epoch(1'800'000'000 + seconds); };
  ASSERT_TRUE(journal->begin_crl({2, at(86400), "d", "r", at(86400)}).ok());
  EXPECT_EQ(journal->begin_crl({3, at(-301), "d", "r", at(0)}).error().code(), Code::Conflict);
  EXPECT_EQ(journal->begin_crl({2, at(0), "d", "r", at(0)}).error().code(), Code::Conflict);
  ASSERT_TRUE(journal->begin_crl({3, at(0), "d", "r", at(0)}).ok());
  EXPECT_EQ(journal->begin_crl({4, at(-1), "d", "r", at(0)}).error().code(), Code::Conflict);
}

TEST(Journal, ASerialOfTheCaItselfIsUsed) {
  const Place place;
  const auto journal = place.open();
  ASSERT_TRUE(journal->add_anchor({intent(1).serial, intent(1).tbs, {}, {}}).ok());
  EXPECT_EQ(journal->add_anchor({intent(1).serial, intent(2).tbs, {}, {}}).error().code(), Code::Exists);
  EXPECT_EQ(journal->begin(intent(1)).error().code(), Code::Exists);
}

TEST(Journal, F1_CutAtEveryOctetItOpensWithWhatWasWhole) {
  const Place whole;
  whole.fill();
  const auto content = whole.content();
  const auto records = boundaries(content);
  for (std::size_t size = records[1]; size < content.size(); ++size) {
    const Place place;
    place.write(content.substr(0, size));
    const auto journal = place.try_open();
    ASSERT_TRUE(journal.ok()) << size << ": " << journal.error().message();
    const auto kept = *std::prev(std::ranges::upper_bound(records, size));
    EXPECT_EQ(place.content(), content.substr(0, kept)) << size;
    ASSERT_TRUE((*journal)->begin(intent(100)).ok());  // and goes on from there
    EXPECT_TRUE(Journal::check(place.directory(), owner()).ok()) << size;
  }
}

TEST(Journal, WithoutItsFirstRecordItIsNone) {
  const Place whole;
  const auto content = whole.content();
  for (std::size_t size = 0; size < content.size(); ++size) {
    const Place place;
    place.write(content.substr(0, size));
    EXPECT_FALSE(place.try_open().ok()) << size;
  }
}

TEST(Journal, C19_EveryFlippedBitIsFound) {
  const Place whole;
  whole.fill();
  const auto content = whole.content();
  const auto records = boundaries(content);
  for (std::size_t at = 0; at < content.size(); ++at) {
    for (int bit = 0; bit < 8; bit += 1 + static_cast<int>(at % 3)) {
      auto damaged = content;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ 1U << static_cast<unsigned>(bit));
      const Place place;
      place.write(damaged);
      const auto checked = Journal::check(place.directory(), owner());
      ASSERT_FALSE(checked.ok()) << at << " bit " << bit;
      EXPECT_EQ(checked.error().code(), Code::Corrupt) << at;
      const auto record = *std::prev(std::ranges::upper_bound(records, at));
      EXPECT_NE(checked.error().message().find("octet " + std::to_string(record) + " "), std::string::npos)
          << checked.error().message();
      EXPECT_EQ(place.try_open().error().code(), Code::Corrupt) << at;
      EXPECT_EQ(place.content(), damaged);  // evidence is left as it is
    }
  }
}

TEST(Journal, C19_MissingTwiceSwappedAndForeignRecordsAreFound) {
  const Place whole;
  whole.fill();
  const auto content = whole.content();
  const auto at = boundaries(content);
  const auto record = [&](std::size_t i) { return content.substr(at[i], at[i + 1] - at[i]); };
  const Place foreign;
  foreign.fill();
  const auto swapped = record(0) + record(2) + record(1) + content.substr(at[3]);
  const std::pair<const char*, std::string> cases[] = {
      {"the second is missing", content.substr(0, at[1]) + content.substr(at[2])},
      {"one before the last is missing", content.substr(0, at[4]) + content.substr(at[5])},
      {"the first is missing", content.substr(at[1])},
      {"one stands twice", content.substr(0, at[2]) + record(1) + content.substr(at[2])},
      {"two are swapped", swapped},
      {"the last stands twice", content + record(at.size() - 2)},
      {"a second beginning", content + record(0)},
      {"noise behind the end", content + std::string(200, 'x')},
      {"zeros behind the end", content + std::string(200, '\0')},
      {"another format", "{\"kind\":\"genesis\"}\n"},
  };
  for (const auto& [name, damaged] : cases) {
    const Place place;
    place.write(damaged);
    EXPECT_FALSE(Journal::check(place.directory(), owner()).ok()) << name;
    EXPECT_FALSE(place.try_open().ok()) << name;
  }
}

TEST(Journal, AnothersJournalIsRefused) {
  const Place place;
  place.fill();
  auto other_realm = owner();
  other_realm.realm = RealmName::parse("devices").value();
  auto other_key = owner();
  other_key.key_sha256 = std::string(64, 'b');
  for (const auto& other : {other_realm, other_key}) {
    EXPECT_EQ(Journal::open(place.directory(), other).error().code(), Code::BadConfig);
    EXPECT_EQ(Journal::check(place.directory(), other).error().code(), Code::BadConfig);
  }
  EXPECT_EQ(Journal::create(place.directory(), owner()).error().code(), Code::Exists);
}

TEST(Journal, F13_I21_OneSignerHoldsIt) {
  const Place place;
  const auto first = place.open();
  EXPECT_EQ(place.try_open().error().code(), Code::Busy);
  EXPECT_TRUE(Journal::check(place.directory(), owner()).ok());  // looking is free
}

TEST(Journal, D33_FilesThatOthersMayWriteAreRefused) {
  const Place place;
  place.fill();
  ASSERT_EQ(::chmod(place.file().c_str(), 0660), 0);
  EXPECT_EQ(place.try_open().error().code(), Code::Denied);
  ASSERT_EQ(::chmod(place.file().c_str(), 0600), 0);
  std::filesystem::rename(place.file(), place.directory() / "elsewhere");
  EXPECT_EQ(place.try_open().error().code(), Code::NotFound);
  std::filesystem::create_symlink("elsewhere", place.file());
  EXPECT_FALSE(place.try_open().ok());
  std::filesystem::remove(place.file());
  std::filesystem::create_directory(place.file());
  EXPECT_FALSE(place.try_open().ok());
}

TEST(Journal, F7_I21_AFullDiskRefusesAndIsAsBefore) {
  const Place place;
  const auto journal = place.open();
  ASSERT_TRUE(journal->begin(intent(1)).ok());
  const auto before = place.content();
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  ::getrlimit(RLIMIT_FSIZE, &unlimited);
  const rlimit full{before.size() + 100, unlimited.rlim_max};  // room for a part of a record
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto refused = journal->begin(intent(2));
  ::setrlimit(RLIMIT_FSIZE, &unlimited);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Io);
  EXPECT_EQ(place.content(), before);
  EXPECT_TRUE(journal->begin(intent(2)).ok());  // and goes on when there is room
  EXPECT_TRUE(Journal::check(place.directory(), owner()).ok());
}

int fail_to_sync(int /*descriptor*/) {
  errno = EIO;
  return -1;
}

TEST(JournalDeathTest, F8_AFailedSyncEndsTheProcess) {
  const Place place;
  int count = 0;
  static int* calls = nullptr;
  calls = &count;
  const auto second_fails = [](int descriptor) { return ++*calls == 1 ? ::fdatasync(descriptor) : fail_to_sync(descriptor); };
  const auto journal = Journal::open(place.directory(), owner(), second_fails).value();
  EXPECT_EXIT((void)journal->begin(intent(1)), ::testing::ExitedWithCode(74), "");
}

TEST(Journal, F8_AFailedSyncAtTheStartIsAnError) {
  const Place place;
  EXPECT_EQ(Journal::open(place.directory(), owner(), fail_to_sync).error().code(), Code::Io);
}

AuditEvent event(const std::string& what) {
  return {.what = what,
          .phase = "begin",
          .requester = "unix:alice",
          .front_end = {},
          .peer = "uid 1 pid 2",
          .about = R"({"serial":"01"})",
          .roles = "ra-operator",
          .outcome = {},
          .at = base::from_epoch(1'800'000'000)};
}

TEST(Journal, C17_EventsStandInOneChainWithWhatWasSigned) {
  const Place place;
  place.fill();
  const auto journal = place.open();
  ASSERT_TRUE(journal->record(event("certificate.revoke")).ok());
  const auto page = journal->records_since(0, 100).value();
  std::vector<std::string> kinds;
  for (const auto& record : page.records) kinds.push_back(record.text("kind"));
  EXPECT_EQ(kinds, (std::vector<std::string>{"genesis", "intent", "signature", "intent", "signature", "intent", "crl", "event"}));
  EXPECT_EQ(page.records.back().text("what"), "certificate.revoke");
  EXPECT_EQ(page.records.back().text("requester"), "unix:alice");
  EXPECT_TRUE(journal->records_since(page.next_position, 100)->records.empty());
  const auto first = journal->records_since(0, 3).value();
  const auto rest = journal->records_since(first.next_position, 100).value();
  EXPECT_EQ(first.records.size() + rest.records.size(), page.records.size());
  EXPECT_EQ(rest.records.back(), page.records.back());
  EXPECT_EQ(journal->records_since(5, 10).error().code(), Code::InvalidParams);  // no record begins there
}

TEST(Journal, C18_AFullDiskIsTold) {
  const Place place;
  const auto journal = place.open();
  EXPECT_EQ(journal->fault(), "");
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  ::getrlimit(RLIMIT_FSIZE, &unlimited);
  const rlimit full{place.content().size() + 10, unlimited.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  EXPECT_EQ(journal->record(event("admin.add")).error().code(), Code::Io);
  EXPECT_NE(journal->fault(), "");
  ::setrlimit(RLIMIT_FSIZE, &unlimited);
  EXPECT_TRUE(journal->record(event("admin.add")).ok());
  EXPECT_EQ(journal->fault(), "");
}

TEST(Journal, ARecordThatIsTooLongIsRefused) {
  const Place place;
  const auto journal = place.open();
  auto big = intent(1);
  big.evidence = std::string(JournalFile::kMaxBody, 'x');
  EXPECT_EQ(journal->begin(big).error().code(), Code::TooLarge);
  EXPECT_TRUE(journal->begin(intent(2)).ok());
}

// ----- what another program issued with the same key

}  // namespace
}  // namespace chancery::signer
