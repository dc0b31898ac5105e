#include <set>

#include "clients/api/service.h"
#include "clients/zmq/dialect.h"
#include "server/base/text.h"
#include "server/wire/commands.h"

/// What an administrator does.
namespace chancery::api {
namespace {

/// The words that certificate.generate takes for a key: what the server makes.
Json key_types() {
  Json types = Json::array();
  for (const auto& param : wire::find_command("certificate.generate")->params) {
    if (param.name != "key") continue;
    std::string_view words = param.words;
    while (!words.empty()) {
      const auto blank = words.find(' ');
      types.push_back(words.substr(0, blank));
      words = blank == std::string_view::npos ? "" : words.substr(blank + 1);
    }
  }
  return types;
}

Json serial_numbers(const std::vector<std::string>& serials) {
  Json numbers = Json::array();
  for (const auto& one : serials) numbers.push_back(zmq_gateway::serial_number(one));
  return numbers;
}

/// Who an administrator is, and by which certificates, of what admin.add and admin.list say.
Json administrator(const Json& row) {
  return Json::object({{"dn", row.text("dn")},
                       {"keys", Json::strings(row.texts("keys"))},
                       {"serials", serial_numbers(row.texts("serials"))},
                       {"others", serial_numbers(row.texts("others"))}});
}

/// One DN's outcome; that of one does not keep the others from theirs.
Json add_result(const Call& call, const std::string& dn) {
  const auto added = call.ask("admin.add", Json::object({{"dn", dn}}));
  if (added.ok()) return administrator(*added).set("success", true);
  return Json::object({{"dn", dn}, {"success", false}, {"message", added.error().message()}});
}

}  // namespace

Result<Json> Service::nodes(const Call& call) { return node_page(call, "nodes"); }

Result<Json> Service::add_node(const Call& call) {
  const auto& fields = call.fields();
  const auto profile = fields.text("profile", kUsualProfile);
  PKI_TRY_VOID(check_profile_makes_no_ca(call, profile));
  const auto* given = fields.find("sans");
  PKI_TRY(auto sans, zmq_gateway::sans_from(given == nullptr ? Json() : *given));
  PKI_TRY(const auto made, call.ask("certificate.generate", Json::object({{"cn", fields.text("cn")},
                                                                          {"profile", profile},
                                                                          {"sans", std::move(sans)},
                                                                          {"store_key", true},
                                                                          {"return_key", false}})));
  const auto node = Json::object({{"dn", made.text("subject")},
                                  {"certificate", made.text("certificate")},
                                  {"serial", zmq_gateway::serial_number(made.text("serial"))}});
  return success(Json::object({{"node", node}}));
}

Result<Json> Service::remove_node(const Call& call) { return delete_node(call, call.parameter("cn")); }

Result<Json> delete_node(const Call& call, const std::string& cn) {
  PKI_TRY([[maybe_unused]] const auto gone, call.ask("node.delete", Json::object({{"cn", cn}})));
  PKI_TRY([[maybe_unused]] const auto crl, call.ask("crl.issue"));
  return done("node " + base::printable(cn) + " is deleted and its certificate revoked");
}

Result<Json> Service::admins(const Call& call) {
  PKI_TRY(const auto list, call.ask("admin.list"));
  Json administrators = Json::array();
  if (const auto* rows = list.find("administrators"); rows != nullptr && rows->is_array()) {
    for (const auto& row : *rows->as_array()) administrators.push_back(administrator(row));
  }
  return success(Json::object({{"admins", Json::strings(list.texts("admins"))}, {"administrators", std::move(administrators)}}));
}

Result<Json> Service::add_admins(const Call& call) {
  Json results = Json::array();
  for (const auto& dn : call.fields().texts("admins")) results.push_back(add_result(call, dn));
  return success(Json::object({{"results", std::move(results)}}));
}

Result<Json> Service::remove_admin(const Call& call) {
  const auto dn = dn_of_segment(call.parameter("dn"));
  if (dn.empty()) return Error(Code::InvalidParams, "the path's last part is no DN, expected the base64 of one");
  PKI_TRY(const auto removed, call.ask("admin.remove", Json::object({{"dn", dn}})));
  if (!removed.boolean("removed")) return Error(Code::NotFound, base::printable(dn) + " is not on the list of administrators");
  return done(base::printable(dn) + " is no administrator any more");
}

Result<Json> Service::generate_crl(const Call& call) {
  PKI_TRY(const auto crl, call.ask("crl.issue"));
  return crl_of(crl);
}

Result<Json> Service::config(const Call& call) {
  PKI_TRY(const auto own, call.ask_openly("session.whoami"));
  bool registered = false;
  for (const auto& role : own.texts("roles")) registered = registered || role == "frontend" || role == "admin";
  const auto& remote = settings_.remote_ca;
  return success(Json::object({{"ca_host", remote ? remote->host : settings_.socket},
                               {"ca_port", remote ? remote->port : 0},
                               {"data_dir", settings_.state_directory.string()},
                               {"registered", registered},
                               {"realm", own.text("realm")}}));
}

Result<Json> Service::options(const Call& call) {
  PKI_TRY(const auto list, call.ask("profile.list"));
  const auto names = list.texts("profiles");
  auto validity = Json::object();
  std::set<std::string> digests;
  for (const auto& name : names) {
    PKI_TRY(const auto profile, profile_view(call, name));
    validity.set(name, profile.integer("duration"));
    digests.insert(profile.text("digest"));
  }
  return success(Json::object({{"key_types", key_types()},
                               {"digests", Json::strings({digests.begin(), digests.end()})},
                               {"profiles", Json::strings(names)},
                               {"validity", std::move(validity)}}));
}

}  // namespace chancery::api
