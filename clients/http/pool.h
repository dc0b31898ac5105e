#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "clients/http/fair_queue.h"

namespace chancery::http {

/// A fixed number of threads that take jobs from a bounded queue: in order, or fairly from each owner's.
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
  bool submit(const FairQueue::Whose& whose, FairQueue::Job job);
  bool submit(FairQueue::Job job) { return submit(FairQueue::Whose{}, std::move(job)); }
  /// Whether anything of that owner's waits or runs.
  bool has(const std::string& owner);

 private:
  /// One thread's way to be woken.
  struct Bell {
    std::condition_variable wake;
    bool has_rung = false;
  };
  Bell* pick_sleeper();
  void work(Bell& bell);

  std::string name_;
  std::mutex mutex_;
  FairQueue queue_;
  bool ending_ = false;
  std::deque<Bell> bells_;       ///< of each thread
  std::vector<Bell*> sleepers_;  ///< who fell asleep last, at the back, is woken first: what it used is still near
  std::vector<std::thread> threads_;
};

}  // namespace chancery::http
