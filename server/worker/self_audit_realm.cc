#include <sys/stat.h>

#include <array>
#include <filesystem>

#include "server/base/file.h"
#include "server/worker/self_audit.h"
#include "server/worker/services.h"
#include "server/x509/pem.h"

/// The realm's keys and files.
namespace chancery::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxChain = 1 << 20;

/// What others than the owner may do to a file.
struct FileRule {
  fs::path file;
  mode_t forbidden;
  std::string_view what;
};

void look_at_mode(AuditStep& step, const FileRule& rule) {
  struct stat facts {};
  if (::lstat(rule.file.c_str(), &facts) != 0) return;  // not there, or not for this process to see
  if (S_ISLNK(facts.st_mode)) return step.found(rule.file.string(), "it is a symbolic link");
  if ((facts.st_mode & rule.forbidden) == 0) return;
  constexpr std::array kDigits{'0', '1', '2', '3', '4', '5', '6', '7'};
  std::string mode{'0'};
  for (const int shift : {6, 3, 0}) mode += kDigits.at((facts.st_mode >> shift) & 7U);
  step.found(rule.file.string(), "its mode is " + mode + ": " + std::string(rule.what));
}

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

void look_at_files(AuditStep& step, const config::RealmConfig& realm) {
  for (const auto& secret : {realm.ca_key_file(), fs::path(realm.passphrase_file), realm.database_file()}) {
    if (!secret.empty()) look_at_mode(step, {secret, kOthers, "others may read or write it"});
  }
  for (const auto& trusted : {realm.directory, realm.ca_certificate_file(), realm.crl_file(), realm.directory / "ca.config.yml",
                              realm.directory / "profiles", realm.journal_directory(), realm.ca_directory()}) {
    look_at_mode(step, {trusted, kOthersWrite, "others may write it"});
  }
  std::error_code ignored;
  for (const auto& one : fs::directory_iterator(realm.ca_directory(), ignored)) {
    look_at_mode(step, {one.path() / "ca.key", kOthers, "others may read or write it"});
  }
  for (const auto& one : fs::directory_iterator(realm.service_directory(), ignored)) {
    look_at_mode(step, {one.path() / "key.pem", kOthers, "others may read or write it"});
  }
}

/// The certificate that everybody is given is the one that the signer has the key of.
Status look_at_keys(AuditStep& step, const config::RealmConfig& realm, Seconds now) {
  PKI_TRY(const auto* known, step.session().generations());
  const auto all = *known;
  PKI_TRY(auto* signer, step.session().signer());
  for (const auto& one : all) {
    if (!one.authority || !realm::may_sign_crl(one.state)) continue;
    const auto info = signer->authority(one.label);
    if (!info.ok()) {
      step.found("CA " + one.label, "the signer has it not: " + info.error().message());
      continue;
    }
    if (!info->obstacle.empty()) step.found("CA " + one.label, "its key cannot be used: " + info->obstacle);
    if (!info->fault.empty()) step.found("journal", info->fault);
    const auto held = x509::Certificate::from_pem_chain(info->chain);
    if (!held.ok() || !(held->front() == one.authority->certificate))
      step.found("CA " + one.label, "the signer has another certificate than the one that is given out");
    if (now > one.authority->certificate.not_after())
      step.found("CA " + one.label, "its certificate has expired at " + base::to_rfc3339(one.authority->certificate.not_after()));
  }
  const auto file = base::read_file(realm.ca_certificate_file(), kMaxChain);
  const auto* first = realm::find(all, config::kFirstCa);
  if (!file.ok() || first == nullptr || !first->authority) return {};
  const auto chain = x509::Certificate::from_pem_chain(*file);
  if (!chain.ok() || !(chain->front() == first->authority->certificate))
    step.found(realm.ca_certificate_file().string(), "it is not the certificate of the realm's first CA");
  return {};
}

/// Every record of the journal hangs on the one before it (PROMISES C18).
Status look_at_chain(AuditStep& step) {
  PKI_TRY(auto* signer, step.session().signer());
  const auto whole = signer->audit_verify();
  if (!whole.ok() && whole.error().code() == Code::Corrupt) {
    step.found("journal", whole.error().message());
    return {};
  }
  return whole;
}

}  // namespace

Result<std::string> audit_realm_files(AuditStep& step, const std::string& cursor) {
  const auto& realm = step.session().realm();
  if (cursor == "chain") {
    PKI_TRY_VOID(look_at_chain(step));
    return std::string();
  }
  look_at_files(step, realm);
  PKI_TRY_VOID(look_at_keys(step, realm, step.session().clock().now()));
  PKI_TRY(const auto missing, missing_services(step.session()));
  for (const auto& one : missing) step.found("services", one);
  return std::string("chain");
}

}  // namespace chancery::worker
