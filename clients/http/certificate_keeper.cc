#include "clients/http/certificate_keeper.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "server/base/file.h"
#include "server/base/log.h"
#include "server/crypto/key.h"
#include "server/x509/certificate.h"
#include "server/x509/csr.h"
#include "server/x509/pem.h"
#include "server/x509/renewal.h"

namespace chancery::http {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry{200};
constexpr milliseconds kLastRetry{30'000};
constexpr milliseconds kLeastSleep{
    std::chrono::minutes{1}};  ///< a clock that is ahead of the CA's must not make it issue in a loop
constexpr milliseconds kLongestSleep{std::chrono::minutes{10}};  ///< a realm that gets another CA is followed so soon
constexpr std::size_t kMaxFileBytes = 256 * 1024;
constexpr mode_t kSecretMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

/// The names of a listener as subject alternative names, in their text form.
Result<std::vector<x509::GeneralName>> general_names(const ListenerSettings& listener) {
  std::vector<x509::GeneralName> names;
  for (const auto& text : listener.names) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    names.push_back(std::move(name));
  }
  return names;
}

std::set<std::string> texts(const std::vector<x509::GeneralName>& names) {
  std::set<std::string> all;
  for (const auto& name : names) all.insert(name.to_text());
  return all;
}

}  // namespace

struct CertificateKeeper::Charge {
  std::size_t index;
  const ListenerSettings* listener;
  base::Path key_file;
  base::Path certificate_file;
  std::optional<x509::Certificate> certificate{};  ///< in use
  bool looked_at_files = false;
  bool issuer_is_known = false;                  ///< checked against the realm's CA since this process began
  std::string chain_pem{};                       ///< in use, with its key in key_file
  std::map<std::string, std::string> anchors{};  ///< CA certificate of each realm that has told it
  std::map<std::string, std::string> anchors_used{};
  milliseconds retry{kFirstRetry};
  std::chrono::steady_clock::time_point due{};

  bool is_kept_by_others() const { return !listener->certificate_file.empty(); }
};

CertificateKeeper::CertificateKeeper(Gateway& gateway, const Settings& settings, const base::Clock& clock,
                                     OnCertificate on_certificate)
    : gateway_(gateway), clock_(clock), on_certificate_(std::move(on_certificate)) {
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    const auto& listener = settings.listeners[i];
    if (!listener.tls) continue;
    const auto base = settings.state_directory / listener.name;
    Charge charge{.index = i, .listener = &listener, .key_file = base, .certificate_file = base};
    charge.key_file += ".key";
    charge.certificate_file += ".crt";
    if (charge.is_kept_by_others()) {
      charge.key_file = listener.key_file;
      charge.certificate_file = listener.certificate_file;
    }
    charges_.push_back(std::move(charge));
  }
  if (!charges_.empty()) thread_ = std::thread([this] { work(); });
}

CertificateKeeper::~CertificateKeeper() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CertificateKeeper::look_again() {
  {
    const std::lock_guard lock(mutex_);
    look_again_ = true;
  }
  wake_.notify_all();
}

/// What the listeners use goes on; what is known about it comes anew from the files.
void CertificateKeeper::forget_all() {
  for (auto& charge : charges_) {
    charge.certificate.reset();
    charge.looked_at_files = false;
    charge.issuer_is_known = false;
    charge.due = {};
  }
}

void CertificateKeeper::work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto next = std::ranges::min_element(charges_, {}, &Charge::due);
    wake_.wait_until(lock, next->due, [this] { return ending_ || look_again_; });
    if (ending_) return;
    if (std::exchange(look_again_, false)) {
      forget_all();
      continue;
    }
    lock.unlock();
    const auto pause = attend(*next);
    lock.lock();
    next->due = std::chrono::steady_clock::now() + pause;
  }
}

milliseconds CertificateKeeper::attend(Charge& charge) {
  const bool knows_all_anchors = learn_anchors(charge);
  if (!std::exchange(charge.looked_at_files, true)) {
    const auto stored = take_stored(charge);
    if (!stored.ok() && stored.error().code() != Code::NotFound) {
      base::log_info("listener " + charge.listener->name + ": stored certificate not used: " + base::to_line(stored.error()));
    }
  }
  auto done = charge.is_kept_by_others() ? Status() : check_issuer(charge);
  const bool is_due = !charge.certificate ||
                      clock_.now() >= x509::renewal_time(charge.certificate->not_before(), charge.certificate->not_after());
  if (done.ok() && is_due) done = charge.is_kept_by_others() ? check_kept(charge) : obtain(charge);
  if (done.ok()) done = follow_anchors(charge);
  if (!done.ok()) {
    base::log_warning("listener " + charge.listener->name + ": certificate: " + base::to_line(done.error()));
    return std::exchange(charge.retry, std::min(charge.retry * 2, kLastRetry));
  }
  if (!knows_all_anchors) return std::exchange(charge.retry, std::min(charge.retry * 2, kLastRetry));
  charge.retry = kFirstRetry;
  const milliseconds left = x509::renewal_time(charge.certificate->not_before(), charge.certificate->not_after()) - clock_.now();
  return std::clamp(left, kLeastSleep, kLongestSleep);
}

