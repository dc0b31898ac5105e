#include "clients/ra/renewal.h"

#include <algorithm>
#include <utility>

#include "clients/ra/command.h"
#include "server/base/log.h"
#include "server/x509/renewal.h"

namespace chancery::ra {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry{std::chrono::seconds{1}};
constexpr milliseconds kLastRetry{std::chrono::hours{1}};
constexpr milliseconds kLongestSleep{std::chrono::minutes{10}};  ///< files that an operator has put there are seen so soon
constexpr milliseconds kLeastSleep{std::chrono::minutes{1}};     ///< a clock ahead of the CA's makes it renew in no loop

/// A question that is repeated has the same answer (PROMISES C6), so that one whose answer was lost makes no second certificate.
Json question(const x509::Certificate& old, const std::string& realm) {
  const auto params = Json::object({{"idempotency_key", "ra-renewal-" + old.serial().hex()}});
  auto message = Json::object({{"method", "own.certificate.renew"}, {"params", params}, {"certificate", old.pem()}});
  if (!realm.empty()) message.set("realm", realm);
  return message;
}

Status check_follows(const x509::Certificate& renewed, const x509::Certificate& old) {
  if (!(renewed.public_key() == old.public_key()))
    return Error(Code::BadKey, "the CA's answer: a certificate for another key than ra.key");
  if (renewed.not_after() > old.not_after()) return {};
  return Error(Code::Conflict, "the CA's answer: a certificate that ends " + base::to_rfc3339(renewed.not_after()) +
                                   ", no later than ra.crt: its CA may end then");
}

}  // namespace

Renewal::Renewal(CaHost host, DataDirectory data, const base::Clock& clock, std::function<void()> on_renewed)
    : host_(std::move(host)),
      data_(std::move(data)),
      clock_(clock),
      on_renewed_(std::move(on_renewed)),
      retry_(kFirstRetry),
      thread_([this] { work(); }) {}

Renewal::~Renewal() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Renewal::work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    const auto pause = attend();
    lock.lock();
    wake_.wait_for(lock, pause, [this] { return ending_; });
  }
}

milliseconds Renewal::attend() {
  const auto old = data_.certificate(clock_);
  auto done = old.ok() ? Status() : Status(old.error());
  if (old.ok() && *old) {
    const milliseconds left = x509::renewal_time((*old)->not_before(), (*old)->not_after()) - clock_.now();
    if (left.count() > 0) return std::clamp(left, kLeastSleep, kLongestSleep);
    done = renew(**old);
  }
  if (done.ok()) {
    retry_ = kFirstRetry;
    return kLeastSleep;
  }
  base::log_warning("ra.crt is not renewed: " + base::to_line(done.error()));
  return std::exchange(retry_, std::min(retry_ * 2, kLastRetry));
}

Status Renewal::renew(const x509::Certificate& old) {
  PKI_TRY(auto link, host_.operations());
  PKI_TRY(const auto answer, command(link, question(old, host_.settings().realm)));
  PKI_TRY(const auto renewed, x509::Certificate::from_pem(answer.text("certificate")));
  PKI_TRY_VOID(check_follows(renewed, old));
  PKI_TRY_VOID(data_.check_issued_here(renewed));
  PKI_TRY_VOID(data_.replace_certificate(renewed));
  base::log_info("ra.crt renewed: serial " + renewed.serial().hex() + " until " + base::to_rfc3339(renewed.not_after()));
  on_renewed_();
  return {};
}

}  // namespace chancery::ra
