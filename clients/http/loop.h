#pragma once

#include <event2/event.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "server/base/fd.h"

namespace chancery::http {

struct EventFree {
  void operator()(event* e) const noexcept { ::event_free(e); }
};
struct EventBaseFree {
  void operator()(event_base* b) const noexcept { ::event_base_free(b); }
};
using EventPtr = std::unique_ptr<event, EventFree>;
using EventBasePtr = std::unique_ptr<event_base, EventBaseFree>;

/// One timer that calls a function on the loop's thread; setting it anew replaces the earlier time.
class Timer {
 public:
  Timer(event_base* base, std::function<void()> on_time);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void set(std::chrono::milliseconds from_now);
  void clear();

 private:
  std::function<void()> on_time_;
  EventPtr event_;
};

/// The event loop of the main thread. Other threads reach it by post() alone.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  event_base* base() { return base_.get(); }
  /// Any thread: the job runs on the loop's thread, soon, in the order of posting.
  void post(std::function<void()> job);
  /// Calls `on_readable` once, when the descriptor can be read or hangs up.
  void watch(int fd, std::function<void()> on_readable);
  /// Calls `on_signal` on the loop's thread.
  void on_signal(int number, std::function<void()> on_signal);
  void run();
  void stop();

 private:
  struct Watch;
  void run_posted();

  EventBasePtr base_;
  base::UniqueFd wake_;
  EventPtr wake_event_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace chancery::http
