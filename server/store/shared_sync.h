#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "server/base/result.h"
#include "server/store/shared_words.h"
#include "server/store/turn.h"

namespace chancery::store {

/// Makes durable what the processes that share a write-ahead log have committed: one sync is for all that was written before it
/// began, whoever wrote it, and who comes while one runs waits for the next together with everybody else. What a connection only
/// read counts like what it wrote: an answer that says it must not say more than the disk does.
class SharedSync {
 public:
  using Sync = std::function<Status()>;
  /// @param words  null: this connection knows nothing of others, and syncs whatever it wrote or read
  SharedSync(Words* words, Sync sync);

  /// Right before a commit, which ends with ended().
  void begin() noexcept;
  /// It is in the file, or nothing of it is.
  void ended() noexcept;
  /// Something of the file was read.
  void saw() noexcept;
  /// Returns when everything that was written and seen is durable. @errors StoreFailed: a sync failed, now or ever since the
  /// file was opened. Nobody knows what the disk has then, and another sync would not tell (PROMISES F8).
  Status settle();
  /// @errors as settle.
  Status check() const;
  /// A sync failed elsewhere: of the database itself, say.
  void fail(std::string_view why) noexcept;

 private:
  bool is_alone() const { return words_ == &own_; }

  Words* words_;
  Words own_{};  ///< where none are shared
  Sync sync_;
  Turn turn_;
  std::uint64_t number_ = 0;  ///< of the commit in hand; 0: none
  std::uint64_t wanted_ = 0;  ///< what settle() waits for
};

}  // namespace chancery::store
