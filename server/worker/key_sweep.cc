#include "server/worker/key_sweep.h"

#include <optional>
#include <set>

#include "server/base/log.h"
#include "server/worker/revocation.h"
#include "server/x509/reasons.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kPage = 500;

Status look_at(Session& session, const store::LivingCertificate& living, const std::set<std::string>& keys) {
  const auto certificate = x509::Certificate::from_der(living.der);
  if (!certificate.ok()) return {};  // taken over, in a form whose key nobody can tell
  if (!keys.contains(certificate->public_key().spki_sha256_hex())) return {};
  return revoke_for_its_key(session, certificate->serial());
}

}  // namespace

Status revoke_for_its_key(Session& session, const Serial& serial) {
  const auto done = revoke(session, serial, std::string(x509::reason_name(x509::kReasonKeyCompromise)));
  if (!done.ok()) return done.error().code() == Code::Conflict ? Status() : done.error();
  base::log_warning("revoked " + done->serial.hex() + " " + done->subject + ": its key is compromised");
  return {};
}

Status sweep_compromised_keys(Session& session) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto sweeps, store->key_sweeps());
  if (sweeps.empty()) return {};
  std::set<std::string> keys;
  for (const auto& sweep : sweeps) keys.insert(sweep.spki);
  const auto now = session.clock().now();
  for (std::optional<store::LivingCertificate> last;;) {
    PKI_TRY(const auto page, store->living_certificates(last, now, kPage));
    if (page.empty()) break;
    for (const auto& living : page) PKI_TRY_VOID(look_at(session, living, keys));
    last = page.back();
  }
  for (const auto& sweep : sweeps) PKI_TRY_VOID(store->end_key_sweep(sweep));
  return {};
}

}  // namespace chancery::worker
