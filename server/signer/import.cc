#include "server/signer/import.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/config/load.h"
#include "server/signer/ca_files.h"
#include "server/signer/import_parts.h"
#include "server/signer/journal.h"
#include "server/signer/staging.h"
#include "server/signer/upki_parts.h"

namespace chancery::signer {
namespace {

/// How one kind of source is read, and what only its realm gets.
struct Importer {
  Makes verb;
  Result<ImportSource> (*read)(const ImportOrder&, Seconds);
  Status (*write_settings)(const Creation&, ImportSource&, const x509::Certificate&) = write_plain_settings;
  Guess guess = Guess::ByUsages;
  /// What shows when the realm is made. @param settings_file  where ca.config.yml will be
  void (*look_back)(const config::RealmConfig&, const base::Path& settings_file, ImportSource&) = nullptr;
};
const std::array kImporters{
    Importer{Makes::EasyRsa, read_easy_rsa},
    Importer{Makes::OpensslCa, read_openssl_ca},
    Importer{Makes::OpenxpkiExport, read_openxpki_export},
    Importer{Makes::PemDir, read_pem_dir},
    Importer{Makes::StepCa, read_step_ca},
    Importer{Makes::Upki, read_upki, write_upki_settings, Guess::ByUsagesAndUnit, tell_of_clients_mode},
};
static_assert(kImporters.size() + 1 == kImportKinds.size());  // a ceremony's realm is made already (import_ceremony)

/// One run.
struct Run {
  const ImportKind& kind;
  const Importer& importer;
  const ImportOrder& order;
  Seconds now;

