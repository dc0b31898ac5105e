#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// One HTTP request and its answer, as plain values: what handlers see and give. No socket, no library type.
namespace chancery::http {

inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;   ///< PROMISES D11: request line and headers
inline constexpr std::size_t kMaxHeaders = 64;            ///< PROMISES D11
inline constexpr std::size_t kMaxTargetBytes = 8 * 1024;  ///< longest request target
inline constexpr std::size_t kMaxBodyBytes = 64 * 1024;  ///< PROMISES D11: ACME body, CSR; what a route takes unless it says less

/// `name` is lower case in requests.
struct Header {
  std::string name;
  std::string value;
};

/// The value of the first header of that lower-case name, or nothing.
std::optional<std::string_view> find_header(const std::vector<Header>& headers, std::string_view name);

/// Who is at the other end, and how it came.
struct Peer {
  std::string address;  ///< "127.0.0.1", "::1"
  int port = 0;
  std::string tls;                ///< "TLSv1.3"; empty on a plain listener
  std::string certificate;        ///< PEM of the client certificate that TLS proved possession of; empty: it gave none
  std::string certificate_fault;  ///< why that certificate is not to be trusted, in words; empty: the TLS stack accepts it
};

/// A request whose realm is found and whose path is matched.
struct Request {
  std::string id;  ///< of our own making: in the log, and in the answer when it is a refusal
  std::string method;
  std::string path;   ///< as sent, percent-encoding kept, with the realm's prefix
  std::string query;  ///< behind '?', as sent
  std::vector<Header> headers;
  std::string body;
  std::string listener;  ///< name of the listener it came to
  Peer peer;
  std::string realm;      ///< which realm it is for: from the path, else the listener's default
  std::string prefix;     ///< "/realms/<realm>" when the path chose the realm, else empty
  std::string authority;  ///< host and port for absolute URLs: the Host header when it names this listener, else its first name
  std::vector<std::pair<std::string, std::string>> parameters;  ///< the {name} segments of the route

  std::optional<std::string_view> header(std::string_view name) const { return find_header(headers, name); }
  std::string_view parameter(std::string_view name) const;
  bool is_tls() const { return !peer.tls.empty(); }
  /// "https://localhost:8000": scheme and authority.
  std::string origin() const { return (is_tls() ? "https://" : "http://") + authority; }
};

struct Response;

/// Takes an answer, on any thread.
using TakeAnswer = std::function<void(Response)>;

/// An answer. Content-Length, Date, Connection and Server are the connection's business.
struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
  std::string kind;    ///< of a refusal, for the log: one of few words, "badNonce"
  std::string reason;  ///< of a refusal, for the log: what the client may not learn, too
  /// Set: a better answer may be there soon. Called once, with who takes it; this one is sent where none comes in time.
  std::function<void(TakeAnswer)> wait_for_better{};

  Response& add(std::string name, std::string value) {
    headers.push_back({std::move(name), std::move(value)});
    return *this;
  }
};

/// "Not Found" for 404 (RFC 9110 section 15).
std::string_view reason_phrase(int status);

/// A body of some media type.
Response content(int status, std::string media_type, std::string body);

/// application/problem+json (RFC 7807): `detail` is one line for people. The type is about:blank: HTTP's own status says all.
Response problem(int status, std::string_view detail);

}  // namespace chancery::http
