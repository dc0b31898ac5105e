#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "server/base/clock.h"
#include "server/config/realm_config.h"
#include "server/x509/general_name.h"

/// What a policy of ACME accounts grants. Pure: who counts says what there was, and these say whether there may be more.
namespace chancery::realm {

/// The policy of an account. @param own  the name of its own; empty: it has none, and the realm's holds, in which no name goes
/// without proof for the account's sake alone.
/// @return none: the configuration has no such policy any more.
std::optional<config::AcmePolicy> policy_of(const config::AcmeConfig& acme, const std::string& own);

/// Why the policy does not let an order have that name; empty: it does.
std::string fault_in_acme_name(const config::AcmePolicy& policy, const x509::GeneralName& name);

/// Who asks for a name, beside the account.
struct AcmeAsker {
  std::string address{};  ///< from where; empty: nobody knows
  std::string profile{};  ///< of the client's certificate in force; empty: it has shown none
  std::string subject{};  ///< of that certificate, slash form
  std::string serial{};   ///< and its number, hex
};

/// Whether that name needs no proof.
bool needs_no_proof(const config::AcmePolicy& policy, const x509::GeneralName& name, const AcmeAsker& asker);

/// The realm's settings with the ways to prove names that the policy leaves.
config::AcmeConfig narrowed(config::AcmeConfig acme, const config::AcmePolicy& policy);

/// Whether orders may have the profile.
bool allows_profile(const config::AcmePolicy& policy, const ProfileName& profile);
/// What orders get that name no profile. @param usual  the realm's for ACME
ProfileName profile_without_wish(const config::AcmePolicy& policy, const ProfileName& usual);

/// So much within a time, that slides.
struct AcmeLimit {
  int most;  ///< 0: any number
  std::chrono::seconds window;
};
inline constexpr std::chrono::hours kAcmeHour{1};
inline constexpr std::chrono::days kAcmeWeek{7};

/// How long until there may be one more. @param newest_first  when there were, as many as the limit at least, those within the
/// window
/// @return none: now.
std::optional<std::chrono::seconds> wait_for(const AcmeLimit& limit, std::span<const Seconds> newest_first, Seconds now);

}  // namespace chancery::realm
