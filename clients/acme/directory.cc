#include "clients/acme/problems.h"
#include "clients/acme/service.h"

namespace chancery::acme {

/// RFC 8555 7.1.1; `renewalInfo` of RFC 9773 3; `profiles` of draft-aaron-acme-profiles. A realm without ACME has no directory.
http::Response Service::directory(const http::Request& request) {
  const auto realm = gateway_.call(request.realm, "acme.realm.get", Json::object(), "http:" + request.peer.address);
  if (!realm.ok()) return problem_response(realm.error());
  if (!realm->boolean("enabled", true)) return problem_response(404, "there is nothing at this address");
  const Urls urls(request);
  Json meta = Json::object({{"externalAccountRequired", realm->text("external_account") == "required"}});
  if (const auto terms = realm->text("terms_of_service"); !terms.empty()) meta.set("termsOfService", terms);
  if (const auto issuers = realm->texts("caa_identities"); !issuers.empty()) meta.set("caaIdentities", Json::strings(issuers));
  Json profiles = Json::object();
  for (const auto& name : realm->texts("profiles")) profiles.set(name, "profile " + name + " of realm " + request.realm);
  meta.set("profiles", std::move(profiles));
  return json_response(200, Json::object({{"newNonce", urls.to(kNewNonce)},
                                          {"newAccount", urls.to(kNewAccount)},
                                          {"newAuthz", urls.to(kNewAuthorization)},
                                          {"newOrder", urls.to(kNewOrder)},
                                          {"revokeCert", urls.to(kRevokeCert)},
                                          {"keyChange", urls.to(kKeyChange)},
                                          {"renewalInfo", urls.to(kRenewalInfo)},
                                          {"meta", std::move(meta)}}));
}

/// RFC 8555 7.2: 200 for HEAD, 204 for GET; the nonce is in every answer anyway.
http::Response Service::new_nonce(const http::Request& request) { return {request.method == "HEAD" ? 200 : 204, {}, {}}; }

}  // namespace chancery::acme
