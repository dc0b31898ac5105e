#include "clients/cli/rollover.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace chancery::cli {
namespace {

bool is_ended(const Json& status) { return status.text("state") == "retired" || status.text("state") == "aborted"; }

/// A server that restarts, a signer that is locked, another operator who was first: they pass.
bool may_pass(const Error& error) {
  constexpr std::array kCodes{Code::Closed, Code::Unavailable, Code::Busy, Code::Timeout, Code::Conflict};
  return std::ranges::find(kCodes, error.code()) != kCodes.end();
}

/// What follows ca-2 is ca-3; of a CA that has "ca" alone it is ca-2.
std::string after(const std::string& label) {
  const auto dash = label.rfind('-');
  int number = 0;
  const auto digits = dash == std::string::npos ? std::string() : label.substr(dash + 1);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = !digits.empty() && failure == std::errc() && end == digits.data() + digits.size();
  return is_number ? label.substr(0, dash + 1) + std::to_string(number + 1) : label + "-2";
}

/// One run, which looks, takes the step that may be taken, and looks again.
class Walk {
 public:
  Walk(const RolloverOrder& order, const RolloverWorld& world) : order_(order), world_(world), to_(order.to) {}

  Result<Json> run() {
    for (;;) {
      const auto done = turn();
      if (verdict_) return *verdict_;
      if (ended_) return *ended_;
      if (!done.ok()) PKI_TRY_VOID(bear(done.error()));
    }
  }

 private:
  /// Looks, and does or waits for what comes next.
  Status turn() {
    PKI_TRY(const auto status, look());
    tell(status);
    if (status.text("state") != state_) failures_ = 0;  // somebody goes on
    state_ = status.text("state");
    if (is_ended(status)) return end(status);
    if (!status.text("waits_for").empty()) return wait(status);
    PKI_TRY(const auto moved, world_.call("ca.rollover.advance", params(true)));
    has_moved_ = true;
    if (to_.empty()) to_ = moved.text("new");
    tell(moved);
    return is_ended(moved) ? end(moved) : Status();
  }

  /// One that nobody began yet is looked at as one in no state.
  Result<Json> look() {
    auto status = world_.call("ca.rollover.status", params(false));
    const bool is_new = !status.ok() && status.error().code() == Code::NotFound && !order_.to.empty() && !has_moved_;
    if (is_new) return Json::object({{"ca", order_.ca}, {"state", "none"}});
    if (status.ok() && to_.empty()) to_ = status->text("new");
    return status;
  }

  Json params(bool begins) const {
    auto out = Json::object({{"ca", order_.ca}});
    if (!to_.empty()) out.set("generation", to_);
    if (begins && !order_.from.empty()) out.set("from", order_.from);
    return out;
  }

  Status end(const Json& status) {
    const auto hint = "--to " + after(status.text("new")) + " begins the next rollover";
    ended_ = status;
    if (status.text("state") == "aborted")
      verdict_ = Error(Code::Conflict,
                       "the rollover to " + status.text("new") + " was given up by " + status.text("changed_by") + " at " +
                           status.text("changed_at"),
                       hint);
    else if (!has_moved_)
      world_.say("the rollover to " + status.text("new") + " has ended; " + hint);
    return {};
  }

  Status wait(const Json& status) {
    const auto until = status.text("waits_until");
    if (order_.no_wait) {
      verdict_ = Error(Code::Busy,
                       "the rollover to " + status.text("new") + " is " + status.text("state") + " and waits for " +
                           status.text("waits_for") + (until.empty() ? "" : ", at " + until),
                       "run this again then; what is done stays done");
      return {};
    }
    auto seconds = order_.every_seconds;
    if (const auto end = base::from_rfc3339(until); end.ok())
      seconds = std::clamp(static_cast<double>((*end - world_.now()).count()) + 1, 0.1, seconds);
    world_.pause(seconds);
    return {};
  }

  /// Of a refusal that does not pass while nothing else does the last is told; what is away is waited for.
  Status bear(const Error& error) {
    constexpr double kStep = 0.1;  // seconds, each time more
    constexpr int kMostConflicts = 8;
    const bool is_away = error.code() != Code::Conflict && !order_.no_wait;
    if (!may_pass(error)) return error;
    if (++failures_ >= kMostConflicts && !is_away) return error;
    if (is_away) told(base::to_line(error) + "; waiting for it");
    world_.pause(is_away ? order_.every_seconds : kStep * failures_);
    return {};
  }

  void tell(const Json& status) { told(rollover_line(status)); }
  void told(const std::string& line) {
    if (line == last_) return;
    last_ = line;
    world_.say(line);
  }

  const RolloverOrder& order_;
  const RolloverWorld& world_;
  std::string to_;
  std::string state_;
  std::string last_;
  std::optional<Json> ended_;
  std::optional<Error> verdict_;  ///< of one that did not come to its end
  bool has_moved_ = false;
  int failures_ = 0;
};

}  // namespace

std::vector<std::string> with_rollover_run(std::vector<std::string> words, const std::vector<std::string>& verbs) {
  const auto is_plain = [](const std::string& word) { return !word.empty() && !word.starts_with('-'); };
  for (std::size_t i = 0; i + 3 < words.size(); ++i) {
    if (words[i] != "ca" || words[i + 1] != "rollover") continue;
    const auto& realm = words[i + 2];
    if (!is_plain(realm) || !is_plain(words[i + 3]) || std::ranges::count(verbs, realm) != 0) continue;
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 2, kRolloverRun);
    break;
  }
  return words;
}

std::string rollover_line(const Json& status) {
  const auto fresh = status.text("new");
  auto line = "CA " + status.text("ca") + (fresh.empty() ? "" : " to " + fresh) + ": " + status.text("state");
  const auto old = status.text("old");
  const auto both = status.integer("living_old") + status.integer("living_new");
  if (!old.empty() && both > 0) {
    line += "; " + std::to_string(status.integer("percent_old")) + " % of the living certificates are of " + old + " (" +
            std::to_string(status.integer("living_old")) + " of " + std::to_string(both) + ")";
  }
  const auto waits = status.text("waits_for");
  if (!waits.empty()) line += "; waits for " + waits;
  const auto until = status.text("waits_until");
  return until.empty() ? line : line + ", at " + until;
}

Result<Json> run_rollover(const RolloverOrder& order, const RolloverWorld& world) { return Walk(order, world).run(); }

}  // namespace chancery::cli
