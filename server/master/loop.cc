#include "server/master/loop.h"

#include <event2/event.h>

#include <cerrno>
#include <utility>

#include "server/base/fd.h"

namespace chancery::master {

void EventBaseFreer::operator()(event_base* base) const noexcept { ::event_base_free(base); }
void EventFreer::operator()(event* one) const noexcept { ::event_free(one); }

Watch::Watch(event_base* base, int descriptor_or_signal, short what, Action action)
    : action_(std::move(action)), event_(::event_new(base, descriptor_or_signal, what, &Watch::happened, this)) {
  PKI_CHECK(event_ != nullptr);
}

void Watch::arm() { PKI_CHECK(::event_add(event_.get(), nullptr) == 0); }

void Watch::arm_after(std::chrono::milliseconds delay) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
  const timeval after{seconds.count(), std::chrono::microseconds(delay - seconds).count()};
  PKI_CHECK(::event_add(event_.get(), &after) == 0);
}

void Watch::disarm() { ::event_del(event_.get()); }

void Watch::happened(int, short, void* self) {
  const auto action = static_cast<Watch*>(self)->action_;  // a copy: the action may end the watch that holds it
  action();
}

Result<Loop> Loop::create() {
  std::unique_ptr<event_base, EventBaseFreer> base(::event_base_new());
  if (!base) return base::io_error("event loop", errno);
  return Loop(std::move(base));
}

WatchPtr Loop::readable(int descriptor, Watch::Action action) {
  auto watch = std::make_unique<Watch>(base_.get(), descriptor, static_cast<short>(EV_READ | EV_PERSIST), std::move(action));
  watch->arm();
  return watch;
}

WatchPtr Loop::signal(int number, Watch::Action action) {
  auto watch = std::make_unique<Watch>(base_.get(), number, static_cast<short>(EV_SIGNAL | EV_PERSIST), std::move(action));
  watch->arm();
  return watch;
}

WatchPtr Loop::timer(Watch::Action action) {
  return std::make_unique<Watch>(base_.get(), -1, static_cast<short>(0), std::move(action));
}

void Loop::run() { ::event_base_dispatch(base_.get()); }
void Loop::stop() { ::event_base_loopbreak(base_.get()); }

}  // namespace chancery::master
