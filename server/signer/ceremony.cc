#include "server/signer/ceremony.h"

#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "server/base/text.h"
#include "server/base/user.h"
#include "server/config/load.h"
#include "server/crypto/digest.h"
#include "server/crypto/share_files.h"
#include "server/signer/ca_files.h"
#include "server/signer/ceremony_cas.h"
#include "server/signer/create.h"
#include "server/signer/issuer.h"
#include "server/signer/staging.h"
#include "server/signer/transcript.h"
#include "server/x509/csr.h"
#include "server/x509/pem.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxTranscript = 4U << 20U;
constexpr const char* kRequester = "ceremony";

std::string list_line(std::string_view name, const std::vector<std::string>& items) {
  return items.empty() ? std::string() : std::string(name) + ": " + wire::to_text(Json::strings(items)) + "\n";
}

Result<std::shared_ptr<const config::RealmConfig>> load(const std::string& name, const base::Path& directory) {
  PKI_TRY(const auto realm, RealmName::parse(name));
  std::vector<config::Finding> findings;
  auto loaded = config::load_realm(realm, directory, findings);
  if (loaded != nullptr) return loaded;
  std::string text;
  for (const auto& finding : findings) text += (text.empty() ? "" : "; ") + config::to_line(finding);
  return Error(Code::BadConfig, text);
}

/// A CA, as the transcript and the answer name it.
struct Named {
  std::string realm;
  std::string label;  ///< of its generation
  std::string by;     ///< who certified it

  std::string text() const { return "realm " + realm + (label == config::kFirstCa ? "" : ", CA " + label); }
};

/// What the root is asked to certify.
struct Subordinate {
  std::string request;  ///< PEM
  std::string subject;  ///< slash DN
  std::string profile;
  int days = 0;
  std::string once;  ///< what it is, so that it is certified once
};

/// One ceremony, in the place where it is made.
class Ceremony {
 public:
  Ceremony(const CeremonyPlan& plan, base::Path place, const base::Clock& clock)
      : plan_(plan), place_(std::move(place)), clock_(clock) {}

  /// @return the SHA-256 of the transcript
  Result<std::string> hold() {
    PKI_TRY_VOID(begin());
    PKI_TRY_VOID(make(plan_.root, CaFrom::SelfSigned));
    PKI_TRY_VOID(write_profiles());
    for (const auto& ca : plan_.issuing) {
      PKI_TRY_VOID(make(ca, CaFrom::Request));
    }
    PKI_TRY_VOID(sign_all());
    return finish();
  }
  const Json& cas() const { return cas_; }
  const Json& services() const { return services_; }

 private:
  base::Path directory_of(const PlannedCa& ca) const { return place_ / ca.realm; }
  base::Path shares() const { return place_ / kSharesDirectory; }
  void note(const std::string& what) { transcript_.act(clock_.now(), what); }

  Status begin() {
    PKI_TRY_VOID(base::make_directories(place_, 0700));
    PKI_TRY_VOID(base::replace_file(place_ / kPlanFile, base::as_bytes(plan_.text), 0644));
    utsname machine{};
    ::uname(&machine);
    transcript_.head("title", plan_.title);
    transcript_.head("plan", "SHA-256 " + plan_.sha256);
    transcript_.head("program", std::string("chancery-signer ") + CHANCERY_VERSION + ", " + OpenSSL_version(OPENSSL_VERSION));
    transcript_.head("machine",
                     std::string(machine.nodename) + ", " + machine.sysname + " " + machine.release + " " + machine.machine);
    transcript_.head("operator", base::user_name(::getuid()) + " (uid " + std::to_string(::getuid()) + ")");
    for (const auto& person : plan_.people) transcript_.head("present", person);
    transcript_.head("directory", plan_.directory);
    note("begun");
    return {};
  }

