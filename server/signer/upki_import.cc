#include "server/signer/upki_import.h"

#include <algorithm>

#include "server/base/text.h"
#include "server/config/load.h"
#include "server/signer/ca_files.h"
#include "server/signer/journal.h"
#include "server/signer/staging.h"
#include "server/signer/upki_parts.h"
#include "server/signer/upki_source.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxReportBytes = 64 << 20;
constexpr const char* kReport = "upki.json";

base::Path report_file(const base::Path& realm) { return realm / "imported" / kReport; }

/// What an earlier run made of the same directory; nothing when there is no realm yet.
/// @errors Exists: it is made of something else.
Result<std::optional<Json>> earlier_run(const base::Path& target, const UpkiSource& source) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(target, ignored)) || std::filesystem::is_empty(target, ignored))
    return std::optional<Json>();
  const auto text = base::read_file(report_file(target), kMaxReportBytes);
  const auto report = text.ok() ? wire::parse_json(*text) : Result<Json>(text.error());
  if (!report.ok())
    return Error(Code::Exists, target.string() + " is there, and no import made it: it is not touched",
                 "name another realm, or move it away");
  if (report->text("digest") != source.digest)
    return Error(Code::Exists,
                 target.string() + " was made of " + report->text("source") + " as it was then, and " +
                     source.directory.string() + " is not that, or changed since",
                 "the realm is not touched; import into a new one, and stop uPKI first");
  auto answer = *report->find("report");
  answer.set("changed", false);
  return std::optional(std::move(answer));
}

/// uPKI may have been given an encrypted key with the password in its settings; create_realm reads it from a file.
Status find_password(const UpkiSource& source, const Staging& staging, Creation& creation) {
  const auto* password = source.settings.find("password");
  if (!creation.import_passphrase_file.empty() || password == nullptr || password->text.empty()) return {};
  if (password->kind != config::Node::Kind::Scalar) return {};
  PKI_TRY(const auto key, base::read_secret_file(source.key_file, kMaxKeyBytes));
  if (base::as_text(key.view()).find("ENCRYPTED") == std::string_view::npos) return {};
  const auto file = staging.place() / "password";
  PKI_TRY_VOID(base::replace_file(file, base::as_bytes(password->text + "\n"), 0600));
  creation.import_passphrase_file = file.string();
  return {};
}

std::int64_t count(std::size_t number) { return static_cast<std::int64_t>(number); }

/// How many of the entries are so.
template <class Is>
std::int64_t count_if(const UpkiSource& source, Is is) {
  return count(
      static_cast<std::size_t>(std::ranges::count_if(source.certificates, [&](const auto& one) { return is(one.second); })));
}

Json report_of(const Json& made, const UpkiImport& order, const UpkiSource& source, std::size_t keys) {
  return Json::object({{"realm", order.creation.realm},
                       {"directory", order.creation.directory.string()},
                       {"changed", true},
                       {"generation", source.generation},
                       {"ca_key_file", source.key_file.string()},
                       {"subject", made.text("subject")},
                       {"key", made.text("key")},
                       {"not_after", made.text("not_after")},
                       {"odd", Json::strings(source.odd)},
                       {"certificates", count_if(source, [](const auto& one) { return one.certificate.has_value(); })},
                       {"lost", count_if(source, [](const auto& one) { return !one.certificate; })},
                       {"revoked", count_if(source, [](const auto& one) { return one.revocation.has_value(); })},
                       {"admins", count(source.admins.size())},
                       {"profiles", count(source.profiles.size())},
                       {"keys", count(keys)},
                       {"findings", count(source.odd.size())}});
}

/// The next CRL has a higher number than uPKI's and is not older.
Status claim_crl(Journal& journal, const UpkiSource& source, Seconds now) {
  if (!source.crl_number || *source.crl_number == 0) return {};
  return journal.begin_crl({*source.crl_number, std::min(source.crl_update.value_or(now), now), {}, kUpkiImporter, now});
}

