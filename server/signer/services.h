#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/config/realm_config.h"
#include "server/crypto/key.h"
#include "server/realm/authority.h"
#include "server/signer/generations.h"
#include "server/signer/journal.h"
#include "server/x509/lint.h"

/// Keys of a realm that are no CA's, and what a CA says of them: OCSP responders and RAs (doc/services.md). The journal says
/// which there are; a key is in services/<name>-<number>/key.pem, its certificate beside it.
namespace chancery::signer {

struct HeldService {
  realm::Label label;   ///< "va-1"
  std::string purpose;  ///< ocsp or ra
  std::string ca;       ///< the generation that certified it
  std::string requester;
  Seconds at{};
  x509::Certificate certificate;
  std::shared_ptr<const crypto::PrivateKey> key;
};
using Services = std::map<std::string, HeldService>;  ///< by label

/// What a service lacks: a key that this generation certifies.
struct ServiceNeed {
  std::string name;
  const config::CaConfig* row;
  std::string ca;
  const Held* held;
  Seconds not_before{};
  Seconds not_after{};
};

/// What is written into certificates of that purpose. Its validity is the row's.
config::Profile service_profile(const std::string& purpose);
/// As realm::lint_context. @param most  of its validity
x509::LintContext service_lint(const std::string& purpose, const realm::Authority& authority, std::chrono::seconds most);
/// Of any service, for what the journal has of earlier configurations.
inline constexpr std::chrono::hours kMostServiceValidity{24 * 366};

/// The kind of its next key: as configured, else what its purpose wants, else the realm's. @errors Malformed.
Result<base::KeySpec> key_of_service(const config::RealmConfig& realm, const config::CaConfig& row);

base::Path service_directory(const config::RealmConfig& realm, const std::string& label);

/// What the directory and the journal both know. One that cannot be read is left out, and the log says why: it keeps no CA from
/// signing, and upkeep makes another.
Services read_services(const config::RealmConfig& realm, const Journal& journal);
/// @errors NotFound: it has no certificate yet; BadConfig: it is not what the journal says; AuthFailed, Io.
Result<HeldService> read_service(const config::RealmConfig& realm, const Journal& journal, const realm::Label& label);

/// A key of that service without a certificate: what an interrupted attempt left, or a new one under the next number.
struct BegunService {
  realm::Label label;
  std::shared_ptr<const crypto::PrivateKey> key;
};
Result<BegunService> begin_service(const config::RealmConfig& realm, const ServiceNeed& need);
/// @errors Io.
Status write_service_certificate(const config::RealmConfig& realm, const realm::Label& label,
                                 const x509::Certificate& certificate);
/// The key first. @errors Io.
Status destroy_service(const config::RealmConfig& realm, const std::string& label);

/// Its subject: as configured, else of company, realm and name. @errors Malformed.
Result<x509::Name> subject_of_service(const config::RealmConfig& realm, const ServiceNeed& need);

/// The newest of that service that is good now, and of that purpose: it may have had another one before.
/// @param ca  by that generation; empty: by any. Null: there is none.
const HeldService* newest_service(const Services& all, std::string_view name, std::string_view purpose, std::string_view ca,
                                  const Journal& journal, Seconds now);
/// Whether its certificate is in force.
bool is_in_force(const HeldService& service, const Journal& journal, Seconds now);

/// The generations that services need keys of and have none, or one that has lived for two thirds of its time.
std::vector<ServiceNeed> service_needs(const config::RealmConfig& realm, const Generations& generations, const Services& services,
                                       const Journal& journal, Seconds now);

}  // namespace chancery::signer
