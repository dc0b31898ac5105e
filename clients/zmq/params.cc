#include "clients/zmq/params.h"

#include "server/base/text.h"
#include "server/x509/pem.h"

namespace chancery::zmq_gateway {
namespace {

constexpr std::int64_t kRowsOfAPage = 1000;

std::string name_of_selected(const Json& params) {
  const auto dn = digits_of(value_of(params, "dn"));
  return base::printable(dn.empty() ? digits_of(value_of(params, "serial")) : dn, 256);
}

}  // namespace

Error missing(std::string_view name) { return {Code::InvalidParams, "[700] Missing " + std::string(name) + " parameter"}; }

const Json& value_of(const Json& params, std::string_view name) {
  static const Json kNull;
  const auto* value = params.find(name);
  return value == nullptr ? kNull : *value;
}

Result<std::string> text_or(const Json& params, std::string_view name, std::string_view fallback) {
  const auto& value = value_of(params, name);
  if (value.is_null()) return std::string(fallback);
  if (!value.is_string()) {
    return Error(Code::InvalidParams, std::string(name) + " is " + std::string(value.kind()) + ", expected a text");
  }
  return value.as_string()->empty() ? std::string(fallback) : *value.as_string();
}

Result<std::string> need(const Json& params, std::string_view name) {
  PKI_TRY(auto text, text_or(params, name, {}));
  if (text.empty()) return missing(name);
  return text;
}

Result<std::string> profile_from(const Json& params, std::string_view fallback) {
  PKI_TRY(auto name, text_or(params, "profile", fallback));
  if (!name.empty() && !ProfileName::parse(name).ok())
    return Error(Code::NotFound, "profile not found: " + base::printable(name, 64));
  return name;
}

Result<Json> duration_from(const Json& params) {
  constexpr std::int64_t kMost = 36500;  // of `days` in the daemon's commands
  const auto& duration = value_of(params, "duration");
  const auto* days = duration.as_integer();
  if (duration.is_null() || (days != nullptr && *days >= 1 && *days <= kMost)) return duration;
  const auto found = days != nullptr ? std::to_string(*days) : std::string(duration.kind());
  return Error(Code::InvalidParams, "duration is " + found + ", expected a number of days, 1 to " + std::to_string(kMost));
}

std::string digits_of(const Json& value) {
  if (const auto* number = value.as_integer(); number != nullptr) return std::to_string(*number);
  if (const auto* number = value.as_big_integer(); number != nullptr) return number->digits;
  return value.is_string() ? *value.as_string() : std::string();
}

Result<Serial> serial_from(const Json& value) {
  const auto digits = digits_of(value);
  const bool decimal = digits.find_first_not_of("0123456789") == std::string::npos;
  return decimal || !value.is_string() ? Serial::from_decimal(digits) : Serial::from_hex(digits);
}

Result<std::string> reason_or_unspecified(const Json& params) {
  const auto& reason = value_of(params, "reason");
  return reason.is_null() ? Result<std::string>("unspecified") : reason_from(reason);
}

Result<Json> selector_of(const Json& params) {
  const auto& serial = value_of(params, "serial");
  const auto& dn = value_of(params, "dn");
  const auto& integer = !serial.is_null() ? serial : dn;
  if (!integer.is_null() && (!serial.is_null() || !dn.is_string()) && !digits_of(integer).empty()) {
    PKI_TRY(const auto number, serial_from(integer));
    return Json::object({{"serial", number.hex()}});
  }
  PKI_TRY(const auto text, need(params, "dn"));
  return selector(text);
}

Result<Json> find_certificate(Backend& backend, const Json& params) {
  PKI_TRY(auto wanted, selector_of(params));
  auto found = backend.call("certificate.get", std::move(wanted));
  if (!found.ok() && found.error().code() == Code::NotFound)
    return Error(Code::NotFound, "Certificate not found: " + name_of_selected(params));
  return found;
}

Result<Json> der_of(const Json& crl) {
  PKI_TRY(const auto der, x509::from_pem(x509::kCrlLabel, crl.text("crl")));
  return Json(base::to_base64(der));
}

Result<Json> publish(Backend& backend) {
  PKI_TRY([[maybe_unused]] const auto crl, backend.call("crl.issue"));
  return Json(true);
}

Error csr_failure(const Error& error) {
  if (error.code() != Code::Malformed) return error;
  return {error.code(), "[300] Failed to load CSR: " + error.message(), error.hint()};
}

Status check_time(Backend& backend) {
  if (backend.is_in_time()) return {};
  return Error(Code::Timeout, "the list is too long for one message", "chancery node list gives it page by page");
}

Result<Json::Array> all_rows(Backend& backend, std::string_view method, Json params, std::string_view member) {
  Json::Array rows;
  params.set("limit", kRowsOfAPage);
  for (;;) {
    PKI_TRY_VOID(check_time(backend));
    PKI_TRY(const auto page, backend.call(method, params));
    const auto* items = value_of(page, member).as_array();
    if (items == nullptr) return Error(Code::Internal, std::string(method) + " gave no " + std::string(member));
    rows.insert(rows.end(), items->begin(), items->end());
    if (page.text("next").empty()) return rows;
    params.set("after", page.text("next"));
  }
}

}  // namespace chancery::zmq_gateway
