#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "server/base/text.h"
#include "server/config/load.h"
#include "server/crypto/digest.h"
#include "server/signer/ca_files.h"
#include "server/signer/ceremony.h"
#include "server/signer/create_options.h"
#include "server/signer/generations.h"
#include "server/signer/journal.h"
#include "server/signer/signing_key.h"
#include "server/signer/staging.h"
#include "server/signer/transcript.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxTranscript = 4U << 20U;
constexpr std::size_t kMaxFileBytes = 16U << 20U;
constexpr const char* kReport = "imported/ceremony.json";

/// The transcript that people signed, and nothing else. @errors BadProof.
Result<ReadTranscript> read_transcript(const base::Path& source, const std::string& wanted) {
  if (wanted.empty())
    return Error(Code::InvalidParams,
                 "found no --transcript, expected the SHA-256 that the ceremony printed and its people signed");
  PKI_TRY(const auto text, base::read_file(source / kTranscriptFile, kMaxTranscript));
  const auto found = crypto::sha256_hex(base::as_bytes(text));
  if (found == wanted) return parse_transcript(text);
  return of_option(Error(Code::BadProof, (source / kTranscriptFile).string() + " has SHA-256 " + found + ", expected " +
                                             base::printable(wanted, 80)),
                   "transcript");
}

/// The realm's part of the list. @errors NotFound.
Result<std::vector<ListedFile>> files_of(const ReadTranscript& transcript, const std::string& realm) {
  std::vector<ListedFile> files;
  std::string others;
  for (const auto& file : transcript.files) {
    const auto slash = file.path.find('/');
    if (file.path.starts_with(realm + "/")) files.push_back(file);
    if (file.path.ends_with("/ca.key") && slash + 7 == file.path.size())
      others += (others.empty() ? "" : ", ") + file.path.substr(0, slash);
  }
  if (!files.empty()) return files;
  return Error(Code::NotFound, "the ceremony made no realm " + realm + ", expected one of " + others,
               "--name says which one is taken over");
}

/// What is copied is what was looked at, also when somebody changes it meanwhile.
Status copy(const base::Path& source, const std::vector<ListedFile>& files, const std::string& realm, const base::Path& target) {
  for (const auto* part : {"", "cas", "db", "journal", "nodes", "profiles", "imported"})
    PKI_TRY_VOID(base::make_directories(target / part, 0700));
  for (const auto& file : files) {
    PKI_TRY(const auto text, base::read_file(source / file.path, kMaxFileBytes));
    if (crypto::sha256_hex(base::as_bytes(text)) != file.sha256)
      return Error(Code::BadProof, file.path + " changes while it is read");
    const auto place = target / file.path.substr(realm.size() + 1);
    PKI_TRY_VOID(base::make_directories(place.parent_path(), 0700));
    PKI_TRY_VOID(base::replace_file(place, base::as_bytes(text), static_cast<mode_t>(file.mode)));
  }
  return {};
}

Result<std::shared_ptr<const config::RealmConfig>> load(const Creation& creation, const base::Path& directory) {
  PKI_TRY(const auto name, RealmName::parse(creation.realm));
  std::vector<config::Finding> findings;
  auto realm = config::load_realm(name, directory, findings);
  if (realm != nullptr) return realm;
  std::string text;
  for (const auto& finding : findings) text += (text.empty() ? "" : "; ") + config::to_line(finding);
  return Error(Code::BadConfig, text);
}

/// The realm's further CAs: each has the key that the journal says, and a certificate that fits it.
/// @errors BadConfig: one has not.
Result<Json> further_cas(const config::RealmConfig& realm, Seconds now) {
  auto cas = Json::array();
  PKI_TRY(const auto generations, Journal::generations_in(realm.journal_directory()));
  for (const auto& [label, facts] : generations) {
    if (label == config::kFirstCa) continue;
    const auto place = place_of(realm, label);
    PKI_TRY(const auto key, public_half(place));
    if (key.spki_sha256_hex() != facts.key_sha256)
      return Error(Code::BadConfig, place.ca_certificate_file().string() + " is for another key than the journal says, " +
                                        facts.key_sha256 + ", expected the certificate that the ceremony made");
    PKI_TRY(const auto authority, read_authority(place, key, now));
    if (authority == nullptr) return Error(Code::BadConfig, "CA " + label + " of the ceremony has no certificate");
    cas.push_back(Json::object({{"ca", label},
                                {"state", realm::to_text(facts.state)},
                                {"subject", authority->certificate.subject().to_slash()},
                                {"not_after", base::to_rfc3339(authority->certificate.not_after())},
                                {"fingerprint", authority->certificate.fingerprint_hex()}}));
  }
  return cas;
}

