#include "clients/acme/fetch.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "clients/acme/problems.h"
#include "clients/lib/curl_handles.h"

namespace chancery::acme {
namespace {

using client::CurlListPtr;
using client::CurlPtr;
using client::CurlUrlPtr;

constexpr std::size_t kMaxUrlOctets = 2000;
constexpr std::size_t kMaxHeadOctets = 16 * 1024;
constexpr const char* kUserAgent = "chancery/" CHANCERY_VERSION " (ACME http-01 validation)";

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (::curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  ::curl_free(text);
  return copy;
}

/// The handle of this thread, as new: to make one costs more than a request. Nothing that a transfer learned is of use to the
/// next one, each of which has a connection of its own.
CURL* fresh_handle() {
  thread_local const CurlPtr kHandle(::curl_easy_init());
  CURL* curl = kHandle.get();
  PKI_CHECK(curl != nullptr);
  ::curl_easy_reset(curl);
  ::curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  ::curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  ::curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  ::curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  return curl;
}

struct Sink {
  std::string body;
  std::size_t limit;
  bool cut = false;
  std::size_t head = 0;  ///< octets of status line and headers
};

/// Headers beyond the limit end the transfer.
std::size_t on_header(char*, std::size_t, std::size_t count, void* context) {
  auto* sink = static_cast<Sink*>(context);
  sink->head += count;
  return sink->head <= kMaxHeadOctets ? count : 0;
}

/// The last word on where a connection goes: libcurl shows the very address that it is about to connect to, and any other than
/// the one that was checked gets no socket (PROMISES I17, I18).
curl_socket_t on_open_socket(void* context, curlsocktype, curl_sockaddr* target) {
  const auto* checked = static_cast<const IpAddress*>(context);
  const auto octets = [&]() -> std::string_view {
    if (target->family == AF_INET) {
      return {reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(&target->addr)->sin_addr), sizeof(in_addr)};
    }
    if (target->family != AF_INET6) return {};
    return {reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in6*>(&target->addr)->sin6_addr), sizeof(in6_addr)};
  }();
  const auto actual = IpAddress::from_octets(octets);
  if (!actual.ok() || *actual != *checked) return CURL_SOCKET_BAD;
  return ::socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

/// Takes what fits; one octet more ends the transfer.
std::size_t on_body(char* data, std::size_t, std::size_t count, void* context) {
  auto* sink = static_cast<Sink*>(context);
  const auto room = sink->limit - sink->body.size();
  sink->body.append(data, std::min(room, count));
  if (count <= room) return count;
  sink->cut = true;
  return 0;
}

/// libcurl's outcome as an ACME error; the words are ours, not the peer's.
Error transfer_error(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_CONNECT: return passing_error("connection", "connection refused or unreachable");
    case CURLE_OPERATION_TIMEDOUT: return passing_error("connection", "timed out");
    case CURLE_GOT_NOTHING: return passing_error("connection", "the connection was closed without an answer");
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return passing_error("connection", "the connection broke");
    case CURLE_SSL_CONNECT_ERROR: return acme_error("tls", "the TLS handshake failed");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY: return acme_error("connection", "the answer is no HTTP/1");
    default: return acme_error("connection", ::curl_easy_strerror(code));
  }
}

void set_up(CURL* curl, const Url& url, const FetchLimits& limits, curl_slist* target) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limits.deadline - std::chrono::steady_clock::now());
  const auto whole_ms = std::max<long>(1, left.count());
  ::curl_easy_setopt(curl, CURLOPT_URL, url.text.c_str());
  ::curl_easy_setopt(curl, CURLOPT_CONNECT_TO, target);
  ::curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  ::curl_easy_setopt(curl, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
  ::curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  ::curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, whole_ms);
  ::curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, std::min<long>(whole_ms, limits.connect.count()));
  ::curl_easy_setopt(curl, CURLOPT_USERAGENT, kUserAgent);
  ::curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
  ::curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
}

}  // namespace

Result<Url> parse_url(const std::string& text) {
  if (text.size() > kMaxUrlOctets)
    return acme_error("malformed", "URL of " + std::to_string(text.size()) + " octets, at most " + std::to_string(kMaxUrlOctets));
  const CurlUrlPtr parsed(::curl_url());
  if (!parsed || ::curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return acme_error("malformed", "not an absolute URL");
  }
  Url url{part_of(parsed.get(), CURLUPART_SCHEME), part_of(parsed.get(), CURLUPART_HOST), 0, text};
  if (url.scheme != "http" && url.scheme != "https")
    return acme_error("malformed", "URL with a scheme other than http and https");
  if (!part_of(parsed.get(), CURLUPART_USER).empty() || !part_of(parsed.get(), CURLUPART_PASSWORD).empty()) {
    return acme_error("malformed", "URL with a user name");
  }
  if (url.host.empty()) return acme_error("malformed", "URL without a host");
  url.port = std::stoi(part_of(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  return url;
}

Result<Fetched> fetch(const Url& url, const IpAddress& address, const FetchLimits& limits) {
  static std::once_flag once;
  std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURL* curl = fresh_handle();
  // "::ADDRESS:PORT": whatever host and port the URL has, connect there.
  const CurlListPtr target(::curl_slist_append(nullptr, ("::" + address.host_text() + ":" + std::to_string(url.port)).c_str()));
  PKI_CHECK(target != nullptr);
  Sink sink{{}, limits.max_body};
  set_up(curl, url, limits, target.get());
  ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  ::curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  ::curl_easy_setopt(curl, CURLOPT_HEADERDATA, &sink);
  ::curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  ::curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &address);
  const CURLcode code = ::curl_easy_perform(curl);
  if (sink.head > kMaxHeadOctets)
    return acme_error("connection", "an answer with headers above " + std::to_string(kMaxHeadOctets) + " octets");
  if (code != CURLE_OK && !sink.cut) return transfer_error(code);
  Fetched fetched{0, std::move(sink.body), sink.cut, {}};
  long status = 0;
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  fetched.status = static_cast<int>(status);
  const char* location = nullptr;
  ::curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
  if (location != nullptr) fetched.location = location;
  return fetched;
}

}  // namespace chancery::acme
