#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/http/settings.h"
#include "server/base/file.h"

namespace chancery::ra {

/// What uPKI's variables say (UPKI.md 4.2), and two of our own.
struct Environment {
  base::Path data;  ///< the data directory
  http::RemoteCa ca;
  std::string seed;                   ///< empty: none given
  std::string address = "127.0.0.1";  ///< where to listen
  int port = 8000;
  std::string cn = "RA";
  bool tls = false;
  std::vector<std::string> sans;  ///< DNS names and addresses, as texts
};

/// A variable: how its text is taken.
struct Variable {
  std::string_view name;
  std::string_view option;  ///< of `chancery upki ra`, which sets the variable; empty: none
  Status (*take)(Environment& into, const std::string& text);
  std::string_view doc;
};
extern const std::array<Variable, 11> kVariables;

/// As who gave it may have named it: "UPKI_CA_PORT or --port".
std::string name_of(const Variable& variable);

/// A line for each variable, for --help.
std::string describe_variables();

/// @param get  a variable's text, or a null pointer; getenv().
/// @errors InvalidParams: a text that cannot be; the message names the variable. NotFound: no data directory, for lack of HOME.
Result<Environment> read_environment(const std::function<const char*(const char*)>& get);

/// The SANs as `register` takes them: {"type": "DNS" or "IP", "value": …}. uPKI's own RA sends addresses as DNS names, which its
/// CA refuses.
Json sans_to_register(const Environment& environment);

}  // namespace chancery::ra
