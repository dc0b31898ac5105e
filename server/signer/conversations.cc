#include "server/signer/conversations.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/signer/operations.h"
#include "server/wire/message.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxConversations = 8192;
constexpr std::chrono::milliseconds kReplyLimit{10000};
constexpr std::chrono::milliseconds kAtOnce{0};

/// Until it is armed again, nobody hears of it.
constexpr std::uint32_t kOnce = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;

}  // namespace

struct Conversations::Conversation {
  explicit Conversation(base::UniqueFd connection) : socket(std::move(connection)), reader(socket.get(), wire::kMaxReplyBytes) {}
  base::UniqueFd socket;
  wire::LineReader reader;
  bool has_pass = false;
};

Conversations::Conversations(Issuer& issuer, const base::Clock& clock, ByteView pass, std::size_t threads)
    : issuer_(issuer), clock_(clock), pass_(pass), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  PKI_CHECK(epoll_);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Conversations::~Conversations() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

std::size_t Conversations::size() const {
  const std::lock_guard lock(mutex_);
  return conversations_.size();
}

void Conversations::take(base::UniqueFd connection) {
  const std::lock_guard lock(mutex_);
  if (conversations_.size() >= kMaxConversations)
    return base::log_warning("more than " + std::to_string(kMaxConversations) + " connections: one refused");
  const int fd = connection.get();
  auto conversation = std::make_unique<Conversation>(std::move(connection));
  epoll_event event{.events = kOnce, .data = {.ptr = conversation.get()}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return base::log_error(base::io_error("epoll_ctl", errno).message());
  conversations_.emplace(fd, std::move(conversation));
}

void Conversations::hand_over() {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  if (count <= 0) return;
  {
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < count; ++i) ready_.push_back(static_cast<Conversation*>(events.at(static_cast<std::size_t>(i)).data.ptr));
  }
  for (int i = 0; i < count; ++i) ready_changed_.notify_one();  // not all: each wakes to nothing but a fight for the lock
}

/// Waits for a conversation that has something to say; none when it is time to stop.
Conversations::Conversation* Conversations::next_ready() {
  std::unique_lock lock(mutex_);
  ready_changed_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
  if (stopping_) return nullptr;
  auto* conversation = ready_.front();
  ready_.pop_front();
  return conversation;
}

void Conversations::run() {
  try {
    while (auto* conversation = next_ready()) {
      if (answer_all(*conversation) == Next::Wait)
        wait_again(*conversation);
      else
        end(*conversation);
    }
  } catch (const std::exception& bug) {
    // A broken promise beside a CA key: the journal is the memory, and the next process reads it.
    base::log_error(std::string("bug: ") + bug.what());
    std::_Exit(base::to_int(base::Exit::Software));
  }
}

/// Every whole request that is here. A bad frame of our own process ends its connection.
Conversations::Next Conversations::answer_all(Conversation& conversation) {
  for (;;) {
    const auto line = conversation.reader.next(kAtOnce);
    if (!line.ok() && line.error().code() == Code::Timeout) return Next::Wait;
    if (!line.ok()) {
      if (line.error().code() != Code::Closed) base::log_error("connection ended: " + line.error().message());
      return Next::End;
    }
    if (!conversation.has_pass) {
      conversation.has_pass = base::equal_in_constant_time(base::as_bytes(*line), pass_);
      if (conversation.has_pass) continue;
      base::log_warning("a connection without this realm's pass ended");
      return Next::End;
    }
    const auto reply = operate(issuer_, clock_, *line);
    if (!reply.ok()) {
      base::log_error("bad frame, connection ended: " + reply.error().message());
      return Next::End;
    }
    if (!wire::write_line(conversation.socket.get(), *reply, kReplyLimit).ok()) return Next::End;
  }
}

void Conversations::wait_again(Conversation& conversation) {
  epoll_event event{.events = kOnce, .data = {.ptr = &conversation}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, conversation.socket.get(), &event) != 0) end(conversation);
}

void Conversations::end(const Conversation& conversation) {
  const std::lock_guard lock(mutex_);
  conversations_.erase(conversation.socket.get());  // closes it, and so takes it from the watch
}

}  // namespace chancery::signer
