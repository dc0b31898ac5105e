#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/fd.h"
#include "server/signer/issuer.h"

namespace chancery::signer {

/// The workers' connections. One thread watches all of them and hands those that speak to a small pool; a connection is in one
/// thread's hands at a time, so its requests are answered in order, and an idle one costs a descriptor.
class Conversations {
 public:
  /// @param threads  more than the processors: most of them wait for the journal's sync, and those that wait together share it.
  /// @param pass  what each connection says first
  Conversations(Issuer& issuer, const base::Clock& clock, ByteView pass, std::size_t threads);
  Conversations(const Conversations&) = delete;
  Conversations& operator=(const Conversations&) = delete;
  /// Lets the requests in hand finish; what was not read yet is not answered.
  ~Conversations();

  /// Readable when a connection has something to say: then call hand_over.
  int descriptor() const { return epoll_.get(); }
  void hand_over();
  /// A worker has connected.
  void take(base::UniqueFd connection);
  std::size_t size() const;

 private:
  struct Conversation;
  enum class Next { Wait, End };

  void run();
  Conversation* next_ready();
  Next answer_all(Conversation& conversation);
  void wait_again(Conversation& conversation);
  void end(const Conversation& conversation);

  Issuer& issuer_;
  const base::Clock& clock_;
  ByteView pass_;
  base::UniqueFd epoll_;
  mutable std::mutex mutex_;
  std::condition_variable ready_changed_;
  bool stopping_ = false;
  std::map<int, std::unique_ptr<Conversation>> conversations_;  ///< by descriptor
  std::deque<Conversation*> ready_;
  std::vector<std::thread> threads_;  ///< last: they use all of the above
};

}  // namespace chancery::signer
