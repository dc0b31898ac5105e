#pragma once

#include <string>
#include <vector>

#include "server/base/result.h"
#include "server/wire/json.h"

namespace chancery::api {

/// The lines for a shell that make a key pair and a PKCS#10 request with OpenSSL, as a profile wants them.
struct Commands {
  std::string generate_key;
  std::string generate_csr;
};

/// @param profile  in uPKI's keys: keyType, keyLen, digest, subject, domain, altnames.
/// @param cn    common name; empty: a name below the profile's domain.
/// @param sans  "DNS:a.example.com", or "a.example.com"; empty: the common name, where the profile takes names.
/// @errors Malformed: a text that has no place in a request; Unsupported: a kind of key that OpenSSL's command line is not known
/// to make here.
Result<Commands> commands_for(const Json& profile, const std::string& cn, const std::vector<std::string>& sans);

}  // namespace chancery::api
