#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "server/base/result.h"

struct event;
struct event_base;

/// The door to libevent: one thread that waits for descriptors, signals and points in time.
namespace chancery::master {

struct EventBaseFreer {
  void operator()(event_base* base) const noexcept;
};
struct EventFreer {
  void operator()(event* one) const noexcept;
};

/// Calls its action when what it watches happens, until it is disarmed or destroyed. The action may destroy its own watch.
class Watch {
 public:
  using Action = std::function<void()>;

  Watch(event_base* base, int descriptor_or_signal, short what, Action action);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() = default;

  void arm();
  /// Once, after the delay (CLOCK_MONOTONIC, PROMISES D42); arming again moves the point in time.
  void arm_after(std::chrono::milliseconds delay);
  void disarm();

 private:
  static void happened(int descriptor_or_signal, short what, void* self);

  Action action_;
  std::unique_ptr<event, EventFreer> event_;
};
using WatchPtr = std::unique_ptr<Watch>;

class Loop {
 public:
  /// @errors Io: the kernel gives no epoll descriptor.
  static Result<Loop> create();

  WatchPtr readable(int descriptor, Watch::Action action);  ///< armed
  WatchPtr signal(int number, Watch::Action action);        ///< armed
  WatchPtr timer(Watch::Action action);                     ///< not armed

  void run();   ///< until stop
  void stop();  ///< after the action in hand

 private:
  explicit Loop(std::unique_ptr<event_base, EventBaseFreer> base) : base_(std::move(base)) {}
  std::unique_ptr<event_base, EventBaseFreer> base_;
};

}  // namespace chancery::master
