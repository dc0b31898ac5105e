#pragma once

#include <string>

#include "server/base/bytes.h"
#include "server/base/file.h"

/// CURVE keys (RFC 26 of the ZeroMQ project) as Z85 texts of 40 characters.
namespace chancery::zmq_gateway {

inline constexpr std::size_t kKeyCharacters = 40;

struct KeyPair {
  std::string public_key;
  SecretBytes secret_key;
};

/// @errors Unsupported: libzmq was built without CURVE.
Result<KeyPair> make_key_pair();
/// A file of mode 0600 with the secret key alone; the public one follows from it. @errors those of read_secret_file; Malformed.
Result<KeyPair> read_key_file(const base::Path& file);
/// @errors Exists: the file is there; Io.
Status write_key_file(const base::Path& file, const KeyPair& keys);

/// `chancery-zmq key [--out FILE]`: what `chancery zmq-key` runs. One JSON object on standard output. @return the exit status.
int run_key_command(const std::string& out_file);

}  // namespace chancery::zmq_gateway
