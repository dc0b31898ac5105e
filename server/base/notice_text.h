#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "server/base/result.h"

/// The texts of expiry notices: whatever is written, with {{name}} where a variable's value goes. Nothing else is special; a
/// value is never looked through for variables in turn.
namespace chancery::base {

struct NoticeVariable {
  std::string_view name;
  std::string_view doc;
};
/// Sorted by name.
inline constexpr std::array kNoticeVariables{
    NoticeVariable{"cn", "common name of the certificate, or its first name"},
    NoticeVariable{"left", "how long it still lasts: 14 days"},
    NoticeVariable{"names", "its alternative names, comma-separated"},
    NoticeVariable{"not_after", "when it ends: 2027-03-01 09:30 UTC"},
    NoticeVariable{"not_before", "when it began"},
    NoticeVariable{"profile", "profile it was made by"},
    NoticeVariable{"realm", "name of the realm"},
    NoticeVariable{"requester", "who had it made"},
    NoticeVariable{"serial", "serial number, hexadecimal"},
    NoticeVariable{"subject", "its subject"},
};

/// Of reminders that a request waits for its approvals. Sorted by name.
inline constexpr std::array kReminderVariables{
    NoticeVariable{"approvals", "how many there are: 1"},
    NoticeVariable{"digest", "of the request, which approvals are given for"},
    NoticeVariable{"expires", "when it expires: 2027-03-01 09:30 UTC"},
    NoticeVariable{"kind", "what is asked for: enrolment"},
    NoticeVariable{"names", "the alternative names asked for, comma-separated"},
    NoticeVariable{"needed", "how many approvals it needs: 2"},
    NoticeVariable{"profile", "profile of what is asked for"},
    NoticeVariable{"realm", "name of the realm"},
    NoticeVariable{"request", "the request's id"},
    NoticeVariable{"requester", "who asks"},
    NoticeVariable{"roles", "the roles that may approve, comma-separated"},
    NoticeVariable{"subject", "the subject asked for"},
    NoticeVariable{"waited", "how long it has waited: 2 days"},
};

/// What a text is about, which says its variables.
enum class NoticeKind : std::uint8_t { Certificate, Request };

inline constexpr std::size_t kMaxNoticeText = 65536;

/// @errors BadConfig: not UTF-8, above kMaxNoticeText, a {{ without }}, or an unknown variable, with its line.
Status check_notice_text(std::string_view text, NoticeKind kind = NoticeKind::Certificate);
/// @pre check_notice_text(text). A variable without a value is empty.
std::string fill_notice_text(std::string_view text, const std::map<std::string, std::string>& values);

/// What a language says when the realm has no texts of its own. @return null: the language has none.
struct NoticeTexts {
  std::string_view language;
  std::string_view subject;
  std::string_view body;
};
const NoticeTexts* built_in_notice_texts(std::string_view language, NoticeKind kind = NoticeKind::Certificate);

/// "en", "de", "pt-br": a name of files, at most 16 of a-z 0-9 and '-', a letter first.
bool is_language(std::string_view text);

}  // namespace chancery::base
