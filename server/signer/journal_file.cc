#include "server/signer/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kLengthOctets = 4;
constexpr std::size_t kLengthsOctets = 2 * kLengthOctets;
constexpr std::size_t kHashOctets = 32;
constexpr std::size_t kHeaderOctets = kLengthsOctets + 2 * kHashOctets;

void put_number(Bytes& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(number >> shift));
}

std::uint32_t number_at(std::string_view octets, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < kLengthOctets; ++i) number = number << 8 | static_cast<std::uint8_t>(octets[offset + i]);
  return number;
}

/// The process ends where it stands: no destructor may write, no answer may leave.
[[noreturn]] void stop_at_once(const Error& why) {
  base::log_error(why.message() + ": nothing that was written here can be believed any more, the signer stops");
  std::_Exit(base::to_int(base::Exit::Io));
}

bool is_full(int error_number) { return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG; }

/// Who may write the journal can make the CA forget what it signed (PROMISES D33).
Status check_owner(int fd, const base::Path& path) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return base::io_error("stat " + path.string(), errno);
  if (!S_ISREG(found.st_mode)) return Error(Code::Denied, path.string() + " is not a regular file");
  if ((found.st_mode & 022) != 0) {
    return Error(Code::Denied, path.string() + " has mode " + base::octal(found.st_mode & 07777) + ", expected 0600",
                 "chmod 600 " + path.string());
  }
  return {};
}

Result<base::UniqueFd> open_existing(const base::Path& path, int flags) {
  base::UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ENOENT) {
    return Error(Code::NotFound, path.string() + " is missing: without it nobody knows what this CA has signed",
                 "restore the realm's journal from a backup that is not older than its store");
  }
  if (!fd) return base::io_error("open " + path.string(), errno);
  PKI_TRY_VOID(check_owner(fd.get(), path));
  return fd;
}

}  // namespace

JournalFile::JournalFile(base::Path path, base::UniqueFd fd, Sync sync)
    : path_(std::move(path)), fd_(std::move(fd)), sync_(sync) {}

JournalFile::Hash JournalFile::hash_of(const Hash& before, std::string_view body) {
  Bytes joined(before.begin(), before.end());
  joined.insert(joined.end(), body.begin(), body.end());
  const auto digest = crypto::sha256(joined);
  Hash hash{};
  std::ranges::copy(digest, hash.begin());
  return hash;
}

