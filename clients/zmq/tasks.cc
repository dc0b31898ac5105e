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

constexpr std::chrono::milliseconds kAnswerLimit{4000};  ///< uPKI's RA gives up after 5 s, for good (UPKI.md 1.1)

// ----- parameters

Error missing(std::string_view name) { return {Code::InvalidParams, "[700] Missing " + std::string(name) + " parameter"}; }

Result<std::string> need(const Json& params, std::string_view name) {
  auto text = params.text(name);
  if (text.empty()) return missing(name);
  return text;
}

const Json& value_of(const Json& params, std::string_view name) {
  static const Json kNull;
  const auto* value = params.find(name);
  return value == nullptr ? kNull : *value;
}

/// The certificate that `dn` names, in any spelling.
Result<Json> find_certificate(Backend& backend, const Json& params) {
  PKI_TRY(const auto dn, need(params, "dn"));
  auto found = backend.call("certificate.get", selector(dn));
  if (!found.ok() && found.error().code() == Code::NotFound) return Error(Code::NotFound, "Certificate not found: " + base::printable(dn, 256));
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

Json issued(const Json& result) {
  return Json::object({{"certificate", result.text("certificate")}, {"serial", serial_number(result.text("serial"))}, {"dn", result.text("subject")}});
}

Result<Json> sign(Backend& backend, const Json& params) {
  PKI_TRY(const auto csr, need(params, "csr"));
  PKI_TRY(const auto result, backend.call("certificate.issue", Json::object({{"csr", csr}, {"profile", params.text("profile", "server")}})));
  return issued(result);
}

Result<Json> generate(Backend& backend, const Json& params) {
  PKI_TRY(const auto cn, need(params, "cn"));
  PKI_TRY(auto sans, sans_from(value_of(params, "sans")));
  PKI_TRY(const auto result, backend.call("certificate.generate", Json::object({{"cn", cn},
                                                                                {"profile", params.text("profile", "server")},
                                                                                {"sans", std::move(sans)},
                                                                                {"store_key", true},
                                                                                {"return_key", false}})));
  return issued(result).set("dn", "/CN=" + cn);
}

Result<Json> register_with(Backend& backend, const Json& params, std::string_view profile) {
  PKI_TRY(const auto seed, need(params, "seed"));
  PKI_TRY(const auto cn, need(params, "cn"));
  PKI_TRY(auto sans, sans_from(value_of(params, "sans")));
  auto result = backend.call("node.register", Json::object({{"seed", seed}, {"cn", cn}, {"profile", params.text("profile", profile)}, {"sans", std::move(sans)}}));
  if (!result.ok() && result.error().code() == Code::AuthFailed) return Error(Code::AuthFailed, "[700] Invalid registration seed");
  return result;
}

Result<Json> register_node(Backend& backend, const Json& params) {
  PKI_TRY(const auto result, register_with(backend, params, "server"));
  return issued(result).set("dn", "/CN=" + params.text("cn"));
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
  if (params.text("cn").empty()) return unknown;
  const auto node = backend.call("node.get", Json::object({{"cn", params.text("cn")}}));
  if (!node.ok() && node.error().code() == Code::NotFound) return unknown;
  if (!node.ok()) return node.error();
  return Json::object({{"status", "registered"},
                       {"node", Json::object({{"cn", node->text("cn")}, {"profile", node->text("profile")}, {"registered_at", python_time(node->text("registered_at"))}})}});
}

Result<Json> renew(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  auto wanted = Json::object({{"serial", found.text("serial")}});
  if (const auto* days = value_of(params, "duration").as_integer()) wanted.set("days", *days);
  PKI_TRY(const auto result, backend.call("certificate.renew", std::move(wanted)));
  return issued(result);
}

/// uPKI's CRL shows a change at once.
Result<Json> publish(Backend& backend) {
  PKI_TRY([[maybe_unused]] const auto crl, backend.call("crl.issue"));
  return Json(true);
}

Result<Json> revoke(Backend& backend, const Json& params) {
  PKI_TRY(const auto reason, value_of(params, "reason").is_null() ? Result<std::string>("unspecified") : reason_from(value_of(params, "reason")));
  PKI_TRY(const auto found, find_certificate(backend, params));
  PKI_TRY([[maybe_unused]] const auto done, backend.call("certificate.revoke", Json::object({{"serial", found.text("serial")}, {"reason", reason}})));
  return publish(backend);
}

Result<Json> unrevoke(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  PKI_TRY([[maybe_unused]] const auto done, backend.call("certificate.unrevoke", Json::object({{"serial", found.text("serial")}})));
  return publish(backend);
}

Result<Json> remove(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  PKI_TRY([[maybe_unused]] const auto done, backend.call("node.delete", Json::object({{"cn", common_name_of(found.text("subject"))}})));
  return publish(backend);
}

Result<Json> view(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  return certificate_view(found);
}

Result<Json> ocsp_check(Backend& backend, const Json& params) {
  auto asked = Json::object();
  if (!params.text("cert").empty()) {
    asked.set("certificate", params.text("cert"));
  } else {
    const auto& serial = value_of(params, "serial");
    const auto text = serial.as_integer() != nullptr       ? std::to_string(*serial.as_integer())
                      : serial.as_big_integer() != nullptr ? serial.as_big_integer()->digits
                                                           : params.text("serial");
    if (text.empty()) return missing("cert");
    PKI_TRY(const auto number, Serial::from_decimal(text));
    asked.set("serial", number.hex());
  }
  PKI_TRY(const auto found, backend.call("ocsp.status", std::move(asked)));
  auto out = Json::object({{"status", found.text("status")}, {"serial", serial_number(found.text("serial"))}, {"cn", found.text("cn")}});
  if (found.find("revoked_at") != nullptr) out.set("revoke_reason", found.text("reason")).set("revoke_date", python_time(found.text("revoked_at")));
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
  if (!found.ok() && found.error().code() == Code::InvalidParams) return Error(Code::NotFound, "profile not found: " + base::printable(name, 64));
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
  PKI_TRY(const auto cn, need(params, "cn"));
  PKI_TRY(const auto node, backend.call("node.get", Json::object({{"cn", cn}})));
  return node_of(node);
}

Result<Json> list_nodes(Backend& backend, const Json& /*params*/) {
  Json out = Json::array();
  auto page_params = Json::object();
  for (;;) {
    PKI_TRY(const auto page, backend.call("node.list", page_params));
    for (const auto& node : *value_of(page, "nodes").as_array()) out.push_back(node_of(node));
    if (page.text("next").empty()) return out;
    page_params.set("after", page.text("next"));
  }
}

struct Task {
  std::string_view name;
  Port port;
  Result<Json> (*run)(Backend&, const Json&);
};
constexpr std::array kTasks{
    Task{"add_admin", Port::Operations, add_admin},         Task{"delete", Port::Operations, remove},
    Task{"generate", Port::Operations, generate},           Task{"generate_crl", Port::Operations, generate_crl},
    Task{"get_ca", Port::Operations, get_ca},               Task{"get_crl", Port::Operations, get_crl},
    Task{"get_node", Port::Operations, get_node},           Task{"get_profile", Port::Operations, get_profile},
    Task{"list_admins", Port::Operations, list_admins},     Task{"list_nodes", Port::Operations, list_nodes},
    Task{"list_profiles", Port::Operations, list_profiles}, Task{"ocsp_check", Port::Operations, ocsp_check},
    Task{"register", Port::Operations, register_node},      Task{"register", Port::Registration, register_ra},
    Task{"remove_admin", Port::Operations, remove_admin},   Task{"renew", Port::Operations, renew},
    Task{"revoke", Port::Operations, revoke},               Task{"sign", Port::Operations, sign},
    Task{"status", Port::Registration, status},             Task{"unrevoke", Port::Operations, unrevoke},
    Task{"view", Port::Operations, view},
};

Result<Json> run(Backend& backend, Port port, const Message& message) {
  const auto found = std::ranges::find_if(kTasks, [&](const Task& task) { return task.name == message.task && task.port == port; });
  if (found == kTasks.end()) return Error(Code::UnknownMethod, "[700] Unknown task: " + base::printable(message.task, 64));
  return found->run(backend, message.params);
}

}  // namespace

