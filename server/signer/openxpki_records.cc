#include "server/signer/openxpki_records.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/signer/foreign_fields.h"
#include "server/x509/name.h"
#include "server/x509/reasons.h"

namespace chancery::signer {
namespace {

/// Its states, and whether the certificate is revoked in them: while a CRL is to be made, it is.
struct State {
  std::string_view name;
  bool revoked;
};
constexpr std::array kStates{
    State{"", false},         State{"issued", false},  State{"valid", false},  State{"expired", false},
    State{"upcoming", false}, State{"unknown", false}, State{"revoked", true}, State{"crl_issuance_pending", true},
};

Result<std::optional<Seconds>> time_of(const Json& row, std::string_view column) {
  const auto text = text_of(field(row, {column}));
  if (text.empty() || text == "0") return std::optional<Seconds>();
  constexpr std::size_t kMaxDigits = 11;
  const bool is_epoch = text.size() <= kMaxDigits && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (is_epoch) return std::optional(base::from_epoch(std::stoll(text)));
  for (const auto* suffix : {"", "Z"}) {
    if (const auto time = base::from_rfc3339(text + suffix); time.ok()) return std::optional(*time);
  }
  return Error(Code::Malformed, "found " + std::string(column) + " \"" + base::printable(text, 40) +
                                    "\", expected seconds since 1970 or RFC 3339");
}

std::optional<Serial> serial_of(const std::string& text) {
  const auto serial = text.starts_with("0x") ? Serial::from_hex(std::string_view(text).substr(2)) : Serial::from_decimal(text);
  return serial.ok() ? std::optional(*serial) : std::nullopt;
}

std::string slash_of(const std::string& text) {
  const auto name = x509::Name::parse_any(text);
  return name.ok() ? name->to_slash() : base::printable(text, 1024);
}

Status add_state(const Json& row, OpenxpkiRecord& out) {
  const auto word = base::to_lower_ascii(text_of(field(row, {"status"})));
  const auto state = std::ranges::find(kStates, word, &State::name);
  if (state == kStates.end())
    return Error(Code::Malformed, "found the status \"" + base::printable(word, 40) +
                                      "\", expected ISSUED, REVOKED, CRL_ISSUANCE_PENDING or EXPIRED");
  PKI_TRY(out.revoked_at, time_of(row, "revocation_time"));
  PKI_TRY(out.invalid_since, time_of(row, "invalidity_time"));
  out.revoked = state->revoked || out.revoked_at.has_value();
  out.reason_text = base::printable(text_of(field(row, {"reason_code"})), 40);
  const auto reason = x509::reason_from_name(out.reason_text);
  if (reason.ok()) out.reason = std::string(x509::reason_name(*reason));
  return {};
}

Result<OpenxpkiRecord> record_of(const Json& row) {
  if (!row.is_object()) return Error(Code::Malformed, "found " + std::string(row.kind()) + ", expected an object");
  OpenxpkiRecord out{.certificate = text_of(field(row, {"data", "certificate", "pem"})),
                     .serial_text = text_of(field(row, {"cert_key", "certificate_serial", "cert_serial", "serial"})),
                     .profile = base::to_lower_ascii(text_of(field(row, {"profile", "cert_profile"})))};
  out.serial = serial_of(out.serial_text);
  const auto subject = text_of(field(row, {"subject"}));
  if (!subject.empty()) out.subject = slash_of(subject);
  const auto name = x509::Name::parse_any(subject);
  if (name.ok()) out.cn = name->common_name().value_or("");
  const auto issuer = text_of(field(row, {"issuer_dn"}));
  if (!issuer.empty()) out.issuer = slash_of(issuer);
  PKI_TRY(out.not_after, time_of(row, "notafter"));
  PKI_TRY_VOID(add_state(row, out));
  if (out.certificate.empty() && out.serial_text.empty())
    return Error(Code::Malformed, "found neither data nor cert_key, expected the certificate or its serial");
  return out;
}

Status add_rows(const Json& rows, std::vector<OpenxpkiRecord>& out) {
  for (const auto& row : *rows.as_array()) {
    auto record = record_of(row);
    if (!record.ok()) return record.error().within("row " + std::to_string(out.size() + 1));
    out.push_back(std::move(*record));
  }
  return {};
}

/// The list that the document is, or has.
const Json* list_of(const Json& document) {
  if (document.is_array()) return &document;
  for (const auto* name : {"result", "certificates", "params", "data"}) {
    const auto* member = document.find(name);
    if (member != nullptr && member->is_array()) return member;
  }
  return nullptr;
}

}  // namespace

Result<std::vector<OpenxpkiRecord>> parse_openxpki(std::string_view text) {
  std::vector<OpenxpkiRecord> out;
  const auto whole = wire::parse_json(std::string(text));
  if (whole.ok()) {
    const auto* rows = list_of(*whole);
    if (rows == nullptr) {  // a row alone
      PKI_TRY_VOID(add_rows(Json::array({*whole}), out));
      return out;
    }
    PKI_TRY_VOID(add_rows(*rows, out));
    return out;
  }
  if (whole.error().code() == Code::TooLarge)
    return Error(Code::TooLarge, whole.error().message(), "write a row on each line: jq -c '.[]' makes that of a list");
  std::size_t number = 0;
  for (const auto& line : base::split(text, '\n')) {
    ++number;
    if (base::trim(line).empty()) continue;
    const auto row = wire::parse_json(line);
    if (!row.ok()) return number == 1 ? whole.error() : row.error().within("line " + std::to_string(number));
    PKI_TRY_VOID(add_rows(Json::array({*row}), out));
  }
  if (out.empty()) return whole.error();
  return out;
}

}  // namespace chancery::signer
