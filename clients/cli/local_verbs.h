#pragma once

#include <string>
#include <vector>

#include "server/base/file.h"
#include "server/wire/json.h"

/// What `chancery` does without the server.
namespace chancery::cli {

/// `chancery realm create`: becomes `chancery-signer create`; comes back only with an error.
///
/// @param options  further options of chancery-signer, "--key", "ec:P-256", …
/// @errors Malformed: the name; NotFound: no chancery-signer; Io.
Status create_realm(const std::string& name, const base::Path& realms_directory, const std::vector<std::string>& options);

struct CsrOrder {
  std::string cn;
  std::vector<std::string> sans;
  std::string key = "ec:P-256";
  base::Path key_out;  ///< made with mode 0600; refused when it exists
  base::Path out;      ///< empty: the request is only in the answer
};
/// `chancery csr`: a key pair and a request for it. @return {key_file, request}. @errors Malformed, Exists, Io.
Result<Json> make_request(const CsrOrder& order);

}  // namespace chancery::cli
