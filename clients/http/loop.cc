#include "clients/http/loop.h"

#include <sys/eventfd.h>

#include <utility>

namespace chancery::http {

struct Loop::Watch {
  std::function<void()> call;
  EventPtr event;
};

Timer::Timer(event_base* base, std::function<void()> on_time) : on_time_(std::move(on_time)) {
  const auto call = [](evutil_socket_t, short, void* self) { static_cast<Timer*>(self)->on_time_(); };
  event_.reset(::event_new(base, -1, 0, call, this));
  PKI_CHECK(event_ != nullptr);
}

void Timer::set(std::chrono::milliseconds from_now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(from_now);
  const timeval time{static_cast<time_t>(seconds.count()), static_cast<suseconds_t>((from_now - seconds).count() * 1000)};
  ::event_add(event_.get(), &time);
}

void Timer::clear() { ::event_del(event_.get()); }

Loop::Loop() : base_(::event_base_new()), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  PKI_CHECK(base_ != nullptr && wake_);
  const auto call = [](evutil_socket_t, short, void* self) { static_cast<Loop*>(self)->run_posted(); };
  wake_event_.reset(::event_new(base_.get(), wake_.get(), EV_READ | EV_PERSIST, call, this));
  PKI_CHECK(wake_event_ != nullptr && ::event_add(wake_event_.get(), nullptr) == 0);
}

Loop::~Loop() = default;

void Loop::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(job));
  }
  ::eventfd_write(wake_.get(), 1);
}

void Loop::run_posted() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  std::vector<std::function<void()>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(posted_);
  }
  for (auto& job : jobs) job();
}

void Loop::watch(int fd, std::function<void()> on_readable) {
  auto watch = std::make_unique<Watch>();
  watch->call = std::move(on_readable);
  const auto call = [](evutil_socket_t, short, void* self) { static_cast<Watch*>(self)->call(); };
  watch->event.reset(::event_new(base_.get(), fd, EV_READ, call, watch.get()));
  PKI_CHECK(watch->event != nullptr && ::event_add(watch->event.get(), nullptr) == 0);
  watches_.push_back(std::move(watch));
}

void Loop::on_signal(int number, std::function<void()> on_signal) {
  auto watch = std::make_unique<Watch>();
  watch->call = std::move(on_signal);
  const auto call = [](evutil_socket_t, short, void* self) { static_cast<Watch*>(self)->call(); };
  watch->event.reset(::event_new(base_.get(), number, EV_SIGNAL | EV_PERSIST, call, watch.get()));
  PKI_CHECK(watch->event != nullptr && ::event_add(watch->event.get(), nullptr) == 0);
  watches_.push_back(std::move(watch));
}

void Loop::run() { ::event_base_dispatch(base_.get()); }
void Loop::stop() { ::event_base_loopbreak(base_.get()); }

}  // namespace chancery::http
