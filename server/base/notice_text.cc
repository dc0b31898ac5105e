#include "server/base/notice_text.h"

#include <algorithm>
#include <vector>

#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::size_t kMostLanguage = 16;

constexpr std::array kBuiltIn{
    NoticeTexts{
        "de", "Zertifikat {{cn}} endet in {{left}}",
        "Das Zertifikat {{cn}} des Bereichs {{realm}} endet am {{not_after}}, in {{left}}.\n\n"
        "  Seriennummer  {{serial}}\n  Inhaber       {{subject}}\n  Namen         {{names}}\n  Profil        {{profile}}\n"
        "  Beantragt von {{requester}}\n\n"
        "Wird es noch gebraucht, so ist es vorher zu erneuern. Ist es ersetzt, ist nichts zu tun.\n"},
    NoticeTexts{"en", "Certificate {{cn}} ends in {{left}}",
                "The certificate {{cn}} of realm {{realm}} ends on {{not_after}}, in {{left}}.\n\n"
                "  serial number  {{serial}}\n  subject        {{subject}}\n  names          {{names}}\n"
                "  profile        {{profile}}\n  requested by   {{requester}}\n\n"
                "If it is still needed, renew it before then. If it was replaced, there is nothing to do.\n"},
    NoticeTexts{"fr", "Le certificat {{cn}} expire dans {{left}}",
                "Le certificat {{cn}} du domaine {{realm}} expire le {{not_after}}, dans {{left}}.\n\n"
                "  numéro de série  {{serial}}\n  sujet            {{subject}}\n  noms             {{names}}\n"
                "  profil           {{profile}}\n  demandé par      {{requester}}\n\n"
                "S'il sert encore, renouvelez-le avant cette date. S'il a été remplacé, il n'y a rien à faire.\n"},
};

constexpr std::array kBuiltInReminders{
    NoticeTexts{"de", "Antrag von {{requester}} wartet seit {{waited}}",
                "Im Bereich {{realm}} wartet ein Antrag ({{kind}}) seit {{waited}} auf Zustimmung.\n\n"
                "  Antrag        {{request}}\n  Gestellt von  {{requester}}\n  Profil        {{profile}}\n"
                "  Inhaber       {{subject}}\n  Namen         {{names}}\n  Zustimmungen  {{approvals}} von {{needed}}\n"
                "  Rollen        {{roles}}\n\n"
                "Er verfällt am {{expires}}. Ansehen: chancery request get --request {{request}}\n"},
    NoticeTexts{"en", "Request of {{requester}} has waited {{waited}}",
                "In realm {{realm}} a request ({{kind}}) has waited {{waited}} for approval.\n\n"
                "  request    {{request}}\n  asked by   {{requester}}\n  profile    {{profile}}\n"
                "  subject    {{subject}}\n  names      {{names}}\n  approvals  {{approvals}} of {{needed}}\n"
                "  roles      {{roles}}\n\n"
                "It expires on {{expires}}. To look at it: chancery request get --request {{request}}\n"},
    NoticeTexts{"fr", "La demande de {{requester}} attend depuis {{waited}}",
                "Dans le domaine {{realm}}, une demande ({{kind}}) attend une approbation depuis {{waited}}.\n\n"
                "  demande       {{request}}\n  demandée par  {{requester}}\n  profil        {{profile}}\n"
                "  sujet         {{subject}}\n  noms          {{names}}\n  approbations  {{approvals}} sur {{needed}}\n"
                "  rôles         {{roles}}\n\n"
                "Elle expire le {{expires}}. Pour la voir : chancery request get --request {{request}}\n"},
};

std::span<const NoticeVariable> variables_of(NoticeKind kind) {
  if (kind == NoticeKind::Request) return kReminderVariables;
  return kNoticeVariables;
}

/// One variable of a text: its name, and where it begins and ends with its braces.
struct Found {
  std::string name;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The next one at or after `from`. @return end 0: there is none; end npos: it is not closed.
Found next_variable(std::string_view text, std::size_t from) {
  const auto begin = text.find(kOpen, from);
  if (begin == std::string_view::npos) return {};
  const auto close = text.find(kClose, begin);
  if (close == std::string_view::npos) return {{}, begin, std::string_view::npos};
  const auto inside = text.substr(begin + kOpen.size(), close - begin - kOpen.size());
  return {std::string(trim(inside)), begin, close + kClose.size()};
}

Error in_line(std::string_view text, std::size_t at, const std::string& what) {
  const auto line = 1 + std::ranges::count(text.substr(0, at), '\n');
  return {Code::BadConfig, "line " + std::to_string(line) + ": " + what};
}

}  // namespace

Status check_notice_text(std::string_view text, NoticeKind kind) {
  const auto variables = variables_of(kind);
  if (text.size() > kMaxNoticeText)
    return Error(Code::BadConfig, "found a text of " + std::to_string(text.size()) + " octets, expected at most " +
                                      std::to_string(kMaxNoticeText));
  if (!is_utf8(text)) return Error(Code::BadConfig, "found octets that are not UTF-8");
  for (auto found = next_variable(text, 0); found.end != 0; found = next_variable(text, found.end)) {
    if (found.end == std::string_view::npos) return in_line(text, found.begin, "found {{ without }}, expected {{name}}");
    if (std::ranges::find(variables, found.name, &NoticeVariable::name) != variables.end()) continue;
    std::vector<std::string> known;
    for (const auto& one : variables) known.emplace_back(one.name);
    return in_line(text, found.begin,
                   "unknown variable \"" + printable(found.name, 40) + "\", expected one of " + join(known, ", "));
  }
  return {};
}

std::string fill_notice_text(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string out;
  std::size_t from = 0;
  for (auto found = next_variable(text, 0); found.end != 0 && found.end != std::string_view::npos;
       found = next_variable(text, from)) {
    out += text.substr(from, found.begin - from);
    if (const auto value = values.find(found.name); value != values.end()) out += value->second;
    from = found.end;
  }
  return out.append(text.substr(from));
}

const NoticeTexts* built_in_notice_texts(std::string_view language, NoticeKind kind) {
  const auto& texts = kind == NoticeKind::Request ? kBuiltInReminders : kBuiltIn;
  const auto* const found = std::ranges::find(texts, language, &NoticeTexts::language);
  return found == texts.end() ? nullptr : found;
}

bool is_language(std::string_view text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && text.size() <= kMostLanguage && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace chancery::base
