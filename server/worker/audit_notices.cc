#include "server/worker/audit_notices.h"

#include "server/crypto/digest.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kIdOctets = 16;
constexpr std::chrono::days kWorthSending{7};

}  // namespace

bool is_of_self_audit(const store::Notice& notice) { return notice.serial.empty(); }

Status add_audit_notices(store::Store& store, const config::NoticesConfig& notices, std::int64_t started, Seconds now) {
  if (notices.before.empty()) return {};
  std::vector<store::Notice> rows;
  const auto add = [&](const char* channel, const std::string& recipient) {
    store::Notice one{
        .ahead = started, .channel = channel, .recipient = recipient, .not_after = now + kWorthSending, .turn = now};
    auto digest = crypto::sha256(
        base::as_bytes(std::string(kAuditEvent) + "\n" + std::to_string(started) + "\n" + channel + "\n" + recipient));
    digest.resize(kIdOctets);
    one.id = base::to_hex(digest);
    rows.push_back(std::move(one));
  };
  if (!notices.mail_server.empty()) {
    for (const auto& address : notices.to) add("mail", address);
  }
  for (const auto& url : notices.webhooks) add("webhook", url);
  if (!notices.program.empty()) add("program", "");
  constexpr std::size_t kMostAtOnce = 20;  // of add_notices
  for (std::size_t i = 0; i < rows.size(); i += kMostAtOnce) {
    const auto end = std::min(i + kMostAtOnce, rows.size());
    PKI_TRY_VOID(
        store.add_notices({rows.begin() + static_cast<std::ptrdiff_t>(i), rows.begin() + static_cast<std::ptrdiff_t>(end)}));
  }
  return {};
}

std::string why_audit_notice_dropped(const store::Notice& notice, std::int64_t last, Seconds now) {
  if (notice.ahead < last) return "a later self-audit has its own";
  return notice.not_after <= now ? "nobody could be told for a week" : "";
}

}  // namespace chancery::worker
