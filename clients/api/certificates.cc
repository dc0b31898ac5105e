#include <algorithm>

#include "clients/api/magic.h"
#include "clients/api/service.h"
#include "clients/zmq/dialect.h"
#include "clients/zmq/view.h"
#include "server/base/names.h"
#include "server/base/text.h"
#include "server/x509/name.h"

/// What an RA does: look, issue, say what a request must be like.
namespace chancery::api {
namespace {

using zmq_gateway::serial_number;

constexpr std::int64_t kPageRows = 1000;

/// Both alphabets, padded or not (RFC 4648 4 and 5).
Result<Bytes> from_any_base64(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return base::from_base64url(text);
}

bool is_dn(std::string_view text) {
  if (text.find('=') == std::string_view::npos || !base::is_utf8(text)) return false;
  const auto name = x509::Name::parse_any(text);
  return name.ok() && !name->empty();
}

Result<Json> serial_selector(const Json& value) {
  if (value.is_string()) {
    if (const auto hex = Serial::from_hex(*value.as_string());
        hex.ok() && value.as_string()->find_first_not_of("0123456789") != std::string::npos)
      return Json::object({{"serial", hex->hex()}});
    PKI_TRY(const auto decimal, Serial::from_decimal(*value.as_string()));
    return Json::object({{"serial", decimal.hex()}});
  }
  const auto* big = value.as_big_integer();
  PKI_TRY(const auto number, Serial::from_decimal(big == nullptr ? std::to_string(*value.as_integer()) : big->digits));
  return Json::object({{"serial", number.hex()}});
}

}  // namespace

Result<Json> node_page(const Call& call, std::string_view member) {
  auto params = Json::object({{"limit", call.fields().integer("limit", kPageRows)}});
  if (const auto after = call.fields().text("after"); !after.empty()) params.set("after", after);
  PKI_TRY(const auto page, call.ask("node.list", std::move(params)));
  const auto* nodes = page.find("nodes");
  PKI_CHECK(nodes != nullptr && nodes->is_array());
  Json rows = Json::array();
  for (const auto& node : *nodes->as_array()) rows.push_back(zmq_gateway::node_view(node));
  auto data = Json::object({{std::string(member), std::move(rows)}});
  if (const auto next = page.text("next"); !next.empty()) data.set("next", next);
  return success(std::move(data));
}

Json issued(const Json& result) {
  if (result.text("state") == kPendingStatus)
    return Json::object({{"status", kPendingStatus},
                         {"message", "people are asked; the same request is answered when they have decided"},
                         {"data", Json::object({{"request", result.text("request")}})}});
  return success(Json::object({{"certificate", result.text("certificate")},
                               {"dn", result.text("subject")},
                               {"serial", serial_number(result.text("serial"))},
                               {"profile", result.text("profile")}}));
}

std::string dn_of_segment(const std::string& segment) {
  if (const auto plain = from_any_base64(segment); plain.ok() && is_dn(base::as_text(*plain)))
    return std::string(base::as_text(*plain));
  return is_dn(segment) ? segment : "";
}

Json selected(const std::string& text) {
  const auto dn = dn_of_segment(text);
  return zmq_gateway::selector(dn.empty() ? text : dn);
}

Status check_profile_makes_no_ca(const Call& call, const std::string& profile) {
  PKI_TRY(const auto view, profile_view(call, profile));
  if (std::ranges::count(view.texts("keyUsage"), "keyCertSign") == 0) return {};
  return Error(Code::Denied, "profile " + base::printable(profile, 64) + " makes a CA, which this API does not",
               "chancery realm create makes CAs");
}

Result<Json> Service::certificates(const Call& call) { return node_page(call, "certificates"); }

Result<Json> Service::certificate(const Call& call) {
  PKI_TRY(const auto found, call.ask("certificate.get", selected(call.parameter("dn"))));
  return success(zmq_gateway::certificate_view(found));
}

Result<Json> Service::certify(const Call& call) {
  return issue(call, call.fields().text("csr"), call.fields().text("profile", kUsualProfile));
}

namespace {

Json enrolment_of(const Json& fields) {
  auto params = Json::object({{"csr", fields.text("csr")}, {"profile", fields.text("profile", kUsualProfile)}});
  for (const auto* name : {"hmac", "signature"}) {
    if (const auto text = fields.text(name); !text.empty()) params.set(name, text);
  }
  if (const auto* const days = fields.find("days"); days != nullptr) params.set("days", *days);
  return params;
}

}  // namespace

Result<Json> Service::enrol(const Call& call) {
  PKI_TRY(const auto result, call.ask_openly("certificate.enrol", enrolment_of(call.fields())));
  return issued(result);
}

Result<Json> Service::enrol_for_others(const Call& call) {
  PKI_TRY(const auto result, call.ask("certificate.enrol", enrolment_of(call.fields())));
  return issued(result);
}

Result<Json> issue(const Call& call, const std::string& csr, const std::string& profile) {
  PKI_TRY_VOID(check_profile_makes_no_ca(call, profile));
  PKI_TRY(const auto result, call.ask("certificate.issue", Json::object({{"csr", csr}, {"profile", profile}})));
  return issued(result);
}

Result<Json> Service::magic(const Call& call) {
  const auto name = call.parameter("profile");
  PKI_TRY(const auto profile, profile_view(call, name));
  std::vector<std::string> sans;
  if (const auto text = call.fields().text("sans"); !text.empty()) sans = base::split(text, ',');
  PKI_TRY(const auto commands, commands_for(profile, call.fields().text("cn"), sans));
  const auto lines = Json::object({{"generate_key", commands.generate_key}, {"generate_csr", commands.generate_csr}});
  return success(Json::object({{"profile", name}, {"commands", lines}}));
}

Result<Json> Service::ocsp(const Call& call) {
  const auto& fields = call.fields();
  const auto* serial = fields.find("serial");
  const auto certificate = fields.text("cert");
  if ((serial == nullptr) == certificate.empty()) return Error(Code::InvalidParams, "expected exactly one of serial and cert");
  auto asked = Json::object({{"certificate", certificate}});
  if (serial != nullptr) {
    PKI_TRY(asked, serial_selector(*serial));
  }
  PKI_TRY(const auto found, call.ask("ocsp.status", std::move(asked)));
  auto data = Json::object({{"status", found.text("status")}, {"serial", serial_number(found.text("serial"))}});
  if (const auto cn = found.text("cn"); !cn.empty()) data.set("cn", cn);
  if (found.find("revoked_at") != nullptr) {
    data.set("revoke_reason", found.text("reason")).set("revoke_date", zmq_gateway::python_time(found.text("revoked_at")));
  }
  return success(std::move(data));
}

}  // namespace chancery::api
