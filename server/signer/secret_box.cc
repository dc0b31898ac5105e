#include "server/signer/secret_box.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace chancery::signer {
namespace {

constexpr std::chrono::seconds kLongestWait{3600};
constexpr std::size_t kMostPeople = 1000;  ///< who are remembered; the longest forgotten one makes room
constexpr int kMostDoublings = 12;

std::string share_name(const crypto::Share& share) { return "share " + std::to_string(share.index); }

}  // namespace

Status SecretBox::check_patience(const std::string& by, Clock::time_point at) {
  const auto found = wrong_.find(by);
  if (found == wrong_.end() || at >= found->second.until) return {};
  const auto left = std::chrono::ceil<std::chrono::seconds>(found->second.until - at);
  return Error(Code::Busy,
               std::to_string(found->second.count) + " wrong ones by " + by + " in a row: wait " + base::in_words(left),
               "somebody else may enter a share meanwhile");
}

void SecretBox::count_wrong(const std::string& by, Clock::time_point at) {
  if (wrong_.size() >= kMostPeople && !wrong_.contains(by)) {
    wrong_.erase(std::ranges::min_element(wrong_, {}, [](const auto& one) { return one.second.until; }));
  }
  auto& wrong = wrong_[by];
  ++wrong.count;
  if (wrong.count < config_.attempts) return;
  const int doublings = std::min(wrong.count - config_.attempts, kMostDoublings);
  wrong.until = at + std::min(kLongestWait, config_.wait * (1 << doublings));
}

Status SecretBox::check_fits(const crypto::Share& share, const std::string& by) const {
  if (share.realm != realm_)
    return Error(Code::InvalidParams, "the share is for realm " + share.realm + ", expected one for " + realm_);
  const auto& wanted = !config_.set.empty() || held_.empty() ? config_.set : held_.front().share.set;
  if (!wanted.empty() && share.set != wanted)
    return Error(Code::InvalidParams, "the share is of set " + share.set + ", expected one of " + wanted,
                 "shares of an older set are of no use any more");
  if (share.threshold != config_.threshold)
    return Error(Code::InvalidParams,
                 "the share is one of a set that takes " + std::to_string(share.threshold) + ", the realm says " +
                     std::to_string(config_.threshold),
                 "secret.threshold of ca.config.yml has to be what chancery secret split was told");
  for (const auto& held : held_) {
    if (held.share.index == share.index)
      return Error(Code::Conflict, share_name(share) + " is in already", "another one is missing");
    if (held.given.by == by)
      return Error(Code::Conflict, by + " has given " + share_name(held.share) + " already", "somebody else gives the next one");
    if (held.share.values.size() != share.values.size())
      return Error(Code::InvalidParams, share_name(share) + " has another length than " + share_name(held.share),
                   "they are not of one secret; secret.clear starts anew");
  }
  return {};
}

Result<std::optional<SecretBytes>> SecretBox::add(crypto::Share share, const std::string& by, Seconds now) {
  PKI_TRY_VOID(check_fits(share, by));
  const int index = share.index;
  const auto values = share.values.view();
  // Never swapped, as far as RLIMIT_MEMLOCK allows; forbid_dumps keeps the whole process out of dumps.
  (void)::mlock(values.data(), values.size());
  held_.push_back({{index, by, now}, std::move(share)});
  if (std::cmp_less(held_.size(), config_.threshold)) return std::optional<SecretBytes>();
  std::vector<const crypto::Share*> shares;
  for (const auto& held : held_) shares.push_back(&held.share);
  PKI_TRY(auto secret, crypto::combine_shares(shares));
  return std::optional(std::move(secret));
}

Result<std::optional<SecretBytes>> SecretBox::enter(const SecretBytes& text, const std::string& by, Seconds now,
                                                    Clock::time_point at) {
  const std::lock_guard lock(mutex_);
  if (!config_.from_people())
    return Error(Code::Conflict, "nobody enters this realm's secret: a file or credential has it",
                 "secret.method of ca.config.yml");
  PKI_TRY_VOID(check_patience(by, at));
  if (!config_.has_shares()) return std::optional(SecretBytes(base::as_text(text.view())));
  auto share = crypto::parse_share(text.view());
  if (!share.ok()) {
    count_wrong(by, at);
    return share.error();
  }
  auto added = add(std::move(share).value(), by, now);
  if (!added.ok() && added.error().code() == Code::InvalidParams) count_wrong(by, at);
  return added;
}

std::vector<SecretGiven> SecretBox::settle(bool opened, const std::string& by, Clock::time_point at) {
  const std::lock_guard lock(mutex_);
  auto given = given_now();
  held_.clear();
  if (opened) {
    wrong_.clear();
  } else {
    count_wrong(by, at);
  }
  return given;
}

void SecretBox::clear() {
  const std::lock_guard lock(mutex_);
  held_.clear();
}

std::vector<SecretGiven> SecretBox::given_now() const {
  std::vector<SecretGiven> given;
  for (const auto& held : held_) given.push_back(held.given);
  return given;
}

std::vector<SecretGiven> SecretBox::given() const {
  const std::lock_guard lock(mutex_);
  return given_now();
}

std::string SecretBox::set() const {
  const std::lock_guard lock(mutex_);
  return !config_.set.empty() || held_.empty() ? config_.set : held_.front().share.set;
}

}  // namespace chancery::signer