Status Backend::connect() {
  PKI_TRY(auto connected, client::Client::connect(client::Options{.socket = socket_, .request_timeout = kAnswerLimit}));
  auto fresh = std::make_unique<client::Client>(std::move(connected));
  PKI_TRY([[maybe_unused]] const auto opened, fresh->open(realm_, front_end_));
  client_ = std::move(fresh);
  return {};
}

/// A worker that ends an idle session says so before it reads another request, so that one is safe to send again; after any other
/// end nobody knows whether it was carried out, and it is not repeated.
Result<Json> Backend::call(std::string_view method, Json params) {
  for (int attempt = 0;; ++attempt) {
    if (client_ == nullptr || !client_->connected()) PKI_TRY_VOID(connect());
    auto result = client_->call(method, params, "zmq:" + realm_);
    if (result.ok() || client_->connected()) return result;
    const bool stale = result.error().code() == Code::Timeout && result.error().hint() == "connect again";
    if (!stale || attempt > 0) return result;
  }
}

std::string handle(Backend& backend, Port port, std::string_view frame) {
  const auto message = parse_message(frame);
  if (!message.ok()) return failure(message.error());
  const auto result = run(backend, port, *message);
  return result.ok() ? answer(*result) : failure(result.error());
}

}  // namespace chancery::zmq_gateway
