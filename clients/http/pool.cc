#include "clients/http/pool.h"

#include <pthread.h>

#include <exception>
#include <utility>

#include "server/base/log.h"

namespace chancery::http {

Pool::Pool(std::string name, std::size_t threads, FairQueue::Limits limits) : name_(std::move(name)), queue_(limits) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, bell = &bells_.emplace_back()] { work(*bell); });
    ::pthread_setname_np(threads_.back().native_handle(), name_.substr(0, 15).c_str());
  }
}

/// One owner, who may have every thread.
Pool::Pool(std::string name, std::size_t threads, std::size_t max_waiting)
    : Pool(std::move(name), threads, {.running_each = threads, .waiting_each = max_waiting, .waiting_all = max_waiting}) {}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    queue_.clear();
  }
  for (auto& bell : bells_) bell.wake.notify_one();
  for (auto& thread : threads_) thread.join();
}

bool Pool::submit(const FairQueue::Whose& whose, FairQueue::Job job) {
  Bell* sleeper = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || !queue_.add(whose, std::move(job))) return false;
    sleeper = pick_sleeper();
  }
  if (sleeper != nullptr) sleeper->wake.notify_one();
  return true;
}

/// Who sleeps no more, once its bell has been rung. None: nobody sleeps.
Pool::Bell* Pool::pick_sleeper() {
  if (sleepers_.empty()) return nullptr;
  auto* sleeper = sleepers_.back();
  sleepers_.pop_back();
  sleeper->has_rung = true;
  return sleeper;
}

bool Pool::has(const std::string& owner) {
  const std::lock_guard lock(mutex_);
  return queue_.has(owner);
}

/// One that ended may have let two others run, the next of its owner and the next by its door: this thread looks itself, and
/// another one.
void Pool::work(Bell& bell) {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    auto turn = queue_.next();
    if (!turn) {
      sleepers_.push_back(&bell);
      bell.wake.wait(lock, [&] { return ending_ || std::exchange(bell.has_rung, false); });
      continue;
    }
    lock.unlock();
    try {
      turn->job();
    } catch (const std::exception& failure) {  // a Bug ends its job, not the thread
      base::log_error(name_ + ": " + failure.what());
    }
    turn->job = nullptr;
    lock.lock();
    queue_.end(turn->whose);
    auto* sleeper = queue_.has_waiting() ? pick_sleeper() : nullptr;
    if (sleeper != nullptr) sleeper->wake.notify_one();
  }
}

}  // namespace chancery::http
