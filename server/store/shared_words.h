#pragma once

#include <atomic>
#include <cstdint>

#include "server/base/fd.h"
#include "server/base/file.h"

namespace chancery::store {

/// What the processes that share a database file tell each other. All of it is about their common work at this moment: nothing
/// of it means anything to those that come after them.
struct Words {
  std::atomic<std::uint32_t> write_turn;  ///< a Turn: who writes
  std::atomic<std::uint32_t> sync_turn;   ///< a Turn: who syncs
  std::atomic<std::uint32_t> crl_turn;    ///< a Turn: who makes a CRL
  std::atomic<std::uint32_t> failed;      ///< a sync of the file failed
  std::atomic<std::uint64_t> begun;       ///< the number of the last commit that began
  std::atomic<std::uint64_t> written;     ///< those up to this one are in the file
  std::atomic<std::uint64_t> synced;      ///< and those up to this one on the disk
};

/// The words in a file of their own, which is memory that its processes share. Whoever opens the file while nobody else has it
/// finds all of them zero, whatever a crash or a copy of the directory left in it.
class SharedWords {
 public:
  /// Their file for a database.
  static base::Path file_of(const base::Path& database) { return database.string() + "-turn"; }
  /// Made when missing, with mode 0600. @post get() is null where that is not possible.
  explicit SharedWords(const base::Path& file);
  SharedWords(const SharedWords&) = delete;
  SharedWords& operator=(const SharedWords&) = delete;
  ~SharedWords();

  Words* get() const { return words_; }
  /// One of them for a Turn. Null: there are none.
  std::atomic<std::uint32_t>* turn(std::atomic<std::uint32_t> Words::*which) const {
    return words_ == nullptr ? nullptr : &(words_->*which);
  }

 private:
  base::UniqueFd file_;  ///< its lock says that somebody has the words
  Words* words_ = nullptr;
};

/// Keeps the words as they are, though nobody uses them for a while: what has failed is forgotten with the server, not before.
/// @return invalid: there is no such file yet
base::UniqueFd hold_words(const base::Path& file);

}  // namespace chancery::store
