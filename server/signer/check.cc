#include "server/signer/check.h"

#include "server/config/load.h"
#include "server/crypto/block_list.h"
#include "server/realm/issuable.h"
#include "server/signer/ca_files.h"
#include "server/signer/journal.h"

namespace chancery::signer {
namespace {

using config::Finding;

void add(RealmCheck& check, const Finding& finding) {
  check.lines.push_back(config::to_line(finding));
  if (finding.severity == Finding::Error) check.holds = false;
}

void add(RealmCheck& check, const Error& error) {
  check.lines.push_back(base::to_line(error));
  check.holds = false;
}

/// A finding about a profile, in the file that it stands in.
Finding of_profile(const config::Profile& profile, Finding::Severity severity, std::string message) {
  return {severity, profile.origin, 0, 0, "profile " + profile.name.text(), std::move(message)};
}

void check_profile(const config::RealmConfig& realm, const config::Profile& profile, const realm::Authority& authority,
                   Seconds now, RealmCheck& check) {
  if (const auto none = realm::obstacle_to_profile(realm, profile, authority, now)) {
    add(check, of_profile(profile, Finding::Error,
                          "found a profile of which " + authority.certificate.subject().to_slash() +
                              " can issue no certificate of use: " + none->what + "; expected that some request gets one (" +
                              none->advice + ")"));
    return;
  }
  if (const auto fixed = realm::obstacle_to_subject(realm, profile, authority, now)) {
    add(check, of_profile(profile, Finding::Warning,
                          "found a subject that no certificate can bear as it stands: " + fixed->what +
                              "; expected one that fits (leave its CN empty, since the request brings it, or change it)"));
  }
}

void check_profiles(const config::RealmConfig& realm, const realm::Authority& authority, Seconds now, RealmCheck& check) {
  for (const auto& [name, profile] : realm.profiles) {
    if (profile.origin != config::Profile(name).origin) check_profile(realm, profile, authority, now, check);
  }
}

}  // namespace

RealmCheck check_realm(const RealmName& name, const base::Path& directory, Seconds now) {
  RealmCheck check;
  std::vector<Finding> findings;
  const auto realm = config::load_realm(name, directory, findings);
  // chanceryd --check has reported what it finds itself; the signer's user may find something else.
  if (realm == nullptr) {
    for (const auto& finding : findings)
      if (finding.severity == Finding::Error) add(check, finding);
    return check;
  }
  if (const auto lists = crypto::open_block_lists(realm->key_block_lists); !lists.ok()) add(check, lists.error());
  const auto key = read_ca_key(*realm);
  if (!key.ok()) {
    add(check, key.error());
    return check;
  }
  const auto authority = read_authority(*realm, key->public_key(), now);
  if (!authority.ok()) add(check, authority.error());
  if (authority.ok() && *authority != nullptr) check_profiles(*realm, **authority, now, check);
  const auto journal = Journal::check(realm->journal_directory(), journal_owner(*realm, key->public_key(), now));
  if (!journal.ok()) add(check, journal.error());
  return check;
}

}  // namespace chancery::signer
