#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "clients/acme/challenge.h"

/// Several looks at one proof, from different places in the network: what deceives one of them (a DNS cache, a route) need not
/// deceive the others.
namespace chancery::acme {

/// Who looks beside this program (acme.realm.get).
struct Vantage {
  std::vector<std::string> points{};  ///< "tcp://HOST:PORT KEY"; none: this program alone
  std::size_t quorum = 0;             ///< how many of them must find the same
};

/// What one vantage point said. Silence is an error, too.
struct Finding {
  std::string point;  ///< as in Vantage
  Verdict verdict;
};

/// "tcp://HOST:PORT" of a vantage point.
std::string address_of(const std::string& point);

/// Whether what one vantage point said counts as having found the same.
bool agrees(const Verdict& verdict, const Verdict& own);

/// What it all comes to (PROMISES I10). This program must have found the proof itself: others cannot stand in for it. Beyond that
/// at least `quorum` of the others must have found it, and looked at CAA where this program did. The error names each one that
/// did not, and has the type that most of them gave; the evidence has each one's.
Verdict decide(const Verdict& own, std::span<const Finding> findings, std::size_t quorum);

}  // namespace chancery::acme
