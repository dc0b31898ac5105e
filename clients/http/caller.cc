#include "clients/http/caller.h"

#include <algorithm>
#include <optional>

#include "clients/http/head.h"
#include "server/base/text.h"
#include "server/x509/certificate.h"

namespace chancery::http {
namespace {

constexpr std::string_view kSuccess = "SUCCESS";
constexpr std::size_t kMaxShown = 64;

Error refused(std::string message, std::string hint = {}) { return {Code::AuthFailed, std::move(message), std::move(hint)}; }

/// A header that a proxy sets; empty without it. A second one can only be the client's own.
Result<std::string> only_header(const Request& request, const std::string& name) {
  const auto count = std::ranges::count(request.headers, name, &Header::name);
  if (count > 1) return refused("header " + name + " came " + std::to_string(count) + " times, expected once");
  return std::string(request.header(name).value_or(""));
}

Result<std::string> vouched_for(const Request& request, const std::string& headers) {
  PKI_TRY(const auto verdict, only_header(request, headers + "-verify"));
  PKI_TRY(const auto escaped, only_header(request, headers + "-cert"));
  if (verdict.empty() || verdict == "NONE") return refused("this needs a client certificate, and the proxy saw none");
  if (verdict != kSuccess)
    return refused("the proxy says " + base::printable(verdict, kMaxShown) + " of the client certificate, expected SUCCESS");
  if (escaped.empty()) {
    return refused("header " + headers + "-cert is missing: a name alone proves nothing",
                   "nginx: proxy_set_header X-SSL-CLIENT-CERT $ssl_client_escaped_cert");
  }
  PKI_TRY(const auto pem, decode_percent(escaped));
  const auto certificate = x509::Certificate::from_pem(pem);
  if (!certificate.ok()) return refused("header " + headers + "-cert is no certificate: " + certificate.error().message());
  return certificate->pem();
}

}  // namespace

Result<std::string> presented_certificate(const Request& request, const ListenerSettings& listener) {
  // A proxy's own certificate is not its client's.
  if (listener.trusts(request.peer.address)) {
    auto pem = vouched_for(request, listener.proxy_headers);
    if (!pem.ok() && pem.error().code() != Code::AuthFailed) return refused(pem.error().message());
    return pem;
  }
  if (!request.is_tls()) return refused("this needs a client certificate: come by HTTPS");
  if (request.peer.certificate.empty()) return refused("this needs a client certificate");
  if (!request.peer.certificate_fault.empty())
    return refused("the client certificate is not accepted: " + request.peer.certificate_fault);
  return request.peer.certificate;
}

}  // namespace chancery::http
