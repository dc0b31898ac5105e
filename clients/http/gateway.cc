#include "clients/http/gateway.h"

#include <poll.h>

#include <utility>

#include "clients/lib/client.h"

namespace chancery::http {
namespace {

constexpr std::chrono::seconds kMaxIdle{60};  ///< the daemon ends idle sessions after its own, longer limit
constexpr std::size_t kMaxIdlePerRealm = 16;
constexpr std::chrono::milliseconds kAnswerLimit{30'000};  ///< a daemon that hangs must not keep the handlers for ever

/// A session without a request in hand has nothing to say: what can be read is its end.
bool is_over(const client::Client& session) {
  pollfd waiting{session.fd(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) != 0;
}

}  // namespace

struct Gateway::Idle {
  std::unique_ptr<client::Client> session;
  std::chrono::steady_clock::time_point since;
};

Gateway::Gateway(std::string socket, std::string front_end) : socket_(std::move(socket)), front_end_(std::move(front_end)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<client::Client>> Gateway::open(const std::string& realm) {
  PKI_TRY(auto session, client::Client::connect({.socket = socket_, .request_timeout = kAnswerLimit}));
  auto held = std::make_unique<client::Client>(std::move(session));
  PKI_TRY(const auto identity, held->open(realm, front_end_));
  return held;
}

/// The session used last, so that those of a busy hour end by themselves; null when none is left.
std::unique_ptr<client::Client> Gateway::take(const std::string& realm) {
  const auto oldest = std::chrono::steady_clock::now() - kMaxIdle;
  const std::lock_guard lock(mutex_);
  auto& sessions = idle_[realm];
  while (!sessions.empty() && sessions.front().since < oldest) sessions.pop_front();
  while (!sessions.empty()) {
    auto session = std::move(sessions.back().session);
    sessions.pop_back();
    if (!is_over(*session)) return session;
  }
  return nullptr;
}

void Gateway::give_back(const std::string& realm, std::unique_ptr<client::Client> session) {
  if (!session->connected()) return;
  const std::lock_guard lock(mutex_);
  auto& sessions = idle_[realm];
  if (sessions.size() < kMaxIdlePerRealm) sessions.push_back({std::move(session), std::chrono::steady_clock::now()});
}

Result<Json> Gateway::call(const std::string& realm, std::string_view method, Json params, const std::string& acting_for) {
  if (auto session = take(realm); session != nullptr) {
    auto answer = session->call(method, params, acting_for);
    // A worker that ended just now is replaced once; after a time-out the command may still be running.
    const bool ended = !session->connected() && answer.error().code() != Code::Timeout;
    if (!ended) {
      give_back(realm, std::move(session));
      return answer;
    }
  }
  PKI_TRY(auto session, open(realm));
  auto answer = session->call(method, std::move(params), acting_for);
  give_back(realm, std::move(session));
  return answer;
}

}  // namespace chancery::http
