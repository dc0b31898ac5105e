#pragma once

#include <memory>
#include <string>

#include "bench/acme_world.h"
#include "clients/lib/curl_handles.h"
#include "server/crypto/key.h"
#include "server/wire/json.h"

namespace bench {

/// Where the server is and what its certificate is checked against.
struct AcmeServer {
  std::string directory;  ///< URL
  std::string ca_file;    ///< PEM
};

/// An ACME client with one account on one connection that is kept: RFC 8555 as certbot does it, ES256, http-01. What goes wrong
/// is thrown. One thread at a time.
class AcmeClient {
 public:
  AcmeClient(const AcmeServer& server, AcmeWorld& world);

  /// A certificate for a name, from new-order to the download.
  void obtain(const std::string& name);

 private:
  struct Reply {
    long status = 0;
    std::string location;
    std::string nonce;
    std::string body;
  };

  Reply perform(const std::string& url, const std::string* body);
  std::string signed_request(const std::string& url, const std::string& payload) const;
  Reply post(const std::string& url, const std::string& payload);
  Reply get(const std::string& url) { return post(url, {}); }
  chancery::Json json_of(const Reply& reply) const;
  chancery::Json wait(const std::string& url, const std::string& status);
  void prove(const std::string& authorization);
  std::string url_of(const char* resource) const;

  static std::size_t take_body(const char* data, std::size_t size, std::size_t count, void* reply);
  static std::size_t take_header(const char* data, std::size_t size, std::size_t count, void* reply);

  AcmeWorld& world_;
  chancery::crypto::PrivateKey key_;
  chancery::Json jwk_;
  std::string thumbprint_;
  chancery::client::CurlPtr curl_;
  chancery::client::CurlListPtr headers_;
  chancery::Json directory_;
  std::string account_;
  std::string nonce_;
};

}  // namespace bench
