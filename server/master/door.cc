#include "server/master/door.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace chancery::master {
namespace {

constexpr int kMostAtOnce = 32;  ///< connections before the loop looks at signals and timers again
constexpr std::array kShortages{EMFILE, ENFILE, ENOBUFS, ENOMEM};

base::UniqueFd open_spare() { return base::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

base::UniqueFd accept(int listener) { return base::UniqueFd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)); }

}  // namespace

Door::Door(Loop& loop, base::UniqueFd listener, Serve serve, Refuse refuse)
    : listener_(std::move(listener)),
      spare_(open_spare()),
      serve_(std::move(serve)),
      refuse_(std::move(refuse)),
      waiting_(loop.readable(listener_.get(), [this] { accept_some(); })),
      resume_(loop.timer([this] { waiting_->arm(); })) {}

void Door::accept_some() {
  for (int i = 0; i < kMostAtOnce; ++i) {
    if (accept_one() != Next::More) return;
  }
}

Door::Next Door::accept_one() {
  auto client = accept(listener_.get());
  if (client) {
    const auto served = serve_(std::move(client));
    if (served.ok()) return Next::More;
    pause(served.error());
    return Next::Pause;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Next::Nothing;
  if (std::ranges::find(kShortages, errno) == kShortages.end()) return Next::More;  // of one connection only: accept(2)
  const auto why = base::io_error("accept", errno);
  turn_away_waiting();
  pause(why);
  return Next::Pause;
}

/// With no descriptor left, the spare one makes room for each client in turn to be told.
void Door::turn_away_waiting() {
  const Error why(Code::Busy, "the server is out of descriptors", "retry in some seconds");
  for (int i = 0; i < kMostAtOnce; ++i) {
    spare_.reset();
    auto client = accept(listener_.get());
    if (!client) break;
    refuse_(std::move(client), why);
  }
  spare_ = open_spare();
}

void Door::pause(const Error& why) {
  shortages_.warn("accepting pauses for " + std::to_string(kPause.count()) + " ms: " + why.message());
  waiting_->disarm();
  resume_->arm_after(kPause);
}

}  // namespace chancery::master
