#include "clients/http/gateway.h"

#include <utility>

#include "clients/lib/client.h"

namespace chancery::http {
namespace {

constexpr std::chrono::seconds kMaxIdle{60};  ///< the daemon ends idle sessions after its own, longer limit
constexpr std::size_t kMaxIdlePerRealm = 16;

/// The session's worker ended: not what the command says of itself.
bool is_broken(const Error& error) {
  return error.code() == Code::Closed || error.code() == Code::Io || error.code() == Code::Timeout;
}

}  // namespace

struct Gateway::Idle {
  std::unique_ptr<client::Client> session;
  std::chrono::steady_clock::time_point since;
};

Gateway::Gateway(std::string socket, std::string front_end) : socket_(std::move(socket)), front_end_(std::move(front_end)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<client::Client>> Gateway::open(const std::string& realm) {
  PKI_TRY(auto session, client::Client::connect(socket_));
  auto held = std::make_unique<client::Client>(std::move(session));
  PKI_TRY(const auto identity, held->call("session.open", Json::object({{"realm", realm}, {"front_end", front_end_}})));
  return held;
}

/// The session used last, so that those of a busy hour end by themselves.
std::unique_ptr<client::Client> Gateway::take(const std::string& realm) {
  const auto oldest = std::chrono::steady_clock::now() - kMaxIdle;
  const std::lock_guard lock(mutex_);
  auto& sessions = idle_[realm];
  while (!sessions.empty() && sessions.front().since < oldest) sessions.pop_front();
  if (sessions.empty()) return nullptr;
  auto session = std::move(sessions.back().session);
  sessions.pop_back();
  return session;
}

void Gateway::give_back(const std::string& realm, std::unique_ptr<client::Client> session) {
  const std::lock_guard lock(mutex_);
  auto& sessions = idle_[realm];
  if (sessions.size() < kMaxIdlePerRealm) sessions.push_back({std::move(session), std::chrono::steady_clock::now()});
}

Result<Json> Gateway::call(const std::string& realm, std::string_view method, Json params, const std::string& acting_for) {
  if (auto session = take(realm); session != nullptr) {
    auto answer = session->call(method, params, acting_for);
    if (answer.ok() || !is_broken(answer.error())) {
      give_back(realm, std::move(session));
      return answer;
    }
    // A time-out may mean that the command still runs: only a session that ended is tried again.
    if (answer.error().code() == Code::Timeout) return answer;
  }
  PKI_TRY(auto session, open(realm));
  auto answer = session->call(method, std::move(params), acting_for);
  if (answer.ok() || !is_broken(answer.error())) give_back(realm, std::move(session));
  return answer;
}

}  // namespace chancery::http
