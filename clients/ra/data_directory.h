#pragma once

#include <optional>
#include <string>

#include "server/base/bytes.h"
#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/wire/json.h"
#include "server/x509/certificate.h"

namespace chancery::ra {

/// What registration gives (UPKI.md 1.6).
struct Registered {
  x509::Certificate certificate;
  SecretBytes key_pem;  ///< PKCS#8, plain
  std::string ca_pem;

  /// @errors Malformed: a part is missing or none; BadKey: the key is not the certificate's, or the certificate not the CA's.
  static Result<Registered> read(const Json& data);
};

/// The RA's files, under uPKI's names (UPKI.md 4.2), and its CURVE key.
class DataDirectory {
 public:
  explicit DataDirectory(base::Path path) : path_(std::move(path)) {}

  const base::Path& path() const { return path_; }
  base::Path certificate_file() const { return path_ / "ra.crt"; }
  base::Path key_file() const { return path_ / "ra.key"; }
  base::Path ca_file() const { return path_ / "ca.crt"; }
  base::Path config_file() const { return path_ / "config.json"; }
  base::Path curve_key_file() const { return path_ / "ra.curve"; }

  /// Makes the directory and the CURVE key where there are none: what `init` alone does, since a new key is one that no CA knows.
  /// @return the public key, Z85. @errors those of check(); Io; Unsupported: libzmq has no CURVE.
  Result<std::string> prepare() const;

  /// That nobody else writes into the directory, if there is one, or reads the CURVE key in it. @errors Denied: owner or mode;
  /// Conflict: no directory; those of read_key_file; NotFound: `needs_key`, and there is none.
  Status check(bool needs_key) const;

  /// The RA's certificate; none: not registered yet, or something came in between.
  /// @errors Conflict: a certificate without its key, another's key, not valid now, not issued by ca.crt; those of
  /// read_secret_file.
  Result<std::optional<x509::Certificate>> certificate(const base::Clock& clock) const;

  /// That ca.crt has signed it. @errors Conflict: it has not, or cannot be read.
  Status check_issued_here(const x509::Certificate& certificate) const;

  /// Another certificate for the same key and of the same CA, in one step. @errors Io.
  Status replace_certificate(const x509::Certificate& certificate) const;

  /// Writes what is known before the CA is asked, and so finds out whether the rest can be written: an answer that nobody could
  /// keep would have used the seed up. @errors Io; Conflict: something that is no file has the name of one.
  Status begin(const Json& config) const;

  /// Writes everything else, the certificate last: it is there with all that belongs to it, or not at all. @errors Io.
  Status store(const Registered& registered) const;

 private:
  base::Path path_;
};

}  // namespace chancery::ra
