#include "clients/zmq/tasks.h"

#include <algorithm>
#include <array>
#include <optional>

#include "clients/zmq/view.h"
#include "server/base/names.h"
#include "server/base/text.h"
#include "server/x509/pem.h"

namespace chancery::zmq_gateway {
namespace {

// ----- parameters

Error missing(std::string_view name) { return {Code::InvalidParams, "[700] Missing " + std::string(name) + " parameter"}; }

const Json& value_of(const Json& params, std::string_view name) {
  static const Json kNull;
  const auto* value = params.find(name);
  return value == nullptr ? kNull : *value;
}

/// The text, or the fallback when there is none: no parameter, null or an empty text. Another kind of value is no default.
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

/// A serial as an integer, however long, or as text; empty without one.
std::string digits_of(const Json& value) {
  if (const auto* number = value.as_integer(); number != nullptr) return std::to_string(*number);
  if (const auto* number = value.as_big_integer(); number != nullptr) return number->digits;
  return value.is_string() ? *value.as_string() : std::string();
}

/// The certificate that `dn` names, in any spelling.
Result<Json> find_certificate(Backend& backend, const Json& params) {
  const auto digits = digits_of(value_of(params, "dn"));
  PKI_TRY(const auto dn, digits.empty() ? need(params, "dn") : Result<std::string>(digits));
  auto found = backend.call("certificate.get", selector(dn));
  if (!found.ok() && found.error().code() == Code::NotFound)
    return Error(Code::NotFound, "Certificate not found: " + base::printable(dn, 256));
  return found;
}

// ----- tasks

Result<Json> der_of(const Json& crl) {
  PKI_TRY(const auto der, x509::from_pem(x509::kCrlLabel, crl.text("crl")));
  return Json(base::to_base64(der));
}

Result<Json> get_ca(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto ca, backend.call("ca.get"));
  if (ca.text("certificate").empty()) return Error(Code::Unavailable, "Authority not initialized");
  return Json(ca.text("certificate"));
}

Result<Json> generate_crl(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto crl, backend.call("crl.issue"));
  return der_of(crl);
}

Result<Json> get_crl(Backend& backend, const Json& params) {
  const auto crl = backend.call("crl.get");
  if (!crl.ok() && crl.error().code() == Code::NotFound) return generate_crl(backend, params);
  if (!crl.ok()) return crl.error();
  return der_of(*crl);
}

/// What uPKI gives for a certificate: the DN comes first, and only where the client named a CN.
Json issued(const Json& result, const std::string& cn = {}) {
  auto out = Json::object();
  if (!cn.empty()) out.set("dn", "/CN=" + cn);
  return out.set("certificate", result.text("certificate")).set("serial", serial_number(result.text("serial")));
}

Result<Json> sign(Backend& backend, const Json& params) {
  PKI_TRY(const auto csr, need(params, "csr"));
  PKI_TRY(const auto profile, text_or(params, "profile", "server"));
  PKI_TRY(const auto result, backend.call("certificate.issue", Json::object({{"csr", csr}, {"profile", profile}})));
  return issued(result);
}

Result<Json> generate(Backend& backend, const Json& params) {
  PKI_TRY(const auto cn, need(params, "cn"));
  PKI_TRY(const auto profile, text_or(params, "profile", "server"));
  PKI_TRY(auto sans, sans_from(value_of(params, "sans")));
  PKI_TRY(const auto result,
          backend.call(
              "certificate.generate",
              Json::object(
                  {{"cn", cn}, {"profile", profile}, {"sans", std::move(sans)}, {"store_key", true}, {"return_key", false}})));
  return issued(result, cn);
}

Result<Json> register_with(Backend& backend, const Json& params, std::string_view usual_profile) {
  PKI_TRY(const auto seed, need(params, "seed"));
  PKI_TRY(const auto cn, need(params, "cn"));
  PKI_TRY(const auto profile, text_or(params, "profile", usual_profile));
  PKI_TRY(auto sans, sans_from(value_of(params, "sans")));
  if (!backend.offer_seed()) return Error(Code::Busy, "[700] Too many wrong registration seeds: try again in a minute");
  auto result =
      backend.call("node.register", Json::object({{"seed", seed}, {"cn", cn}, {"profile", profile}, {"sans", std::move(sans)}}));
  if (!result.ok() && result.error().code() == Code::AuthFailed)
    return Error(Code::AuthFailed, "[700] Invalid registration seed");
  backend.take_back_offer();
  return result;
}

Result<Json> register_node(Backend& backend, const Json& params) {
  PKI_TRY(const auto result, register_with(backend, params, "server"));
  return issued(result, params.text("cn"));
}

