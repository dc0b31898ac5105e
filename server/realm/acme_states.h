#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "server/base/result.h"

/// The lives of what ACME has (RFC 8555 7.1.6): for each kind one table of what leads from where to where, and nothing else does.
/// Pure: whoever moves something asks here, and the store follows by compare-and-set. States are the words that the protocol
/// shows and the store keeps.
namespace chancery::realm {

/// One row.
template <class Event>
struct AcmeMove {
  std::string_view from;
  Event event;
  std::string_view to;
};

template <class Event>
struct AcmeLife {
  std::string_view what;                     ///< "order"
  std::span<const std::string_view> states;  ///< the first one is where it begins
  std::span<const std::string_view> events;  ///< in the order of the enumerators
  std::span<const AcmeMove<Event>> moves;

  std::string_view begins() const { return states.front(); }
  bool allows(std::string_view from, Event event) const { return find(from, event) != nullptr; }
  /// What it is once that has happened. @errors Conflict: nothing of that kind happens in that state.
  Result<std::string_view> after(std::string_view from, Event event) const {
    if (const auto* const row = find(from, event)) return row->to;
    return Error(Code::Conflict, "the " + std::string(what) + " is " + std::string(from) + ", which allows no " +
                                     std::string(events[static_cast<std::size_t>(event)]));
  }

 private:
  const AcmeMove<Event>* find(std::string_view from, Event event) const {
    for (const auto& row : moves) {
      if (row.from == from && row.event == event) return &row;
    }
    return nullptr;
  }
};

/// Deactivate: by its holder, or by the RA that brought it. End: the same by operators. Block and Unblock: by operators, too.
enum class AcmeAccountEvent : std::uint8_t { Deactivate, Revoke, Block, Unblock, End };
const AcmeLife<AcmeAccountEvent>& acme_account_life();

/// Prove: all of its authorizations are valid. Lose: one of them has ended. Hold: it has its request, and CAA is looked at before
/// it is signed. Sign: the signer is asked. Issue: the certificate is there. GiveBack: the signer was away. Refuse: the realm or
/// CAA refuse it for good. Withdraw: an operator or the RA that brought it ends it.
enum class AcmeOrderEvent : std::uint8_t { Prove, Lose, Expire, Hold, Sign, Issue, GiveBack, Refuse, Withdraw };
const AcmeLife<AcmeOrderEvent>& acme_order_life();

/// Prove: by a challenge, a policy's grant or an RA's word. Revoke: by an RA.
enum class AcmeAuthorizationEvent : std::uint8_t { Prove, Fail, Deactivate, Revoke, Expire };
const AcmeLife<AcmeAuthorizationEvent>& acme_authorization_life();

/// Begin: somebody claims the validation. Lapse: whoever did has not been heard of. GiveBack: nobody looked, and whoever looks
/// next takes it up. Vouch and Deny: an RA's word, whoever is validating.
enum class AcmeChallengeEvent : std::uint8_t { Begin, Lapse, GiveBack, Prove, Fail, Vouch, Deny };
const AcmeLife<AcmeChallengeEvent>& acme_challenge_life();

}  // namespace chancery::realm
