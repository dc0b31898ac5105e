#include "clients/notify/message.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <map>

#include "server/base/file.h"
#include "server/base/mail_address.h"
#include "server/base/notice_text.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::notify {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kRequestWaits = "request.waits";
constexpr std::string_view kCertificateEnds = "certificate.ends";

// ----- texts

struct Unit {
  std::int64_t seconds;
  std::string_view one;
  std::string_view many;
};
/// In the case that follows "in" (de: dative).
struct Units {
  std::string_view language;
  std::array<Unit, 3> units;
};
constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::array kUnits{
    Units{"de", {Unit{kDay, "Tag", "Tagen"}, Unit{kHour, "Stunde", "Stunden"}, Unit{kMinute, "Minute", "Minuten"}}},
    Units{"en", {Unit{kDay, "day", "days"}, Unit{kHour, "hour", "hours"}, Unit{kMinute, "minute", "minutes"}}},
    Units{"fr", {Unit{kDay, "jour", "jours"}, Unit{kHour, "heure", "heures"}, Unit{kMinute, "minute", "minutes"}}},
};

/// "2027-03-01T09:30:00Z" as people read it.
std::string time_text(const std::string& rfc3339) {
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kMinutes = 16;
  if (rfc3339.size() < kMinutes) return rfc3339;
  return rfc3339.substr(0, kDate) + " " + rfc3339.substr(kDate + 1, kMinutes - kDate - 1) + " UTC";
}

base::NoticeKind kind_of(const Json& notice) {
  return notice.text("event") == kRequestWaits ? base::NoticeKind::Request : base::NoticeKind::Certificate;
}

std::map<std::string, std::string> values_of_reminder(const RealmSettings& realm, const Json& notice,
                                                      const std::string& language) {
  return {{"approvals", std::to_string(notice.integer("approvals"))},
          {"digest", notice.text("digest")},
          {"expires", time_text(notice.text("expires_at"))},
          {"kind", notice.text("kind")},
          {"names", base::join(notice.texts("names"), ", ")},
          {"needed", std::to_string(notice.integer("approvals_needed"))},
          {"profile", notice.text("profile")},
          {"realm", realm.realm},
          {"request", notice.text("request")},
          {"requester", notice.text("requester")},
          {"roles", base::join(notice.texts("approval_roles"), ", ")},
          {"subject", notice.text("subject")},
          {"waited", left_text(notice.integer("seconds_waited"), language)}};
}

std::map<std::string, std::string> values_of(const RealmSettings& realm, const Json& notice, const std::string& language) {
  if (kind_of(notice) == base::NoticeKind::Request) return values_of_reminder(realm, notice, language);
  return {{"cn", notice.text("cn")},
          {"left", left_text(notice.integer("seconds_left"), language)},
          {"names", base::join(notice.texts("names"), ", ")},
          {"not_after", time_text(notice.text("not_after"))},
          {"not_before", time_text(notice.text("not_before"))},
          {"profile", notice.text("profile")},
          {"realm", realm.realm},
          {"requester", notice.text("requester")},
          {"serial", notice.text("serial")},
          {"subject", notice.text("subject")}};
}

struct Texts {
  std::string subject;
  std::string body;
};

Result<std::string> read_text(const std::string& directory, const std::string& name, base::NoticeKind kind) {
  PKI_TRY(auto text, base::read_file(base::Path(directory) / name, base::kMaxNoticeText));
  PKI_TRY_VOID(base::check_notice_text(text, kind));
  return text;
}

/// A language without a text of its own for reminders gets the built-in one, or the English one.
Result<Texts> built_in(const std::string& language, base::NoticeKind kind) {
  const auto* texts = base::built_in_notice_texts(language, kind);
  if (texts == nullptr && kind == base::NoticeKind::Request) texts = base::built_in_notice_texts("en", kind);
  if (texts == nullptr) return Error(Code::BadConfig, "language " + language + " has no texts");
  return Texts{std::string(texts->subject), std::string(texts->body)};
}

