#include "clients/zmq/params.h"
#include "clients/zmq/task_list.h"
#include "server/base/clock.h"
#include "server/base/text.h"

/// The tasks by which uPKI's RA would keep its ACME state at the CA (UPKI.md 1.5). What they read and write are the objects of
/// the acme.* commands; requests say account_id, order_id and auth_id where answers say id.
namespace chancery::zmq_gateway {
namespace {

/// A time as Python writes it; none, null and "" are no time. @errors InvalidParams.
Status add_time(Json& wanted, const Json& params, std::string_view name) {
  PKI_TRY(const auto text, text_or(params, name, {}));
  if (text.empty()) return {};
  const auto time = base::from_rfc3339(text);
  if (!time.ok())
    return Error(Code::InvalidParams, std::string(name) + " is \"" + base::printable(text, 40) + "\", expected RFC 3339");
  wanted.set(name, base::to_rfc3339(*time));
  return {};
}

Status add_status(Json& wanted, const Json& params) {
  PKI_TRY(const auto status, text_or(params, "status", {}));
  if (!status.empty()) wanted.set("status", status);
  return {};
}

/// A parameter that the daemon's command holds against its table.
Result<Json> need_value(const Json& params, std::string_view name) {
  const auto& value = value_of(params, name);
  if (value.is_null()) return missing(name);
  return value;
}

Json time_of(const Json& object, std::string_view name) {
  const auto text = object.text(name);
  return text.empty() ? Json() : Json(python_time(text));
}

Json account_view(const Json& account) {
  return Json::object({{"id", account.text("id")},
                       {"jwk", value_of(account, "jwk")},
                       {"contact", value_of(account, "contact")},
                       {"status", account.text("status")},
                       {"created_at", time_of(account, "created_at")}});
}

Result<Json> certificate_of(Backend& backend, const std::string& serial) {
  return backend.call("certificate.get", Json::object({{"serial", serial}}));
}

Result<Json> order_view(Backend& backend, const Json& order) {
  auto out = Json::object({{"id", order.text("id")},
                           {"account_id", order.text("account")},
                           {"identifiers", value_of(order, "identifiers")},
                           {"status", order.text("status")},
                           {"not_before", time_of(order, "not_before")},
                           {"not_after", time_of(order, "not_after")},
                           {"certificate", Json()}});
  if (order.text("serial").empty()) return out;
  PKI_TRY(const auto certificate, certificate_of(backend, order.text("serial")));
  return out.set("certificate", certificate.text("certificate"));
}

Result<Json> find_order(Backend& backend, const std::string& id) {
  return backend.call("acme.order.find", Json::object({{"order", id}}));
}

Result<Json> find_authorization(Backend& backend, const Json& params) {
  PKI_TRY(const auto id, need(params, "auth_id"));
  return backend.call("acme.authorization.find", Json::object({{"authorization", id}}));
}

/// The serial that a certificate id may be instead of an order's.
Result<std::string> serial_of(const Json& id) {
  const auto serial = serial_from(id);
  if (!serial.ok()) return Error(Code::NotFound, "Certificate not found: " + base::printable(digits_of(id), 64));
  return serial->hex();
}

/// The serial of what an order obtained, or the one that `cert_id` is itself. @errors NotFound.
Result<std::string> serial_for(Backend& backend, const Json& id) {
  if (!id.is_string()) return serial_of(id);
  const auto order = find_order(backend, *id.as_string());
  if (!order.ok()) return order.error().code() == Code::NotFound ? serial_of(id) : order.error();
  if (!order->text("serial").empty()) return order->text("serial");
  return Error(Code::NotFound, "Certificate not found: the order is " + order->text("status"));
}

}  // namespace

// ----- accounts

Result<Json> acme_sync_account(Backend& backend, const Json& params) {
  PKI_TRY(const auto id, need(params, "account_id"));
  PKI_TRY(auto jwk, need_value(params, "jwk"));
  auto wanted = Json::object({{"account", id}, {"jwk", std::move(jwk)}, {"contact", value_of(params, "contact")}});
  PKI_TRY_VOID(add_status(wanted, params));
  PKI_TRY_VOID(add_time(wanted, params, "created_at"));
  PKI_TRY([[maybe_unused]] const auto done, backend.call("acme.account.sync", std::move(wanted)));
  return Json(true);
}

Result<Json> acme_get_account(Backend& backend, const Json& params) {
  PKI_TRY(const auto id, need(params, "account_id"));
  PKI_TRY(const auto account, backend.call("acme.account.get", Json::object({{"account", id}})));
  return account_view(account);
}

Result<Json> acme_list_accounts(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto accounts, all_rows(backend, "acme.account.list", Json::object(), "accounts"));
  Json out = Json::array();
  for (const auto& account : accounts) out.push_back(account_view(account));
  return out;
}

Result<Json> acme_deactivate_account(Backend& backend, const Json& params) {
  PKI_TRY(const auto id, need(params, "account_id"));
  PKI_TRY(const auto account, backend.call("acme.account.get", Json::object({{"account", id}})));
  if (account.text("status") == "deactivated") return Json(true);
  PKI_TRY([[maybe_unused]] const auto done,
          backend.call("acme.account.update", Json::object({{"account", id}, {"status", "deactivated"}})));
  return Json(true);
}

// ----- orders