Status write_history(const config::RealmConfig& realm, const realm::Authority& authority, UpkiSource& source, Seconds now) {
  const auto owner = journal_owner(realm, authority.certificate.public_key(), now);
  PKI_TRY(const auto journal, Journal::open(realm.journal_directory(), owner));
  PKI_TRY_VOID(claim_crl(*journal, source, now));
  return journal->add_history(imported_certificates(source, realm, authority.certificate.not_after(), now),
                              imported_events(source, now));
}

Result<std::shared_ptr<const config::RealmConfig>> load(const Creation& creation) {
  PKI_TRY(const auto name, RealmName::parse(creation.realm));
  std::vector<config::Finding> findings;
  auto realm = config::load_realm(name, creation.directory, findings);
  if (realm != nullptr) return realm;
  std::string text;
  for (const auto& finding : findings) text += (text.empty() ? "" : "; ") + config::to_line(finding);
  return Error(Code::BadConfig, text);
}

/// The whole realm, where nobody sees it yet.
Result<Json> build(const UpkiImport& order, Creation creation, UpkiSource& source, Seconds now) {
  PKI_TRY(const auto text, base::read_file(source.certificate_file, kMaxChainBytes));
  const auto chain = x509::certificates_from_pem(text, x509::kMaxChain);
  if (!chain.ok()) return chain.error().within(source.certificate_file.string());
  PKI_TRY_VOID(base::make_directories(creation.directory, 0700));
  PKI_TRY_VOID(write_upki_settings(creation, source, chain->front().public_key().spec()));
  PKI_TRY([[maybe_unused]] const auto placed, write_upki_profiles(creation, source));
  PKI_TRY(const auto made, create_realm(creation, now));
  PKI_TRY(const auto realm, load(creation));
  PKI_TRY(const auto authority, accept_chain(text, *realm, chain->front().public_key(), now));
  PKI_TRY([[maybe_unused]] const auto removed, remove_useless_profiles(*realm, authority, source, now));
  PKI_TRY_VOID(write_history(*realm, authority, source, now));
  tell_of_clients_mode(*realm, order.creation.directory / "ca.config.yml", source);
  PKI_TRY(const auto keys, write_upki_keys(*realm, source, authority.certificate.public_key()));
  PKI_TRY_VOID(write_kept(*realm, source));
  const auto report = report_of(made, order, source, keys);
  const auto record = Json::object({{"source", source.directory.string()}, {"digest", source.digest}, {"report", report}});
  PKI_TRY_VOID(base::replace_file(report_file(creation.directory), base::as_bytes(wire::to_pretty_text(record) + "\n"), 0600));
  return report;
}

/// What create_realm gets: the same order, for the place where it is made, in the name of whoever makes it.
Creation aside(const UpkiImport& order, const UpkiSource& source, const Staging& staging) {
  auto creation = order.creation;
  creation.directory = staging.realm();
  creation.from = CaFrom::Import;
  creation.import_key = source.key_file.string();
  creation.import_certificate = source.certificate_file.string();
  creation.owners = {};
  return creation;
}

}  // namespace

Result<Json> import_upki(UpkiImport order, Seconds now) {
  PKI_TRY([[maybe_unused]] const auto name, RealmName::parse(order.creation.realm));
  PKI_TRY_VOID(check_owners(order.creation.owners));
  const auto& target = order.creation.directory;
  PKI_TRY(auto source, read_upki(order.source, order.ca_directory, now));
  PKI_TRY(auto earlier, earlier_run(target, source));
  if (earlier) return std::move(*earlier);
  PKI_TRY_VOID(base::make_directories(target.parent_path(), 0755));
  PKI_TRY_VOID(check_way(target.parent_path(), order.creation.owners));
  PKI_TRY(auto staging, Staging::begin(target));
  auto creation = aside(order, source, staging);
  PKI_TRY_VOID(find_password(source, staging, creation));
  PKI_TRY(auto report, build(order, creation, source, now));
  PKI_TRY_VOID(give_away(staging.realm(), order.creation.owners));
  PKI_TRY_VOID(staging.finish());
  return report;
}

}  // namespace chancery::signer
