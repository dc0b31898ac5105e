#pragma once

#include "server/realm/rules.h"
#include "server/worker/session.h"

namespace chancery::worker {

/// What a realm's rules ask of its store and of the files that they name.
class PolicyFacts : public realm::Facts {
 public:
  /// @param session  outlives it
  explicit PolicyFacts(Session& session) : session_(session) {}

  Result<int> living_of_subject(const std::string& subject, int most) const override;
  Result<int> living_of_requester(const std::string& requester, int most) const override;
  Result<bool> look_up(const std::string& where, const realm::Question& question) const override;

 private:
  store::Living living(int most) const;

  Session& session_;
};

}  // namespace chancery::worker
