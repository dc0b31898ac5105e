#include <algorithm>
#include <array>

#include "clients/zmq/older_nodes.h"
#include "clients/zmq/params.h"
#include "clients/zmq/task_list.h"
#include "clients/zmq/view.h"
#include "server/base/clock.h"
#include "server/x509/csr.h"

/// The older CA's tasks where they differ from the newer one's (UPKI.md 1.7). What would hand out more than it should is refused
/// with a text that says what to use.
namespace chancery::zmq_gateway {
namespace {

Error unsupported(std::string text) { return {Code::Unsupported, std::move(text)}; }

/// The subject of a profile with that common name in it.
Result<std::string> dn_by_profile(Backend& backend, const std::string& profile, const std::string& cn) {
  PKI_TRY(const auto found, backend.call("profile.get", Json::object({{"profile", profile}})));
  x509::Name name;
  const auto* subject = value_of(value_of(found, "profile"), "subject").as_object();
  if (subject != nullptr) {
    for (const auto& [type, value] : *subject) {
      if (type != "CN" && value.is_string() && !value.as_string()->empty()) name.attributes.push_back({type, *value.as_string()});
    }
  }
  name.attributes.push_back({"CN", cn});
  return name.to_slash();
}

/// The DN that is named, or the one that profile and cn make.
Result<std::string> dn_of(Backend& backend, const Json& params) {
  PKI_TRY(auto dn, text_or(params, "dn", {}));
  if (!dn.empty()) return dn;
  PKI_TRY(const auto cn, need(params, "cn"));
  PKI_TRY(const auto profile, profile_from(params, "server"));
  return dn_by_profile(backend, profile, cn);
}

/// The announcement of a DN; null without one.
Result<Json> announcement_of(Backend& backend, const std::string& dn) {
  if (dn.find('=') == std::string::npos) return Json();
  auto found = backend.call("node.announced", Json::object({{"dn", dn}}));
  if (!found.ok() && found.error().code() == Code::NotFound) return Json();
  return found;
}

/// The long object of what `dn`, or `cn` and `profile`, name.
Result<Json> long_object(Backend& backend, const Json& params) {
  OlderNodes nodes(backend);
  PKI_TRY(const auto dn, dn_of(backend, params));
  const auto bare = params.text("dn").empty() ? params.text("cn") : dn;
  const auto found = find_certificate(backend, Json::object({{"dn", bare}}));
  PKI_TRY(const auto announced, announcement_of(backend, dn));
  // Registered anew after its last certificate: it waits for the next one.
  const bool waits = !announced.is_null() && found.ok() && announced.text("announced_at") > found->text("issued_at");
  if (waits) return nodes.of_announcement(announced);
  if (found.ok()) {
    const auto node = backend.call("node.get", Json::object({{"cn", common_name_of(found->text("subject"))}}));
    const bool is_nodes = node.ok() && node->text("serial") == found->text("serial");
    return nodes.of_certificate(*found, is_nodes && node->boolean("key_stored"));
  }
  if (found.error().code() != Code::NotFound) return found.error();
  return announced.is_null() ? Result<Json>(found.error()) : nodes.of_announcement(announced);
}

/// `register` and `update`: the DN with its profile, names and days. Kind of key, digest and domain are the profile's.
Result<Json> announce(Backend& backend, const Json& params, bool replace) {
  PKI_TRY(const auto profile, profile_from(params, "server"));
  PKI_TRY(auto sans, sans_from(value_of(params, "sans")));
  PKI_TRY(const auto duration, duration_from(params));
  PKI_TRY(const auto dn, dn_of(backend, params));
  auto wanted = Json::object({{"dn", dn}, {"profile", profile}, {"sans", std::move(sans)}, {"replace", replace}});
  if (!duration.is_null()) wanted.set("days", duration);
  return backend.call("node.announce", std::move(wanted));
}

/// What is signed for a DN: as it was announced, else as its certificate was made, else for a server.
Result<Json> terms_of(Backend& backend, const std::string& dn) {
  PKI_TRY(const auto announced, announcement_of(backend, dn));
  if (!announced.is_null()) {
    auto terms = Json::object({{"profile", announced.text("profile")}, {"days", announced.integer("days")}});
    if (!announced.texts("sans").empty()) terms.set("sans", Json::strings(announced.texts("sans")));
    return terms;
  }
  const auto found = find_certificate(backend, Json::object({{"dn", dn}}));
  if (!found.ok() && found.error().code() != Code::NotFound) return found.error();
  return Json::object({{"profile", found.ok() ? found->text("profile") : "server"}});
}

Json issued(const Json& result) {
  return Json::object(
      {{"dn", result.text("subject")}, {"profile", result.text("profile")}, {"certificate", result.text("certificate")}});
}

struct Option {
  std::string_view key;  ///< get_options'
  std::string_view setting;
};
constexpr std::array kOptions{
    Option{"CertTypes", "certType"}, Option{"Digest", "digest"},    Option{"ExtendedUsages", "extendedKeyUsage"},
    Option{"Fields", "subject"},     Option{"KeyTypes", "keyType"}, Option{"Types", "san_types"},
    Option{"Usages", "keyUsage"}};

/// Profiles that the older CA does not show while it listens.
constexpr std::array<std::string_view, 3> kHidden{"admin", "ca", "ra"};

}  // namespace

// ----- the CA

Result<Json> older_get_crl(Backend& backend, const Json& /*params*/) {
  auto crl = backend.call("crl.get");
  if (!crl.ok() && crl.error().code() == Code::NotFound) crl = backend.call("crl.issue");
  if (!crl.ok()) return crl.error();
  return Json(crl->text("crl"));
}

Result<Json> older_generate_crl(Backend& backend, const Json& /*params*/) {
  PKI_TRY([[maybe_unused]] const auto crl, backend.call("crl.issue"));
  return Json::object({{"state", "OK"}});
}

Result<Json> older_list_admins(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto list, backend.call("admin.list"));
  Json out = Json::array();
  for (const auto& dn : list.texts("admins")) out.push_back(Json::object({{"name", common_name_of(dn)}, {"dn", dn}}));
  return out;
}

