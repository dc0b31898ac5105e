#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/base/bytes.h"

struct ssl_ctx_st;
struct ssl_st;

/// The one door to OpenSSL's TLS in this program.
namespace chancery::http {

struct SslContextFree {
  void operator()(ssl_ctx_st* context) const noexcept;
};

/// Server side of TLS with one key and chain: TLS 1.2 and 1.3, no renegotiation, no compression (PROMISES D12).
/// Made anew for each certificate; sessions keep the one they began with.
class TlsContext {
 public:
  /// @param key_pem    PKCS#8, plain.
  /// @param chain_pem  the listener's certificate, then those above it.
  /// @errors Malformed: not PEM, or the key is not the certificate's.
  static Result<TlsContext> make(const SecretBytes& key_pem, const std::string& chain_pem);

  /// From now on clients are asked for a certificate, which they need not have (RFC 8446 4.3.2). One that does not verify ends
  /// no handshake, since who fetches a CRL may have any: client_certificate() says what is wrong with it.
  ///
  /// @param anchors_pem  one CA certificate each: each may have issued the client's, whoever has issued itself.
  /// @errors Malformed: not PEM.
  Status ask_for_certificates(const std::vector<std::string>& anchors_pem);

  /// A new session for a bufferevent, which takes it over.
  ssl_st* new_session() const;

 private:
  std::unique_ptr<ssl_ctx_st, SslContextFree> context_;
};

/// "TLSv1.3".
std::string tls_version(const ssl_st* session);

/// What a client has shown in its handshake, and in that of the session it resumes.
struct ClientCertificate {
  std::string pem;    ///< empty: none
  std::string fault;  ///< why it does not verify, in OpenSSL's words; empty: it does
};
ClientCertificate client_certificate(const ssl_st* session);

/// Sends close_notify (RFC 8446 6.1) without waiting for the peer's.
void say_goodbye(ssl_st* session);

}  // namespace chancery::http
