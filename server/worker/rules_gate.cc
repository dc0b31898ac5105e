#include "server/worker/rules_gate.h"

#include <charconv>
#include <filesystem>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/text.h"
#include "server/config/rules_text.h"
#include "server/realm/request_content.h"
#include "server/store/store.h"
#include "server/worker/start.h"

namespace chancery::worker {
namespace {

struct InForce {
  std::string digest;  ///< empty: whoever writes the file decides
  std::size_t needed = 1;
};

Result<InForce> in_force(store::Store& store) {
  PKI_TRY(const auto text, store.get_meta(kRulesInForce));
  InForce found;
  if (!text || text->empty()) return found;
  const auto words = base::split(*text, ' ');
  found.digest = words.front();
  const auto& number = words.back();
  std::size_t needed = 0;
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), needed);
  if (words.size() != 2 || failure != std::errc() || end != number.data() + number.size() || needed == 0)
    return Error(Code::Corrupt, "the store does not say which rules are in force");
  found.needed = needed;
  return found;
}

/// Approvals end with their request, as its row says and as the content does that people approved.
bool has_ended(const store::RequestRow& row) {
  const auto now = base::SystemClock().now();
  const auto said = realm::values_in(row.content, "expires");
  const auto end = said.size() == 1 ? base::from_rfc3339(said.front()) : Result<Seconds>(row.expires_at);
  return !end.ok() || now >= *end || now >= row.expires_at;
}

/// Whether so many people have approved rules of that digest, by the history of the request that is said to have it.
Result<bool> is_approved(store::Store& store, const std::string& digest, std::size_t needed) {
  PKI_TRY(const auto id, store.get_meta(kRulesApproved));
  if (!id || id->empty()) return false;
  const auto row = store.request(*id);
  if (!row.ok()) return row.error().code() == Code::NotFound ? Result<bool>(false) : row.error();
  PKI_TRY(const auto state, realm::request_state(row->state));
  PKI_TRY(const auto history, store.request_history(*id));
  PKI_TRY_VOID(realm::check_history(history, state, row->digest));
  if (realm::digest_of_text(row->content) != row->digest)
    return Error(Code::Corrupt, "request " + *id + " is not what its digest was made of");
  if (row->kind != realm::to_text(realm::RequestKind::RuleChange) || state != realm::RequestState::Done) return false;
  if (has_ended(*row)) return false;
  if (realm::values_in(row->content, "rules") != std::vector{digest}) return false;
  std::vector<std::string> people;
  for (const auto& one : realm::approvals_in(history, row->digest)) people.push_back(one.who);
  return realm::count_people(people, row->requester) >= needed;
}

/// @return whether they are others than those in force
Result<bool> decide(store::Store& store, const config::RealmConfig& realm) {
  PKI_TRY(const auto before, in_force(store));
  const bool is_demanded = realm.requests.rule_approvals > 0;
  if (before.digest.empty()) return is_demanded;  // the first ones are taken as they are
  const auto digest = rules_digest(realm);
  if (digest == before.digest) return false;
  PKI_TRY(const bool approved, is_approved(store, digest, before.needed));
  if (approved) return true;
  return Error(Code::BadConfig,
               "its rules have the digest " + digest + ", which nobody has approved; in force is " + before.digest,
               "chancery request create --kind rule-change --config ca.config.yml asks for it, with the rules in force running");
}

/// Whether there can be anything to decide: stores are not made for it.
bool is_concerned(const config::RealmConfig& realm) {
  std::error_code ignored;
  return realm.requests.rule_approvals > 0 || std::filesystem::exists(realm.database_file(), ignored);
}

Status note(store::Store& store, const config::RealmConfig& realm) {
  const auto needed = realm.requests.rule_approvals;
  const auto digest = rules_digest(realm);
  PKI_TRY_VOID(store.set_meta(kRulesInForce, needed == 0 ? std::string() : digest + " " + std::to_string(needed)));
  base::log_info("realm " + realm.name.text() + ": the rules in force have the digest " + digest);
  PKI_TRY_VOID(store.set_meta(kRulesApproved, {}));
  return store.settle();
}

/// A store that is broken says nothing about rules, and has nothing issued by any, until people have put another in its place.
bool says_nothing(const config::RealmConfig& realm, const Error& why) {
  if (why.code() != Code::Corrupt) return false;
  base::log_warning("realm " + realm.name.text() + ": nobody knows which rules were approved: " + why.message());
  return true;
}

}  // namespace

std::string rules_digest(const config::RealmConfig& realm) { return realm::digest_of_text(config::rules_text(realm)); }

Status check_rules(const config::RealmConfig& realm) {
  PKI_TRY(auto store, store::Store::look(realm.database_file(), realm.name));
  if (!store) return {};
  const auto decided = decide(*store, realm);
  return decided.ok() ? Status() : Status(decided.error());
}

Status admit_rules(const config::Snapshot& snapshot) {
  std::vector<const config::RealmConfig*> others;
  for (const auto& realm : snapshot.realms) {
    if (!is_concerned(*realm)) continue;
    auto store = store::Store::open(realm->database_file(), realm->name);
    if (!store.ok() && says_nothing(*realm, store.error())) continue;
    if (!store.ok()) return store.error().within("realm " + realm->name.text());
    const auto is_other = decide(*store, *realm);
    if (!is_other.ok()) return is_other.error().within("realm " + realm->name.text());
    if (*is_other) others.push_back(realm.get());
  }
  for (const auto* realm : others) {
    PKI_TRY(auto store, store::Store::open(realm->database_file(), realm->name));
    PKI_TRY_VOID(note(store, *realm));
  }
  return {};
}

}  // namespace chancery::worker
