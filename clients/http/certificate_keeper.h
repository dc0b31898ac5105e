#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "clients/http/gateway.h"
#include "clients/http/settings.h"
#include "clients/http/tls.h"
#include "server/base/clock.h"

namespace chancery::http {

/// Keeps every TLS listener in a certificate of its realm's CA: made at the first start, reused by later ones, renewed when
/// two thirds of its life are over, without a restart; or in that of files which somebody else renews. The key is made here and
/// never leaves this process but for its file (0600) in the state directory. While the realm does not answer, it tries again,
/// later each time. It keeps the listener in the CA certificates of the realms it serves, too, which clients' certificates are
/// held against.
class CertificateKeeper {
 public:
  /// `on_certificate` is called on this keeper's thread: index of the listener, what it shall use from now on.
  using OnCertificate = std::function<void(std::size_t, TlsContext)>;

  CertificateKeeper(Gateway& gateway, const Settings& settings, const base::Clock& clock, OnCertificate on_certificate);
  CertificateKeeper(const CertificateKeeper&) = delete;
  CertificateKeeper& operator=(const CertificateKeeper&) = delete;
  ~CertificateKeeper();

  /// Any thread: reads the files again, soon. Where they are gone, a new certificate is made: the operator's way to replace one.
  void look_again();

 private:
  struct Charge;  ///< one TLS listener
  void work();
  void forget_all();
  /// Does what is due for one listener. @return when to come again.
  std::chrono::milliseconds attend(Charge& charge);
  Status take_stored(Charge& charge);
  Status check_kept(Charge& charge);
  Status obtain(Charge& charge);
  Status check_issuer(Charge& charge);
  Status put_to_use(Charge& charge, const SecretBytes& key_pem, const std::string& chain_pem);
  bool learn_anchors(Charge& charge);
  Status follow_anchors(Charge& charge);

  Gateway& gateway_;
  const base::Clock& clock_;
  OnCertificate on_certificate_;
  std::vector<Charge> charges_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  bool look_again_ = false;
  std::thread thread_;  ///< last: it uses the rest
};

}  // namespace chancery::http
