#pragma once

#include <optional>
#include <string>

#include "clients/cli/upki.h"
#include "server/base/file.h"

/// The server of one data directory of `chancery upki`: where it listens, and the chancery.xml that says so.
namespace chancery::cli {

/// Where the parts of one data directory are.
struct UpkiPlace {
  base::Path data;
  std::string realm;
  base::Path configuration() const { return data.parent_path() / (realm + ".chancery.xml"); }
  base::Path run_directory() const { return data.parent_path() / (realm + ".run"); }
  base::Path settings() const { return data / "ca.config.yml"; }
  base::Path seed() const { return data / "db" / "seed"; }
};

/// Where uPKI's protocol is served, and for whom beyond this machine.
struct UpkiEndpoint {
  std::string host = "127.0.0.1";
  int port = 5000;                ///< registration is one above
  std::string server_key_file{};  ///< secret CURVE key of the endpoint; empty: none but programs of this machine come in
  std::string ra_key{};           ///< public CURVE key of an RA on another machine; empty: none
};

/// What a verb is about to do to chancery.xml. Making one looks at everything and writes nothing.
struct UpkiServer {
  std::optional<UpkiEndpoint> endpoint;  ///< none: somebody gave the file another shape by hand, and it says where
  std::optional<std::string> text;       ///< what is to be written; none: the file stays
};

/// chancery.xml where there is none, and with other options where some are given.
/// @errors InvalidParams: an option does not hold, or an address beyond this machine has no key; Conflict: an option, and the
/// file was changed by hand; Io, and those of read_secret_file.
Result<UpkiServer> plan_server(const UpkiPlace& place, const UpkiOptions& options);
/// Writes it. @errors Io.
Status write_server(const UpkiPlace& place, const UpkiServer& server);
/// Whether both ports can be had: the server itself would wait for them and go on without.
/// @errors Unavailable: another program has one; Io: this machine has no such address, or the port is not everybody's.
Status check_ports(const UpkiServer& server);

}  // namespace chancery::cli