/// Uses the files of an earlier start: while the certificate is valid, for this listener's names, and not due.
Status CertificateKeeper::take_stored(Charge& charge) {
  PKI_TRY(const auto key_pem, base::read_secret_file(charge.key_file, kMaxFileBytes));
  PKI_TRY(const auto chain_pem, base::read_file(charge.certificate_file, kMaxFileBytes));
  PKI_TRY(const auto chain, x509::Certificate::from_pem_chain(chain_pem));
  const auto& certificate = chain.front();
  PKI_TRY(const auto names, general_names(*charge.listener));
  if (!charge.is_kept_by_others() && texts(names) != texts(certificate.sans()))
    return Error(Code::Conflict, "the listener's names have changed");
  const auto now = clock_.now();
  if (now < certificate.not_before() || now >= certificate.not_after()) return Error(Code::Conflict, "it is not valid now");
  return put_to_use(charge, key_pem, chain_pem);
}

/// A certificate that somebody else renews is read again when it is due; what is in use goes on until it ends.
Status CertificateKeeper::check_kept(Charge& charge) {
  const auto stored = take_stored(charge);
  if (stored.ok() || charge.certificate) return {};
  return stored;
}

/// A realm that was made anew has another CA: its listeners follow.
Status CertificateKeeper::check_issuer(Charge& charge) {
  if (charge.issuer_is_known || !charge.certificate) return {};
  PKI_TRY(const auto answer,
          gateway_.call(charge.listener->default_realm, "ca.chain", Json::object(), "listener:" + charge.listener->name));
  PKI_TRY(const auto chain, x509::Certificate::from_pem_chain(answer.text("chain")));
  if (!charge.certificate->verify_signed_by(chain.front()).ok()) charge.certificate.reset();
  charge.issuer_is_known = true;
  return {};
}

/// A new key, a request for it, and the realm's answer. Its names come from the server's own configuration.
Status CertificateKeeper::obtain(Charge& charge) {
  PKI_TRY(const auto names, general_names(*charge.listener));
  PKI_TRY(const auto key, crypto::PrivateKey::generate(base::KeySpec{}));
  PKI_TRY(const auto subject, x509::Name::from_slash("/CN=" + charge.listener->names.front()));
  PKI_TRY(const auto csr, x509::make_csr(key, subject, names));
  const auto params = Json::object({{"listener", charge.listener->name}, {"csr", x509::to_pem(x509::kRequestLabel, csr)}});
  PKI_TRY(const auto issued,
          gateway_.call(charge.listener->default_realm, "listener.certify", params, "listener:" + charge.listener->name));
  std::string chain_pem = issued.text("certificate");
  for (const auto& above : issued.texts("chain")) chain_pem += above;
  const auto key_pem = key.to_pem();
  PKI_TRY_VOID(put_to_use(charge, key_pem, chain_pem));
  charge.issuer_is_known = true;
  base::log_info("listener " + charge.listener->name + ": certificate " + issued.text("serial") + " until " +
                 issued.text("not_after"));
  PKI_TRY_VOID(base::make_directories(charge.key_file.parent_path(), kDirectoryMode));
  PKI_TRY_VOID(base::replace_file(charge.key_file, key_pem.view(), kSecretMode));
  return base::replace_file(charge.certificate_file, base::as_bytes(chain_pem), kSecretMode);
}

/// The CA certificates that clients' certificates may come from. @return whether every realm has told its own; one that is not
/// ready now keeps what it had.
bool CertificateKeeper::learn_anchors(Charge& charge) {
  if (!charge.listener->asks_for_certificates) return true;
  std::set<std::string> realms(charge.listener->realms.begin(), charge.listener->realms.end());
  realms.insert(charge.listener->default_realm);
  bool all = true;
  for (const auto& realm : realms) {
    const auto ca = gateway_.call_once(realm, "ca.get", "listener:" + charge.listener->name);
    const auto pem = ca.ok() ? ca->text("certificate") : std::string();
    if (pem.empty()) {
      all = false;
    } else {
      charge.anchors[realm] = pem;
    }
  }
  return all;
}

/// The same certificate beside other anchors.
Status CertificateKeeper::follow_anchors(Charge& charge) {
  if (charge.anchors == charge.anchors_used) return {};
  PKI_TRY(const auto key_pem, base::read_secret_file(charge.key_file, kMaxFileBytes));
  const auto chain_pem = charge.chain_pem;
  return put_to_use(charge, key_pem, chain_pem);
}

Status CertificateKeeper::put_to_use(Charge& charge, const SecretBytes& key_pem, const std::string& chain_pem) {
  PKI_TRY(auto chain, x509::Certificate::from_pem_chain(chain_pem));
  PKI_TRY(auto context, TlsContext::make(key_pem, chain_pem));
  if (charge.listener->asks_for_certificates) {
    std::vector<std::string> anchors;
    for (const auto& [realm, pem] : charge.anchors) anchors.push_back(pem);
    PKI_TRY_VOID(context.ask_for_certificates(anchors));
  }
  charge.certificate = std::move(chain.front());
  charge.chain_pem = chain_pem;
  charge.anchors_used = charge.anchors;
  on_certificate_(charge.index, std::move(context));
  return {};
}

}  // namespace chancery::http
