#include "clients/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <climits>

#include "server/crypto/handles.h"

namespace chancery::http {
namespace {

constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr long kMaxClientChainBytes = 32L * 1024;
constexpr int kMaxClientChainDepth = 4;
/// Of tickets (RFC 8446 4.6.1): OpenSSL resumes nobody who has shown a certificate without one.
constexpr unsigned char kSessionContext[] = {'c', 'h', 'a', 'n', 'c', 'e', 'r', 'y'};
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

Status TlsContext::ask_for_certificates(const std::vector<std::string>& anchors_pem) {
  SSL_CTX* context = context_.get();
  X509_STORE* anchors = ::SSL_CTX_get_cert_store(context);
  for (const auto& pem : anchors_pem) {
    const auto bio = memory(base::as_bytes(pem));
    const X509Ptr anchor(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!anchor || ::X509_STORE_add_cert(anchors, anchor.get()) != 1) return tls_error("client CA");
    // Their names tell a client which of its certificates is wanted here (RFC 8446 4.2.4).
    if (::SSL_CTX_add_client_CA(context, anchor.get()) != 1) return tls_error("client CA's name");
  }
  ::X509_STORE_set_flags(anchors, X509_V_FLAG_PARTIAL_CHAIN);
  ::SSL_CTX_set_verify_depth(context, kMaxClientChainDepth);
  ::SSL_CTX_set_max_cert_list(context, kMaxClientChainBytes);
  ::SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext);
  // The outcome stays with the session; it is refused where it matters.
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  return {};
}

ssl_st* TlsContext::new_session() const {
  SSL* session = ::SSL_new(context_.get());
  PKI_CHECK(session != nullptr);
  return session;
}

std::string tls_version(const ssl_st* session) { return ::SSL_get_version(session); }

ClientCertificate client_certificate(const ssl_st* session) {
  X509* certificate = ::SSL_get0_peer_certificate(session);
  if (certificate == nullptr) return {};
  const BioPtr bio(::BIO_new(::BIO_s_mem()));
  PKI_CHECK(bio && ::PEM_write_bio_X509(bio.get(), certificate) == 1);
  char* text = nullptr;
  const long size = ::BIO_get_mem_data(bio.get(), &text);
  const long outcome = ::SSL_get_verify_result(session);
  return {std::string(text, static_cast<std::size_t>(size)),
          outcome == X509_V_OK ? "" : ::X509_verify_cert_error_string(outcome)};
}

void say_goodbye(ssl_st* session) {
  if (::SSL_is_init_finished(session) == 1) ::SSL_shutdown(session);
  ::ERR_clear_error();
}

}  // namespace chancery::http
