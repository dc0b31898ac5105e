#pragma once

#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/file.h"

namespace chancery::signer {

/// An append-only file of records, each chained to the one before it. A record is
///
///     length       4 octets, big-endian, of the body
///     complement   4 octets, every bit of the length turned over
///     before      32 octets, the hash of the record before it; zeros at the beginning of the file
///     hash        32 octets, SHA-256 over `before` and the body
///     body
///
/// The complement parts the two ends a file can have: a record that a crash cut off says how long it would have been, and is cut
/// away, since nobody was answered on its word; a length that was damaged later would have us cut away everything behind it.
class JournalFile {
 public:
  static constexpr std::size_t kMaxBody = 1U << 20;
  using Visit = std::function<Status(std::uint64_t offset, std::string_view body)>;
  using Sync = int (*)(int descriptor);

  /// The octets of a file with one record.
  static Bytes first(std::string_view body);
  /// Reads every record without lock or change; a signer may be writing the last one just now. @errors as open, but Busy.
  static Status scan(const base::Path& path, const Visit& visit);
  /// Reads every record, cuts an unfinished one from the end, and holds the file for as long as this lives.
  /// @errors NotFound; Busy: another signer holds it; Corrupt: names the offset; Denied: others may write it; Io; the visitor's.
  static Result<std::unique_ptr<JournalFile>> open(const base::Path& path, const Visit& visit, Sync sync = ::fdatasync);

  /// Not durable before wait_durable(end()). One thread at a time. @return the record's offset.
  /// @errors TooLarge; Io: the disk is full, and the file is as it was.
  Result<std::uint64_t> append(std::string_view body);
  /// The end of what is written.
  std::uint64_t end() const;
  /// The end of what is known to be on the disk.
  std::uint64_t durable() const;
  /// Returns when everything before that offset is on the disk. Threads that wait together share one sync. A sync that fails ends
  /// the process: what the kernel dropped it reports once, so the next success would mean nothing (PROMISES F8).
  void wait_durable(std::uint64_t end);
  /// The body of the record there. @errors Corrupt: not what was written; Io.
  Result<std::string> read(std::uint64_t offset) const;
  /// That, and the offset of the record behind it.
  Result<std::pair<std::string, std::uint64_t>> read_with_end(std::uint64_t offset) const;

 private:
  using Hash = std::array<std::uint8_t, 32>;
  struct Record {
    Hash before;
    Hash hash;
    std::string body;
  };
  enum class Tail { Whole, Unfinished };

  JournalFile(base::Path path, base::UniqueFd fd, Sync sync);
  static Hash hash_of(const Hash& before, std::string_view body);
  static Bytes encode(const Hash& before, const Hash& hash, std::string_view body);
  Error corrupt_at(std::uint64_t offset, std::string_view what) const;
  Result<std::string> read_octets(std::uint64_t offset, std::size_t count) const;
  Result<std::optional<Record>> read_record(std::uint64_t offset) const;
  Result<Tail> read_all(const Visit& visit);
  Status cut_tail();
  void take_back(int error_number);

  base::Path path_;
  base::UniqueFd fd_;
  Sync sync_;
  Hash last_hash_{};
  mutable std::mutex mutex_;
  std::condition_variable synced_;
  bool syncing_ = false;
  std::uint64_t end_ = 0;
  std::uint64_t durable_ = 0;
};

}  // namespace chancery::signer
