#include "clients/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <climits>

#include "server/crypto/handles.h"

namespace chancery::http {
namespace {

constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

using crypto::BioPtr;
using crypto::PkeyPtr;
using crypto::X509Ptr;

Error tls_error(const char* what) {
  const auto number = ::ERR_get_error();
  ::ERR_clear_error();
  const char* reason = ::ERR_reason_error_string(number);
  return {Code::Malformed, std::string(what) + (reason == nullptr ? "" : std::string(": ") + reason)};
}

BioPtr memory(ByteView bytes) {
  PKI_CHECK(bytes.size() <= INT_MAX);
  return BioPtr(::BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

/// RFC 7301: http/1.1 when the client offers it; nothing is negotiated otherwise.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in, unsigned in_length,
                    void*) {
  unsigned char* selected = nullptr;
  const int found = ::SSL_select_next_proto(&selected, out_length, kHttp11, sizeof kHttp11, in, in_length);
  *out = selected;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void harden(SSL_CTX* context) {
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_cipher_list(context, kTls12Ciphers);
  ::SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
}

Status use_chain(SSL_CTX* context, const std::string& chain_pem) {
  const auto bio = memory(base::as_bytes(chain_pem));
  const X509Ptr leaf(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!leaf || ::SSL_CTX_use_certificate(context, leaf.get()) != 1) return tls_error("listener certificate");
  while (const X509Ptr above{::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    // A root is no use to who does not have it already (RFC 8446 4.4.2).
    if (::X509_self_signed(above.get(), 0) == 1) continue;
    if (::SSL_CTX_add1_chain_cert(context, above.get()) != 1) return tls_error("listener certificate chain");
  }
  ::ERR_clear_error();  // the end of the PEM text counts as an error there
  return {};
}

}  // namespace

void SslContextFree::operator()(ssl_ctx_st* context) const noexcept { ::SSL_CTX_free(context); }

Result<TlsContext> TlsContext::make(const SecretBytes& key_pem, const std::string& chain_pem) {
  TlsContext made;
  made.context_.reset(::SSL_CTX_new(::TLS_server_method()));
  if (!made.context_) return tls_error("TLS context");
  harden(made.context_.get());
  PKI_TRY_VOID(use_chain(made.context_.get(), chain_pem));
  const auto bio = memory(key_pem.view());
  const PkeyPtr key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || ::SSL_CTX_use_PrivateKey(made.context_.get(), key.get()) != 1) return tls_error("listener key");
  return made;
}

ssl_st* TlsContext::new_session() const {
  SSL* session = ::SSL_new(context_.get());
  PKI_CHECK(session != nullptr);
  return session;
}

std::string tls_version(const ssl_st* session) { return ::SSL_get_version(session); }

void say_goodbye(ssl_st* session) {
  if (::SSL_is_init_finished(session) == 1) ::SSL_shutdown(session);
  ::ERR_clear_error();
}

}  // namespace chancery::http
