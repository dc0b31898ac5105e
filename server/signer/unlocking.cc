#include "server/signer/unlocking.h"

#include "server/base/log.h"
#include "server/base/ready_words.h"

namespace chancery::signer {
namespace {

constexpr std::string_view kOpening = "secret.open";

std::string who_gave(const std::vector<SecretGiven>& given) {
  Json list = Json::array();
  for (const auto& one : given) list.push_back(to_json(one));
  return wire::to_text(Json::object({{"shares", std::move(list)}}));
}

}  // namespace

Result<SecretStatus> Unlocking::enter(const SecretEntry& entry, Seconds now) {
  const std::lock_guard lock(mutex_);
  if (box_.config().from_people() && keys_.obstacle().empty()) {
    return Error(Code::Conflict, "the CA's key is open already", "secret.clear locks it");
  }
  PKI_TRY(const auto secret, box_.enter(entry.secret, entry.by, now, SecretBox::Clock::now()));
  if (secret) PKI_TRY_VOID(open(*secret, entry, now));
  return status();
}

/// Whose shares they were stands in the audit stream, whatever became of them.
Status Unlocking::open(const SecretBytes& secret, const SecretEntry& entry, Seconds now) {
  auto opened = keys_.unlock(secret);
  const bool wrong = !opened.ok() && opened.error().code() == Code::AuthFailed;
  if (wrong) {
    opened = Error(Code::AuthFailed,
                   box_.config().has_shares() ? "the shares do not open the CA's key, and were forgotten: at least one is wrong"
                                              : "the passphrase does not open the CA's key",
                   box_.config().has_shares() ? "enter all of them again" : "");
  }
  const auto given = box_.settle(!wrong, entry.by, SecretBox::Clock::now());
  const auto recorded = record_({.what = std::string(kOpening),
                                 .phase = "end",
                                 .requester = entry.by,
                                 .front_end = {},
                                 .peer = {},
                                 .about = who_gave(given),
                                 .roles = {},
                                 .outcome = opened.ok() ? "ok" : opened.error().message(),
                                 .at = now});
  if (!recorded.ok()) {
    keys_.lock();  // a key that nobody can be seen to have opened is not used
    return recorded.error().within("not opened, since it cannot be recorded");
  }
  if (opened.ok())
    base::log_info("the CA's key is open");
  else
    base::log_warning("the CA's key stays locked: " + opened.error().message());
  return opened;
}

SecretStatus Unlocking::status() const {
  const auto& config = box_.config();
  const auto obstacle = keys_.obstacle();
  SecretStatus status{.method = config.method,
                      .store = store_,
                      .state = obstacle.empty()                          ? "open"
                               : obstacle.starts_with(base::kLockedWord) ? "locked"
                                                                         : "away",
                      .reason = obstacle,
                      .shares = config.has_shares() ? config.shares : 0,
                      .threshold = config.has_shares() ? config.threshold : 0,
                      .set = config.has_shares() ? box_.set() : std::string(),
                      .given = box_.given()};
  return status;
}

Result<SecretStatus> Unlocking::clear() {
  const std::lock_guard lock(mutex_);
  if (!box_.config().from_people())
    return Error(Code::Conflict, "this realm's key is opened by a file or credential: it would not stay locked",
                 "secret.method of ca.config.yml");
  box_.clear();
  keys_.lock();
  base::log_warning("the CA's key is locked");
  return status();
}

}  // namespace chancery::signer
