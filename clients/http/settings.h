#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/base/log.h"
#include "server/base/network.h"
#include "server/base/result.h"
#include "server/wire/json.h"

/// What the master tells this front end: one JSON text on a descriptor. It never reads chancery.xml.
namespace chancery::http {

/// A CA on another machine, instead of the daemon's socket on this one.
struct RemoteCa {
  std::string host = "127.0.0.1";
  int port = 5000;                 ///< of operations, 1 to 65534; registration is one above
  std::string server_key;          ///< Z85; empty: no CURVE, on this machine alone
  std::filesystem::path key_file;  ///< this program's secret CURVE key
  std::string realm;               ///< refused by the CA unless it is that port's; empty: whichever is

  /// What the realm is called here.
  std::string label() const { return realm.empty() ? "default" : realm; }
};

struct ListenerSettings {
  std::string name;
  bool tls = true;
  std::string address = "127.0.0.1";
  int port = 0;
  std::string default_realm;                   ///< serves the bare paths; its CA makes the TLS certificate
  std::vector<std::string> realms;             ///< which /realms/<realm>/ exist here
  std::vector<std::string> names;              ///< SANs of the TLS certificate: DNS names and addresses
  std::map<std::string, std::string> hosts;    ///< host name, lower case -> realm of the bare paths
  int new_accounts_per_hour = 100;             ///< of ACME, for one address; 0: no limit
  bool asks_for_certificates = true;           ///< whether TLS asks clients for a certificate, which they need not have
  std::vector<base::Network> trusted_proxies;  ///< whose headers about a client certificate count
  std::string proxy_headers = "x-ssl-client";  ///< what the names of those headers begin with, lower case
  std::filesystem::path certificate_file;      ///< of TLS, kept by somebody else; empty: the realm's CA makes one
  std::filesystem::path key_file;              ///< its key, mode 0600

  bool serves(std::string_view realm) const;
  /// Whether headers about a client certificate count when they come from there.
  bool trusts(std::string_view peer) const;
  /// The realm of the bare paths for whoever asks for that host. @param authority  as authority() gives it
  const std::string& realm_of(std::string_view authority) const;
  /// Host and port for absolute URLs: `host_header` when it is one of the names or loopback, else the first name.
  std::string authority(std::string_view host_header) const;
};

struct Settings {
  std::string socket;  ///< path of chanceryd's socket; empty with a remote CA
  std::optional<RemoteCa> remote_ca;
  std::string front_end;                   ///< name under which sessions are opened
  std::filesystem::path state_directory;   ///< TLS keys and certificates, nothing else
  std::filesystem::path vantage_key_file;  ///< secret CURVE key to ask vantage points with; empty: a remote CA's, if it has one
  base::LogTarget log;
  std::vector<ListenerSettings> listeners;

  /// Empty: vantage points cannot be asked.
  std::filesystem::path key_for_vantage_points() const;
};

/// @errors BadConfig: the message names the member.
Result<Settings> read_settings(const Json& json);

}  // namespace chancery::http
