#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "server/config/realm_config.h"
#include "server/config/setting.h"

/// `enrolment:` of ca.config.yml: secrets, signers and look-ups that the rules of `policy:` name.
namespace chancery::config {

inline constexpr std::string_view kEnrolmentSection = "enrolment";
inline constexpr std::string_view kSecretsSection = "secrets";
inline constexpr std::string_view kSignersSection = "signers";
inline constexpr std::string_view kLookUpsSection = "look_ups";

std::span<const Setting<EnrolmentConfig>> enrolment_settings();
std::span<const Setting<EnrolmentSecret>> enrolment_secret_settings();
std::span<const Setting<EnrolmentSigners>> enrolment_signer_settings();
std::span<const Setting<LookUp>> look_up_settings();

void read_enrolment(const Node& section, EnrolmentConfig& enrolment, Report& report);
Node write_enrolment(const EnrolmentConfig& enrolment);
/// Paths below the realm's directory.
void resolve_enrolment_paths(EnrolmentConfig& enrolment, const std::filesystem::path& directory);

/// Files, and references to the realm's own things. Paths are whole. `root` is ca.config.yml.
void check_enrolment(const RealmConfig& realm, const Node& root, Report& report);
/// That those of a list are built-in roles or the realm's own.
void check_role_names(const RealmConfig& realm, const std::vector<std::string>& roles, const Node& list, Report& report);
/// What a rule's proofs and look-ups name. `at` is the rule.
void check_rule_evidence(const RealmConfig& realm, const PolicyRule& rule, const Node& at, Report& report);

}  // namespace chancery::config
