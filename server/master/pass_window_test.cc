#include "server/master/pass_window.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <set>
#include <string>
#include <vector>

#include "server/base/realm_passes.h"

namespace chancery::master {
namespace {

using std::chrono::milliseconds;

std::shared_ptr<const config::Snapshot> snapshot_of(const std::vector<std::string>& realms) {
  auto snapshot = std::make_shared<config::Snapshot>();
  for (const auto& name : realms)
    snapshot->realms.push_back(std::make_shared<config::RealmConfig>(RealmName::parse(name).value()));
  return snapshot;
}

/// The master's loop with windows for workers, which the test is.
class Counter {
 public:
  /// @return the worker's end.
  base::UniqueFd open(const std::shared_ptr<const config::Snapshot>& snapshot) {
    auto pair = PassWindow::open().value();
    windows_.emplace_back(loop_, std::move(pair.master), ::getpid(), snapshot, books);
    return std::move(pair.worker);
  }
  base::UniqueFd open() { return open(snapshot_of({"a", "b"})); }
  /// The newest one's worker ended.
  void close() { windows_.pop_back(); }
  /// Everything that is due happens. A timer of no delay comes after what is readable already.
  void turn() {
    for (int i = 0; i < 2; ++i) {
      auto after = loop_.timer([this] { loop_.stop(); });
      after->arm_after(milliseconds{1});
      loop_.run();
    }
  }
  std::string pass(const std::string& realm) { return text_of(books.signers, realm); }
  std::string key_pass(const std::string& realm) { return text_of(books.keymaker, realm); }

  PassBooks books;

 private:
  static std::string text_of(const PassBook& book, const std::string& realm) {
    return std::string(base::as_text(book.find(RealmName::parse(realm).value())));
  }