/// The last record of the ceremony in the realm's own audit stream: from which transcript it came.
Status record_origin(const config::RealmConfig& realm, const Json& report, Seconds now) {
  PKI_TRY(const auto key, public_half(realm));
  PKI_TRY(const auto journal, Journal::open(realm.journal_directory(), journal_owner(realm, key, now)));
  AuditEvent event;
  event.what = "ceremony.import";
  event.phase = "end";
  event.requester = "import:ceremony";
  event.about = wire::to_text(Json::object({{"transcript", report.text("transcript")}, {"plan", report.text("plan")}}));
  event.outcome = "ok";
  event.at = now;
  return journal->record(event);
}

/// What an earlier import of the same transcript made. @errors Exists: it is made of something else.
Result<std::optional<Json>> earlier_run(const ImportOrder& order, const std::string& transcript) {
  const auto& target = order.creation.directory;
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(target, ignored)) || std::filesystem::is_empty(target, ignored))
    return std::optional<Json>();
  const auto text = base::read_file(target / kReport, kMaxTranscript);
  auto report = text.ok() ? wire::parse_json(*text) : Result<Json>(text.error());
  if (report.ok() && report->text("transcript") == transcript) return std::optional(report->set("changed", false));
  return Error(Code::Exists, target.string() + " is there, and no import made it from this ceremony: it is not touched",
               "move it away first");
}

Result<Json> take_over(const ImportOrder& order, const ReadTranscript& transcript, const std::vector<ListedFile>& files,
                       const std::string& sha256, const Staging& staging, Seconds now) {
  const auto& creation = order.creation;
  PKI_TRY_VOID(copy(order.source, files, creation.realm, staging.realm()));
  PKI_TRY(const auto realm, load(creation, staging.realm()));
  PKI_TRY(const auto key, public_half(*realm));
  PKI_TRY(const auto authority, read_authority(*realm, key, now));
  if (authority == nullptr) return Error(Code::BadConfig, "realm " + creation.realm + " of the ceremony has no certificate");
  auto report = Json::object({{"kind", "ceremony"},
                              {"realm", creation.realm},
                              {"directory", creation.directory.string()},
                              {"changed", !order.dry_run},
                              {"transcript", sha256},
                              {"plan", transcript.plan_sha256},
                              {"files", files.size()},
                              {"subject", authority->certificate.subject().to_slash()},
                              {"not_after", base::to_rfc3339(authority->certificate.not_after())}});
  PKI_TRY(auto cas, further_cas(*realm, now));
  if (!cas.as_array()->empty()) report.set("cas", std::move(cas));
  if (order.dry_run) report.set("dry_run", true);
  PKI_TRY_VOID(record_origin(*realm, report, now));
  PKI_TRY_VOID(base::replace_file(staging.realm() / kReport, base::as_bytes(wire::to_pretty_text(report) + "\n"), 0600));
  return report;
}

}  // namespace

Result<Json> import_ceremony(const ImportOrder& order, const std::string& transcript_sha256, Seconds now) {
  const auto& creation = order.creation;
  PKI_TRY([[maybe_unused]] const auto name, RealmName::parse(creation.realm));
  if (creation.realm == kSharesDirectory)
    return Error(Code::InvalidParams,
                 "found realm " + creation.realm + ", where a ceremony puts its shares, expected one of its CAs");
  PKI_TRY_VOID(check_owners(creation.owners));
  PKI_TRY(const auto transcript, read_transcript(order.source, transcript_sha256));
  PKI_TRY(const auto files, files_of(transcript, creation.realm));
  PKI_TRY(const auto found, list_files(order.source));
  PKI_TRY_VOID(check_files(transcript.files, found, creation.realm));
  PKI_TRY(auto earlier, earlier_run(order, transcript_sha256));
  if (earlier) return std::move(*earlier);
  const auto parent = creation.directory.parent_path();
  PKI_TRY_VOID(base::make_directories(parent, 0755));
  PKI_TRY_VOID(check_way(parent, creation.owners));
  PKI_TRY(auto staging, Staging::begin(creation.directory));
  PKI_TRY(auto report, take_over(order, transcript, files, transcript_sha256, staging, now));
  if (order.dry_run) return report;
  PKI_TRY_VOID(give_away(staging.realm(), creation.owners));
  PKI_TRY_VOID(staging.finish());
  return report;
}

}  // namespace chancery::signer
