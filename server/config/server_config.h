#pragma once

#include <sys/types.h>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/base/names.h"
#include "server/base/role.h"
#include "server/config/realm_config.h"

/// What chancery.xml says, as plain values.
namespace chancery::config {

/// Maps a Unix user or group to roles, in one realm or ("*") in all. Rules add up.
struct IdentityRule {
  std::string user;  ///< name or number; empty when group is set
  std::string group;
  std::string realm = "*";
  Roles roles;

  bool operator==(const IdentityRule&) const = default;
};

/// A front end: a program the master supervises, and what its sessions may do at most.
struct FrontEnd {
  std::string name;                 ///< "http", "zmq": what session.open names
  std::string program;              ///< file in the program directory, or an absolute path
  std::string user;                 ///< Unix user it runs as; empty: the server's
  std::vector<std::string> realms;  ///< "*" or names
  Roles roles;
  bool enabled = true;
  std::filesystem::path vantage_key_file;  ///< secret CURVE key, Z85, mode 0600, to ask vantage points with; empty: it asks none

  bool asks_vantage_points() const { return std::filesystem::path(program).filename() == "chancery-http"; }
  bool sends_notices() const { return std::filesystem::path(program).filename() == "chancery-notify"; }
  bool serves(std::string_view realm) const {
    return std::ranges::any_of(realms, [&](const std::string& one) { return one == "*" || one == realm; });
  }
  bool operator==(const FrontEnd&) const = default;
};

/// An address that chancery-http listens on.
/// A host name, in lower case, and the realm at its bare paths.
struct HostRealm {
  std::string host, realm;
};
/// "pki.example.com=devices". @return an empty realm when there is no such sign
HostRealm split_host_realm(std::string_view text);

struct Listener {
  std::string name;
  bool tls = true;
  std::string address = "127.0.0.1";
  int port = 0;
  std::string default_realm;                     ///< serves the bare paths; its CA makes the TLS certificate
  std::vector<std::string> realms;               ///< "*" or names
  std::vector<std::string> names;                ///< SANs of the TLS certificate: DNS names and addresses
  std::vector<std::string> host_realms;          ///< "NAME=REALM": bare paths asked for by that host name are of that realm
  int new_accounts_per_hour = 100;               ///< of ACME, for one address; 0: no limit
  std::string client_certificates = "optional";  ///< none or optional: whether TLS asks clients for one
  std::vector<std::string> trusted_proxies;      ///< addresses and networks whose headers about a client certificate count
  std::string proxy_headers = "X-SSL-CLIENT";    ///< what the names of those headers begin with

  bool operator==(const Listener&) const = default;
};

/// A pair of ports that chancery-zmq serves for one realm: `port` for operations, `port + 1` for registration.
struct ZmqEndpoint {
  std::string address = "127.0.0.1";
  int port = 0;
  std::string realm;
  int wrong_seeds_per_minute = 10;         ///< of one address, and ten times as many of all together; 0: no limit
  std::filesystem::path server_key_file;   ///< secret CURVE key, Z85, mode 0600; empty: no CURVE
  std::string without_curve = "loopback";  ///< who may come without CURVE: "loopback", "anyone" or "nobody"
  Roles loopback_peers;  ///< what a peer of this machine may do that has no CURVE key; empty: what strangers may

  bool operator==(const ZmqEndpoint&) const = default;
};

/// A program on another machine, known to chancery-zmq by its CURVE key (ZeroMQ RFC 26).
struct ZmqPeer {
  std::string name;  ///< in logs and in the audit stream
  std::string key;   ///< public key, Z85
  std::string realm;
  Roles roles;

  bool operator==(const ZmqPeer&) const = default;
};

struct Limits {
  int max_workers = 200;
  int max_workers_per_uid = 150;
  int max_workers_per_realm = 150;
  std::chrono::seconds idle_timeout{120};     ///< without a request
  std::chrono::seconds unopened_timeout{10};  ///< without session.open
  std::chrono::seconds session_lifetime{std::chrono::hours{12}};
  std::chrono::seconds request_timeout{60};
  std::chrono::seconds grace{20};  ///< after SIGTERM, for requests in hand
  int max_requests_per_worker = 1000000;
  int key_pool = 4;  ///< RSA pairs kept ready of each size that profiles generate; 0: none

  bool operator==(const Limits&) const = default;
};

struct ServerConfig {
  std::filesystem::path file;  ///< where this came from
  std::filesystem::path run_directory = "/run/chancery";
  std::filesystem::path program_directory;  ///< where chancery-signer and the front ends are; empty: beside chanceryd
  std::string worker_user;                  ///< whom workers and upkeep become; empty: nobody else than the master
  std::string signer_user;                  ///< whom signers become
  std::string front_end_user;               ///< whom front ends become that name no user of their own
  std::string socket_owner;                 ///< empty: worker_user
  std::string socket_group;
  unsigned socket_mode = 0660;
  std::string log_destination = "stderr";
  std::string log_level = "info";
  Limits limits;
  std::filesystem::path realms_directory = "/var/lib/chancery/realms";
  std::vector<std::string> realm_names;  ///< empty: every directory there that has a ca.config.yml
  std::vector<IdentityRule> identities;
  std::vector<FrontEnd> front_ends;
  std::vector<Listener> listeners;
  std::vector<ZmqEndpoint> zmq_endpoints;
  std::vector<ZmqPeer> zmq_peers;
  std::string default_realm = "default";  ///< of session.open without a realm

  bool operator==(const ServerConfig&) const = default;

  /// Where the server's children write: a log file is their standard error already, which needs no right to open it.
  std::string inherited_log() const { return log_destination == "syslog" ? "syslog" : "stderr"; }
  const std::string& user_of(const FrontEnd& front_end) const { return front_end.user.empty() ? front_end_user : front_end.user; }
  /// Whether some processes run as other users than the server.
  bool has_users() const {
    return !worker_user.empty() || !signer_user.empty() || !front_end_user.empty() ||
           std::ranges::any_of(front_ends, [](const FrontEnd& one) { return !one.user.empty(); });
  }
  /// The front end that sends a realm's notices and publishes its CRLs; null: none does.
  const FrontEnd* notifier_of(std::string_view realm) const {
    const auto found = std::ranges::find_if(
        front_ends, [&](const FrontEnd& one) { return one.enabled && one.sends_notices() && one.serves(realm); });
    return found == front_ends.end() ? nullptr : &*found;
  }
  std::filesystem::path socket_file() const { return run_directory / "chanceryd.sock"; }
  std::filesystem::path pid_file() const { return run_directory / "chanceryd.pid"; }
  std::filesystem::path keymaker_socket_file() const { return run_directory / "keymaker.sock"; }
  std::filesystem::path signer_socket_file(const RealmName& realm) const {
    return run_directory / ("signer-" + realm.text() + ".sock");
  }
};

/// One validated configuration; never changed after it was made. Workers keep the one they were born with.
struct Snapshot {
  ServerConfig server;
  std::vector<std::shared_ptr<const RealmConfig>> realms;  ///< in the order of their names

  const RealmConfig* find(std::string_view realm) const {
    for (const auto& one : realms) {
      if (one->name.text() == realm) return one.get();
    }
    return nullptr;
  }
};

}  // namespace chancery::config