  Creation creation_of(const PlannedCa& ca, CaFrom from) const {
    Creation creation{.realm = ca.realm, .directory = directory_of(ca)};
    creation.key = base::parse_key_spec(ca.key).value();  // the plan was checked
    creation.subject = ca.subject;
    creation.company = ca.company;
    creation.domain = ca.domain;
    creation.passphrase_file = ca.passphrase_file;
    creation.unencrypted = ca.unencrypted;
    creation.shares = ca.shares;
    creation.threshold = ca.threshold;
    if (ca.shares != 0) creation.shares_directory = shares().string();
    if (from == CaFrom::SelfSigned) {
      creation.days = ca.days;
      creation.path_length = ca.path_length;
    }
    creation.from = from;
    return creation;
  }

  /// ca.config.yml is made by create_realm; what the plan says of URLs is added, since certificates will have them, and of CRLs.
  Status add_settings(const PlannedCa& ca) const {
    auto more = list_line("crl_urls", ca.crl_urls) + list_line("ca_issuer_urls", ca.ca_issuer_urls);
    if (ca.crl_days) more += "crl_validity: " + std::to_string(*ca.crl_days) + "d\n";
    more += settings_of_cas(ca);
    if (more.empty()) return {};
    const auto file = directory_of(ca) / "ca.config.yml";
    PKI_TRY(const auto text, base::read_file(file, kMaxTranscript));
    return base::replace_file(file, base::as_bytes(text + more), 0640);
  }

  /// Key, then certificate or request, by what makes every realm.
  Status make(const PlannedCa& ca, CaFrom from) {
    PKI_TRY([[maybe_unused]] const auto made, create_realm(creation_of(ca, from), clock_.now()));
    PKI_TRY_VOID(add_settings(ca));
    PKI_TRY(const auto realm, load(ca.realm, directory_of(ca)));
    PKI_TRY(const auto key, public_half(*realm));
    note("realm " + ca.realm + ": made a key, " + base::to_text(key.spec()) + ", kept " + keeping_of(ca) +
         "; SHA-256 of the public key " + key.spki_sha256_hex());
    if (from == CaFrom::SelfSigned) return note_certificate({ca.realm, config::kFirstCa, "itself"}, *realm);
    note("realm " + ca.realm + ": made its request");
    return {};
  }

  Status note_certificate(const Named& whose, const config::RealmConfig& realm) {
    const auto place = place_of(realm, whose.label);
    PKI_TRY(const auto key, public_half(place));
    PKI_TRY(const auto authority, read_authority(place, key, clock_.now()));
    const auto& certificate = authority->certificate;
    note(whose.text() + ": certificate of " + certificate.subject().to_slash() + ", serial " + certificate.serial().hex() +
         ", by " + whose.by + ", valid from " + base::to_rfc3339(certificate.not_before()) + " to " +
         base::to_rfc3339(certificate.not_after()) + "; SHA-256 " + certificate.fingerprint_hex());
    cas_.push_back(Json::object({{"realm", whose.realm},
                                 {"ca", whose.label},
                                 {"subject", certificate.subject().to_slash()},
                                 {"not_after", base::to_rfc3339(certificate.not_after())},
                                 {"fingerprint", certificate.fingerprint_hex()},
                                 {"public_key", key.spki_sha256_hex()}}));
    return {};
  }

  /// What each CA below the root is certified by, a profile of the root's realm: the signer makes certificates by nothing else.
  Status write_profiles() {
    for (const auto& ca : plan_.issuing) {
      PKI_TRY_VOID(write_profile(profile_of(ca), "realm " + ca.realm, ca.days, ca.path_length));
      for (const auto& one : ca.cas) {
        if (!one.is_below_root()) continue;
        PKI_TRY_VOID(write_profile(profile_of(ca, one), "CA " + one.name + " of realm " + ca.realm, one.days, one.path_length));
      }
    }
    return {};
  }

