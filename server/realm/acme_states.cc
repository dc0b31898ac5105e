#include "server/realm/acme_states.h"

#include <array>

namespace chancery::realm {
namespace {

using Words = std::string_view;

// ----- accounts; "blocked" is our own word beside the RFC's

using Account = AcmeAccountEvent;
constexpr std::array<Words, 4> kAccountStates{"valid", "deactivated", "revoked", "blocked"};
constexpr std::array<Words, 5> kAccountEvents{"deactivate", "revoke", "block", "unblock", "end"};
constexpr std::array kAccountMoves{
    AcmeMove<Account>{"valid", Account::Deactivate, "deactivated"}, AcmeMove<Account>{"valid", Account::Revoke, "revoked"},
    AcmeMove<Account>{"valid", Account::Block, "blocked"},          AcmeMove<Account>{"valid", Account::End, "deactivated"},
    AcmeMove<Account>{"blocked", Account::Unblock, "valid"},        AcmeMove<Account>{"blocked", Account::End, "deactivated"},
};

// ----- orders

using Order = AcmeOrderEvent;
constexpr std::array<Words, 5> kOrderStates{"pending", "ready", "processing", "valid", "invalid"};
constexpr std::array<Words, 9> kOrderEvents{"prove", "lose",      "expire", "hold",    "sign",
                                            "issue", "give-back", "refuse", "withdraw"};
constexpr std::array kOrderMoves{
    AcmeMove<Order>{"pending", Order::Prove, "ready"},
    AcmeMove<Order>{"pending", Order::Lose, "invalid"},
    AcmeMove<Order>{"pending", Order::Expire, "invalid"},
    AcmeMove<Order>{"pending", Order::Withdraw, "invalid"},
    AcmeMove<Order>{"ready", Order::Prove, "ready"},
    AcmeMove<Order>{"ready", Order::Lose, "invalid"},
    AcmeMove<Order>{"ready", Order::Expire, "invalid"},
    AcmeMove<Order>{"ready", Order::Withdraw, "invalid"},
    AcmeMove<Order>{"ready", Order::Hold, "ready"},
    AcmeMove<Order>{"ready", Order::Sign, "processing"},
    AcmeMove<Order>{"ready", Order::Refuse, "invalid"},
    // Two may be at one order, and what was given back may have been signed after all.
    AcmeMove<Order>{"ready", Order::Issue, "valid"},
    // From here on the key may have been used: neither the clock nor an operator ends it.
    AcmeMove<Order>{"processing", Order::Issue, "valid"},
    AcmeMove<Order>{"processing", Order::GiveBack, "ready"},
    AcmeMove<Order>{"processing", Order::Refuse, "invalid"},
};

// ----- authorizations

using Authorization = AcmeAuthorizationEvent;
constexpr std::array<Words, 6> kAuthorizationStates{"pending", "valid", "invalid", "deactivated", "expired", "revoked"};
constexpr std::array<Words, 5> kAuthorizationEvents{"prove", "fail", "deactivate", "revoke", "expire"};
constexpr std::array kAuthorizationMoves{
    AcmeMove<Authorization>{"pending", Authorization::Prove, "valid"},
    AcmeMove<Authorization>{"pending", Authorization::Fail, "invalid"},
    AcmeMove<Authorization>{"pending", Authorization::Deactivate, "deactivated"},
    AcmeMove<Authorization>{"pending", Authorization::Expire, "expired"},
    AcmeMove<Authorization>{"valid", Authorization::Deactivate, "deactivated"},
    AcmeMove<Authorization>{"valid", Authorization::Revoke, "revoked"},
    AcmeMove<Authorization>{"valid", Authorization::Expire, "expired"},
};

// ----- challenges

using Challenge = AcmeChallengeEvent;
constexpr std::array<Words, 4> kChallengeStates{"pending", "processing", "valid", "invalid"};
constexpr std::array<Words, 7> kChallengeEvents{"begin", "lapse", "give-back", "prove", "fail", "vouch", "deny"};
constexpr std::array kChallengeMoves{
    AcmeMove<Challenge>{"pending", Challenge::Begin, "processing"},
    AcmeMove<Challenge>{"pending", Challenge::Vouch, "valid"},
    AcmeMove<Challenge>{"pending", Challenge::Deny, "invalid"},
    AcmeMove<Challenge>{"processing", Challenge::Lapse, "pending"},
    AcmeMove<Challenge>{"processing", Challenge::GiveBack, "processing"},
    AcmeMove<Challenge>{"processing", Challenge::Prove, "valid"},
    AcmeMove<Challenge>{"processing", Challenge::Fail, "invalid"},
    AcmeMove<Challenge>{"processing", Challenge::Vouch, "valid"},
    AcmeMove<Challenge>{"processing", Challenge::Deny, "invalid"},
};

constexpr AcmeLife<Account> kAccountLife{"account", kAccountStates, kAccountEvents, kAccountMoves};
constexpr AcmeLife<Order> kOrderLife{"order", kOrderStates, kOrderEvents, kOrderMoves};
constexpr AcmeLife<Authorization> kAuthorizationLife{"authorization", kAuthorizationStates, kAuthorizationEvents,
                                                     kAuthorizationMoves};
constexpr AcmeLife<Challenge> kChallengeLife{"challenge", kChallengeStates, kChallengeEvents, kChallengeMoves};

}  // namespace

const AcmeLife<AcmeAccountEvent>& acme_account_life() { return kAccountLife; }
const AcmeLife<AcmeOrderEvent>& acme_order_life() { return kOrderLife; }
const AcmeLife<AcmeAuthorizationEvent>& acme_authorization_life() { return kAuthorizationLife; }
const AcmeLife<AcmeChallengeEvent>& acme_challenge_life() { return kChallengeLife; }

}  // namespace chancery::realm
