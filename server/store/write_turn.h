#pragma once

#include <atomic>
#include <cstdint>

#include "server/base/file.h"

namespace chancery::store {

/// Whose turn it is to write, among the processes that share a database file. SQLite's own lock decides; those that would
/// find it taken sleep here instead, and are woken when it is free, where SQLite can only look again after a while. It is
/// advice and nothing else: who waited too long, because the one before was killed, goes on to SQLite's lock.
class WriteTurn {
 public:
  WriteTurn() = default;
  /// Over `<database>-turn`, made when missing; without a turn to take where that is not possible.
  explicit WriteTurn(const base::Path& database);
  WriteTurn(const WriteTurn&) = delete;
  WriteTurn& operator=(const WriteTurn&) = delete;
  ~WriteTurn();

  void take() noexcept;
  void leave() noexcept;

 private:
  std::atomic<std::uint32_t>* word_ = nullptr;  ///< shared memory of the file
  bool mine_ = false;
};

}  // namespace chancery::store
