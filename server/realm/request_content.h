#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/config/realm_config.h"
#include "server/realm/policy.h"
#include "server/realm/request_states.h"

/// What a request asks for, as the one text that approvals are given for. Pure; worker and signer build it each for itself.
namespace chancery::realm {

/// Everything that decides what is done, but for the serial number and the seconds at which a validity begins and ends.
struct RequestContent {
  std::string realm;
  std::string id;
  RequestKind kind = RequestKind::Enrolment;
  std::string requester;
  std::string front_end;             ///< through which it was asked for; empty: none
  Seconds expires{};                 ///< nothing is done for it from then on
  std::string certificate{};         ///< serial of the one that is renewed, revoked or has its names changed; hex
  std::string reason{};              ///< of a revocation
  std::string profile{};             ///< of what is certified; a revocation has none of these
  std::string subject{};             ///< slash form
  std::vector<std::string> names{};  ///< "DNS:a.example.com"
  Bytes spki{};                      ///< DER
  std::chrono::seconds validity{};   ///< at most
  std::string uses{};                ///< uses_of(profile)
  std::string ca{};                  ///< "ca-2": the generation that a rollover makes, of a rollover alone
  std::string step{};                ///< of a rollover: a RolloverStep's name, or kWholeRollover
  std::string source{};              ///< of a rollover that starts: who certifies the generation
  std::string rules{};               ///< SHA-256 of what the rules would be, hex; of a change of rules alone
};

/// Fills in what a grant says. @param profile  the grant's
void set_grant(RequestContent& content, const Grant& grant, const config::Profile& profile);
/// What a profile lets its certificates be used for: as much of what is certified as the requester does not choose.
std::string uses_of(const config::Profile& profile);

inline constexpr std::string_view kWholeRollover = "whole";  ///< start, publish and switch

/// One line for each member, "name: value", in this order; every value is written with its length, so that no value can seem to
/// be another line. Of the last four only those that there are.
std::string canonical_text(const RequestContent& content);
/// SHA-256 of that text, lower-case hex.
std::string digest_of(const RequestContent& content);
std::string digest_of_text(const std::string& canonical);
/// What such a text says under a name, in its order.
std::vector<std::string> values_in(std::string_view canonical, std::string_view name);

/// Whether two identities may be one person, "unix:alice" and "user:alice": four eyes take two. Of certificates the DNs count, of
/// a certificate and another identity the common name.
bool may_be_same_person(const std::string& one, const std::string& other);

/// How many of them stand for different people, none of whom may be the requester.
std::size_t count_people(const std::vector<std::string>& approvers, const std::string& requester);

}  // namespace chancery::realm
