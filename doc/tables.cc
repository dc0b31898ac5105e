#include <iostream>
#include <span>

#include "clients/api/routes.h"
#include "clients/cli/more_options.h"
#include "server/base/process.h"
#include "server/config/acme_policy.h"
#include "server/config/approval_settings.h"
#include "server/config/documents.h"
#include "server/config/key_settings.h"
#include "server/config/profile_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/server_settings.h"
#include "server/signer/create_options.h"
#include "server/wire/commands.h"
#include "server/x509/lint.h"

// doc-tables: the tables that documents are made of, as one JSON text. doc/make-pages makes api.md, errors.md, lints.md and the
// manual pages of it.

namespace {

using namespace chancery;

Json setting_rows(const std::vector<config::SettingLine>& lines) {
  auto rows = Json::array();
  for (const auto& line : lines) {
    rows.push_back(Json::object({{"name", line.info.name},
                                 {"aliases", Json::strings(config::words_of(line.info.aliases))},
                                 {"takes", config::takes(line.info)},
                                 {"required", line.info.required},
                                 {"default", line.fallback},
                                 {"when", config::to_text(line.info.when)},
                                 {"doc", line.info.doc}}));
  }
  return rows;
}

Json server_elements() {
  auto elements = Json::array();
  for (const auto& element : config::server_elements()) {
    const bool repeats = !element.item.empty();
    elements.push_back(Json::object({{"name", element.name},
                                     {"doc", element.doc},
                                     {"attributes", setting_rows(element.attributes())},
                                     {"item", element.item},
                                     {"item_doc", element.item_doc},
                                     {"example", element.example},
                                     {"item_attributes", repeats ? setting_rows(element.item_attributes()) : Json::array()}}));
  }
  return elements;
}

Json moved_keys() {
  auto rows = Json::array();
  for (const auto& key : config::moved_keys()) rows.push_back(Json::object({{"name", key.name}, {"where", key.where}}));
  return rows;
}

Json settings() {
  const config::RealmConfig realm(RealmName::parse("default").value());
  const config::Profile profile(ProfileName::parse("new").value());
  return Json::object({{"server", setting_rows(describe(config::root_settings(), config::ServerConfig()))},
                       {"elements", server_elements()},
                       {"realm", setting_rows(describe(config::realm_settings(), realm))},
                       {"keys", setting_rows(describe(config::key_settings(), realm.keys))},
                       {"secret", setting_rows(describe(config::secret_settings(), realm.keys.secret))},
                       {"pkcs11", setting_rows(describe(config::token_settings(), realm.keys.token))},
                       {"acme", setting_rows(describe(config::acme_settings(), realm.acme))},
                       {"acme_policy", setting_rows(describe(config::acme_policy_settings(), config::AcmePolicy()))},
                       {"requests", setting_rows(describe(config::request_settings(), realm.requests))},
                       {"profile", setting_rows(describe(config::profile_settings(), profile))},
                       {"moved", moved_keys()}});
}

Json options_of(signer::Makes verb) {
  auto rows = Json::array();
  for (const auto& row : signer::kCreateOptions)
    if (row.is_of(verb)) rows.push_back(Json::object({{"name", row.name}, {"value", row.value}, {"doc", row.doc}}));
  return rows;
}

Json more_options() {
  auto rows = Json::array();
  for (const auto& row : cli::kMoreOptions)
    rows.push_back(Json::object({{"command", row.command}, {"name", row.name}, {"value", row.value}, {"doc", row.doc}}));
  return rows;
}

Json errors() {
  auto rows = Json::array();
  const auto [first, count] = base::all_codes();
  for (const auto& row : std::span(first, count)) {
    rows.push_back(Json::object({{"code", row.text},
                                 {"number", row.number},
                                 {"exit_status", row.exit_status},
                                 {"meaning", row.meaning},
                                 {"advice", row.advice}}));
  }
  return rows;
}

Json lints(const std::vector<x509::RuleRow>& rules) {
  auto rows = Json::array();
  for (const auto& rule : rules) {
    rows.push_back(Json::object(
        {{"id", rule.id}, {"source", rule.source}, {"severity", rule.severity == x509::Severity::Error ? "error" : "warning"}}));
  }
  return rows;
}

/// The kinds of `chancery import`, each with its options.
Json imports() {
  auto rows = Json::array();
  for (const auto& kind : signer::kImportKinds)
    rows.push_back(Json::object(
        {{"name", kind.name}, {"doc", kind.doc}, {"directory", kind.directory}, {"options", options_of(kind.verb)}}));
  return rows;
}

/// The tasks of uPKI's two ports.
Json tasks() {
  return Json::array({
#define TASK(name, port, dialect, function, bare, params, result, differs) \
  Json::object({{"name", #name},                                           \
                {"port", #port},                                           \
                {"dialect", #dialect},                                     \
                {"bare", bare},                                            \
                {"params", params},                                        \
                {"result", result},                                        \
                {"differs", differs}}),
#include "clients/zmq/tasks.def"
#undef TASK
  });
}

}  // namespace

int main() {
  const auto tables = Json::object({{"api", api::describe_routes()},
                                    {"commands", wire::describe_commands()},
                                    {"settings", settings()},
                                    {"tasks", tasks()},
                                    {"more_options", more_options()},
                                    {"create_options", options_of(signer::Makes::Realm)},
                                    {"imports", imports()},
                                    {"errors", errors()},
                                    {"certificate_lints", lints(x509::certificate_rules())},
                                    {"crl_lints", lints(x509::crl_rules())}});
  std::cout << wire::to_pretty_text(tables) << "\n";
  return base::to_int(std::cout.flush() ? base::Exit::Ok : base::Exit::Io);
}
