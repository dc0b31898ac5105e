#pragma once

#include <atomic>
#include <cstdint>

#include "server/base/file.h"

namespace chancery::store {

/// Whose turn it is to write, among the processes that share a database file. The database decides; those that would find it
/// taken, or find their work done by another, sleep here instead and are woken when it is free, where SQLite can only look again
/// after a while. It is advice and nothing else: who waited too long, because the one before was killed or is slow, goes on.
class WriteTurn {
 public:
  WriteTurn() = default;
  /// Over a file of its own, made when missing; without a turn to take where that is not possible.
  explicit WriteTurn(const base::Path& file);
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
