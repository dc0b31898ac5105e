#include "clients/zmq/params.h"
#include "clients/zmq/task_list.h"
#include "clients/zmq/view.h"
#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/base/text.h"

/// The newer CA's tasks (UPKI.md 1.3 and 1.6).
namespace chancery::zmq_gateway {
namespace {

/// What uPKI gives for a certificate: the DN comes first, and only where the client named a CN.
Json issued(const Json& result, const std::string& cn = {}) {
  auto out = Json::object();
  if (!cn.empty()) out.set("dn", "/CN=" + cn);
  return out.set("certificate", result.text("certificate")).set("serial", serial_number(result.text("serial")));
}

Result<Json> register_with(Backend& backend, const Json& params, std::string_view usual_profile) {
  PKI_TRY(const auto seed, need(params, "seed"));
  PKI_TRY(const auto cn, need(params, "cn"));
  PKI_TRY(const auto profile, profile_from(params, usual_profile));
  PKI_TRY(auto sans, sans_from(value_of(params, "sans")));
  if (!backend.offer_seed()) return Error(Code::Busy, "[700] Too many wrong registration seeds: try again in a minute");
  auto result =
      backend.call("node.register", Json::object({{"seed", seed}, {"cn", cn}, {"profile", profile}, {"sans", std::move(sans)}}));
  if (!result.ok() && result.error().code() == Code::AuthFailed)
    return Error(Code::AuthFailed, "[700] Invalid registration seed");
  backend.take_back_offer();
  return result;
}

/// uPKI has a status for it; RFC 6960 has none.
bool has_expired(const Json& found) {
  const auto end = base::from_rfc3339(found.text("not_after"));
  return found.text("status") == "good" && end.ok() && *end < base::SystemClock().now();
}

Result<Json> change_admin(Backend& backend, const Json& params, std::string_view method) {
  PKI_TRY(const auto dn, need(params, "dn"));
  PKI_TRY([[maybe_unused]] const auto done, backend.call(method, Json::object({{"dn", dn}})));
  return Json(true);
}

}  // namespace

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

Result<Json> sign(Backend& backend, const Json& params) {
  PKI_TRY(const auto csr, need(params, "csr"));
  PKI_TRY(const auto profile, profile_from(params, "server"));
  auto asked = Json::object({{"csr", csr}, {"profile", profile}});
  for (const auto* name : {"hmac", "signature"}) {  // what rules may want beside it (doc/enrolment.md)
    if (const auto text = params.text(name); !text.empty()) asked.set(name, text);
  }
  const auto result = backend.call("certificate.issue", std::move(asked));
  if (!result.ok()) return csr_failure(result.error());
  return Json::object({{"certificate", result->text("certificate")},
                       {"serial", serial_number(result->text("serial"))},
                       {"dn", result->text("subject")}});
}

Result<Json> generate(Backend& backend, const Json& params) {
  PKI_TRY(const auto cn, need(params, "cn"));
  PKI_TRY(const auto profile, profile_from(params, "server"));
  PKI_TRY(auto sans, sans_from(value_of(params, "sans")));
  PKI_TRY(const auto result,
          backend.call(
              "certificate.generate",
              Json::object(
                  {{"cn", cn}, {"profile", profile}, {"sans", std::move(sans)}, {"store_key", true}, {"return_key", false}})));
  return issued(result, cn);
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
  PKI_TRY(const auto duration, duration_from(params));
  PKI_TRY(const auto found, find_certificate(backend, params));
  auto wanted = Json::object({{"serial", found.text("serial")}});
  if (!duration.is_null()) wanted.set("days", duration);
  PKI_TRY(const auto result, backend.call("certificate.renew", std::move(wanted)));
  return issued(result);
}

Result<Json> revoke(Backend& backend, const Json& params) {
  PKI_TRY(const auto reason, reason_or_unspecified(params));
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

/// A node's key goes with its certificate; an older certificate of its name is only revoked.
Result<Json> remove_node(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  const auto cn = common_name_of(found.text("subject"));
  const auto node =
      cn.empty() ? Result<Json>(Error(Code::NotFound, "no name")) : backend.call("node.get", Json::object({{"cn", cn}}));
  if (!node.ok() && node.error().code() != Code::NotFound) return node.error();
  PKI_TRY(const auto named, selector_of(params));
  const std::string_view same = named.find("serial") == nullptr ? "dn" : "serial";
  const bool is_nodes = node.ok() && node->text(same) == found.text(same == "dn" ? "subject" : "serial");
  PKI_TRY([[maybe_unused]] const auto done,
          is_nodes ? backend.call("node.delete", Json::object({{"cn", cn}}))
                   : backend.call("certificate.revoke",
                                  Json::object({{"serial", found.text("serial")}, {"reason", "cessationOfOperation"}})));
  return publish(backend);
}

Result<Json> view(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  const auto cn = common_name_of(found.text("subject"));
  auto out = certificate_view(found);
  if (cn.empty()) return out;
  const auto node = backend.call("node.get", Json::object({{"cn", cn}}));
  if (!node.ok() && node.error().code() != Code::NotFound) return node.error();
  return out.set("deleted", !node.ok()).set("renewed", node.ok() && node->text("serial") != found.text("serial"));
}

Result<Json> ocsp_check(Backend& backend, const Json& params) {
  auto asked = Json::object();
  PKI_TRY(const auto certificate, text_or(params, "cert", {}));
  if (!certificate.empty()) {
    asked.set("certificate", certificate);
  } else {
    if (digits_of(value_of(params, "serial")).empty()) return missing("cert");
    PKI_TRY(const auto number, serial_from(value_of(params, "serial")));
    asked.set("serial", number.hex());
  }
  PKI_TRY(const auto found, backend.call("ocsp.status", std::move(asked)));
  auto out = Json::object({{"status", has_expired(found) ? "expired" : found.text("status")},
                           {"serial", serial_number(found.text("serial"))},
                           {"cn", found.text("cn")}});
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

Result<Json> add_admin(Backend& backend, const Json& params) { return change_admin(backend, params, "admin.add"); }
Result<Json> remove_admin(Backend& backend, const Json& params) { return change_admin(backend, params, "admin.remove"); }

Result<Json> get_node(Backend& backend, const Json& params) {
  PKI_TRY(const auto name, need(params, "cn"));
  const auto from_dn = common_name_of(name);  // the RA names a node by its DN, too
  PKI_TRY(const auto node, backend.call("node.get", Json::object({{"cn", from_dn.empty() ? name : from_dn}})));
  return node_view(node);
}

Result<Json> list_nodes(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto nodes, all_rows(backend, "node.list", Json::object(), "nodes"));
  Json out = Json::array();
  for (const auto& node : nodes) out.push_back(node_view(node));
  return out;
}

}  // namespace chancery::zmq_gateway
