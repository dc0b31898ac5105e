#pragma once

#include <chrono>
#include <exception>

#include "server/store/driver.h"

namespace chancery::store {

/// How often a transaction that another was in the way of is tried again: a few times, waiting longer each time, with jitter
/// so that rivals do not meet again (PROMISES Q8).
class Backoff {
 public:
  static constexpr int kTransactionTries = 4;  ///< with the driver's own waiting: below 4 s in all
  explicit Backoff(int most_tries = kTransactionTries) : most_tries_(most_tries) {}
  /// Waits, from 20 ms on about twice as long each time. @return false: it was tried often enough.
  bool wait();

 private:
  int most_tries_;
  int tries_ = 0;
};

/// One attempt. Rolled back unless the closure and the commit succeeded, also when the closure throws.
template <class Closure>
auto attempt(Driver& driver, Access access, Closure& closure) -> decltype(closure()) {
  PKI_TRY_VOID(driver.begin(access));
  struct Guard {
    Driver& driver;
    bool open = true;
    ~Guard() {
      if (open) driver.rollback();
    }
  } guard{driver};
  auto result = closure();
  if (!result.ok()) return result;
  PKI_TRY_VOID(driver.commit());
  guard.open = false;
  return result;
}

/// Runs a closure as one transaction, and again from its beginning when the database says Busy. The closure has no side
/// effects but its statements: no signing, no network, no file, and it fills nothing outside that a second run would fill twice.
template <class Closure>
auto transact(Driver& driver, Access access, Closure closure) -> decltype(closure()) {
  for (Backoff backoff;;) {
    auto result = attempt(driver, access, closure);
    if (result.ok() || result.error().code() != Code::Busy || !backoff.wait()) return result;
  }
}

}  // namespace chancery::store