/// Read anew each time: what changes there holds at once.
Result<Texts> texts_of(const RealmSettings& realm, const std::string& language, base::NoticeKind kind) {
  const bool is_reminder = kind == base::NoticeKind::Request;
  const auto stem = language + (is_reminder ? ".request" : "");
  std::error_code ignored;
  if (realm.templates.empty() ||
      (is_reminder && !std::filesystem::exists(base::Path(realm.templates) / (stem + ".body"), ignored)))
    return built_in(language, kind);
  PKI_TRY(auto subject, read_text(realm.templates, stem + ".subject", kind));
  PKI_TRY(auto body, read_text(realm.templates, stem + ".body", kind));
  return Texts{std::move(subject), std::move(body)};
}

// ----- the self-audit's

constexpr std::string_view kAuditEvent = "self_audit.findings";

/// What the server found is for operators: in English, and in no template.
Texts audit_texts(const RealmSettings& realm, const Json& notice) {
  const auto count = std::to_string(notice.integer("findings"));
  std::string body = "The self-audit of realm " + realm.realm + ", finished " + time_text(notice.text("finished")) + ", has " +
                     count + " findings. The first ones:\n\n";
  if (const auto* first = notice.find("first"); first != nullptr && first->is_array()) {
    for (const auto& one : *first->as_array())
      body += "  " + one.text("part") + ": " + one.text("about") + ": " + one.text("fault") + "\n";
  }
  return {"Realm " + realm.realm + ": the self-audit has " + count + " findings",
          body + "\nThe log has all of them; chancery audit self looks again at once.\n"};
}

std::string audit_json(const RealmSettings& realm, const Json& notice) {
  auto out = Json::object(
      {{"event", kAuditEvent}, {"id", notice.text("id")}, {"realm", realm.realm}, {"attempt", notice.integer("attempt")}});
  for (const auto* name : {"started", "finished", "certificates", "findings", "first"}) {
    if (const auto* value = notice.find(name)) out.set(name, *value);
  }
  return wire::to_text(out);
}

// ----- RFC 5322

/// RFC 5322 3.3: in English, whatever the locale.
std::string date_text(Seconds now) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t at = base::to_epoch(now);
  std::tm parts{};
  ::gmtime_r(&at, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %d %02d:%02d:%02d +0000",
                kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                parts.tm_sec);
  return text.data();
}

/// Base64 in lines (RFC 2045 6.8): no line of the text can be taken for anything of SMTP's.
std::string base64_lines(std::string_view text) {
  constexpr std::size_t kLine = 76;
  const auto whole = base::to_base64(base::as_bytes(text));
  std::string out;
  for (std::size_t i = 0; i < whole.size(); i += kLine) out.append(whole, i, kLine).append(kLineEnd);
  return out;
}

