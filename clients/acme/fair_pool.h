#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "clients/acme/fair_queue.h"

namespace chancery::acme {

/// A fixed number of threads that take jobs from a FairQueue.
class FairPool {
 public:
  FairPool(const std::string& name, std::size_t threads, FairQueue::Limits limits);
  FairPool(const FairPool&) = delete;
  FairPool& operator=(const FairPool&) = delete;
  /// Jobs under way end first; those that wait are dropped.
  ~FairPool();

  /// @return false: too many wait already, of this owner or of all, or the pool ends.
  bool submit(const std::string& owner, FairQueue::Job job);

 private:
  void work();

  std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chancery::acme
