#include "clients/http/pool.h"

#include <pthread.h>

#include <exception>
#include <utility>

#include "server/base/log.h"

namespace chancery::http {

Pool::Pool(std::string name, std::size_t threads, FairQueue::Limits limits) : name_(std::move(name)), queue_(limits) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work(); });
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
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool Pool::submit(const std::string& owner, FairQueue::Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || !queue_.add(owner, std::move(job))) return false;
  }
  wake_.notify_one();
  return true;
}

/// One that ended may have let its owner's next one run: this thread looks itself, so nobody is woken for it.
void Pool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<FairQueue::Turn> turn;
    wake_.wait(lock, [&] { return ending_ || (turn = queue_.next()).has_value(); });
    if (ending_) return;
    lock.unlock();
    try {
      turn->job();
    } catch (const std::exception& failure) {  // a Bug ends its job, not the thread
      base::log_error(name_ + ": " + failure.what());
    }
    turn->job = nullptr;
    lock.lock();
    queue_.end(turn->owner);
  }
}

}  // namespace chancery::http
