#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "server/base/names.h"

/// What profiles and realms say about requests, as plain values.
namespace chancery::config {

/// Who must agree before a profile's certificates are made (doc/four-eyes.md).
struct ApprovalRules {
  int needed = 0;                  ///< distinct people; 0: whoever has least_role has it issued directly
  std::vector<std::string> roles;  ///< one of them; empty: the profile's least_role
  bool are_signed = false;         ///< each is a signature by a certificate of signer_profiles, which the signer verifies
  std::vector<ProfileName> signer_profiles;  ///< of the certificates that approvals are signed with
  bool auto_renewals = false;                ///< of certificates by their holders
  std::string auto_hosts;                    ///< file of base::NamePattern, one a line; empty: none
  std::vector<std::string> auto_networks;    ///< base::Network, of who asks through a front end
  std::vector<std::string> auto_times;       ///< base::WeekWindow: outside of them nothing is approved by a rule; empty: always

  bool has_auto_rule() const { return auto_renewals || !auto_hosts.empty() || !auto_networks.empty(); }
  bool operator==(const ApprovalRules&) const = default;
};

inline constexpr int kMostApprovals = 10;
inline constexpr std::size_t kMostHostsOctets = 1U << 20;  ///< a file of known hosts
inline constexpr int kMostAttachmentOctets = 61440;        ///< one row of the store (PROMISES Q13)

/// `requests:` of ca.config.yml.
struct RequestsConfig {
  std::chrono::seconds lifetime{std::chrono::hours{24 * 30}};  ///< an open request expires after it
  int attachments = 5;                                         ///< of one request
  int attachment_octets = kMostAttachmentOctets;               ///< of one attachment
  int open_per_requester = 100;
  int comments = 100;                         ///< of one request
  std::chrono::seconds keep{0};               ///< an ended request goes so long after expires_at; 0: never
  std::vector<std::chrono::seconds> remind;   ///< ages at which approvers are told that a request waits; empty: nobody is
  std::vector<std::string> remind_to;         ///< mail addresses; empty: those of notices.to
  int rollover_approvals = 0;                 ///< of steps of CA rollovers; 0: whoever is a ca-operator takes them
  std::vector<std::string> rollover_roles;    ///< empty: ca-operator
  std::vector<ProfileName> rollover_signers;  ///< profiles whose certificates sign those approvals; empty: nobody signs
  int rule_approvals = 0;                     ///< of what rules_text says; 0: whoever writes ca.config.yml
  std::vector<std::string> rule_roles;        ///< empty: ca-operator

  bool operator==(const RequestsConfig&) const = default;
};

}  // namespace chancery::config