Bytes JournalFile::encode(const Hash& before, const Hash& hash, std::string_view body) {
  PKI_CHECK(!body.empty() && body.size() <= kMaxBody);
  Bytes out;
  out.reserve(kHeaderOctets + body.size());
  const auto length = static_cast<std::uint32_t>(body.size());
  put_number(out, length);
  put_number(out, ~length);
  out.insert(out.end(), before.begin(), before.end());
  out.insert(out.end(), hash.begin(), hash.end());
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

Bytes JournalFile::first(std::string_view body) { return encode({}, hash_of({}, body), body); }

Error JournalFile::corrupt_at(std::uint64_t offset, std::string_view what) const {
  return {Code::Corrupt, path_.string() + ": the record at octet " + std::to_string(offset) + " " + std::string(what),
          "the journal is evidence: keep this file, and restore one from a backup that is not older than the store"};
}

/// Up to `count` octets; fewer only at the end of the file.
Result<std::string> JournalFile::read_octets(std::uint64_t offset, std::size_t count) const {
  std::string out(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const auto got = ::pread(fd_.get(), out.data() + have, count - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::io_error("read " + path_.string(), errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  out.resize(have);
  return out;
}

/// The record there, checked against its own hash; none when the file ends before it does.
Result<std::optional<JournalFile::Record>> JournalFile::read_record(std::uint64_t offset) const {
  PKI_TRY(const auto header, read_octets(offset, kHeaderOctets));
  if (header.size() < kLengthsOctets) return std::optional<Record>();
  const auto length = number_at(header, 0);
  if (length != ~number_at(header, kLengthOctets) || length == 0 || length > kMaxBody)
    return corrupt_at(offset, "has a damaged length");
  if (header.size() < kHeaderOctets) return std::optional<Record>();
  Record record;
  std::copy_n(header.begin() + kLengthsOctets, kHashOctets, record.before.begin());
  std::copy_n(header.begin() + kLengthsOctets + kHashOctets, kHashOctets, record.hash.begin());
  PKI_TRY(record.body, read_octets(offset + kHeaderOctets, length));
  if (record.body.size() < length) return std::optional<Record>();
  if (hash_of(record.before, record.body) != record.hash) return corrupt_at(offset, "is not what was written");
  return std::optional(std::move(record));
}

Result<JournalFile::Tail> JournalFile::read_all(const Visit& visit) {
  struct stat found {};
  if (::fstat(fd_.get(), &found) != 0) return base::io_error("stat " + path_.string(), errno);
  const auto size = static_cast<std::uint64_t>(found.st_size);
  while (end_ < size) {
    PKI_TRY(const auto record, read_record(end_));
    if (!record) return Tail::Unfinished;
    if (record->before != last_hash_) return corrupt_at(end_, "does not follow from the one before it");
    PKI_TRY_VOID([&]() -> Status {
      auto visited = visit(end_, record->body);
      return visited.ok() ? visited : corrupt_at(end_, visited.error().message());
    }());
    last_hash_ = record->hash;
    end_ += kHeaderOctets + record->body.size();
  }
  return Tail::Whole;
}

Status JournalFile::cut_tail() {
  base::log_warning(path_.string() + ": an unfinished record cut from the end, at octet " + std::to_string(end_));
  if (::ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0 || ::fsync(fd_.get()) != 0)
    return base::io_error("truncate " + path_.string(), errno);
  return {};
}

Status JournalFile::scan(const base::Path& path, const Visit& visit) {
  PKI_TRY(auto fd, open_existing(path, O_RDONLY));
  JournalFile file(path, std::move(fd), ::fdatasync);
  PKI_TRY([[maybe_unused]] const auto tail, file.read_all(visit));
  return {};
}

Result<std::unique_ptr<JournalFile>> JournalFile::open(const base::Path& path, const Visit& visit, Sync sync) {
  PKI_TRY(auto fd, open_existing(path, O_RDWR));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? Error(Code::Busy, path.string() + " is held by another signer")
                                : base::io_error("lock " + path.string(), errno);
  }
  std::unique_ptr<JournalFile> file(new JournalFile(path, std::move(fd), sync));
  PKI_TRY(const auto tail, file->read_all(visit));
  if (tail == Tail::Unfinished) PKI_TRY_VOID(file->cut_tail());
  // What a signer before us wrote and did not live to sync is read like the rest, and must not vanish after it was answered for.
  if (sync(file->fd_.get()) != 0) return base::io_error("sync " + path.string(), errno);
  file->durable_ = file->end_;
  return file;
}

/// After a write that failed: a part of the record may be in the file, and the next record may be shorter.
void JournalFile::take_back(int error_number) {
  if (is_full(error_number) && ::ftruncate(fd_.get(), static_cast<off_t>(end_)) == 0) return;
  stop_at_once(base::io_error("write " + path_.string(), error_number));
}

Result<std::uint64_t> JournalFile::append(std::string_view body) {
  if (body.size() > kMaxBody)
    return Error(Code::TooLarge,
                 "a journal record of " + std::to_string(body.size()) + " octets, expected at most " + std::to_string(kMaxBody));
  const auto hash = hash_of(last_hash_, body);
  const auto record = encode(last_hash_, hash, body);
  const auto offset = end_;  // only this thread moves it
  std::size_t done = 0;
  while (done < record.size()) {
    const auto wrote = ::pwrite(fd_.get(), record.data() + done, record.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int number = errno;
      take_back(number);
      return base::io_error("write " + path_.string(), number);
    }
    done += static_cast<std::size_t>(wrote);
  }
  last_hash_ = hash;
  const std::lock_guard lock(mutex_);
  end_ = offset + record.size();
  return offset;
}

std::uint64_t JournalFile::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

std::uint64_t JournalFile::durable() const {
  const std::lock_guard lock(mutex_);
  return durable_;
}

void JournalFile::wait_durable(std::uint64_t end) {
  std::unique_lock lock(mutex_);
  while (durable_ < end) {
    if (syncing_) {
      synced_.wait(lock);
      continue;
    }
    syncing_ = true;
    const auto target = end_;  // everything written so far shares this one
    lock.unlock();
    if (sync_(fd_.get()) != 0) stop_at_once(base::io_error("sync " + path_.string(), errno));
    lock.lock();
    syncing_ = false;
    durable_ = std::max(durable_, target);
    synced_.notify_all();
  }
}

Result<std::string> JournalFile::read(std::uint64_t offset) const {
  PKI_TRY(auto record, read_with_end(offset));
  return std::move(record.first);
}

Result<std::pair<std::string, std::uint64_t>> JournalFile::read_with_end(std::uint64_t offset) const {
  PKI_TRY(auto record, read_record(offset));
  if (!record) return corrupt_at(offset, "is cut off");
  const auto end = offset + kHeaderOctets + record->body.size();
  return std::pair(std::move(record->body), end);
}

}  // namespace chancery::signer
