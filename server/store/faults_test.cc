#include "server/store/testing.h"

#include "server/store/transaction.h"

namespace chancery::store {
namespace {

/// What a store does when its statements fail; the driver below it is real.
class Faults : public Contract {
 protected:
  Store store_with(WatchedDriver::Verdict verdict) {
    return Store::over(std::make_unique<WatchedDriver>(backend_->connect().value(), std::move(verdict)),
                       RealmName::parse("default").value())
        .value();
  }
};
INSTANTIATE_TEST_SUITE_P(Store, Faults, testing::ValuesIn(all_backends()), backend_name);

/// An act on a store, and how to see afterwards that none of it happened.
struct Act {
  const char* name;
  std::function<Status(Store&)> prepare;
  std::function<Status(Store&)> act;
  std::function<bool(Store&)> nothing_of_it;
};

Status forget(const Result<Added>& result) { return result.ok() ? Status() : result.error(); }

std::vector<Act> acts() {
  const auto none = [](Store&) { return Status(); };
  const auto given = [] {
    auto c = certificate_of("01");
    c.idempotency_key = "k";
    return c;
  }();
  const AcmeAuthorization made = authorization_of("z", "a");
  return {
      {"add_certificate", none, [given](Store& s) { return forget(s.add_certificate(given)); },
       [given](Store& s) {
         return !s.certificate(given.serial).ok() && !s.by_idempotency_key("k").value() && !s.node(given.cn).ok() &&
                s.search({.san = given.sans.front()}, 1, "")->items.empty();
       }},
      {"revoke", [given](Store& s) { return forget(s.add_certificate(given)); },
       [given](Store& s) -> Status {
         const auto done = s.revoke({given.serial, "superseded", kNow});
         return done.ok() ? Status() : done.error();
       },
       [given](Store& s) {
         return s.certificate(given.serial)->state == CertificateState::Valid && !s.oldest_unlisted_revocation("ca").value();
       }},
      {"add_acme_order", none,
       [made](Store& s) {
         return s.add_acme_order(order_of("o", "a"), {&made, 1});
       },
       [](Store& s) { return !s.acme_order("a", "o").ok() && !s.acme_authorization("z").ok(); }},
  };
}

/// F4: each statement of an act fails once, the commit too: nothing of it stays, and the same act afterwards succeeds.
TEST_P(Faults, F4_I5_NothingIsHalfDone) {
  for (const auto& act : acts()) {
    for (int failing = 0;; ++failing) {
      backend_ = GetParam().make();
      bool armed = false;
      int count = 0;
      auto store = store_with([&](const Statement&) -> Status {
        if (armed && count++ == failing) return Error(Code::StoreFailed, "the disk is full");
        return {};
      });
      EXPECT_OK(act.prepare(store));
      armed = true;
      const auto first = act.act(store);
      armed = false;
      if (first.ok()) {
        EXPECT_GE(failing, 3) << act.name;
        break;
      }
      EXPECT_EQ(first.error().code(), Code::StoreFailed) << act.name << " " << failing;
      EXPECT_TRUE(act.nothing_of_it(store)) << act.name << " " << failing;
      EXPECT_OK(act.act(store));
    }
  }
}

/// Q8: a transaction that another was in the way of is tried again as a whole.
TEST_P(Faults, Q8_BusyIsTriedAgain) {
  int busy = 2;
  bool armed = false;
  auto store = store_with([&](const Statement& statement) -> Status {
    if (armed && statement.name == "commit" && busy-- > 0) return Error(Code::Busy, "database is locked");
    return {};
  });
  armed = true;
  EXPECT_EQ(store.add_certificate(certificate_of("01")).value(), Added::New);
  EXPECT_EQ(busy, -1);
  EXPECT_OK(store.certificate(serial_of("01")));
}

TEST_P(Faults, Q8_ButNotForEver) {
  int tries = 0;
  bool armed = false;
  auto store = store_with([&](const Statement& statement) -> Status {
    if (!armed || statement.name != "certificate_insert") return {};
    ++tries;
    return Error(Code::Busy, "database is locked");
  });
  armed = true;
  EXPECT_EQ(code_of(store.add_certificate(certificate_of("01"))), Code::Busy);
  EXPECT_GT(tries, 1);
  EXPECT_LT(tries, 10);
}

TEST_P(Faults, AThrowingClosureRollsBack) {
  auto driver = backend_->connect().value();
  Store::over(backend_->connect().value(), RealmName::parse("default").value()).value();
  EXPECT_THROW(static_cast<void>(transact(*driver, Access::Write, []() -> Status { throw Bug("broken promise"); })), Bug);
  EXPECT_OK(transact(*driver, Access::Write, []() { return Status(); }));
}

TEST_P(Faults, AnIncompleteMigrationGoesOnWhereItStopped) {
  for (int stop = 1;; ++stop) {
    backend_ = GetParam().make();
    if (!GetParam().shared) GTEST_SKIP() << "a memory database ends with its driver";
    int count = 0;
    const auto first = Store::over(std::make_unique<WatchedDriver>(backend_->connect().value(),
                                                                   [&](const Statement& s) -> Status {
                                                                     if (s.name == "commit" && ++count == stop)
                                                                       return Error(Code::StoreFailed, "killed");
                                                                     return {};
                                                                   }),
                                   RealmName::parse("default").value());
    auto second = open_store(*backend_);
    EXPECT_OK(second.add_certificate(certificate_of("01")));
    if (first.ok()) break;
  }
}

}  // namespace
}  // namespace chancery::store
