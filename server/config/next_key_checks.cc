#include <algorithm>

#include "server/base/text.h"
#include "server/config/ca_section.h"
#include "server/config/key_checks.h"
#include "server/config/key_settings.h"
#include "server/config/next_key.h"
#include "server/config/rollover_settings.h"

namespace chancery::config {
namespace {

/// A section that says where a CA's next key is made.
struct Place {
  std::string ca;
  const Node* at;  ///< `cas: NAME:` or `rollover:`
  const TokenConfig* own;
  std::string store;
};

/// Services are no CAs, and theirs are files.
std::vector<Place> places(const RealmConfig& realm, const Node& root) {
  std::vector<Place> out{{kFirstCa, &place_of(root, kRolloverSection), &realm.rollover.pkcs11, realm.rollover.key_store}};
  const Node& section = place_of(root, kCasSection);
  for (const auto& [name, ca] : realm.cas) {
    if (!ca.is_service()) out.push_back({name, &place_of(section, name), &ca.pkcs11, ca.key_store});
  }
  return out;
}

const Node& token_at(const Place& place) { return place_of(*place.at, {kTokenSection, "key_store"}); }

void check_service(const CaConfig& ca, const Node& at, Report& report) {
  const bool says_where = !ca.key_store.empty() || !(ca.pkcs11 == TokenConfig());
  if (says_where)
    report.error(place_of(at, {"key_store", kTokenSection}),
                 "found where to keep a key whose purpose is " + ca.purpose + ", expected nothing: upkeep makes it, in a file");
}

/// Which token: its own section says all of it, or the realm's does.
void check_which(const RealmConfig& realm, const Place& place, Report& report) {
  const Node& at = token_at(place);
  if (place.own->is_named()) return check_token(realm, *place.own, {}, at, report);
  if (!is_same_session(*place.own, TokenConfig()))
    return report.error(at,
                        "found settings of a token without module and token, expected these too, or key_label, key_id and "
                        "existing_key alone, for a key in the realm's");
  if (!realm.keys.token.is_named())
    report.error(at, "found pkcs11 and no token, expected module and token in the pkcs11 below it, or a pkcs11 of the realm");
}

/// Each generation has a key of its own, so what one is called cannot be fixed unless it is there.
void check_name(const Place& place, Report& report) {
  const auto& own = *place.own;
  const Node& at = token_at(place);
  if (own.existing_key) {
    if (!own.key_label.empty() || !own.key_id.empty()) return;
    return report.error(place_of(at, "existing_key"),
                        "found existing_key without key_label or key_id, expected one that says which key");
  }
  if (!own.key_label.empty() && own.key_label.find(kGenerationPlace) == std::string::npos)
    report.error(place_of(at, "key_label"),
                 "found \"" + base::printable(own.key_label, 80) +
                     "\", expected {ca} in it, which stands for the generation (or existing_key: true, "
                     "for one key that is there)");
  if (!own.key_id.empty())
    report.error(place_of(at, "key_id"), "found an id of a key that is yet to be made, expected none, or existing_key: true");
}

void check_kind(const RealmConfig& realm, const Place& place, Report& report) {
  const auto row = realm.cas.find(place.ca);
  const bool is_own = row != realm.cas.end() && !row->second.key.empty();
  if (place.own->existing_key && !is_own) return;
  const auto kind = is_own ? base::parse_key_spec(row->second.key) : Result<base::KeySpec>(realm.key);
  if (!kind.ok() || kind->kind == base::KeySpec::Kind::Ec || kind->kind == base::KeySpec::Kind::Rsa) return;
  report.error(place_of(*place.at, {"key", "key_store", kTokenSection}),
               "found " + base::to_text(*kind) + (is_own ? "" : ", the realm's") +
                   ", for a key in a token, expected ec:P-256, ec:P-384, ec:P-521 or rsa:BITS");
}

/// One session serves all keys in a token, so nobody can open it otherwise than the others.
void check_descriptions(const RealmConfig& realm, const std::vector<Place>& all, Report& report) {
  const auto tokens = tokens_of(realm);
  for (const auto& place : all) {
    const auto same = std::ranges::find_if(tokens, [&](const auto& one) { return is_same_token(one, *place.own); });
    if (same == tokens.end() || !place.own->is_named() || is_same_session(*same, *place.own)) continue;
    report.error(token_at(place),
                 "found another description of token " + (same->token.empty() ? same->serial : same->token) +
                     " than elsewhere in this file, expected the same PIN, paths, network and timeout: one session "
                     "serves all keys in it");
  }
}

void check_place(const RealmConfig& realm, const Place& place, Report& report) {
  const bool in_token = next_key(realm, place.ca).in_token;
  if (!in_token) {
    // One that is whole stays for the generations that have their keys there.
    if (place.own->is_named()) return check_token(realm, *place.own, {}, token_at(place), report);
    if (!(*place.own == TokenConfig())) report.warning(token_at(place), "found pkcs11 with key_store: file: it is not used");
    return;
  }
  const bool is_asked_for = !place.store.empty() || !(*place.own == TokenConfig());
  if (is_asked_for) check_which(realm, place, report);
  if (is_asked_for) check_name(place, report);
  if (is_asked_for || place.ca != kFirstCa) check_kind(realm, place, report);
}

}  // namespace

bool has_next_key_in_file(const RealmConfig& realm) {
  const auto in_file = [&](const std::string& ca) { return !next_key(realm, ca).in_token; };
  return in_file(kFirstCa) ||
         std::ranges::any_of(realm.cas, [&](const auto& one) { return !one.second.is_service() && in_file(one.first); });
}

bool has_next_key_in_realms_token(const RealmConfig& realm) {
  const auto is_there = [&](const std::string& ca) {
    const auto next = next_key(realm, ca);
    return next.in_token && is_same_token(next.token, realm.keys.token);
  };
  return is_there(kFirstCa) ||
         std::ranges::any_of(realm.cas, [&](const auto& one) { return !one.second.is_service() && is_there(one.first); });
}

void check_next_keys(const RealmConfig& realm, const Node& root, Report& report) {
  const auto all = places(realm, root);
  for (const auto& place : all) check_place(realm, place, report);
  check_descriptions(realm, all, report);
  const Node& section = place_of(root, kCasSection);
  for (const auto& [name, ca] : realm.cas) {
    if (ca.is_service()) check_service(ca, place_of(section, name), report);
  }
}

}  // namespace chancery::config
