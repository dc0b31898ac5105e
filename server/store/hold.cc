#include "server/store/hold.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "server/store/shared_words.h"

namespace chancery::store {
namespace {

constexpr std::chrono::milliseconds kFirstPause{1};
constexpr std::chrono::milliseconds kLongestPause{50};

/// Behind the words. Two things of one place would only wait for each other.
off_t place_of(std::string_view what) {
  constexpr std::uint64_t kBehindWords = 4096;
  constexpr std::uint64_t kPlaces = std::uint64_t{1} << 62U;
  return static_cast<off_t>(kBehindWords + std::hash<std::string_view>()(what) % (kPlaces - kBehindWords));
}

/// @return 0, or what fcntl(2) says.
int lock(int file, off_t place) {
  struct flock wanted {};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = place;
  wanted.l_len = 1;
  while (::fcntl(file, F_OFD_SETLK, &wanted) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

Result<Hold> Hold::take(const base::Path& database, std::string_view what, std::chrono::milliseconds patience) {
  const auto name = SharedWords::file_of(database);
  base::UniqueFd file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return Error(Code::StoreFailed, base::io_error("open " + name.string(), errno).message());
  const auto place = place_of(what);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    const int failure = lock(file.get(), place);
    if (failure == 0) return Hold(std::move(file));
    if (failure != EAGAIN && failure != EACCES)
      return Error(Code::StoreFailed, base::io_error("lock " + name.string(), failure).message());
    if (std::chrono::steady_clock::now() >= deadline)
      return Error(Code::Busy, "somebody else is at work with " + std::string(what) + " just now", "try again later");
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace chancery::store