Result<Json> register_ra(Backend& backend, const Json& params) {
  PKI_TRY(const auto result, register_with(backend, params, "ra"));
  PKI_TRY(const auto ca, get_ca(backend, params));
  return Json::object({{"status", "registered"},
                       {"cn", params.text("cn")},
                       {"profile", result.text("profile")},
                       {"certificate", result.text("certificate")},
                       {"private_key", result.text("private_key")},
                       {"ca_certificate", ca}});
}

Result<Json> status(Backend& backend, const Json& params) {
  const auto unknown = Json::object({{"status", "not_registered"}});
  PKI_TRY(const auto cn, text_or(params, "cn", {}));
  if (cn.empty()) return unknown;
  const auto node = backend.call("node.get", Json::object({{"cn", cn}}));
  if (!node.ok() && node.error().code() == Code::NotFound) return unknown;
  if (!node.ok()) return node.error();
  return Json::object({{"status", "registered"},
                       {"node", Json::object({{"cn", node->text("cn")},
                                              {"profile", node->text("profile")},
                                              {"registered_at", python_time(node->text("registered_at"))}})}});
}

Result<Json> renew(Backend& backend, const Json& params) {
  const auto& duration = value_of(params, "duration");
  if (!duration.is_null() && duration.as_integer() == nullptr) {
    return Error(Code::InvalidParams, "duration is " + std::string(duration.kind()) + ", expected a number of days");
  }
  PKI_TRY(const auto found, find_certificate(backend, params));
  auto wanted = Json::object({{"serial", found.text("serial")}});
  if (!duration.is_null()) wanted.set("days", duration);
  PKI_TRY(const auto result, backend.call("certificate.renew", std::move(wanted)));
  return issued(result);
}

/// uPKI's CRL shows a change at once.
Result<Json> publish(Backend& backend) {
  PKI_TRY([[maybe_unused]] const auto crl, backend.call("crl.issue"));
  return Json(true);
}

Result<Json> revoke(Backend& backend, const Json& params) {
  PKI_TRY(const auto reason,
          value_of(params, "reason").is_null() ? Result<std::string>("unspecified") : reason_from(value_of(params, "reason")));
  PKI_TRY(const auto found, find_certificate(backend, params));
  PKI_TRY([[maybe_unused]] const auto done,
          backend.call("certificate.revoke", Json::object({{"serial", found.text("serial")}, {"reason", reason}})));
  return publish(backend);
}

Result<Json> unrevoke(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  PKI_TRY([[maybe_unused]] const auto done,
          backend.call("certificate.unrevoke", Json::object({{"serial", found.text("serial")}})));
  return publish(backend);
}

Result<Json> remove(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  PKI_TRY([[maybe_unused]] const auto done,
          backend.call("node.delete", Json::object({{"cn", common_name_of(found.text("subject"))}})));
  return publish(backend);
}

Result<Json> view(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  return certificate_view(found);
}

Result<Json> ocsp_check(Backend& backend, const Json& params) {
  auto asked = Json::object();
  PKI_TRY(const auto certificate, text_or(params, "cert", {}));
  if (!certificate.empty()) {
    asked.set("certificate", certificate);
  } else {
    const auto text = digits_of(value_of(params, "serial"));
    if (text.empty()) return missing("cert");
    PKI_TRY(const auto number, Serial::from_decimal(text));
    asked.set("serial", number.hex());
  }
  PKI_TRY(const auto found, backend.call("ocsp.status", std::move(asked)));
  auto out =
      Json::object({{"status", found.text("status")}, {"serial", serial_number(found.text("serial"))}, {"cn", found.text("cn")}});
  if (found.find("revoked_at") != nullptr)
    out.set("revoke_reason", found.text("reason")).set("revoke_date", python_time(found.text("revoked_at")));
  return out;
}

Result<Json> list_profiles(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto list, backend.call("profile.list"));
  return value_of(list, "profiles");
}

Result<Json> get_profile(Backend& backend, const Json& params) {
  PKI_TRY(const auto name, need(params, "profile"));
  const auto found = backend.call("profile.get", Json::object({{"profile", name}}));
  // A name that no profile can have is one that is not there.
  if (!found.ok() && found.error().code() == Code::InvalidParams)
    return Error(Code::NotFound, "profile not found: " + base::printable(name, 64));
  if (!found.ok()) return found.error();
  return value_of(*found, "profile");
}

Result<Json> list_admins(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto list, backend.call("admin.list"));
  return value_of(list, "admins");
}