  Status write_profile(const std::string& name, const std::string& whose, int days, const std::optional<int>& path_length) {
    std::string text =
        "# What " + whose +
        " was certified by.\nsubject: [{CN: \"\"}]\nsubject_from: request\nduration: " + std::to_string(days) +
        "\naltnames: false\nkeyUsage: [keyCertSign, cRLSign]\ncertType: sslCA\nca: true\nleast_role: ca-operator\n";
    if (path_length) text += "pathLen: " + std::to_string(*path_length) + "\n";
    return base::replace_file(directory_of(plan_.root) / "profiles" / (name + ".yml"), base::as_bytes(text), 0644);
  }

  /// A realm whose keys people open is opened by the shares that it was just given, before they go to those people.
  Status open(Issuer& issuer, const PlannedCa& ca) {
    if (ca.shares == 0) return {};
    PKI_TRY(const auto left, crypto::read_share_files(shares(), ca.realm));
    for (int i = 0; i < ca.threshold; ++i) {
      const auto& share = left.at(static_cast<std::size_t>(i));
      SecretEntry entry{crypto::share_text(share), std::string(kRequester) + ":" + std::to_string(share.index)};
      PKI_TRY([[maybe_unused]] const auto status, issuer.enter_secret(entry, clock_.now()));
    }
    note("realm " + ca.realm + ": its key is opened by " + std::to_string(ca.threshold) + " shares");
    return {};
  }

  /// What the root signs, once people have opened it: every certificate below it, and its first CRL, which lists none of them.
  Status sign_all() {
    PKI_TRY(const auto realm, load(plan_.root.realm, directory_of(plan_.root)));
    PKI_TRY(const auto root, Issuer::open(realm, clock_.now()));
    PKI_TRY_VOID(open(*root, plan_.root));
    for (const auto& ca : plan_.issuing) PKI_TRY_VOID(sign_realm(*root, *realm, ca));
    PKI_TRY_VOID(make_services(*root, plan_.root));
    PKI_TRY_VOID(make_crl(*root, *realm));
    return root->verify_journal();
  }

  /// The certificate of a realm's first CA, and everything else that the realm is to have.
  Status sign_realm(Issuer& root, const config::RealmConfig& root_realm, const PlannedCa& ca) {
    PKI_TRY(const auto pem, base::read_file(directory_of(ca) / "ca.csr", kMaxChainBytes));
    PKI_TRY(const auto chain, certify(root, root_realm, {pem, ca.subject, profile_of(ca), ca.days, ca.realm}));
    PKI_TRY(const auto realm, load(ca.realm, directory_of(ca)));
    PKI_TRY(const auto issuer, Issuer::open(realm, clock_.now()));
    PKI_TRY_VOID(issuer->import_certificate(chain, clock_.now()));
    PKI_TRY_VOID(note_certificate({ca.realm, config::kFirstCa, plan_.root.realm}, *realm));
    if (ca.cas.empty()) return {};
    PKI_TRY_VOID(open(*issuer, ca));
    for (const auto& one : ca.cas) {
      if (one.row.is_service()) continue;
      PKI_TRY_VOID(make_further(*issuer, ca, one));
      if (one.is_below_root()) PKI_TRY_VOID(certify_further(root, root_realm, *issuer, ca, one));
      PKI_TRY_VOID(issuer->set_generation(one.label(), std::string(realm::to_text(realm::GenerationState::Active)), kRequester,
                                          clock_.now()));
      const auto by = one.is_below_root() ? plan_.root.realm : "CA " + one.row.issuer;
      PKI_TRY_VOID(note_certificate({ca.realm, one.label(), by}, *realm));
    }
    PKI_TRY_VOID(make_services(*issuer, ca));
    return issuer->verify_journal();
  }

