#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chancery::http {

/// A fixed number of threads that take jobs in order from a bounded queue.
class Pool {
 public:
  Pool(std::string name, std::size_t threads, std::size_t max_waiting);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  /// Jobs under way end first; those that wait are dropped.
  ~Pool();

  /// @return false: the queue is full, or the pool ends.
  bool submit(std::function<void()> job);

 private:
  void work();

  std::string name_;
  std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chancery::http
