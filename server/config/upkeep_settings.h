#pragma once

#include <span>
#include <string_view>

#include "server/config/checks.h"
#include "server/config/setting.h"

/// `retention:` and `self_audit:` of ca.config.yml: their rows, and what must hold among them.
namespace chancery::config {

inline constexpr std::string_view kRetentionSection = "retention";
inline constexpr std::string_view kSelfAuditSection = "self_audit";

std::span<const Setting<RetentionConfig>> retention_settings();
std::span<const Setting<SelfAuditConfig>> self_audit_settings();

void read_retention(const Node& section, RetentionConfig& retention, Report& report);
Node write_retention(const RetentionConfig& retention);
/// Nothing goes sooner than auditors want it kept, unless that is asked for (PROMISES B14). `root` is ca.config.yml.
void check_retention(const RealmConfig& realm, const Node& root, Report& report);

void read_self_audit(const Node& section, SelfAuditConfig& self_audit, Report& report);
Node write_self_audit(const SelfAuditConfig& self_audit);

}  // namespace chancery::config
