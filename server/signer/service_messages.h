#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/wire/json.h"
#include "server/x509/ocsp.h"
#include "server/x509/ra_message.h"

/// What a worker and its signer say to each other about services: the keys of a realm that are no CA's (doc/services.md).
namespace chancery::signer {

/// The rule by which the certificates of services stand in journal and store.
inline constexpr std::string_view kServiceRule = "service";

/// One key of a service, as everybody may know it.
struct ServiceInfo {
  std::string label;        ///< "va-1": of the service `va`
  std::string purpose;      ///< ocsp or ra
  std::string ca;           ///< the generation that certified it (realm::Label)
  std::string state;        ///< active: it is used; draining: a newer one is; retired: it has expired or is revoked
  std::string certificate;  ///< PEM
  std::string requester;    ///< who had it made
  Seconds at{};             ///< when

  bool operator==(const ServiceInfo&) const = default;
};
Json to_json(const std::vector<ServiceInfo>& services);
Result<std::vector<ServiceInfo>> services_from_json(const Json& result);

/// What is to be said of certificates of one generation. The times are the signer's to say.
struct OcspQuestion {
  std::string ca;  ///< realm::Label
  std::vector<x509::OcspSingle> answers;
  std::optional<Bytes> nonce{};
};
Json to_json(const OcspQuestion& question);
/// @errors Malformed, TooLarge.
Result<OcspQuestion> ocsp_question_from_json(const Json& params);

struct OcspAnswer {
  Bytes response;  ///< DER of an OCSPResponse
  Seconds this_update{};
  Seconds next_update{};
};
Json to_json(const OcspAnswer& answer);
Result<OcspAnswer> ocsp_answer_from_json(const Json& result);

/// What an RA's key is to open, or to sign.
struct RaQuestion {
  std::string service;  ///< its name, or the label of one of its keys
  Bytes octets;         ///< DER of a ContentInfo to be opened; the content to be signed
  std::vector<x509::SignedAttribute> attributes{};
};
Json to_json(const RaQuestion& question);
/// @errors Malformed, TooLarge.
Result<RaQuestion> ra_question_from_json(const Json& params);

}  // namespace chancery::signer