  Loop loop_ = Loop::create().value();
  std::list<PassWindow> windows_;
};

/// What the worker has from the master, its signer's pass first; or a code.
std::string given(const base::UniqueFd& worker) {
  const auto passes = base::read_passes(worker.get(), milliseconds{0});
  if (!passes.ok()) return std::string(base::describe(passes.error().code()).text);
  return std::string(base::as_text(passes->signer.view())) + std::string(base::as_text(passes->keymaker.view()));
}

void say(const base::UniqueFd& worker, const std::string& octets) {
  PKI_CHECK(::send(worker.get(), octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size()));
}

TEST(PassWindow, AWorkerGetsItsRealmsPass) {
  Counter counter;
  const auto a = counter.open();
  const auto b = counter.open();
  ASSERT_TRUE(base::ask_for_passes(a.get(), 0).ok());
  ASSERT_TRUE(base::ask_for_passes(b.get(), 1).ok());
  counter.turn();
  EXPECT_EQ(given(a), counter.pass("a"));
  EXPECT_EQ(given(b), counter.pass("b"));
  EXPECT_EQ(counter.pass("a").size(), base::kPassOctets);
  EXPECT_NE(counter.pass("a"), counter.pass("b"));
}

TEST(PassWindow, TheKeymakersPassComesWithItWhereThereIsOne) {
  Counter counter;
  ASSERT_TRUE(counter.books.keymaker.make(RealmName::parse("b").value()).ok());
  const auto a = counter.open();
  const auto b = counter.open();
  ASSERT_TRUE(base::ask_for_passes(a.get(), 0).ok());
  ASSERT_TRUE(base::ask_for_passes(b.get(), 1).ok());
  counter.turn();
  EXPECT_EQ(given(a), counter.pass("a"));
  EXPECT_EQ(given(b), counter.pass("b") + counter.key_pass("b"));
}

TEST(PassWindow, C22_NobodyIsGivenAnythingUnasked) {
  Counter counter;
  const auto silent = counter.open();
  const auto other = counter.open();
  ASSERT_TRUE(base::ask_for_passes(other.get(), 0).ok());
  counter.turn();
  EXPECT_EQ(given(silent), "timeout");
}

TEST(PassWindow, C22_F50_ASecondRealmIsNotAnswered) {
  Counter counter;
  const auto worker = counter.open();
  ASSERT_TRUE(base::ask_for_passes(worker.get(), 0).ok());
  counter.turn();
  EXPECT_EQ(base::ask_for_passes(worker.get(), 1).error().code(), Code::Unavailable);
  counter.turn();
  EXPECT_EQ(given(worker), counter.pass("a"));
  EXPECT_EQ(given(worker), "unavailable");
}

TEST(PassWindow, C22_F50_OfQuestionsThatComeTogetherTheFirstIsAnswered) {
  Counter counter;
  const auto worker = counter.open();
  for (const std::uint32_t realm : {1U, 0U, 1U}) ASSERT_TRUE(base::ask_for_passes(worker.get(), realm).ok());
  counter.turn();
  // The kernel first says that there were questions nobody read.
  const std::multiset<std::string> heard{given(worker), given(worker), given(worker)};
  EXPECT_EQ(heard, (std::multiset<std::string>{counter.pass("b"), "unavailable", "unavailable"}));
}

struct Hostile {
  const char* name;
  std::string octets;
};
const Hostile kHostile[] = {
    {"nothing", ""},
    {"short", std::string(3, '\0')},
    {"long", std::string(5, '\0')},
    {"very long", std::string(50000, '\0')},
    {"the realm behind the last", std::string("\2\0\0\0", 4)},
    {"the largest number", std::string(4, '\xff')},
    {"a realm's name", "a"},
    {"a request of the socket", R"({"jsonrpc":"2.0","id":1,"method":"session.open","params":{"realm":"a"}})"},
};

TEST(PassWindow, C22_WhatIsNoQuestionShutsTheWindow) {
  Counter counter;
  for (const auto& one : kHostile) {
    const auto worker = counter.open();
    const auto other = counter.open();
    say(worker, one.octets);
    counter.turn();
    EXPECT_EQ(given(worker), "unavailable") << one.name;
    EXPECT_EQ(base::ask_for_passes(worker.get(), 0).error().code(), Code::Unavailable) << one.name;
    ASSERT_TRUE(base::ask_for_passes(other.get(), 0).ok()) << one.name;
    counter.turn();
    EXPECT_EQ(given(other), counter.pass("a")) << "whoever came after " << one.name;
  }
}

TEST(PassWindow, AWorkerThatSaysAllItCanKeepsNobodyWaiting) {
  Counter counter;
  const auto hostile = counter.open();
  const auto worker = counter.open();
  while (base::ask_for_passes(hostile.get(), 7).ok()) {
  }
  ASSERT_TRUE(base::ask_for_passes(worker.get(), 1).ok());
  counter.turn();
  EXPECT_EQ(given(hostile), "unavailable");
  EXPECT_EQ(given(worker), counter.pass("b"));
}

TEST(PassWindow, AWorkerThatEndsIsForgotten) {
  Counter counter;
  auto worker = counter.open();
  worker.reset();
  counter.turn();
  auto other = counter.open();
  counter.close();
  EXPECT_EQ(given(other), "unavailable");
  counter.turn();
}

TEST(PassWindow, AWorkerThatEndsWithAQuestionIsForgotten) {
  Counter counter;
  auto worker = counter.open();
  ASSERT_TRUE(base::ask_for_passes(worker.get(), 0).ok());
  worker.reset();
  counter.turn();
  const auto other = counter.open();
  ASSERT_TRUE(base::ask_for_passes(other.get(), 0).ok());
  counter.turn();
  EXPECT_EQ(given(other), counter.pass("a"));
}

TEST(PassWindow, D24_AReloadLeavesEachWorkerItsOwnRealms) {
  Counter counter;
  auto old = snapshot_of({"a", "b"});
  const auto before = counter.open(old);
  const auto after = counter.open(snapshot_of({"b", "c", "d"}));
  ASSERT_TRUE(base::ask_for_passes(before.get(), 1).ok());
  ASSERT_TRUE(base::ask_for_passes(after.get(), 1).ok());
  counter.turn();
  EXPECT_EQ(given(before), counter.pass("b"));
  EXPECT_EQ(given(after), counter.pass("c"));
  EXPECT_EQ(old.use_count(), 1) << "an answered worker holds no configuration in the master's memory";
}

}  // namespace
}  // namespace chancery::master
