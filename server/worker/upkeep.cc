#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/store/shared_words.h"
#include "server/worker/conversation.h"
#include "server/worker/start.h"
#include "server/worker/stop_signal.h"

namespace chancery::worker {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRound{200};  ///< soon after the start: the journal may hold what the store lacks

/// Of the generations beside the one that issues, those whose certificates are out there, or will be soon.
bool has_crl_of_its_own(const Json& generation, const std::string& issuing) {
  const auto phase = generation.text("phase");
  return generation.text("name") != issuing && generation.text("state") == "ready" &&
         (phase == "prepared" || phase == "active" || phase == "draining");
}

/// The first thing that went wrong, while the rest is tried all the same.
class FirstFailure {
 public:
  void note(const Status& outcome) {
    if (first_.ok() && !outcome.ok()) first_ = outcome;
  }
  const Status& status() const { return first_; }

 private:
  Status first_{};
};

Status reconcile(Conversation& talk, const std::string& realm) {
  PKI_TRY(const auto reconciled, talk.call("realm.reconcile", Json::object()));
  for (const auto& serial : reconciled.texts("stored"))
    base::log_warning("realm " + realm + ": stored " + serial + " from the journal");
  return {};
}

/// That of the generation that issues. @return its name
Result<std::string> make_crl(Conversation& talk, const std::string& realm) {
  PKI_TRY(const auto crl, talk.call("crl.issue", Json::object({{"if_due", true}})));
  if (crl.boolean("issued"))
    base::log_info("realm " + realm + ": CRL " + std::to_string(crl.integer("number")) + " until " + crl.text("next_update"));
  return crl.text("ca");
}

/// One whose key is gone would be tried for ever, and each try is in the audit stream: once an hour is enough.
class Retiring {
 public:
  /// @return whether it is time for the next try, which counts from now.
  bool is_time(const std::string& realm, const std::string& generation) {
    constexpr std::chrono::hours kBetweenTries{1};
    const auto now = std::chrono::steady_clock::now();
    auto& last = tries_[{realm, generation}];
    if (last && now - *last < kBetweenTries) return false;
    last = now;
    return true;
  }

