#pragma once

#include <string>
#include <vector>

#include "clients/zmq/guard.h"
#include "server/base/log.h"
#include "server/wire/json.h"

/// What chanceryd tells chancery-zmq (front_end_settings.cc), as plain values.
namespace chancery::zmq_gateway {

struct Endpoint {
  std::string address;
  int port = 0;  ///< of operations; registration is the next one up
  std::string realm;
  int wrong_seeds_per_minute = 10;
  std::string server_key_file;  ///< empty: no CURVE
  WithoutCurve without_curve = WithoutCurve::Loopback;
  bool attests_loopback = false;       ///< whether loopback peers without CURVE have roles of their own
  std::vector<std::string> peer_keys;  ///< Z85, of those who may come over CURVE

  /// What session.attest calls it.
  std::string text() const { return address + ":" + std::to_string(port); }
};

struct Settings {
  std::string socket;
  std::string front_end;
  base::LogTarget log;
  std::vector<Endpoint> endpoints;
};

/// @errors BadConfig: no endpoints, or one that lets nobody in.
Result<Settings> read_settings(const Json& json);
/// The same from a file or, without a name, from a descriptor. @errors Io, TooLarge, Malformed.
Result<Settings> load_settings(const std::string& file, int descriptor);

}  // namespace chancery::zmq_gateway
