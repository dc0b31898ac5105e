#pragma once

#include <chrono>
#include <map>
#include <string>

#include "server/realm/rules.h"
#include "server/worker/session.h"

namespace chancery::worker {

struct Order;

/// What a realm's rules ask of its store and of the files that they name.
class PolicyFacts : public realm::Facts {
 public:
  /// @param session  outlives it
  /// @param order  what proofs are looked for in; null: nothing is shown. Outlives it, too
  explicit PolicyFacts(Session& session, const Order* order = nullptr) : session_(session), order_(order) {}

  Result<int> living_of_subject(const std::string& subject, int most) const override;
  Result<int> living_of_requester(const std::string& requester, int most) const override;
  Result<bool> look_up(const std::string& where, const realm::Question& question) const override;
  Result<bool> shows(const config::Proof& proof, const realm::Question& question) const override;
  Result<std::string> standing_of(const std::string& subject) const override;

  /// What was answered, by who was asked: look-ups as answer_name() calls them, proofs by their labels.
  const std::map<std::string, bool>& answers() const { return answers_; }

 private:
  /// Whether the order was answered before: that makes no second certificate (PROMISES C6), so it needs no room.
  Result<bool> is_repeated() const;
  Result<bool> ask_file(const std::string& where, const realm::Question& question) const;

  /// Counts a question: one request keeps no look-up, and no worker, busy for long. @errors PolicyRefused, Unavailable.
  Status may_ask() const;

  Session& session_;
  const Order* order_;
  mutable std::map<std::string, bool> answers_;
  mutable int questions_ = 0;
  mutable std::chrono::steady_clock::time_point first_asked_{};
};

/// A look-up and how it was asked, for records: "file:hosts.txt", "any:inventory", "eligible:inventory".
std::string answer_name(const std::string& where, const realm::Question& question);

}  // namespace chancery::worker
