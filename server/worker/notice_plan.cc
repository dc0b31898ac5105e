#include "server/worker/notice_plan.h"

#include <algorithm>
#include <functional>
#include <set>

#include "server/base/mail_address.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/wire/json.h"
#include "server/worker/reconcile.h"

namespace chancery::worker {
namespace {

using std::chrono::seconds;

constexpr std::size_t kPage = 100;           ///< certificates looked at in one call, for each time ahead
constexpr std::size_t kMostAddressees = 16;  ///< of one certificate by mail: one transaction holds no more (PROMISES Q11)
constexpr std::size_t kIdOctets = 16;
constexpr std::size_t kNewestLooked = 20;
constexpr char kLastSerial = '~';  ///< sorts behind every serial

std::string id_of(const store::Notice& notice) {
  const auto text =
      notice.ca + "\n" + notice.serial + "\n" + std::to_string(notice.ahead) + "\n" + notice.channel + "\n" + notice.recipient;
  auto digest = crypto::sha256(base::as_bytes(text));
  digest.resize(kIdOctets);
  return base::to_hex(digest);
}

void add_address(std::vector<std::string>& addresses, std::string_view text) {
  const bool is_known =
      std::ranges::any_of(addresses, [&](const auto& one) { return base::to_lower_ascii(one) == base::to_lower_ascii(text); });
  if (base::is_mail_address(text) && !is_known && addresses.size() < kMostAddressees) addresses.emplace_back(text);
}

/// What stands behind a prefix, of those texts that have it.
void add_prefixed(std::vector<std::string>& addresses, const std::vector<std::string>& texts, std::string_view prefix) {
  for (const auto& one : texts) {
    if (one.starts_with(prefix)) add_address(addresses, std::string_view(one).substr(prefix.size()));
  }
}

std::vector<std::string> texts_of(const std::string& json_array) {
  const auto parsed = wire::parse_json(json_array);
  return parsed.ok() ? Json::object({{"texts", *parsed}}).texts("texts") : std::vector<std::string>();
}

std::vector<std::string> addressees(const config::NoticesConfig& notices, const store::CertificateRecord& record,
                                    const std::string& contact) {
  std::vector<std::string> addresses;
  for (const auto& one : notices.to) add_address(addresses, one);
  for (const auto& holder : notices.to_holders) {
    if (holder == "certificate") add_prefixed(addresses, record.sans, "EMAIL:");
    if (holder == "account") add_prefixed(addresses, texts_of(contact), "mailto:");
  }
  return addresses;
}

Result<std::string> contact_of(store::Store& store, const store::CertificateRecord& record) {
  if (record.acme_account.empty()) return std::string();
  const auto account = store.acme_account(record.acme_account);
  if (account.ok()) return account->contact;
  return account.error().code() == Code::NotFound ? Result<std::string>(std::string()) : account.error();
}

std::string cursor_name(seconds ahead) { return "notices-" + std::to_string(ahead.count()); }

std::string cursor_text(Seconds end, std::string_view serial) {
  return std::to_string(base::to_epoch(end)) + "." + std::string(serial);
}

/// Where the look at certificates went last; what has ended since is nobody's business any more. A look that went farther than
/// one of now can go was by a clock that has been set back since: it passed over what ended meanwhile by that clock, and over
/// what was issued afterwards. Then all are looked at again, and rows that are there stay as they are. Hosts that share a store
/// may differ by the slack.
Result<std::string> read_cursor(store::Store& store, seconds ahead, Seconds now) {
  constexpr seconds kSlack{std::chrono::minutes{1}};
  PKI_TRY(const auto kept, store.get_meta(cursor_name(ahead)));
  const auto first = cursor_text(now, "");
  if (!kept) return first;
  const auto end = base::from_epoch(std::strtoll(kept->c_str(), nullptr, 10));
  return end > now && end <= now + ahead + kSlack ? *kept : first;
}

/// What a realm's CAs certified for each other ends as those do, of which plan_ca_notices tells.
bool is_between_cas(const store::CertificateRecord& record) {
  return (record.profile == kCrossProfile && record.rule == store::kRolloverRule) ||
         (record.profile == kSubCaProfile && record.rule == kRootRule);
}

bool is_wanted(const config::NoticesConfig& notices, const store::CertificateRecord& record) {
  if (is_between_cas(record) || record.rule == signer::kServiceRule) return false;  // upkeep renews services
  return notices.profiles.empty() ||
         std::ranges::any_of(notices.profiles, [&](const auto& name) { return name.text() == record.profile; });
}

Status plan_at(store::Store& store, const config::NoticesConfig& notices, seconds ahead, Seconds now) {
  PKI_TRY(const auto cursor, read_cursor(store, ahead, now));
  PKI_TRY(const auto page, store.certificates_ending(now + ahead, kPage, cursor));
  for (const auto& record : page.items) {
    if (!is_wanted(notices, record) || !is_told(notices, record, ahead, now)) continue;
    PKI_TRY(const auto contact, contact_of(store, record));
    PKI_TRY_VOID(store.add_notices(notices_for(notices, record, ahead, contact, now)));
  }
  // Last, so that whoever is cut off before looks at the same ones again: rows that are there stay as they are.
  const auto next = page.next.empty() ? cursor_text(now + ahead, std::string_view(&kLastSerial, 1)) : page.next;
  return next == cursor ? Status() : store.set_meta(cursor_name(ahead), next);
}

bool renews(const store::CertificateRecord& newer, const store::CertificateRecord& old, Seconds now) {
  if (newer.serial == old.serial && newer.ca == old.ca) return false;
  if (newer.state != store::CertificateState::Valid || newer.profile != old.profile) return false;
  if (newer.subject != old.subject || (old.subject.empty() && newer.sans != old.sans)) return false;
  return newer.not_after > old.not_after && newer.not_after > now;
}

/// The newest that may be a renewal of it.
Result<std::vector<store::CertificateRecord>> candidates(store::Store& store, const store::CertificateRecord& record,
                                                         Seconds now) {
  if (!record.subject.empty()) return store.by_subject(record.subject, kNewestLooked);
  if (record.sans.empty()) return std::vector<store::CertificateRecord>();
  store::CertificateFilter filter;
  filter.san = record.sans.front();
  filter.now = now;
  PKI_TRY(auto page, store.search(filter, kNewestLooked, ""));
  return std::move(page.items);
}

Result<std::string> why_reminder_dropped(store::Store& store, const store::Notice& notice, Seconds now) {
  const auto row = store.request(notice.serial);
  if (!row.ok() && row.error().code() == Code::NotFound) return std::string("the request is gone");
  if (!row.ok()) return row.error();
  if (row->state != realm::to_text(realm::RequestState::Pending)) return "the request is " + row->state;
  return now >= row->expires_at ? std::string("the request has expired") : std::string();
}

/// One of the notice for each recipient of each channel that the realm has.
std::vector<store::Notice> by_each_channel(const config::NoticesConfig& notices, const std::vector<std::string>& addresses,
                                           const store::Notice& notice) {
  std::vector<store::Notice> found;
  const auto add = [&](const char* channel, const std::string& recipient) {
    auto& one = found.emplace_back(notice);
    one.channel = channel;
    one.recipient = recipient;
    one.id = id_of(one);
  };
  if (!notices.mail_server.empty()) {
    for (const auto& address : addresses) add("mail", address);
  }
  for (const auto& url : notices.webhooks) add("webhook", url);
  if (!notices.program.empty()) add("program", "");
  return found;
}

}  // namespace

std::vector<store::Notice> notices_for(const config::NoticesConfig& notices, const store::CertificateRecord& record,
                                       seconds ahead, const std::string& contact, Seconds now) {
  const store::Notice notice{
      .ca = record.ca, .serial = record.serial.hex(), .ahead = ahead.count(), .not_after = record.not_after, .turn = now};
  return by_each_channel(notices, addressees(notices, record, contact), notice);
}

std::vector<store::Notice> reminders_for(const config::RealmConfig& realm, const store::RequestRow& row, seconds age,
                                         Seconds now) {
  const auto& notices = realm.notices;
  std::vector<std::string> addresses;
  for (const auto& one : realm.requests.remind_to.empty() ? notices.to : realm.requests.remind_to) add_address(addresses, one);
  const store::Notice notice{.serial = row.id, .ahead = age.count(), .not_after = row.expires_at, .turn = now};
  return by_each_channel(notices, addresses, notice);
}

bool is_reminder(const store::Notice& notice) { return notice.ca.empty() && !notice.serial.empty(); }

bool is_told(const config::NoticesConfig& notices, const store::CertificateRecord& record, seconds ahead, Seconds now) {
  if (record.state != store::CertificateState::Valid || record.not_after <= now) return false;
  if (record.not_after - record.issued_at <= ahead) return false;
  const auto is_passed = [&](seconds other) { return other < ahead && record.not_after <= now + other; };
  return std::ranges::none_of(notices.before, is_passed);
}

Status plan_notices(store::Store& store, const config::NoticesConfig& notices, Seconds now) {
  for (const auto ahead : notices.before) PKI_TRY_VOID(plan_at(store, notices, ahead, now));
  return {};
}

Result<std::string> why_dropped(store::Store& store, const store::Notice& notice, Seconds now) {
  if (is_reminder(notice)) return why_reminder_dropped(store, notice, now);
  PKI_TRY(const auto serial, Serial::from_hex(notice.serial));
  const auto record = store.certificate(serial, notice.ca);
  if (!record.ok() && record.error().code() == Code::NotFound) return std::string("the certificate is gone");
  if (!record.ok()) return record.error();
  if (record->state != store::CertificateState::Valid) return "the certificate is " + std::string(store::to_text(record->state));
  if (record->not_after <= now) return std::string("the certificate has ended");
  PKI_TRY(const auto others, candidates(store, *record, now));
  const auto newer = std::ranges::find_if(others, [&](const auto& one) { return renews(one, *record, now); });
  return newer == others.end() ? std::string() : "renewed by " + newer->serial.hex();
}

seconds pause_after(std::int64_t attempts) {
  constexpr seconds kFirst{5};
  constexpr int kFactor = 5;
  constexpr seconds kLongest{std::chrono::hours{6}};
  auto pause = kFirst;
  for (std::int64_t i = 1; i < attempts && pause < kLongest; ++i) pause *= kFactor;
  return std::min(pause, kLongest);
}

}  // namespace chancery::worker
