#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "clients/http/fair_queue.h"

namespace chancery::http {

/// A fixed number of threads that take jobs from a bounded queue: in order, or from that of each owner in turn.
class Pool {
 public:
  /// @param name  of the threads, too, as far as 15 octets go
  Pool(std::string name, std::size_t threads, FairQueue::Limits limits);
  /// Jobs of nobody in particular. @param max_waiting  of them
  Pool(std::string name, std::size_t threads, std::size_t max_waiting);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  /// Jobs under way end first; those that wait are dropped.
  ~Pool();

  /// @return false: too many wait already, of this owner or of all, or the pool ends.
  bool submit(const std::string& owner, FairQueue::Job job);
  bool submit(FairQueue::Job job) { return submit({}, std::move(job)); }

 private:
  void work();

  std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chancery::http