Result<Json> change_admin(Backend& backend, const Json& params, std::string_view method) {
  PKI_TRY(const auto dn, need(params, "dn"));
  PKI_TRY([[maybe_unused]] const auto done, backend.call(method, Json::object({{"dn", dn}})));
  return Json(true);
}
Result<Json> add_admin(Backend& backend, const Json& params) { return change_admin(backend, params, "admin.add"); }
Result<Json> remove_admin(Backend& backend, const Json& params) { return change_admin(backend, params, "admin.remove"); }

Json node_of(const Json& node) {
  return Json::object({{"dn", node.text("dn")},
                       {"cn", node.text("cn")},
                       {"profile", node.text("profile")},
                       {"state", node.text("state") == "valid" ? "issued" : node.text("state")},
                       {"serial", serial_number(node.text("serial"))}});
}

Result<Json> get_node(Backend& backend, const Json& params) {
  PKI_TRY(const auto name, need(params, "cn"));
  const auto from_dn = common_name_of(name);  // the older dialect names a node by its DN
  PKI_TRY(const auto node, backend.call("node.get", Json::object({{"cn", from_dn.empty() ? name : from_dn}})));
  return node_of(node);
}

Result<Json> list_nodes(Backend& backend, const Json& /*params*/) {
  Json out = Json::array();
  auto page_params = Json::object();
  for (;;) {
    PKI_TRY(const auto page, backend.call("node.list", page_params));
    const auto* nodes = value_of(page, "nodes").as_array();
    if (nodes == nullptr) return Error(Code::Internal, "node.list gave no nodes");
    for (const auto& node : *nodes) out.push_back(node_of(node));
    if (page.text("next").empty()) return out;
    page_params.set("after", page.text("next"));
  }
}

/// `bare`: the parameter that a bare text stands for (the older dialect sends a DN or a name alone, UPKI.md 1.7).
struct Task {
  std::string_view name;
  Port port;
  Result<Json> (*run)(Backend&, const Json&);
  std::string_view bare = {};
};
constexpr std::array kTasks{
    Task{"add_admin", Port::Operations, add_admin, "dn"},
    Task{"delete", Port::Operations, remove, "dn"},
    Task{"generate", Port::Operations, generate},
    Task{"generate_crl", Port::Operations, generate_crl},
    Task{"get_ca", Port::Operations, get_ca},
    Task{"get_crl", Port::Operations, get_crl},
    Task{"get_node", Port::Operations, get_node, "cn"},
    Task{"get_profile", Port::Operations, get_profile, "profile"},
    Task{"list_admins", Port::Operations, list_admins},
    Task{"list_nodes", Port::Operations, list_nodes},
    Task{"list_profiles", Port::Operations, list_profiles},
    Task{"ocsp_check", Port::Operations, ocsp_check},
    Task{"register", Port::Operations, register_node},
    Task{"register", Port::Registration, register_ra},
    Task{"remove_admin", Port::Operations, remove_admin, "dn"},
    Task{"renew", Port::Operations, renew, "dn"},
    Task{"revoke", Port::Operations, revoke, "dn"},
    Task{"sign", Port::Operations, sign},
    Task{"status", Port::Registration, status},
    Task{"unrevoke", Port::Operations, unrevoke, "dn"},
    Task{"view", Port::Operations, view, "dn"},
};

/// The task's parameters as an object.
Result<Json> params_of(const Task& task, const Json& given) {
  if (given.is_object()) return given;
  if (given.is_null()) return Json::object();
  if (given.is_string() && !task.bare.empty()) return Json::object({{std::string(task.bare), given}});
  return Error(Code::Malformed, "[700] params is " + std::string(given.kind()) + ", expected an object");
}

Result<Json> run(Backend& backend, Port port, const Message& message) {
  const auto found =
      std::ranges::find_if(kTasks, [&](const Task& task) { return task.name == message.task && task.port == port; });
  if (found == kTasks.end()) return Error(Code::UnknownMethod, "[700] Unknown task: " + base::printable(message.task, 64));
  PKI_TRY(const auto params, params_of(*found, message.params));
  return found->run(backend, params);
}

}  // namespace

Reply handle(Backend& backend, Port port, std::string_view frame) {
  const auto message = parse_message(frame);
  if (!message.ok()) return {failure(message.error()), {}, message.error()};
  const auto result = run(backend, port, *message);
  if (!result.ok()) return {failure(result.error()), message->task, result.error()};
  return {answer(*result), message->task, std::nullopt};
}

std::vector<std::string_view> task_names(Port port) {
  std::vector<std::string_view> names;
  for (const auto& task : kTasks) {
    if (task.port == port) names.push_back(task.name);
  }
  return names;
}

}  // namespace chancery::zmq_gateway
