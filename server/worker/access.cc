#include "server/worker/access.h"

#include <algorithm>
#include <array>

#include "server/base/glob.h"
#include "server/base/text.h"

namespace chancery::worker {
namespace {

/// How it is known which certificate a command is about.
enum class Known {
  Later,     ///< the handler asks check_access_to, or may_see of each row
  BySerial,  ///< the parameter `serial`
  ByNode,    ///< the parameter `cn`
  AsAsked,   ///< the parameters say it themselves
};
struct AboutRow {
  std::string_view command;
  Known known;
  std::string_view usual_profile = {};
};
/// Commands that are not here are about no certificate: rules with conditions do not match them.
constexpr std::array kAbout{
    AboutRow{"certificate.enrol", Known::Later},
    AboutRow{"certificate.generate", Known::Later},
    AboutRow{"certificate.get", Known::Later},
    AboutRow{"certificate.issue", Known::Later},
    AboutRow{"certificate.preview", Known::Later},
    AboutRow{"certificate.renew", Known::BySerial},
    AboutRow{"certificate.request", Known::AsAsked, "server"},
    AboutRow{"certificate.revoke", Known::BySerial},
    AboutRow{"certificate.revoke_many", Known::Later},
    AboutRow{"certificate.search", Known::Later},
    AboutRow{"certificate.unrevoke", Known::BySerial},
    AboutRow{"node.announce", Known::AsAsked, "server"},
    AboutRow{"node.delete", Known::ByNode},
    AboutRow{"node.get", Known::ByNode},
    AboutRow{"node.list", Known::Later},
    AboutRow{"request.approve", Known::Later},
    AboutRow{"request.create", Known::Later},
    AboutRow{"request.reject", Known::Later},
    AboutRow{"seed.create", Known::AsAsked, "ra"},
};

realm::Caller caller_of(const Session& session) { return {session.identity().name, session.identity().role_names()}; }

Error refusal(const Session& session, const wire::Command& command, const std::string& why) {
  return {Code::Denied, session.identity().name + " may not run " + std::string(command.name) + ": " + why,
          "access.explain says which rule decides"};
}

/// What is asked for, as far as it can be read; what cannot, the handler refuses.
realm::About about_params(const Params& params, std::string_view usual_profile) {
  realm::About about;
  about.profile = params.text("profile", usual_profile);
  about.cn = params.text("cn");
  if (!about.cn.empty()) about.subject = "/CN=" + about.cn;
  if (const auto name = x509::Name::parse_any(params.text("dn")); params.has("dn") && name.ok()) {
    about.subject = name->to_slash();
    about.cn = name->common_name().value_or("");
  }
  for (const auto& text : params.texts("sans")) {
    if (auto name = x509::GeneralName::parse(text); name.ok()) about.sans.push_back(std::move(*name));
  }
  return about;
}

Result<store::CertificateRecord> record_of(Session& session, Known known, const Params& params) {
  PKI_TRY(auto* store, session.store());
  if (known == Known::ByNode) {
    PKI_TRY(const auto node, store->node(params.text("cn")));
    return store->certificate(node.serial, node.ca);
  }
  PKI_TRY(const auto serial, params.serial());
  return store->certificate(serial);
}

/// A token is for what it says, and for the session that it opened.
Status check_token(const Session& session, const wire::Command& command) {
  const auto& login = session.person_login();
  if (!login || login->commands.empty() || command.name.starts_with("session.")) return {};
  const auto is_meant = [&](const std::string& glob) { return base::matches_glob(glob, command.name); };
  if (std::ranges::any_of(login->commands, is_meant)) return {};
  return Error(Code::Denied,
               "the token is not for " + std::string(command.name) + ", but for " + base::join(login->commands, ", "));
}

bool is_exempt(const Session& session, const wire::Command& command) {
  return session.is_upkeep() || session.realm().people.access.empty() ||
         (!config::is_judged(command.least_role) && !config::is_deniable(command.name));
}

Status judge(const Session& session, const wire::Command& command, const realm::About* about) {
  const auto verdict = realm::judge_access(session.realm().people, caller_of(session), command.name, command.least_role, about);
  return verdict.allowed ? Status() : refusal(session, command, verdict.why);
}

}  // namespace

realm::About about_record(const store::CertificateRecord& record) {
  realm::About about{record.profile, record.subject, record.cn, {}};
  const auto certificate = x509::Certificate::from_der(record.der);
  if (certificate.ok()) about.sans = certificate->sans();
  return about;
}

bool may_see(const Session& session, const store::CertificateRecord& row) {
  const auto* const command = session.command_in_hand();
  if (command == nullptr || is_exempt(session, *command)) return true;
  realm::About about{row.profile, row.subject, row.cn, {}};
  for (const auto& text : row.sans) {
    auto name = x509::GeneralName::parse(text);
    if (!name.ok()) about.cn = text;  // what cannot be told is no name that was allowed
    if (name.ok()) about.sans.push_back(std::move(*name));
  }
  return judge(session, *command, &about).ok();
}

namespace {

bool may_run_on(const Session& session, std::string_view command, const realm::About* about) {
  const auto* const row = wire::find_command(command);
  PKI_CHECK(row != nullptr);
  const auto demanded = session.realm().command_roles.find(std::string(command));
  const auto least = demanded == session.realm().command_roles.end() ? row->least_role : demanded->second;
  if (!session.identity().roles.allow(least) || !check_token(session, *row).ok()) return false;
  return is_exempt(session, *row) ||
         realm::judge_access(session.realm().people, caller_of(session), command, row->least_role, about).allowed;
}

}  // namespace

bool may_run(const Session& session, std::string_view command, const realm::About& about) {
  return may_run_on(session, command, &about);
}

bool may_run(const Session& session, std::string_view command) { return may_run_on(session, command, nullptr); }

Status check_access(Session& session, const wire::Command& command, const Params& params) {
  if (!session.is_open()) return {};
  PKI_TRY_VOID(check_token(session, command));
  if (is_exempt(session, command)) return {};
  const auto* const row = std::ranges::find(kAbout, command.name, &AboutRow::command);
  if (row == kAbout.end()) return judge(session, command, nullptr);
  if (!realm::could_be_allowed(session.realm().people, caller_of(session), command.name, command.least_role))
    return judge(session, command, nullptr);
  if (row->known == Known::Later) return {};
  if (row->known == Known::AsAsked) {
    auto about = about_params(params, row->usual_profile);
    about.any_name = command.name == "seed.create" && about.cn.empty();
    return judge(session, command, &about);
  }
  return check_access_to(session, record_of(session, row->known, params));
}

Status check_access_to(const Session& session, const realm::About& about) {
  const auto* const command = session.command_in_hand();
  if (command == nullptr || is_exempt(session, *command)) return {};
  return judge(session, *command, &about);
}

Status check_access_to(const Session& session, const Result<store::CertificateRecord>& record) {
  if (record.ok()) return check_access_to(session, about_record(*record));
  return record.error().code() == Code::NotFound ? check_access_to_none(session) : Status();  // else as the handler says
}

Status check_access_to_none(const Session& session) {
  const auto* const command = session.command_in_hand();
  if (command == nullptr || is_exempt(session, *command)) return {};
  return judge(session, *command, nullptr);
}

}  // namespace chancery::worker
