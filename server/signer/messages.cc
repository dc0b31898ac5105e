#include "server/signer/messages.h"

#include "server/base/calendar.h"
#include "server/x509/pem.h"

namespace chancery::signer {
namespace {

// A journal record has a limit, so what goes into one has: a worker that passes these is none of ours.
constexpr std::size_t kMaxSans = 100;  ///< PROMISES D11
constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kMaxEvidence = 65536;
constexpr std::int64_t kMostReason = 10;  ///< CRLReason; which of them may be used is the lint's to say

/// A CRL's entries are one text, "serial:seconds:reason" each, parted by spaces: a JSON object per entry would pass the
/// reader's limit of values at a tenth of the million that a CRL may have.
std::string entries_to_text(const std::vector<x509::RevokedEntry>& entries) {
  std::string out;
  for (const auto& one : entries) {
    out += one.serial.hex() + ":" + std::to_string(base::to_epoch(one.revoked_at)) + ":" + std::to_string(one.reason) + " ";
  }
  return out;
}

Result<x509::RevokedEntry> entry_from_text(std::string_view text) {
  const auto first = text.find(':');
  const auto second = text.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos)
    return Error(Code::Malformed, "CRL entry of another shape");
  PKI_TRY(const auto serial, Serial::from_hex(text.substr(0, first)));
  PKI_TRY(const auto at, wire::parse_json(text.substr(first + 1, second - first - 1)));
  PKI_TRY(const auto reason, wire::parse_json(text.substr(second + 1)));
  if (at.as_integer() == nullptr || reason.as_integer() == nullptr) return Error(Code::Malformed, "CRL entry without numbers");
  if (*reason.as_integer() < 0 || *reason.as_integer() > kMostReason)
    return Error(Code::Malformed, "CRL entry of reason " + std::to_string(*reason.as_integer()) + ", expected 0 to " +
                                      std::to_string(kMostReason));
  PKI_TRY(const auto revoked_at, base::time_from_epoch(*at.as_integer()));
  return x509::RevokedEntry{serial, revoked_at, static_cast<int>(*reason.as_integer())};
}

Result<std::vector<x509::RevokedEntry>> entries_from_text(std::string_view text) {
  std::vector<x509::RevokedEntry> entries;
  while (!text.empty()) {
    const auto end = text.find(' ');
    if (end == std::string_view::npos) return Error(Code::Malformed, "CRL entries that break off");
    PKI_TRY(auto entry, entry_from_text(text.substr(0, end)));
    entries.push_back(std::move(entry));
    text.remove_prefix(end + 1);
  }
  return entries;
}

Result<Bytes> octets(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || !value->is_string()) return Error(Code::Malformed, "no member " + std::string(name));
  return base::from_base64(*value->as_string());
}

Result<std::string> text_up_to(const Json& params, std::string_view name, std::size_t most) {
  auto text = params.text(name);
  if (text.size() <= most) return text;
  return Error(Code::TooLarge,
               std::string(name) + " of " + std::to_string(text.size()) + " octets, expected at most " + std::to_string(most));
}

constexpr std::string_view kFirst = "ca";
constexpr std::size_t kMaxLabel = 80;

Result<std::string> label_from(const Json& params) {
  PKI_TRY(auto label, text_up_to(params, "ca", kMaxLabel));
  return label.empty() ? std::string(kFirst) : label;
}

Result<std::vector<x509::GeneralName>> names_from(const Json& params) {
  const auto texts = params.texts("sans");
  if (texts.size() > kMaxSans)
    return Error(Code::TooLarge, std::to_string(texts.size()) + " names, expected at most " + std::to_string(kMaxSans));
  std::vector<x509::GeneralName> names;
  for (const auto& text : texts) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    names.push_back(std::move(name));
  }
  return names;
}

Json seconds(Seconds time) { return base::to_epoch(time); }
/// No span of two such times overflows, and each is encoded as itself.
Result<Seconds> seconds_from(const Json& object, std::string_view name) {
  auto time = base::time_from_epoch(object.integer(name));
  return time.ok() ? std::move(time) : Result<Seconds>(time.error().within(name));
}

