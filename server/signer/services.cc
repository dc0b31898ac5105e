#include "server/signer/services.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "server/base/fd.h"
#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/signer/ca_files.h"
#include "server/signer/service_messages.h"
#include "server/x509/pem.h"

namespace chancery::signer {
namespace {

constexpr const char* kKeyFile = "key.pem";
constexpr const char* kCertificateFile = "cert.pem";
constexpr std::size_t kMaxFileBytes = 65536;

/// What certificates of a purpose say.
struct PurposeRow {
  std::string_view purpose;
  std::vector<std::string> key_usage;
  std::vector<std::string> extended_key_usage;
  bool ocsp_no_check;
  const char* usual_key;  ///< null: as the realm's
};
const std::array<PurposeRow, 2>& purposes() {
  static const std::array<PurposeRow, 2> kRows{{
      {"ocsp", {"digitalSignature"}, {"OCSPSigning"}, true, nullptr},          // RFC 6960 4.2.2.2
      {"ra", {"digitalSignature", "keyEncipherment"}, {}, false, "rsa:3072"},  // RFC 8894 2.1.2, 3.1
  }};
  return kRows;
}

const PurposeRow* row_of(std::string_view purpose) {
  const auto* const found = std::ranges::find(purposes(), purpose, &PurposeRow::purpose);
  return found == purposes().end() ? nullptr : found;
}

/// Nobody is asked to open these keys: what people or a token guard are the CAs'. They are encrypted where a file or credential
/// opens the realm's keys, and else in the clear, for the signer's eyes alone.
Result<std::optional<SecretBytes>> passphrase_of(const config::RealmConfig& realm) {
  const bool has_one = !realm.passphrase_file.empty() || !realm.passphrase_credential.empty();
  if (realm.key_unencrypted || realm.keys.secret.from_people() || realm.keys.in_token() || !has_one)
    return std::optional<SecretBytes>();
  return read_passphrase(realm);
}

Result<std::shared_ptr<const crypto::PrivateKey>> read_key(const config::RealmConfig& realm, const std::string& label) {
  PKI_TRY(const auto passphrase, passphrase_of(realm));
  PKI_TRY(auto key, open_ca_key(service_directory(realm, label) / kKeyFile, passphrase ? &*passphrase : nullptr));
  return std::make_shared<const crypto::PrivateKey>(std::move(key));
}

Status write_key(const config::RealmConfig& realm, const std::string& label, const crypto::PrivateKey& key) {
  PKI_TRY(const auto passphrase, passphrase_of(realm));
  const auto directory = service_directory(realm, label);
  PKI_TRY_VOID(base::make_directories(directory, 0700));
  if (passphrase) {
    PKI_TRY(const auto pem, key.to_encrypted_pem(*passphrase));
    PKI_TRY_VOID(base::replace_file(directory / kKeyFile, base::as_bytes(pem), 0600));
  } else {
    PKI_TRY_VOID(base::replace_file(directory / kKeyFile, key.to_pem().view(), 0600));
  }
  PKI_TRY_VOID(base::sync_directory(realm.service_directory()));
  return base::sync_directory(realm.directory);
}

/// The keys that there are on the disk, with a certificate or not.
std::vector<realm::Label> labels_in(const config::RealmConfig& realm) {
  std::vector<realm::Label> out;
  std::error_code failure;
  for (std::filesystem::directory_iterator it(realm.service_directory(), failure), end; !failure && it != end;
       it.increment(failure)) {
    const auto label = realm::parse_label(it->path().filename().string());
    if (label.ok()) out.push_back(*label);
  }
  return out;
}

bool has_file(const config::RealmConfig& realm, const realm::Label& label, const char* file) {
  std::error_code ignored;
  return std::filesystem::exists(service_directory(realm, label.text()) / file, ignored);
}

/// What the journal has of that certificate. @errors BadConfig: nothing, or it is no service's.
Result<Intent> intent_of(const Journal& journal, const x509::Certificate& certificate) {
  PKI_TRY(const auto entry, journal.signed_entry(certificate.serial()));
  const bool is_its = entry && !entry->imported && entry->intent.rule == kServiceRule &&
                      std::ranges::equal(entry->intent.tbs, certificate.tbs()) && row_of(entry->intent.profile) != nullptr;
  if (is_its) return entry->intent;
  return Error(Code::BadConfig, "the certificate is none that the journal has of a service",
               "restore the directory and the journal from one backup");
}

/// Two thirds of its life are over. It did not live before it was made, whatever its beginning says.
bool is_due(const x509::Certificate& certificate, std::chrono::seconds backdate, Seconds now) {
  const auto begin = std::min(certificate.not_before() + backdate, certificate.not_after());
  return now >= begin + (certificate.not_after() - begin) * 2 / 3;
}

/// Until when a generation's services are needed; none: not at all.
std::optional<Seconds> needed_until(const std::string& label, const Held& held, const Journal& journal, bool is_responder,
                                    Seconds now) {
  if (held.key == nullptr || held.authority == nullptr) return std::nullopt;
  const auto& certificate = held.authority->certificate;
  auto until = certificate.not_after();
  if (held.state == realm::GenerationState::Draining && is_responder)
    until = std::min(until, journal.last_end(label).value_or(Seconds{}));  // the responder's own never goes beyond it
  else if (held.state != realm::GenerationState::Active)
    return std::nullopt;
  return now >= certificate.not_before() && now < until ? std::optional(until) : std::nullopt;
}

}  // namespace

config::Profile service_profile(const std::string& purpose) {
  const auto* const row = row_of(purpose);
  PKI_CHECK(row != nullptr);
  config::Profile profile(ProfileName::parse(purpose).value());
  profile.key_usage = row->key_usage;
  profile.extended_key_usage = row->extended_key_usage;
  profile.ocsp_no_check = row->ocsp_no_check;
  return profile;
}

x509::LintContext service_lint(const std::string& purpose, const realm::Authority& authority, std::chrono::seconds most) {
  const auto profile = service_profile(purpose);
  return {.issuer = authority.certificate,
          .above = authority.above,
          .max_validity = most,
          .key_usage = profile.key_usage,
          .extended_key_usage = profile.extended_key_usage,
          .ocsp_no_check = profile.ocsp_no_check};
}

Result<base::KeySpec> key_of_service(const config::RealmConfig& realm, const config::CaConfig& row) {
  if (!row.key.empty()) return base::parse_key_spec(row.key);
  const auto* const usual = row_of(row.purpose)->usual_key;
  return usual == nullptr ? Result<base::KeySpec>(realm.key) : base::parse_key_spec(usual);
}

base::Path service_directory(const config::RealmConfig& realm, const std::string& label) {
  return realm.service_directory() / label;
}

Result<HeldService> read_service(const config::RealmConfig& realm, const Journal& journal, const realm::Label& label) {
  const auto text = label.text();
  PKI_TRY(const auto pem, base::read_file(service_directory(realm, text) / kCertificateFile, kMaxFileBytes));
  PKI_TRY(auto certificate, x509::Certificate::from_pem(pem));
  PKI_TRY(const auto intent, intent_of(journal, certificate));
  PKI_TRY(auto key, read_key(realm, text));
  if (!(key->public_key() == certificate.public_key()))
    return Error(Code::BadConfig, "the key is another than the certificate's");
  return HeldService{label, intent.profile, intent.ca, intent.requester, intent.at, std::move(certificate), std::move(key)};
}

Services read_services(const config::RealmConfig& realm, const Journal& journal) {
  Services out;
  for (const auto& label : labels_in(realm)) {
    if (!has_file(realm, label, kCertificateFile)) continue;  // taken up by begin_service
    auto service = read_service(realm, journal, label);
    const auto directory = service_directory(realm, label.text()).string();
    if (!service.ok())
      base::log_error("service " + label.text() + " is left out: " + directory + ": " + service.error().message());
    if (service.ok()) out.insert_or_assign(label.text(), std::move(service).value());
  }
  return out;
}

Result<BegunService> begin_service(const config::RealmConfig& realm, const ServiceNeed& need) {
  int last = 0;
  for (const auto& label : labels_in(realm)) {
    if (label.name != need.name) continue;
    last = std::max(last, label.number);
    if (has_file(realm, label, kCertificateFile) || !has_file(realm, label, kKeyFile)) continue;
    auto key = read_key(realm, label.text());
    if (key.ok()) return BegunService{label, std::move(key).value()};
  }
  const realm::Label next{need.name, last + 1};
  PKI_TRY(const auto spec, key_of_service(realm, *need.row));
  PKI_TRY(auto made, crypto::PrivateKey::generate(spec));
  PKI_TRY_VOID(crypto::check_public_key(made.public_key()));
  PKI_TRY_VOID(write_key(realm, next.text(), made));
  return BegunService{next, std::make_shared<const crypto::PrivateKey>(std::move(made))};
}

Status write_service_certificate(const config::RealmConfig& realm, const realm::Label& label,
                                 const x509::Certificate& certificate) {
  return base::replace_file(service_directory(realm, label.text()) / kCertificateFile, base::as_bytes(certificate.pem()), 0644);
}

Status destroy_service(const config::RealmConfig& realm, const std::string& label) {
  const auto directory = service_directory(realm, label);
  for (const auto& file : {directory / kKeyFile, directory / kCertificateFile}) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return base::io_error(file.string(), errno);
  }
  // By the one call that the signer is left with for it (confine.cc).
  if (::unlinkat(AT_FDCWD, directory.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    return base::io_error(directory.string(), errno);
  return base::sync_directory(realm.service_directory());
}

Result<x509::Name> subject_of_service(const config::RealmConfig& realm, const ServiceNeed& need) {
  if (!need.row->subject.empty()) return x509::Name::parse_any(need.row->subject);
  x509::Name name;
  if (const auto company = company_of(realm); !company.empty()) name.attributes.push_back({"O", company});
  name.attributes.push_back({"CN", realm.name.text() + " " + need.name});
  PKI_TRY_VOID(name.check());
  return name;
}

bool is_in_force(const HeldService& service, const Journal& journal, Seconds now) {
  const auto& certificate = service.certificate;
  return now >= certificate.not_before() && now < certificate.not_after() && !journal.is_revoked(certificate.serial());
}

const HeldService* newest_service(const Services& all, std::string_view name, std::string_view purpose, std::string_view ca,
                                  const Journal& journal, Seconds now) {
  const HeldService* found = nullptr;
  for (const auto& [text, one] : all) {
    if (one.label.name != name || one.purpose != purpose || (!ca.empty() && one.ca != ca)) continue;
    if (!is_in_force(one, journal, now)) continue;
    if (found == nullptr || one.label.number > found->label.number) found = &one;
  }
  return found;
}

std::vector<ServiceNeed> service_needs(const config::RealmConfig& realm, const Generations& generations, const Services& services,
                                       const Journal& journal, Seconds now) {
  std::vector<ServiceNeed> out;
  for (const auto& [name, row] : realm.cas) {
    if (!row.is_service()) continue;
    const auto issuer = row.issuer.empty() ? std::string(config::kFirstCa) : row.issuer;
    std::map<int, ServiceNeed> of_issuer;  // by the generation's number
    for (const auto& [text, held] : generations) {
      const auto label = realm::parse_label(text).value();
      const auto until = label.name == issuer ? needed_until(text, held, journal, row.is_responder(), now) : std::nullopt;
      if (!until) continue;
      const auto begin = std::max(now - realm.backdate, held.authority->certificate.not_before());
      of_issuer[label.number] = {name,  &row,  text,
                                 &held, begin, std::min(begin + row.validity - std::chrono::seconds{1}, *until)};
    }
    // Whoever certifies the RA's next key is whoever issues; a responder answers for each generation by itself (RFC
    // 6960 4.2.2.2).
    if (!row.is_responder() && of_issuer.size() > 1) of_issuer.erase(of_issuer.begin(), std::prev(of_issuer.end()));
    for (auto& [number, need] : of_issuer) {
      const auto* const present = newest_service(services, name, row.purpose, need.ca, journal, now);
      const bool is_wanted = present == nullptr || (is_due(present->certificate, realm.backdate, now) &&
                                                    need.not_after > present->certificate.not_after());
      if (is_wanted) out.push_back(std::move(need));
    }
  }
  return out;
}

}  // namespace chancery::signer
