#include "clients/acme/handshake.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "clients/acme/problems.h"
#include "server/base/fd.h"
#include "server/crypto/handles.h"

namespace chancery::acme {
namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, crypto::Freer<&::SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL, crypto::Freer<&::SSL_free>>;

constexpr std::chrono::milliseconds kConnectLimit{3000};
constexpr long kMaxCertificateOctets = 32 * 1024;  ///< of the whole list

std::chrono::milliseconds time_left(dns::Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t octets = 0;
};

Endpoint endpoint_of(const IpAddress& address, int port) {
  Endpoint endpoint;
  const auto network_port = htons(static_cast<std::uint16_t>(port));
  if (address.is_v6()) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&endpoint.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = network_port;
    std::memcpy(&v6->sin6_addr, address.octets().data(), sizeof v6->sin6_addr);
    endpoint.octets = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&endpoint.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = network_port;
    std::memcpy(&v4->sin_addr, address.octets().data(), sizeof v4->sin_addr);
    endpoint.octets = sizeof *v4;
  }
  return endpoint;
}

Error no_connection(int error_number) {
  return passing_error("connection", error_number == ECONNREFUSED ? "connection refused" : std::strerror(error_number));
}

Result<base::UniqueFd> connect_to(const Greeting& greeting, dns::Deadline deadline) {
  const auto endpoint = endpoint_of(greeting.address, greeting.port);
  base::UniqueFd fd(::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return no_connection(errno);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.storage), endpoint.octets) == 0) return fd;
  if (errno != EINPROGRESS) return no_connection(errno);
  if (!base::wait_writable(fd.get(), std::min(kConnectLimit, time_left(deadline))).ok())
    return passing_error("connection", "timed out");
  int failure = 0;
  socklen_t octets = sizeof failure;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failure, &octets);
  if (failure != 0) return no_connection(failure);
  return fd;
}

Result<SessionPtr> make_session(const Greeting& greeting, int fd) {
  const ContextPtr context(::SSL_CTX_new(::TLS_client_method()));
  PKI_CHECK(context != nullptr && greeting.protocol.size() <= 255);
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);  // RFC 8737 3
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  ::SSL_CTX_set_max_cert_list(context.get(), kMaxCertificateOctets);
  SessionPtr session(::SSL_new(context.get()));
  PKI_CHECK(session != nullptr);
  const auto offered = std::string(1, static_cast<char>(greeting.protocol.size())) + greeting.protocol;
  const auto* protocols = reinterpret_cast<const unsigned char*>(offered.data());
  auto name = greeting.server_name;  // what SSL_set_tlsext_host_name is a macro for
  const bool is_set = ::SSL_set_alpn_protos(session.get(), protocols, static_cast<unsigned>(offered.size())) == 0 &&
                      ::SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1 &&
                      ::SSL_set_fd(session.get(), fd) == 1;
  if (!is_set) return acme_error("tls", "the name cannot be asked for by SNI");
  return session;
}

/// OpenSSL's words for what the peer did, an alert as often as not; none of the peer's own.
Error handshake_error() {
  const auto code = ::ERR_get_error();
  ::ERR_clear_error();
  const bool broken = code == 0 || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (broken) return passing_error("connection", "the connection broke during the TLS handshake");
  const char* reason = ::ERR_reason_error_string(code);
  return acme_error("tls", std::string("the TLS handshake failed: ") + (reason == nullptr ? "no reason given" : reason));
}

Status run_handshake(SSL* session, int fd, dns::Deadline deadline) {
  ::ERR_clear_error();
  while (true) {
    const int outcome = ::SSL_connect(session);
    if (outcome == 1) return {};
    const int want = ::SSL_get_error(session, outcome);
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) return handshake_error();
    const auto left = time_left(deadline);
    const auto ready = want == SSL_ERROR_WANT_READ ? base::wait_readable(fd, left) : base::wait_writable(fd, left);
    if (!ready.ok() || left.count() == 0) return passing_error("connection", "timed out during the TLS handshake");
  }
}

Shown look_at(SSL* session) {
  Shown shown;
  const unsigned char* protocol = nullptr;
  unsigned octets = 0;
  ::SSL_get0_alpn_selected(session, &protocol, &octets);
  shown.protocol.assign(reinterpret_cast<const char*>(protocol), octets);
  const auto* chain = ::SSL_get_peer_cert_chain(session);
  shown.certificates = chain == nullptr ? 0 : static_cast<std::size_t>(sk_X509_num(chain));
  unsigned char* der = nullptr;
  const int size = ::i2d_X509(::SSL_get0_peer_certificate(session), &der);
  const crypto::MemoryPtr held(der);
  if (size > 0) shown.certificate.assign(der, der + size);
  return shown;
}

}  // namespace

Result<Shown> shake_hands(const Greeting& greeting, dns::Deadline deadline) {
  PKI_TRY(const auto fd, connect_to(greeting, deadline));
  PKI_TRY(const auto session, make_session(greeting, fd.get()));
  PKI_TRY_VOID(run_handshake(session.get(), fd.get(), deadline));
  auto shown = look_at(session.get());
  ::SSL_shutdown(session.get());
  return shown;
}

}  // namespace chancery::acme