Json record_to_json(const JournalRecord& record) {
  auto out = Json::object({{"position", static_cast<std::int64_t>(record.position)},
                           {"certificate", base::to_base64(record.certificate)},
                           {"profile", record.profile},
                           {"requester", record.requester},
                           {"front_end", record.front_end},
                           {"rule", record.rule},
                           {"evidence", record.evidence},
                           {"idempotency_key", record.idempotency_key},
                           {"at", seconds(record.at)}});
  if (record.ca != kFirst) out.set("ca", record.ca);
  if (record.taken_over) out.set("taken_over", to_json(*record.taken_over));
  return out;
}

Result<JournalRecord> record_from_json(const Json& object) {
  JournalRecord record;
  PKI_TRY(record.certificate, octets(object, "certificate"));
  record.position = static_cast<std::uint64_t>(object.integer("position"));
  record.profile = object.text("profile");
  record.requester = object.text("requester");
  record.front_end = object.text("front_end");
  record.rule = object.text("rule");
  record.evidence = object.text("evidence");
  record.idempotency_key = object.text("idempotency_key");
  PKI_TRY(record.at, seconds_from(object, "at"));
  record.ca = object.text("ca", kFirst);
  if (const auto* facts = object.find("taken_over")) {
    PKI_TRY(record.taken_over, taken_over_from_json(*facts));
  }
  return record;
}

}  // namespace

Json to_json(const TakenOver& facts) {
  return Json::object({{"serial", facts.serial.hex()},
                       {"subject", facts.subject},
                       {"cn", facts.cn},
                       {"sans", Json::strings(facts.sans)},
                       {"not_before", seconds(facts.not_before)},
                       {"not_after", seconds(facts.not_after)}});
}

Result<TakenOver> taken_over_from_json(const Json& object) {
  PKI_TRY(auto serial, Serial::from_hex(object.text("serial")));
  PKI_TRY(const auto not_before, seconds_from(object, "not_before"));
  PKI_TRY(const auto not_after, seconds_from(object, "not_after"));
  return TakenOver{.serial = std::move(serial),
                   .subject = object.text("subject"),
                   .cn = object.text("cn"),
                   .sans = object.texts("sans"),
                   .not_before = not_before,
                   .not_after = not_after};
}

Json to_json(const SignRequest& request) {
  Json sans = Json::array();
  for (const auto& san : request.sans) sans.push_back(san.to_text());
  auto out = Json::object({{"serial", request.serial.hex()},
                           {"profile", request.profile.text()},
                           {"subject", request.subject.to_slash()},
                           {"sans", std::move(sans)},
                           {"spki", base::to_base64(request.spki)},
                           {"not_before", seconds(request.not_before)},
                           {"not_after", seconds(request.not_after)},
                           {"requester", request.requester},
                           {"front_end", request.front_end},
                           {"rule", request.rule},
                           {"evidence", request.evidence},
                           {"idempotency_key", request.idempotency_key}});
  // Left out of what every realm said before it had others, so that an earlier request is still the same one.
  if (request.ca != kFirst) out.set("ca", request.ca);
  if (request.csr) out.set("csr", base::to_base64(*request.csr));
  if (request.renews) out.set("renews", request.renews->hex());
  if (request.approved) out.set("approved", to_json(*request.approved));
  return out;
}

Result<SignRequest> sign_request_from_json(const Json& params) {
  PKI_TRY(auto serial, Serial::from_hex(params.text("serial")));
  PKI_TRY(auto profile, ProfileName::parse(params.text("profile")));
  PKI_TRY(auto subject, x509::Name::from_slash(params.text("subject")));
  PKI_TRY(auto sans, names_from(params));
  PKI_TRY(auto spki, octets(params, "spki"));
  PKI_TRY(const auto not_before, seconds_from(params, "not_before"));
  PKI_TRY(const auto not_after, seconds_from(params, "not_after"));
  SignRequest request{.serial = std::move(serial),
                      .profile = std::move(profile),
                      .subject = std::move(subject),
                      .sans = std::move(sans),
                      .spki = std::move(spki),
                      .not_before = not_before,
                      .not_after = not_after};
  if (params.find("csr") != nullptr) {
    PKI_TRY(request.csr, octets(params, "csr"));
  }
  if (params.find("renews") != nullptr) {
    PKI_TRY(request.renews, Serial::from_hex(params.text("renews")));
  }
  if (const auto* approved = params.find("approved")) {
    PKI_TRY(request.approved, approved_request_from_json(*approved));
  }
  PKI_TRY(request.requester, text_up_to(params, "requester", kMaxText));
  PKI_TRY(request.front_end, text_up_to(params, "front_end", kMaxText));
  PKI_TRY(request.rule, text_up_to(params, "rule", kMaxText));
  PKI_TRY(request.evidence, text_up_to(params, "evidence", kMaxEvidence));
  PKI_TRY(request.idempotency_key, text_up_to(params, "idempotency_key", kMaxText));
  PKI_TRY(request.ca, label_from(params));
  return request;
}

