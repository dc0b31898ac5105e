#pragma once

#include <map>
#include <set>
#include <string>

#include "clients/zmq/tasks.h"

/// Nodes as the older CA describes them (UPKI.md 1.7, list_nodes).
namespace chancery::zmq_gateway {

/// Makes the long objects; what many of them need is asked once.
class OlderNodes {
 public:
  explicit OlderNodes(Backend& backend) : backend_(backend) {}

  /// Of what certificate.get gave. @param local  whether the server keeps its key
  Result<Json> of_certificate(const Json& certificate, bool local);
  /// Of what node.announced gave: State "Init", no serial.
  Result<Json> of_announcement(const Json& announced);

 private:
  Result<Json> profile(const std::string& name);
  Result<bool> is_admin(const std::string& dn);
  Result<Json> basics(const std::string& dn, const std::string& profile_name);

  Backend& backend_;
  std::map<std::string, Json> profiles_;
  std::set<std::string> admins_;
  bool has_admins_ = false;
};

/// "Valid", "Revoked" (held ones too) or "Expired".
std::string older_state(const std::string& state);

/// "54:22:0a", in upper case.
std::string colon_serial(const std::string& hex);

}  // namespace chancery::zmq_gateway