  std::string requester() const { return "import:" + std::string(kind.name); }
};

constexpr std::size_t kMaxReportBytes = 64 << 20;
constexpr std::size_t kMaxTold = 10000;  ///< lines of the report; a file beside it has more

base::Path report_file(const base::Path& realm, const ImportKind& kind) {
  return realm / "imported" / (std::string(kind.name) + ".json");
}

/// What an earlier run made of the same directory; nothing when there is no realm yet.
/// @errors Exists: it is made of something else.
Result<std::optional<Json>> earlier_run(const Run& run, const ImportSource& source) {
  std::error_code ignored;
  const auto& target = run.order.creation.directory;
  if (!std::filesystem::exists(std::filesystem::symlink_status(target, ignored)) || std::filesystem::is_empty(target, ignored))
    return std::optional<Json>();
  const auto text = base::read_file(report_file(target, run.kind), kMaxReportBytes);
  const auto report = text.ok() ? wire::parse_json(*text) : Result<Json>(text.error());
  if (!report.ok())
    return Error(Code::Exists,
                 target.string() + " is there, and no import made it from " + std::string(run.kind.name) + ": it is not touched",
                 "name another realm, or move it away");
  if (report->text("digest") != source.digest)
    return Error(Code::Exists,
                 target.string() + " was made of " + report->text("source") + " as it was then, and " +
                     source.directory.string() + " is not that, or changed since",
                 "the realm is not touched; import into a new one, and stop the old program first");
  auto answer = *report->find("report");
  answer.set("changed", false);
  return std::optional(std::move(answer));
}

/// uPKI may have been given an encrypted key with the password in its settings; create_realm reads it from a file.
Status find_password(const ImportSource& source, const Staging& staging, Creation& creation) {
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

/// How many of the entries are so.
template <class Is>
std::size_t count_if(const ImportSource& source, Is is) {
  return static_cast<std::size_t>(std::ranges::count_if(source.certificates, [&](const auto& one) { return is(one.second); }));
}

void add_counts(Json& report, const ImportSource& source, std::size_t keys, Seconds now) {
  const auto is_expired = [&](const auto& one) { return one.certificate && one.certificate->not_after < now; };
  const auto count = [&](const char* name, auto is) { report.set(name, count_if(source, is)); };
  count("certificates", [](const auto& one) { return one.certificate.has_value(); });
  count("valid", [&](const auto& one) { return one.certificate && !one.revocation && !is_expired(one); });
  count("expired", is_expired);
  count("lost", [](const auto& one) { return !one.certificate; });
  count("revoked", [](const auto& one) { return one.revocation.has_value(); });
  report.set("foreign", source.foreign);
  count("weak", [](const auto& one) { return one.certificate && !one.certificate->weakness.empty(); });
  report.set("admins", source.admins.size());
  report.set("profiles", source.profiles.size());
  report.set("keys", keys);
  report.set("keys_left", source.keys_left);
  report.set("findings", source.odd.size());
}

base::Path findings_file(const base::Path& realm, const ImportKind& kind) {
  return realm / "imported" / (std::string(kind.name) + ".txt");
}

/// A report is read by people and as one JSON text: of very many lines it has the first.
std::vector<std::string> told(const Run& run, const ImportSource& source) {
  if (source.odd.size() <= kMaxTold) return source.odd;
  std::vector<std::string> out(source.odd.begin(), source.odd.begin() + kMaxTold);
  out.push_back("and " + std::to_string(source.odd.size() - kMaxTold) + " more: all are lines of " +
                findings_file(run.order.creation.directory, run.kind).string());
  return out;
}

Status write_findings(const Run& run, const Creation& creation, const ImportSource& source) {
  if (source.odd.size() <= kMaxTold) return {};
  return base::replace_file(findings_file(creation.directory, run.kind), base::as_bytes(base::join(source.odd, "\n") + "\n"),
                            0600);
}

Json report_of(const Json& made, const Run& run, const ImportSource& source, std::size_t keys) {
  auto report = Json::object({{"kind", run.kind.name},
                              {"realm", run.order.creation.realm},
                              {"directory", run.order.creation.directory.string()},
                              {"changed", !run.order.dry_run},
                              {"layout", source.layout},
                              {"ca_key_file", source.key_file.string()},
                              {"subject", made.text("subject")},
                              {"key", made.text("key")},
                              {"not_after", made.text("not_after")},
                              {"next_crl_number", static_cast<std::int64_t>(source.crl_number.value_or(0) + 1)}});
  if (run.order.dry_run) report.set("dry_run", true);
  if (!source.next_serial.empty()) report.set("next_serial", source.next_serial);
  report.set("odd", Json::strings(told(run, source)));
  add_counts(report, source, keys, run.now);
  return report;
}

/// The next CRL has a higher number than the old program's and is not older.
Status claim_crl(Journal& journal, const ImportSource& source, const Run& run) {
  if (!source.crl_number || *source.crl_number == 0) return {};
  const auto update = std::min(source.crl_update.value_or(run.now), run.now);
  return journal.begin_crl({*source.crl_number, update, {}, run.requester(), run.now});
}

Status write_history(const config::RealmConfig& realm, const realm::Authority& authority, ImportSource& source, const Run& run) {
  const auto owner = journal_owner(realm, authority.certificate.public_key(), run.now);
  PKI_TRY(const auto journal, Journal::open(realm.journal_directory(), owner));
  PKI_TRY_VOID(claim_crl(*journal, source, run));
  const Taking taking{realm, run.importer.guess, run.requester(), authority.certificate.not_after(), run.now};
  return journal->add_history(imported_certificates(source, taking), imported_events(source, taking));
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
Result<Json> build(const Run& run, const Creation& creation, ImportSource& source) {
  const auto chain = x509::certificates_from_pem(source.chain_pem, x509::kMaxChain);
  if (!chain.ok()) return chain.error().within(source.certificate_file.string());
  PKI_TRY_VOID(base::make_directories(creation.directory, 0700));
  PKI_TRY_VOID(run.importer.write_settings(creation, source, chain->front()));
  PKI_TRY([[maybe_unused]] const auto placed, write_upki_profiles(creation, source));
  PKI_TRY(const auto made, create_realm(creation, run.now));
  PKI_TRY(const auto realm, load(creation));
  PKI_TRY(const auto authority, accept_chain(source.chain_pem, *realm, chain->front().public_key(), run.now));
  PKI_TRY([[maybe_unused]] const auto removed, remove_useless_profiles(*realm, authority, source, run.now));
  PKI_TRY_VOID(write_history(*realm, authority, source, run));
  if (run.importer.look_back != nullptr) run.importer.look_back(*realm, run.order.creation.directory / "ca.config.yml", source);
  PKI_TRY(const auto keys, write_keys(*realm, source, authority.certificate.public_key()));
  PKI_TRY_VOID(write_kept(*realm, source));
  PKI_TRY_VOID(write_findings(run, creation, source));
  const auto report = report_of(made, run, source, keys);
  const auto record = Json::object({{"source", source.directory.string()}, {"digest", source.digest}, {"report", report}});
  const auto text = wire::to_pretty_text(record) + "\n";
  PKI_TRY_VOID(base::replace_file(report_file(creation.directory, run.kind), base::as_bytes(text), 0600));
  return report;
}

/// What create_realm gets: the same order, for the place where it is made, in the name of whoever makes it.
Result<Creation> aside(const Run& run, const ImportSource& source, const Staging& staging) {
  auto creation = run.order.creation;
  creation.directory = staging.realm();
  creation.from = CaFrom::Import;
  creation.import_key = source.key_file.string();
  creation.import_certificate = (staging.place() / "chain.pem").string();
  creation.owners = {};
  PKI_TRY_VOID(base::replace_file(creation.import_certificate, base::as_bytes(source.chain_pem), 0600));
  if (source.key_pem) {
    creation.import_key = (staging.place() / "key.pem").string();
    PKI_TRY_VOID(base::replace_file(creation.import_key, source.key_pem->view(), 0600));
  }
  PKI_TRY_VOID(find_password(source, staging, creation));
  return creation;
}

std::string doc_of(std::string_view option) {
  return std::string(std::ranges::find(kCreateOptions, option, &CreateOption::name)->doc);
}

/// Advice of create_realm is of its own options.
std::string hint_of(const Error& error) {
  if (error.code() == Code::AuthFailed) return "--ca-passphrase-file names " + doc_of("ca-passphrase-file");
  for (const auto& [made, brought] : {std::pair("import-key", "ca-key"), std::pair("import-certificate", "ca-certificate"),
                                      std::pair("import-passphrase-file", "ca-passphrase-file")}) {
    if (error.hint() == doc_of(made)) return doc_of(brought);
  }
  return error.hint();
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

/// An error names the file of the source, not that of the place aside, and options of this verb.
Error in_words_of(const Error& error, const Staging& staging, const ImportSource& source) {
  auto text = error.message();
  replace_all(text, (staging.place() / "chain.pem").string(), source.certificate_file.string());
  replace_all(text, (staging.place() / "key.pem").string(), source.key_file.string());
  replace_all(text, "--import-passphrase-file", "--ca-passphrase-file");
  replace_all(text, "--import-certificate: ", "");
  replace_all(text, "--import-key: ", "");
  return {error.code(), text, hint_of(error)};
}

Result<Json> make(const Run& run, ImportSource& source) {
  const auto& target = run.order.creation.directory;
  PKI_TRY_VOID(check_way(target.parent_path(), run.order.creation.owners));
  PKI_TRY(auto staging, Staging::begin(target));
  PKI_TRY(const auto creation, aside(run, source, staging));
  auto report = build(run, creation, source);
  if (!report.ok()) return in_words_of(report.error(), staging, source);
  if (run.order.dry_run) return report;
  PKI_TRY_VOID(give_away(staging.realm(), run.order.creation.owners));
  PKI_TRY_VOID(staging.finish());
  return report;
}

}  // namespace

Result<Json> import_ca(const ImportKind& kind, const ImportOrder& order, Seconds now) {
  PKI_TRY([[maybe_unused]] const auto name, RealmName::parse(order.creation.realm));
  PKI_TRY_VOID(check_owners(order.creation.owners));
  const auto* const importer = std::ranges::find(kImporters, kind.verb, &Importer::verb);
  PKI_CHECK(importer != kImporters.end());
  const Run run{kind, *importer, order, now};
  PKI_TRY(auto source, importer->read(order, now));
  PKI_TRY(auto earlier, earlier_run(run, source));
  if (earlier) return std::move(*earlier);
  const auto parent = order.creation.directory.parent_path();
  std::error_code ignored;
  const bool is_new = !std::filesystem::exists(parent, ignored);
  PKI_TRY_VOID(base::make_directories(parent, 0755));
  auto report = make(run, source);
  if (order.dry_run && is_new) std::filesystem::remove(parent, ignored);
  return report;
}

}  // namespace chancery::signer