// ----- profiles

Result<Json> older_list_profiles(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto list, backend.call("profile.list"));
  auto out = Json::object();
  for (const auto& name : list.texts("profiles")) {
    if (std::ranges::find(kHidden, name) != kHidden.end()) continue;
    PKI_TRY(const auto found, backend.call("profile.get", Json::object({{"profile", name}})));
    out.set(name, value_of(found, "profile"));
  }
  return out;
}

Result<Json> older_get_options(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto options, backend.call("profile.options"));
  Json lengths = Json::array();
  for (const auto* key : {"ec", "rsa"}) {
    const auto* items = value_of(value_of(options, "key_lengths"), key).as_array();
    if (items == nullptr) continue;
    for (const auto& one : *items) lengths.push_back(one);
  }
  auto out = Json::object({{"KeyLen", std::move(lengths)}});
  for (const auto& [key, setting] : kOptions) out.set(key, value_of(value_of(options, "words"), setting));
  return out;
}

Result<Json> older_write_profile(Backend& /*backend*/, const Json& /*params*/) {
  return unsupported(
      "profiles are not written over the network here, since nothing that the network reaches may write what the signer obeys: "
      "put profiles/<name>.yml into the realm's directory, look with chanceryd --check, and reload");
}

// ----- nodes

Result<Json> older_list_nodes(Backend& backend, const Json& /*params*/) {
  PKI_TRY(const auto nodes, all_rows(backend, "node.list", Json::object(), "nodes"));
  OlderNodes shown(backend);
  Json out = Json::array();
  for (const auto& node : nodes) {
    PKI_TRY_VOID(check_time(backend));
    PKI_TRY(const auto certificate, backend.call("certificate.get", Json::object({{"serial", node.text("serial")}})));
    PKI_TRY(auto object, shown.of_certificate(certificate, node.boolean("key_stored")));
    out.push_back(std::move(object));
  }
  return out;
}

Result<Json> older_get_node(Backend& backend, const Json& params) { return long_object(backend, params); }

