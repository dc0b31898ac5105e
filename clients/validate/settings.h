#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/base/file.h"
#include "server/base/result.h"

/// What chancery-validate is told on its command line.
namespace chancery::validate {

inline constexpr std::size_t kMostClients = 64;

/// Where it listens.
struct Endpoint {
  std::string address;  ///< IPv4 or IPv6, without brackets
  int port = 0;
};
/// "tcp://ADDRESS:PORT", IPv6 in brackets. @errors InvalidParams.
Result<Endpoint> read_endpoint(std::string_view text);

/// "ADDRESS:PORT", as the realms' resolver. @errors InvalidParams.
Status check_resolver(std::string_view text);

/// The public CURVE keys that may ask: one a line, empty lines and those that begin with "# " passed over.
///
/// @param file  what the text is called in messages.
/// @errors BadConfig: a line that is no key, the same key twice, no key at all, or more than kMostClients.
Result<std::vector<std::string>> read_clients(std::string_view text, const std::string& file);
/// The same from the file. @errors also those of base::read_file.
Result<std::vector<std::string>> load_clients(const base::Path& file);

}  // namespace chancery::validate
