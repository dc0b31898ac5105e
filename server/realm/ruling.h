#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/x509/general_name.h"
#include "server/x509/name.h"

namespace chancery::realm {

/// What one of a rule's proofs came to.
struct ShownProof {
  std::string label;  ///< config::Proof::label
  int points = 0;     ///< that it is worth
  bool holds = false;
};

/// The points that a request has by a rule. Proofs are asked in their order until they are enough.
struct Points {
  int shown = 0;
  int needed = 0;
  std::vector<ShownProof> proofs;

  int missing() const { return shown < needed ? needed - shown : 0; }
};

/// What the rules say.
struct Ruling {
  bool granted = true;
  std::string rule;                                   ///< the one that decided; empty: none holds
  std::string detail;                                 ///< for people
  std::optional<std::chrono::seconds> most_validity;  ///< for who did not ask for a length
  std::optional<x509::Name> subject;                  ///< what the rule makes of it
  std::optional<std::vector<x509::GeneralName>> sans;
  Points points;             ///< missing ones are people's to give
  bool asks_people = false;  ///< and certificate.enrol asks them by itself
  int most_of_subject = 0;   ///< certificates in force, with this one; 0: any number
  int most_of_requester = 0;
  std::map<std::string, bool> answers;  ///< of look-ups and proofs that were asked; filled in by who asked them
  bool revoke_replaced = false;         ///< what is in force of the same subject and profile ends with it
};

}  // namespace chancery::realm
