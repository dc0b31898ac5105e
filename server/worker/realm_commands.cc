#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/ready_words.h"
#include "server/base/text.h"
#include "server/config/profile_settings.h"
#include "server/config/text_checks.h"
#include "server/config/upki_view.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

namespace chancery::worker {
namespace {

Json to_json(const config::UpkiField& field) {
  switch (field.kind) {
    case config::UpkiField::Kind::Integer: return field.integer;
    case config::UpkiField::Kind::Boolean: return field.boolean;
    case config::UpkiField::Kind::Texts: return Json::strings(field.texts);
    case config::UpkiField::Kind::Map: {
      auto map = Json::object();
      for (const auto& [name, value] : field.map) map.set(name, value);
      return map;
    }
    case config::UpkiField::Kind::Text: break;
  }
  return field.text;
}

/// Effective settings without secrets: no paths of passphrases or seeds, only whether there are any.
Json describe_settings(const config::RealmConfig& realm) {
  return Json::object({{"company", realm.company},
                       {"domain", realm.domain},
                       {"key", base::to_text(realm.key)},
                       {"digest", realm.digest},
                       {"registration", !realm.seed_file.empty()},
                       {"crl_urls", Json::strings(realm.crl_urls)},
                       {"crl_delta_urls", Json::strings(realm.crl_delta_urls)},
                       {"ca_issuer_urls", Json::strings(realm.ca_issuer_urls)},
                       {"ocsp_urls", Json::strings(realm.ocsp_urls)},
                       {"crl_validity", std::int64_t{realm.crl_validity.count()}},
                       {"crl_after_revocation", std::int64_t{realm.crl_after_revocation.count()}},
                       {"crl_delta", std::int64_t{realm.crl_delta.count()}},
                       {"acme", realm.acme.enabled}});
}

/// Why the realm is not ready: what the master saw of its signer, what the signer's journal refused, or a store that does not
/// open.
std::string fault_of(Session& session, const base::ProcessView& signer) {
  if (signer.state != base::ProcessState::Ready) return signer.detail.empty() ? "the signer is not ready" : signer.detail;
  auto client = session.signer();
  const auto info = client.ok() ? (*client)->authority() : Result<signer::AuthorityInfo>(client.error());
  if (!info.ok()) return info.error().message();
  if (!info->fault.empty()) return info->fault;
  if (!info->obstacle.empty()) return info->obstacle;
  const auto store = session.store();
  return store.ok() ? "" : store.error().message();
}

std::string state_text(std::string_view fault) {
  if (fault.starts_with(base::kLockedWord)) return "locked";
  return fault.empty() ? "ready" : "degraded";
}

std::string state_text(const base::ProcessView& signer) {
  return signer.state == base::ProcessState::Ready ? "ready" : state_text(signer.detail.empty() ? "not ready" : signer.detail);
}

}  // namespace

Result<Json> realm_list(Session& session, const Params& /*params*/) {
  Json list = Json::array();
  for (const auto& realm : session.snapshot().realms) {
    if (session.is_open() && realm.get() != &session.realm()) continue;  // bound to one realm, it knows of no other
    if (session.own_roles(realm->name.text()).empty()) continue;
    list.push_back(
        Json::object({{"name", realm->name.text()}, {"state", state_text(signer_of(session.board(), realm->name.text()))}}));
  }
  return Json::object({{"realms", std::move(list)}});
}

Result<Json> realm_get(Session& session, const Params& /*params*/) {
  const auto& name = session.realm().name.text();
  const auto fault = fault_of(session, signer_of(session.board(), name));
  return Json::object({{"name", name},
                       {"state", state_text(fault)},
                       {"detail", fault},
                       {"ca", describe_ca(session)},
                       {"settings", describe_settings(session.realm())}});
}

Result<Json> profile_list(Session& session, const Params& /*params*/) {
  // The built-in ones in uPKI's order, then the realm's own by name (UPKI.md 1.4).
  std::vector<std::string> names;
  const auto& profiles = session.realm().profiles;
  constexpr std::array kBuiltIn{"ca", "ra", "server", "webapp", "laptop", "user", "admin"};
  for (const auto* name : kBuiltIn) {
    if (profiles.contains(ProfileName::parse(name).value())) names.emplace_back(name);
  }
  for (const auto& [name, profile] : profiles) {
    if (std::ranges::find(names, name.text()) == names.end()) names.push_back(name.text());
  }
  return Json::object({{"profiles", Json::strings(names)}});
}

Result<Json> profile_options(Session& /*session*/, const Params& /*params*/) {
  auto words = Json::object();
  for (const auto& setting : config::profile_settings()) {
    if (!setting.info.words.empty()) words.set(setting.info.name, Json::strings(base::split(setting.info.words, ' ')));
  }
  Json attributes = Json::array();
  for (const auto& one : config::kDnAttributes) attributes.push_back(one.name);
  words.set("subject", std::move(attributes));
  return Json::object({{"words", std::move(words)},
                       {"key_lengths", Json::object({{"rsa", Json::array({2048, 3072, 4096})},
                                                     {"ec", Json::array({256, 384, 521})},
                                                     {"ed25519", Json::array({256})}})}});
}

Result<Json> profile_get(Session& session, const Params& params) {
  PKI_TRY(const auto name, ProfileName::parse(params.text("profile")));
  PKI_TRY(const auto* found, profile_of(session, name));
  auto view = Json::object();
  for (const auto& field : config::upki_view(*found)) view.set(field.name, to_json(field));
  return Json::object({{"name", name.text()}, {"origin", found->origin}, {"profile", std::move(view)}});
}

}  // namespace chancery::worker