  /// The key of a further CA, and its request, or its certificate where a CA of the realm makes that.
  Status make_further(Issuer& issuer, const PlannedCa& ca, const FurtherCa& one) {
    const NewGeneration wanted{one.label(), one.is_below_root() ? "request" : "root", kRequester};
    const CaTerms terms{std::chrono::days{one.days}, one.path_length};
    PKI_TRY_VOID(issuer.create_generation(wanted, clock_.now(), terms));
    PKI_TRY(const auto realm, load(ca.realm, directory_of(ca)));
    PKI_TRY(const auto key, public_half(place_of(*realm, one.label())));
    note(Named{ca.realm, one.label(), {}}.text() + ": made a key, " + base::to_text(key.spec()) +
         ", kept as the realm's; SHA-256 of the public key " + key.spki_sha256_hex());
    return {};
  }

  Status certify_further(Issuer& root, const config::RealmConfig& root_realm, Issuer& issuer, const PlannedCa& ca,
                         const FurtherCa& one) {
    const auto all = issuer.generations();
    const auto found = std::ranges::find(all, one.label(), &GenerationInfo::ca);
    PKI_CHECK(found != all.end());
    const Subordinate wanted{found->request, one.row.subject, profile_of(ca, one), one.days, ca.realm + " " + one.label()};
    PKI_TRY(const auto chain, certify(root, root_realm, wanted));
    return issuer.import_certificate(chain, clock_.now(), one.label());
  }

  Status make_services(Issuer& issuer, const PlannedCa& ca) {
    PKI_TRY_VOID(issuer.renew_services(kRequester, clock_.now()));
    for (const auto& one : issuer.services(clock_.now())) {
      PKI_TRY(const auto certificate, x509::Certificate::from_pem(one.certificate));
      note("realm " + ca.realm + ", service " + one.label + ": made a key and its certificate, serial " +
           certificate.serial().hex() + ", by CA " + one.ca + ", valid to " + base::to_rfc3339(certificate.not_after()) +
           "; SHA-256 " + certificate.fingerprint_hex());
      services_.push_back(Json::object({{"realm", ca.realm},
                                        {"service", one.label},
                                        {"purpose", one.purpose},
                                        {"ca", one.ca},
                                        {"not_after", base::to_rfc3339(certificate.not_after())},
                                        {"fingerprint", certificate.fingerprint_hex()}}));
    }
    return {};
  }

  Status make_crl(Issuer& root, const config::RealmConfig& realm) {
    const auto now = clock_.now();
    const CrlRequest request{.number = 1,
                             .this_update = now,
                             .next_update = now + realm.crl_validity,
                             .entries = {},
                             .requester = kRequester,
                             .ca = config::kFirstCa};
    PKI_TRY(const auto made, root.sign_crl(request, now));
    PKI_TRY_VOID(root.publish_crl(made.crl));
    note("realm " + plan_.root.realm + ": made CRL 1, without entries, good until " + base::to_rfc3339(request.next_update) +
         "; SHA-256 " + crypto::sha256_hex(made.crl));
    return {};
  }

  /// @return PEM: its certificate, then the root's
  Result<std::string> certify(Issuer& root, const config::RealmConfig& realm, const Subordinate& wanted) {
    PKI_TRY(const auto csr, x509::Csr::from_pem(wanted.request));
    PKI_TRY(const auto info, root.authority());
    PKI_TRY(const auto above, x509::Certificate::from_pem(info.chain));
    PKI_TRY(const auto subject, x509::Name::parse_any(wanted.subject));
    PKI_TRY(const auto profile, ProfileName::parse(wanted.profile));
    const auto now = clock_.now();
    const auto begin = std::max(now - realm.backdate, above.not_before());
    const auto key = csr.public_key();
    const SignRequest request{
        .serial = Serial::random(),
        .profile = profile,
        .subject = subject,
        .sans = {},
        .spki = Bytes(key.spki().begin(), key.spki().end()),
        .not_before = begin,
        .not_after = std::min(begin + std::chrono::days{wanted.days} - std::chrono::seconds{1}, above.not_after()),
        .csr = Bytes(csr.der().begin(), csr.der().end()),
        .renews = {},
        .requester = kRequester,
        .front_end = {},
        .rule = kRequester,
        .evidence = "plan " + plan_.sha256,
        .idempotency_key = std::string(kRequester) + " " + wanted.once};
    PKI_TRY(const auto made, root.sign_certificate(request, now));
    return x509::to_pem(x509::kCertificateLabel, made.certificate) + info.chain;
  }

