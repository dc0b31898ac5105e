#pragma once

#include <optional>
#include <string>

#include "server/realm/policy.h"

/// Whether a profile is of any use below the CA that its realm has. Pure: the rules are policy's and the lint's.
namespace chancery::realm {

/// Why nobody gets a certificate.
struct Obstacle {
  std::string what;    ///< the refusal of the request that came closest, and which request that was
  std::string advice;  ///< what to change
};

/// What keeps every request from having a certificate of that profile; none: some request gets one. Holds requests of the kinds
/// that there are against `decide` and the lint: with names of every type, in the profile's domain and where the CAs permit
/// names, and with each kind of key that the profile allows. Of a profile for servers some request for a host gets one.
std::optional<Obstacle> obstacle_to_profile(const config::RealmConfig& realm, const config::Profile& profile,
                                            const Authority& authority, Seconds now);

/// What keeps a certificate from bearing the profile's subject as it stands, common name included; none also when the requests
/// bring the subject, or its common name.
std::optional<Obstacle> obstacle_to_subject(const config::RealmConfig& realm, const config::Profile& profile,
                                            const Authority& authority, Seconds now);

}  // namespace chancery::realm
