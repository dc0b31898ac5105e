#include "server/store/shared_words.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace chancery::store {
namespace {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

/// flock(2), which no close of another descriptor undoes.
bool lock(const base::UniqueFd& file, int how) {
  for (;;) {
    if (::flock(file.get(), how) == 0) return true;
    if (errno != EINTR) return false;
  }
}

/// Written, not only made long: the first touch of a page without a block of the disk would end the process where it is full.
bool write_zeros(const base::UniqueFd& file) {
  const std::array<char, sizeof(Words)> zeros{};
  return ::pwrite(file.get(), zeros.data(), zeros.size(), 0) == static_cast<ssize_t>(zeros.size()) &&
         ::ftruncate(file.get(), zeros.size()) == 0;
}

/// The first of them finds zeros.
bool share(const base::UniqueFd& file) {
  if (lock(file, LOCK_EX | LOCK_NB) && !write_zeros(file)) return false;
  // What an exclusive lock becomes is not one step (flock(2)), but nothing was read or written yet.
  if (!lock(file, LOCK_SH)) return false;
  struct stat facts {};
  return ::fstat(file.get(), &facts) == 0 && facts.st_size == static_cast<off_t>(sizeof(Words));
}

}  // namespace

SharedWords::SharedWords(const base::Path& file) : file_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  struct stat facts {};
  if (!file_ || ::fstat(file_.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || !share(file_)) return;
  void* memory = ::mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (memory != MAP_FAILED) words_ = static_cast<Words*>(memory);
}

base::UniqueFd hold_words(const base::Path& file) {
  base::UniqueFd held(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return held && lock(held, LOCK_SH | LOCK_NB) ? std::move(held) : base::UniqueFd();
}

SharedWords::~SharedWords() {
  if (words_ != nullptr) ::munmap(words_, sizeof(Words));
}

}  // namespace chancery::store