Result<Json> acme_sync_order(Backend& backend, const Json& params) {
  PKI_TRY(const auto id, need(params, "order_id"));
  PKI_TRY(const auto account, need(params, "account_id"));
  PKI_TRY(auto identifiers, need_value(params, "identifiers"));
  auto wanted = Json::object({{"order", id}, {"account", account}, {"identifiers", std::move(identifiers)}});
  PKI_TRY_VOID(add_status(wanted, params));
  PKI_TRY_VOID(add_time(wanted, params, "not_before"));
  PKI_TRY_VOID(add_time(wanted, params, "not_after"));
  PKI_TRY([[maybe_unused]] const auto done, backend.call("acme.order.sync", std::move(wanted)));
  return Json(true);
}

Result<Json> acme_get_order(Backend& backend, const Json& params) {
  PKI_TRY(const auto id, need(params, "order_id"));
  PKI_TRY(const auto order, find_order(backend, id));
  return order_view(backend, order);
}

Result<Json> acme_list_orders(Backend& backend, const Json& params) {
  PKI_TRY(const auto account, need(params, "account_id"));
  PKI_TRY(const auto ids, all_rows(backend, "acme.order.list", Json::object({{"account", account}}), "orders"));
  Json out = Json::array();
  for (const auto& id : ids) {
    PKI_TRY_VOID(check_time(backend));
    PKI_TRY(const auto order, find_order(backend, digits_of(id)));
    PKI_TRY(auto view, order_view(backend, order));
    out.push_back(std::move(view));
  }
  return out;
}

// ----- authorizations

Result<Json> acme_sync_authorization(Backend& backend, const Json& params) {
  PKI_TRY(const auto id, need(params, "auth_id"));
  PKI_TRY(const auto order, need(params, "order_id"));
  PKI_TRY(const auto type, need(params, "identifier_type"));
  PKI_TRY(const auto value, need(params, "identifier_value"));
  auto wanted =
      Json::object({{"authorization", id}, {"order", order}, {"identifier", Json::object({{"type", type}, {"value", value}})}});
  PKI_TRY_VOID(add_status(wanted, params));
  PKI_TRY([[maybe_unused]] const auto done, backend.call("acme.authorization.sync", std::move(wanted)));
  return Json(true);
}

Result<Json> acme_get_authorization(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_authorization(backend, params));
  const auto& identifier = value_of(found, "identifier");
  return Json::object({{"id", found.text("id")},
                       {"order_id", value_of(found, "order")},
                       {"identifier_type", identifier.text("type")},
                       {"identifier_value", identifier.text("value")},
                       {"status", found.text("status")}});
}

Result<Json> acme_deactivate_authorization(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_authorization(backend, params));
  if (found.text("status") == "deactivated") return Json(true);
  PKI_TRY([[maybe_unused]] const auto done,
          backend.call("acme.authorization.deactivate",
                       Json::object({{"account", found.text("account")}, {"authorization", found.text("id")}})));
  return Json(true);
}

// ----- certificates

Result<Json> acme_issue_certificate(Backend& backend, const Json& params) {
  PKI_TRY(const auto id, need(params, "order_id"));
  PKI_TRY(const auto csr, need(params, "csr"));
  PKI_TRY(const auto profile, profile_from(params, {}));
  PKI_TRY(const auto order, find_order(backend, id));
  auto wanted = Json::object({{"account", order.text("account")}, {"order", id}, {"csr", csr}});
  if (!profile.empty()) wanted.set("profile", profile);
  const auto done = backend.call("acme.order.finalize", std::move(wanted));
  if (!done.ok()) return csr_failure(done.error());
  if (done->text("serial").empty())
    return Error(Code::Busy, "the order is " + done->text("status") + ": CAA of its names is looked at first",
                 "a client that polls it by ACME has that done; then ask again");
  PKI_TRY(const auto certificate, certificate_of(backend, done->text("serial")));
  return Json::object({{"certificate", certificate.text("certificate")}, {"serial", serial_number(certificate.text("serial"))}});
}

Result<Json> acme_get_certificate(Backend& backend, const Json& params) {
  const auto& id = value_of(params, "cert_id");
  const auto text = digits_of(id);
  if (text.empty()) return missing("cert_id");
  PKI_TRY(const auto serial, serial_for(backend, id));
  PKI_TRY(const auto found, certificate_of(backend, serial));
  if (found.text("acme_order").empty())
    return Error(Code::NotFound, "Certificate not found: no ACME order obtained " + base::printable(text, 64));
  return Json::object({{"certificate", found.text("certificate")},
                       {"serial", serial_number(found.text("serial"))},
                       {"order_id", found.text("acme_order")},
                       {"not_before", time_of(found, "not_before")},
                       {"not_after", time_of(found, "not_after")}});
}

Result<Json> acme_revoke_certificate(Backend& backend, const Json& params) {
  PKI_TRY(const auto pem, need(params, "certificate"));
  PKI_TRY(const auto reason, reason_or_unspecified(params));
  PKI_TRY(const auto known, backend.call("ocsp.status", Json::object({{"certificate", pem}})));
  if (known.text("status") == "unknown") return Error(Code::NotFound, "Certificate not found: no certificate of this CA");
  PKI_TRY([[maybe_unused]] const auto done,
          backend.call("certificate.revoke", Json::object({{"serial", known.text("serial")}, {"reason", reason}})));
  return publish(backend);
}

}  // namespace chancery::zmq_gateway