Json to_json(const Signed& answer) {
  return Json::object(
      {{"serial", answer.serial.hex()}, {"certificate", base::to_base64(answer.certificate)}, {"replayed", answer.replayed}});
}

Result<Signed> signed_from_json(const Json& result) {
  PKI_TRY(auto serial, Serial::from_hex(result.text("serial")));
  PKI_TRY(auto certificate, octets(result, "certificate"));
  return Signed{std::move(serial), std::move(certificate), result.boolean("replayed")};
}

Json to_json(const CrlRequest& request) {
  auto out = Json::object({{"ca", request.ca},
                           {"number", static_cast<std::int64_t>(request.number)},
                           {"this_update", seconds(request.this_update)},
                           {"next_update", seconds(request.next_update)},
                           {"entries", entries_to_text(request.entries)},
                           {"requester", request.requester}});
  if (request.base > 0) out.set("base", static_cast<std::int64_t>(request.base));
  return out;
}

Result<CrlRequest> crl_request_from_json(const Json& params) {
  PKI_TRY(auto entries, entries_from_text(params.text("entries")));
  PKI_TRY(auto requester, text_up_to(params, "requester", kMaxText));
  PKI_TRY(auto ca, label_from(params));
  const auto number = params.integer("number");
  if (number <= 0) return Error(Code::Malformed, "CRL number " + std::to_string(number) + ", expected a positive one");
  const auto base = params.integer("base");
  if (base < 0 || base >= number)
    return Error(Code::Malformed, "base CRL number " + std::to_string(base) + ", expected one below " + std::to_string(number));
  PKI_TRY(const auto this_update, seconds_from(params, "this_update"));
  PKI_TRY(const auto next_update, seconds_from(params, "next_update"));
  return CrlRequest{
      static_cast<std::uint64_t>(number), this_update, next_update, std::move(entries), std::move(requester), std::move(ca),
      static_cast<std::uint64_t>(base)};
}

Json to_json(const SignedCrl& answer) { return Json::object({{"crl", base::to_base64(answer.crl)}}); }

Result<SignedCrl> signed_crl_from_json(const Json& result) {
  PKI_TRY(auto crl, octets(result, "crl"));
  return SignedCrl{std::move(crl)};
}

Json to_json(const std::vector<Serial>& serials) {
  std::vector<std::string> texts;
  texts.reserve(serials.size());
  for (const auto& one : serials) texts.push_back(one.hex());
  return Json::object({{"serials", Json::strings(texts)}});
}

Result<std::vector<Serial>> serials_from_json(const Json& object) {
  const auto texts = object.texts("serials");
  if (texts.size() > kMostSerialsAsked)
    return Error(Code::TooLarge,
                 std::to_string(texts.size()) + " serials, expected at most " + std::to_string(kMostSerialsAsked));
  std::vector<Serial> serials;
  for (const auto& text : texts) {
    PKI_TRY(auto serial, Serial::from_hex(text));
    serials.push_back(std::move(serial));
  }
  return serials;
}

Json to_json(const JournalPage& page) {
  Json records = Json::array();
  for (const auto& record : page.records) records.push_back(record_to_json(record));
  return Json::object({{"records", std::move(records)}, {"next_position", static_cast<std::int64_t>(page.next_position)}});
}

Result<JournalPage> journal_page_from_json(const Json& result) {
  const auto* list = result.find("records");
  if (list == nullptr || !list->is_array()) return Error(Code::Malformed, "a journal page without records");
  JournalPage page;
  page.next_position = static_cast<std::uint64_t>(result.integer("next_position"));
  for (const auto& one : *list->as_array()) {
    PKI_TRY(auto record, record_from_json(one));
    page.records.push_back(std::move(record));
  }
  return page;
}

