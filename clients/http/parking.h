#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "clients/http/loop.h"
#include "clients/http/router.h"

namespace chancery::http {

/// What one thread will know, and another one wants to hear. Whichever comes second calls, on its own thread.
template <class T>
class Later {
 public:
  using Hear = std::function<void(T)>;

  /// Once.
  void set(T value) { meet(std::move(value), nullptr); }
  /// Once.
  void then(Hear hear) { meet(std::nullopt, std::move(hear)); }

 private:
  void meet(std::optional<T> value, Hear hear) {
    {
      const std::lock_guard lock(mutex_);
      if (value) value_ = std::move(value);
      if (hear) hear_ = std::move(hear);
      if (!value_ || !hear_) return;
      value = std::exchange(value_, std::nullopt);
      hear = std::exchange(hear_, nullptr);
    }
    hear(std::move(*value));
  }

  std::mutex mutex_;
  std::optional<T> value_;
  Hear hear_;
};

/// Requests whose answer is worth waiting for (Response::wait_for_better): no thread waits with them. Of the loop's thread.
class Parking {
 public:
  using Give = std::function<void(std::uint64_t connection, const Match& match, Response response, bool is_better)>;

  /// @param give  gets each parked request's answer, once; not that of a connection that was forgotten.
  /// @param longest  after which the answer at hand is given
  Parking(Loop& loop, Give give, std::chrono::milliseconds longest);
  Parking(const Parking&) = delete;
  Parking& operator=(const Parking&) = delete;
  ~Parking();

  /// @pre response.wait_for_better is set, and nothing is parked for that connection.
  void park(std::uint64_t connection, std::shared_ptr<const Match> match, Response response);
  /// Its other end has gone.
  void forget(std::uint64_t connection) { parked_.erase(connection); }

 private:
  struct Place {
    std::shared_ptr<const Match> match;
    Response at_hand;
    std::unique_ptr<Timer> until;
  };
  struct Way;  ///< from other threads to here, as long as this is there
  void end(std::uint64_t connection, const std::shared_ptr<const Match>& match, Response* better);

  Loop& loop_;
  Give give_;
  std::chrono::milliseconds longest_;
  std::unordered_map<std::uint64_t, Place> parked_;
  std::shared_ptr<Way> way_;
};

}  // namespace chancery::http