/// A body's lines end with CRLF (RFC 2046 4.1.1).
std::string with_line_ends(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\r') continue;
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

std::string without_controls(const std::string& value) {
  std::string out = value;
  for (auto& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return std::string(base::trim(out));
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

std::string language_of(const RealmSettings& realm, const std::string& address) {
  const auto domain = base::mail_domain(address) + "=";
  for (const auto& one : realm.languages) {
    if (one.starts_with(domain)) return one.substr(domain.size());
  }
  return realm.language;
}

std::string left_text(std::int64_t seconds, const std::string& language) {
  const auto* known = std::ranges::find(kUnits, language, &Units::language);
  if (known == kUnits.end()) known = std::ranges::find(kUnits, "en", &Units::language);
  const auto& units = known->units;
  // The largest unit of which it is at least one and a half, rounded: "13 days and 23 hours" are 14 days.
  const auto* const fits = std::ranges::find_if(units, [&](const Unit& unit) { return 2 * seconds >= 3 * unit.seconds; });
  const auto& unit = fits == units.end() ? units.back() : *fits;
  const auto count = std::max<std::int64_t>((seconds + unit.seconds / 2) / unit.seconds, 1);
  return std::to_string(count) + " " + std::string(count == 1 ? unit.one : unit.many);
}

std::string header_text(const std::string& value) {
  constexpr std::size_t kMostPlain = 60;
  constexpr std::size_t kMostOctets = 42;  // of one encoded word, which has at most 75 characters (RFC 2047 2)
  const auto text = without_controls(value);
  const bool is_plain = text.size() <= kMostPlain && text.find("=?") == std::string::npos &&
                        std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_plain) return text;
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = std::min(begin + kMostOctets, text.size());
    while (end < text.size() && end > begin + 1 && is_continuation(text[end])) --end;  // no character in two words (RFC 2047 5)
    const auto word = "=?UTF-8?B?" + base::to_base64(base::as_bytes(std::string_view(text).substr(begin, end - begin))) + "?=";
    out += (out.empty() ? "" : "\r\n ") + word;
    begin = end;
  }
  return out;
}

Result<std::string> make_mail(const RealmSettings& realm, const Json& notice, Seconds now) {
  const auto recipient = notice.text("recipient");
  if (!base::is_mail_address(recipient)) return Error(Code::Malformed, "the addressee is no mail address");
  const bool is_audits = notice.text("event") == kAuditEvent;
  const auto language = is_audits ? std::string("en") : language_of(realm, recipient);
  PKI_TRY(const auto texts, is_audits ? Result<Texts>(audit_texts(realm, notice)) : texts_of(realm, language, kind_of(notice)));
  const auto values = values_of(realm, notice, language);
  const auto filled = [&](const std::string& text) { return is_audits ? text : base::fill_notice_text(text, values); };
  std::string out;
  const auto add = [&](std::string_view name, const std::string& value) {
    out.append(name).append(": ").append(value).append(kLineEnd);
  };
  add("From", "<" + realm.mail_from + ">");
  add("To", "<" + recipient + ">");
  add("Subject", header_text(filled(texts.subject)));
  add("Date", date_text(now));
  add("Message-ID", "<" + notice.text("id") + "." + realm.realm + "@" + base::mail_domain(realm.mail_from) + ">");
  add("Auto-Submitted", "auto-generated");  // RFC 3834 5: nobody's vacation answers it
  add("MIME-Version", "1.0");
  add("Content-Type", "text/plain; charset=utf-8");
  add("Content-Language", language);
  add("Content-Transfer-Encoding", "base64");
  return out.append(kLineEnd).append(base64_lines(with_line_ends(filled(texts.body))));
}

std::string make_json(const RealmSettings& realm, const Json& notice) {
  if (notice.text("event") == kAuditEvent) return audit_json(realm, notice);
  const bool is_reminder = kind_of(notice) == base::NoticeKind::Request;
  auto out = Json::object({{"event", is_reminder ? kRequestWaits : kCertificateEnds},
                           {"id", notice.text("id")},
                           {"realm", realm.realm},
                           {"ahead", notice.integer("ahead")},
                           {"attempt", notice.integer("attempt")}});
  const auto copy = [&](std::string_view name, Json& into) {
    if (const auto* value = notice.find(name)) into.set(name, *value);
  };
  copy(is_reminder ? "seconds_waited" : "seconds_left", out);
  auto about = Json::object();
  if (is_reminder) {
    for (const auto* name : {"request", "kind", "profile", "subject", "names", "requester", "digest", "approvals",
                             "approvals_needed", "approval_roles", "created_at", "expires_at"})
      copy(name, about);
  } else {
    for (const auto* name : {"serial", "subject", "cn", "names", "profile", "requester", "not_before", "not_after"})
      copy(name, about);
  }
  return wire::to_text(out.set(is_reminder ? "request" : "certificate", std::move(about)));
}

std::string sign(ByteView key, Seconds at, const std::string& body) {
  const auto text = std::to_string(base::to_epoch(at)) + "." + body;
  return "v1=" + base::to_hex(crypto::hmac_sha256(key, base::as_bytes(text)));
}

}  // namespace chancery::notify
