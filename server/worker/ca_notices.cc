#include "server/worker/ca_notices.h"

#include <algorithm>

#include "server/worker/notice_plan.h"

namespace chancery::worker {
namespace {

using std::chrono::seconds;

constexpr const char* kProfile = "ca";  ///< as what a CA's own certificate is told

bool is_about(const store::Notice& notice, const realm::Generation& generation) {
  return generation.label == notice.ca && generation.authority &&
         generation.authority->certificate.serial().hex() == notice.serial;
}

const realm::Generation* find_told(std::span<const realm::Generation> all, const store::Notice& notice) {
  const auto found = std::ranges::find_if(all, [&](const auto& one) { return is_about(notice, one); });
  return found == all.end() ? nullptr : &*found;
}

/// The generation that issues in its place; null: none does.
const realm::Generation* successor(std::span<const realm::Generation> all, const realm::Generation& of, Seconds now) {
  const auto follows = [&](const realm::Generation& one) {
    return one.name() == of.name() && one.number() > of.number() && realm::may_issue(one.state) && one.authority &&
           one.authority->certificate.not_before() <= now &&
           one.authority->certificate.not_after() > of.authority->certificate.not_after();
  };
  const auto found = std::ranges::find_if(all, follows);
  return found == all.end() ? nullptr : &*found;
}

store::CertificateRecord record_of(const realm::Generation& generation) {
  const auto& certificate = generation.authority->certificate;
  return {.serial = certificate.serial(),
          .ca = generation.label,
          .profile = kProfile,
          .subject = certificate.subject().to_slash(),
          .cn = certificate.subject().common_name().value_or(generation.label),
          .not_before = certificate.not_before(),
          .not_after = certificate.not_after(),
          .issued_at = certificate.not_before()};
}

}  // namespace

std::optional<seconds> time_begun(std::span<const seconds> times, Seconds not_before, Seconds not_after, Seconds now) {
  std::optional<seconds> shortest;
  if (now >= not_after) return shortest;
  for (const auto one : times) {
    const bool counts = not_after - now <= one && one < not_after - not_before;
    if (counts && (!shortest || one < *shortest)) shortest = one;
  }
  return shortest;
}

Status plan_ca_notices(Session& session, store::Store& store, Seconds now) {
  const auto& notices = session.realm().notices;
  const auto all = session.generations();
  if (!all.ok()) return {};  // a CA that waits for its certificate has none that ends, and the others' notices go on
  for (const auto& one : **all) {
    if (!realm::may_issue(one.state) || !one.authority || successor(**all, one, now) != nullptr) continue;
    const auto& certificate = one.authority->certificate;
    const auto ahead = time_begun(notices.ca_before, certificate.not_before(), certificate.not_after(), now);
    if (!ahead) continue;
    std::vector<store::Notice> fresh;
    for (auto& notice : notices_for(notices, record_of(one), *ahead, "", now)) {
      PKI_TRY(const auto known, store.notice(notice.id));
      if (!known) fresh.push_back(std::move(notice));
    }
    if (!fresh.empty()) PKI_TRY_VOID(store.add_notices(fresh));
  }
  return {};
}

Result<std::optional<store::CertificateRecord>> told_ca(Session& session, const store::Notice& notice) {
  const auto all = session.generations();
  const auto* found = all.ok() ? find_told(**all, notice) : nullptr;
  if (found == nullptr) return std::optional<store::CertificateRecord>();
  return std::optional(record_of(*found));
}

Result<std::string> why_ca_dropped(Session& session, const store::Notice& notice, Seconds now) {
  PKI_TRY(const auto* all, session.generations());
  const auto* told = find_told(*all, notice);
  if (told == nullptr) return std::string("the CA is gone");
  if (told->authority->certificate.not_after() <= now) return std::string("the CA's certificate has ended");
  if (!realm::may_issue(told->state)) return "the CA is " + std::string(realm::to_text(told->state));
  const auto* follower = successor(*all, *told, now);
  return follower == nullptr ? std::string() : "followed by " + follower->label;
}

}  // namespace chancery::worker