 private:
  std::map<std::pair<std::string, std::string>, std::optional<std::chrono::steady_clock::time_point>> tries_;
};

/// A generation that drains and whose last certificate has expired is ended, where the realm leaves that to upkeep.
Status retire_if_drained(Conversation& talk, const config::RealmConfig& realm, const Json& generation, Retiring& retiring) {
  const auto label = generation.text("name");
  if (!realm.rollover.by_upkeep() || !generation.boolean("drained") || !retiring.is_time(realm.name.text(), label)) return {};
  PKI_TRY([[maybe_unused]] const auto done, talk.call("ca.rollover.retire", Json::object({{"ca", generation.text("ca")}})));
  base::log_info("realm " + realm.name.text() + ": generation " + label + " is retired: its last certificate has expired");
  return {};
}

/// OCSP responders and RAs have their next keys in time.
Status renew_services(Conversation& talk, const config::RealmConfig& realm) {
  const bool has_some = std::ranges::any_of(realm.cas, [](const auto& one) { return one.second.is_service(); });
  const auto renewed = has_some ? talk.call("ca.service.renew", Json::object()) : Result<Json>(Json::object());
  return renewed.ok() ? Status() : Status(renewed.error());
}

/// What a realm makes beside its full CRLs.
void make_delta_crl(Conversation& talk, const config::RealmConfig& realm, const std::string& ca, FirstFailure& failure) {
  if (realm.crl_delta.count() == 0 || talk.is_broken()) return;
  const auto made = talk.call("crl.issue", Json::object({{"ca", ca}, {"kind", "delta"}, {"if_due", true}}));
  if (!made.ok()) failure.note(made.error());
}

Status see_to_others(Conversation& talk, const config::RealmConfig& realm, const std::string& issuing, Retiring& retiring) {
  FirstFailure failure;
  PKI_TRY(const auto listed, talk.call("ca.list", Json::object()));
  for (const auto& one : *listed.find("cas")->as_array()) {
    if (talk.is_broken()) break;
    if (!one.text("certified_by").empty() || one.find("phase") == nullptr) continue;  // a service, which signs no CRL
    if (has_crl_of_its_own(one, issuing)) {
      const auto other = talk.call("crl.issue", Json::object({{"ca", one.text("name")}, {"if_due", true}}));
      if (!other.ok()) failure.note(other.error());
      if (other.ok()) make_delta_crl(talk, realm, one.text("name"), failure);
    }
    if (!talk.is_broken()) failure.note(retire_if_drained(talk, realm, one, retiring));
  }
  return failure.status();
}

/// As many steps as do not keep the CRLs of the next round waiting.
Status audit(Conversation& talk) {
  constexpr int kMostSteps = 5;
  for (int i = 0; i < kMostSteps; ++i) {
    PKI_TRY(const auto night, talk.call("audit.nightly", Json::object()));
    if (!night.boolean("more")) break;
  }
  return {};
}

/// What is done for each realm, in this order: a CRL must name what the journal brought back. None of it keeps the rest back:
/// where the store cannot be brought up, or one CA cannot sign, revocations of the others go on being published.
Status look_after(const std::string& socket, const config::RealmConfig& config, Retiring& retiring) {
  const auto& realm = config.name.text();
  PKI_TRY(auto talk, Conversation::begin(socket));
  PKI_TRY([[maybe_unused]] const auto opened, talk.call("session.open", Json::object({{"realm", realm}})));
  FirstFailure failure;
  failure.note(reconcile(talk, realm));
  if (talk.is_broken()) return failure.status();
  const auto issuing = make_crl(talk, realm);
  if (!issuing.ok()) failure.note(issuing.error());
  if (issuing.ok()) make_delta_crl(talk, config, *issuing, failure);
  if (!talk.is_broken()) failure.note(see_to_others(talk, config, issuing.ok() ? *issuing : std::string(), retiring));
  if (!talk.is_broken()) failure.note(renew_services(talk, config));
  if (!talk.is_broken()) failure.note(audit(talk));
  return failure.status();
}

/// As often as the realm that asks for most.
milliseconds round_of(const config::Snapshot& snapshot) {
  constexpr milliseconds kLongest{30000};
  auto shortest = kLongest;
  for (const auto& realm : snapshot.realms) shortest = std::min<milliseconds>(shortest, realm->crl_round());
  return shortest;
}

/// @return whether to go on.
bool wait(int life, const StopSignal& stop, milliseconds limit) {
  pollfd waiting{life, POLLIN, 0};
  const timespec timeout{limit.count() / 1000, limit.count() % 1000 * 1000000};
  const int ready = ::ppoll(&waiting, 1, &timeout, &stop.waiting_mask());
  return !StopSignal::asked() && ready <= 0;
}

}  // namespace

int run_upkeep(UpkeepStart start) {
  const auto& server = start.snapshot->server;
  base::set_title("chanceryd: upkeep");
  const StopSignal stop;
  (void)base::continue_log("upkeep");
  Retiring retiring;
  // What the workers of a realm tell each other stays while nobody is there: that its disk has failed, above all (PROMISES F8).
  std::vector<base::UniqueFd> held(start.snapshot->realms.size());
  std::vector<std::string> last_complaint(start.snapshot->realms.size());
  for (auto pause = kFirstRound; wait(start.life.get(), stop, pause); pause = round_of(*start.snapshot)) {
    for (std::size_t i = 0; i < start.snapshot->realms.size(); ++i) {
      const auto& realm = start.snapshot->realms[i]->name.text();
      const auto done = look_after(server.socket_file().string(), *start.snapshot->realms[i], retiring);
      // Not before a worker of this server has begun them anew.
      if (done.ok() && !held[i])
        held[i] = store::hold_words(store::SharedWords::file_of(start.snapshot->realms[i]->database_file()));
      const auto complaint = done.ok() ? std::string() : base::to_line(done.error());
      // Once, not in every round.
      if (complaint != last_complaint[i] && !complaint.empty()) base::log_warning("realm " + realm + ": " + complaint);
      last_complaint[i] = complaint;
    }
  }
  return base::to_int(base::Exit::Ok);
}

}  // namespace chancery::worker