Json to_json(const std::vector<GenerationInfo>& generations) {
  Json list = Json::array();
  for (const auto& one : generations) {
    auto row = Json::object({{"ca", one.ca}, {"state", one.state}, {"chain", one.chain}});
    if (!one.request.empty()) row.set("request", one.request);
    if (!one.new_with_old.empty()) row.set("new_with_old", one.new_with_old);
    if (!one.old_with_new.empty()) row.set("old_with_new", one.old_with_new);
    if (one.last_end) row.set("last_end", base::to_epoch(*one.last_end));
    list.push_back(std::move(row));
  }
  return Json::object({{"generations", std::move(list)}});
}

Result<std::vector<GenerationInfo>> generations_from_json(const Json& result) {
  const auto* list = result.find("generations");
  if (list == nullptr || !list->is_array()) return Error(Code::Malformed, "an answer without generations");
  std::vector<GenerationInfo> out;
  for (const auto& row : *list->as_array()) {
    GenerationInfo info{row.text("ca"),      row.text("state"),        row.text("chain"),
                        row.text("request"), row.text("new_with_old"), row.text("old_with_new")};
    if (row.find("last_end") != nullptr) {
      PKI_TRY(info.last_end, seconds_from(row, "last_end"));
    }
    out.push_back(std::move(info));
  }
  return out;
}

Json to_json(const NewGeneration& wanted) {
  return Json::object({{"ca", wanted.ca}, {"from", wanted.from}, {"requester", wanted.requester}});
}

Result<NewGeneration> new_generation_from_json(const Json& params) {
  NewGeneration wanted;
  PKI_TRY(wanted.ca, label_from(params));
  PKI_TRY(wanted.from, text_up_to(params, "from", kMaxLabel));
  PKI_TRY(wanted.requester, text_up_to(params, "requester", kMaxText));
  return wanted;
}

Json to_json(const AuditEvent& event) {
  return Json::object({{"what", event.what},
                       {"phase", event.phase},
                       {"requester", event.requester},
                       {"front_end", event.front_end},
                       {"peer", event.peer},
                       {"about", event.about},
                       {"roles", event.roles},
                       {"outcome", event.outcome},
                       {"at", seconds(event.at)}});
}

Result<AuditEvent> audit_event_from_json(const Json& params) {
  AuditEvent event;
  PKI_TRY(event.what, text_up_to(params, "what", kMaxText));
  PKI_TRY(event.phase, text_up_to(params, "phase", kMaxText));
  PKI_TRY(event.requester, text_up_to(params, "requester", kMaxText));
  PKI_TRY(event.front_end, text_up_to(params, "front_end", kMaxText));
  PKI_TRY(event.peer, text_up_to(params, "peer", kMaxText));
  PKI_TRY(event.about, text_up_to(params, "about", kMaxEvidence));
  PKI_TRY(event.roles, text_up_to(params, "roles", kMaxText));
  PKI_TRY(event.outcome, text_up_to(params, "outcome", kMaxEvidence));
  PKI_TRY(event.at, seconds_from(params, "at"));
  if (event.what.empty() || event.requester.empty()) return Error(Code::Malformed, "an event that says neither what nor who");
  return event;
}

Json to_json(const AuditPage& page) {
  return Json::object(
      {{"records", Json(Json::Array(page.records))}, {"next_position", static_cast<std::int64_t>(page.next_position)}});
}

Result<AuditPage> audit_page_from_json(const Json& result) {
  const auto* list = result.find("records");
  if (list == nullptr || !list->is_array()) return Error(Code::Malformed, "an audit page without records");
  return AuditPage{*list->as_array(), static_cast<std::uint64_t>(result.integer("next_position"))};
}

Json to_json(const AuthorityInfo& info) {
  return Json::object({{"state", info.state},
                       {"last_crl_number", static_cast<std::int64_t>(info.last_crl_number)},
                       {"chain", info.chain},
                       {"fault", info.fault},
                       {"obstacle", info.obstacle}});
}

Result<AuthorityInfo> authority_from_json(const Json& result) {
  return AuthorityInfo{result.text("state"), static_cast<std::uint64_t>(result.integer("last_crl_number")), result.text("chain"),
                       result.text("fault"), result.text("obstacle")};
}

}  // namespace chancery::signer
