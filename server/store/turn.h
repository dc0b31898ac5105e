#pragma once

#include <atomic>
#include <cstdint>

namespace chancery::store {

/// Whose turn it is, among processes that share a word of memory. Something else decides; those that would find it taken, or
/// find their work done by another, sleep here instead and are woken when it is free, where SQLite can only look again after a
/// while. It is advice and nothing else: who waited too long, because the one before was killed or is slow, goes on.
class Turn {
 public:
  /// @param word  outlives the turn; null: there is no turn to take
  explicit Turn(std::atomic<std::uint32_t>* word) : word_(word) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { leave(); }

  void take() noexcept;
  void leave() noexcept;

 private:
  std::atomic<std::uint32_t>* word_;
  bool mine_ = false;
};

}  // namespace chancery::store