Result<Json> older_view(Backend& backend, const Json& params) {
  PKI_TRY([[maybe_unused]] const auto dn, need(params, "dn"));
  PKI_TRY(auto node, long_object(backend, params));
  return Json::object({{"node", std::move(node)}});
}

Result<Json> older_download_node(Backend& backend, const Json& params) {
  PKI_TRY(const auto found, find_certificate(backend, params));
  return Json(found.text("certificate"));
}

Result<Json> older_register(Backend& backend, const Json& params) {
  if (!value_of(params, "seed").is_null()) {
    return unsupported(
        "a seed makes no administrator here: register on the next port up with {\"TASK\": \"register\", \"params\": {\"seed\": "
        "..., \"cn\": ...}}, and let an administrator add others with add_admin");
  }
  PKI_TRY(const auto announced, announce(backend, params, false));
  return value_of(announced, "number");
}

Result<Json> older_update(Backend& backend, const Json& params) {
  PKI_TRY(const auto announced, announce(backend, params, true));
  OlderNodes nodes(backend);
  PKI_TRY(const auto object, nodes.of_announcement(announced));
  return Json::object({{"dn", announced.text("dn")},
                       {"profile", announced.text("profile")},
                       {"cn", announced.text("cn")},
                       {"domain", object.text("Domain")},
                       {"keyType", object.text("KeyType")},
                       {"keyLen", object.integer("KeyLen")},
                       {"duration", announced.integer("days")},
                       {"digest", object.text("Digest")},
                       {"sans", value_of(object, "Sans")}});
}

Result<Json> older_done(Backend& /*backend*/, const Json& /*params*/) { return Json(true); }

// ----- certificates

Result<Json> older_generate(Backend& backend, const Json& params) {
  PKI_TRY(const auto dn, dn_of(backend, params));
  PKI_TRY(const auto terms, terms_of(backend, dn));
  PKI_TRY(const auto profile, profile_from(params, terms.text("profile")));
  PKI_TRY(auto sans, sans_from(value_of(params, "sans").is_null() ? value_of(terms, "sans") : value_of(params, "sans")));
  PKI_TRY(const auto made,
          backend.call("certificate.request", Json::object({{"dn", dn}, {"profile", profile}, {"sans", std::move(sans)}})));
  return Json::object({{"key", made.text("private_key")}, {"csr", made.text("csr")}});
}

Result<Json> older_sign(Backend& backend, const Json& params) {
  PKI_TRY(const auto pem, need(params, "csr"));
  const auto csr = x509::Csr::from_pem(pem);
  if (!csr.ok()) return csr_failure(csr.error());
  PKI_TRY(auto wanted, terms_of(backend, csr->subject().to_slash()));
  wanted.set("csr", pem);
  PKI_TRY(const auto result, backend.call("certificate.issue", std::move(wanted)));
  return issued(result);
}

Result<Json> older_renew(Backend& backend, const Json& params) {
  constexpr int kLastPart = 3;  // of its life, in which a certificate is renewed
  PKI_TRY(const auto found, find_certificate(backend, params));
  PKI_TRY(const auto start, base::from_rfc3339(found.text("not_before")));
  PKI_TRY(const auto end, base::from_rfc3339(found.text("not_after")));
  const auto left = end - base::SystemClock().now();
  if (left > (end - start) / kLastPart) {
    const auto days = std::chrono::duration_cast<std::chrono::days>(left).count();
    return Json::object({{"renew", false}, {"reason", "Still " + std::to_string(days) + " days until expiration..."}});
  }
  PKI_TRY(const auto result, backend.call("certificate.renew", Json::object({{"serial", found.text("serial")}})));
  auto out = Json::object({{"renew", true}});
  const auto certificate = issued(result);
  for (const auto& [name, value] : *certificate.as_object()) out.set(name, value);
  return out;
}

Result<Json> older_ocsp_check(Backend& /*backend*/, const Json& /*params*/) {
  return unsupported(
      "this port answers no OCSP requests: ask for a certificate's status with {\"TASK\": \"ocsp_check\", \"params\": {\"cert\": "
      "PEM}} or {\"serial\": NUMBER}");
}

}  // namespace chancery::zmq_gateway