  Result<std::string> finish() {
    note("done");
    PKI_TRY(const auto files, list_files(place_));
    const auto text = transcript_.text(files);
    PKI_TRY_VOID(base::replace_file(place_ / kTranscriptFile, base::as_bytes(text), 0644));
    return crypto::sha256_hex(base::as_bytes(text));
  }

  const CeremonyPlan& plan_;
  const base::Path place_;
  const base::Clock& clock_;
  Transcript transcript_;
  Json cas_ = Json::array();
  Json services_ = Json::array();
};

Json answer(const CeremonyPlan& plan, const std::string& transcript, bool changed) {
  return Json::object({{"changed", changed}, {"directory", plan.directory}, {"transcript", transcript}, {"plan", plan.sha256}});
}

/// What an earlier run of the same plan made; nothing where there is nothing. @errors Exists: something else is there.
Result<std::optional<Json>> earlier_run(const CeremonyPlan& plan) {
  const base::Path directory = plan.directory;
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(directory, ignored)) ||
      std::filesystem::is_empty(directory, ignored))
    return std::optional<Json>();
  const auto transcript = base::read_file(directory / kTranscriptFile, kMaxTranscript);
  const auto read = transcript.ok() ? parse_transcript(*transcript) : Result<ReadTranscript>(transcript.error());
  if (!read.ok() || read->plan_sha256 != plan.sha256)
    return Error(Code::Exists, directory.string() + " is there, and this plan did not make it: it is not touched",
                 "name another directory in the plan, or move it away");
  return std::optional(answer(plan, crypto::sha256_hex(base::as_bytes(*transcript)), false));
}

std::vector<std::string> share_names(const CeremonyPlan& plan) {
  std::vector<std::string> names;
  const auto directory = base::Path(plan.directory) / kSharesDirectory;
  const auto add = [&](const PlannedCa& ca) {
    for (int i = 1; i <= ca.shares; ++i) names.push_back(crypto::share_file(directory, ca.realm, i).string());
  };
  add(plan.root);
  std::ranges::for_each(plan.issuing, add);
  return names;
}

}  // namespace

Result<Json> preview_ceremony(const base::Path& plan_file) {
  PKI_TRY(const auto plan, read_plan(plan_file));
  return Json::object(
      {{"title", plan.title}, {"plan", plan.sha256}, {"directory", plan.directory}, {"acts", Json::strings(acts_of(plan))}});
}

Result<Json> hold_ceremony(const base::Path& plan_file, const std::string& confirmed, const base::Clock& clock) {
  PKI_TRY(const auto plan, read_plan(plan_file));
  if (confirmed != plan.sha256)
    return Error(Code::Conflict,
                 "the plan's SHA-256 is " + plan.sha256 + ", and " + base::printable(confirmed, 80) + " was confirmed",
                 "review it once more: chancery ceremony PLAN --dry-run");
  PKI_TRY(auto earlier, earlier_run(plan));
  if (earlier) return std::move(*earlier);
  PKI_TRY(auto staging, Staging::begin(plan.directory));
  Ceremony ceremony(plan, staging.realm(), clock);
  PKI_TRY(const auto transcript, ceremony.hold());
  PKI_TRY_VOID(staging.finish());
  auto made = answer(plan, transcript, true).set("cas", ceremony.cas());
  if (!ceremony.services().as_array()->empty()) made.set("services", ceremony.services());
  if (const auto names = share_names(plan); !names.empty()) made.set("shares", Json::strings(names));
  return made;
}

}  // namespace chancery::signer
