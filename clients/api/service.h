#pragma once

#include <string>
#include <vector>

#include "clients/api/routes.h"
#include "clients/http/gateway.h"
#include "clients/http/router.h"
#include "clients/http/settings.h"

/// The REST API of uPKI's RA (UPKI.md 5) before the daemon's commands. Which certificate stands behind a request is decided here,
/// what its holder may do by the daemon.
namespace chancery::api {

/// A request whose caller is known and whose fields are read: handlers are reachable with one of these only.
class Call {
 public:
  Call(http::Gateway& gateway, const http::Request& request, Json fields, http::Gateway::Attested* caller)
      : gateway_(gateway), request_(request), fields_(std::move(fields)), caller_(caller) {}

  const http::Request& request() const { return request_; }
  const Json& fields() const { return fields_; }
  std::string parameter(std::string_view name) const { return std::string(request_.parameter(name)); }

  /// One command for the caller. @pre the route's caller is not Anybody
  Result<Json> ask(std::string_view method, Json params = Json::object()) const;
  /// One command for nobody in particular: what everybody may know.
  Result<Json> ask_openly(std::string_view method, Json params = Json::object()) const;

 private:
  http::Gateway& gateway_;
  const http::Request& request_;
  Json fields_;
  http::Gateway::Attested* caller_;
};

class Service {
 public:
  /// @param settings  of this program: its listeners, and what /config says.
  explicit Service(http::Gateway& gateway, http::Settings settings = {}) : gateway_(gateway), settings_(std::move(settings)) {}

  /// Adds every spelling of every route, and makes every refusal below /api/ one of errors.h.
  void add_routes(http::Router& router);

 private:
  using Handle = Result<Json> (Service::*)(const Call&);
  struct Binding;
  static const Binding kBindings[];

  // service.cc: from a request to a call
  http::Response serve(const Route& route, Handle handle, const http::Request& request);
  Result<Json> answer(const Route& route, Handle handle, const http::Request& request);
  Result<Json> answer_holder(const Route& route, Handle handle, const http::Request& request);

  // open.cc
  Result<Json> openapi(const Call& call);
  Result<Json> health(const Call& call);
  Result<Json> ca(const Call& call);
  Result<Json> crl(const Call& call);
  Result<Json> profiles(const Call& call);
  Result<Json> profile(const Call& call);

  // certificates.cc
  Result<Json> certificates(const Call& call);
  Result<Json> certificate(const Call& call);
  Result<Json> certify(const Call& call);
  Result<Json> enrol(const Call& call);
  Result<Json> enrol_for_others(const Call& call);
  Result<Json> magic(const Call& call);
  Result<Json> ocsp(const Call& call);

  // administration.cc
  Result<Json> nodes(const Call& call);
  Result<Json> add_node(const Call& call);
  Result<Json> remove_node(const Call& call);
  Result<Json> admins(const Call& call);
  Result<Json> add_admins(const Call& call);
  Result<Json> remove_admin(const Call& call);
  Result<Json> generate_crl(const Call& call);
  Result<Json> config(const Call& call);
  Result<Json> options(const Call& call);

  // older.cc
  Result<Json> older_crl(const Call& call);
  Result<Json> older_certificate(const Call& call);
  Result<Json> older_certify(const Call& call);
  Result<Json> older_magic(const Call& call);
  Result<Json> older_ocsp(const Call& call);
  Result<Json> older_profiles(const Call& call);
  Result<Json> older_remove_node(const Call& call);
  Result<Json> older_revoke(const Call& call);
  Result<Json> older_unrevoke(const Call& call);

  // own.cc
  Result<Json> own_certificate(const Call& call);
  Result<Json> own_status(const Call& call);
  Result<Json> renew(const Call& call);
  Result<Json> revoke(const Call& call);

  http::Gateway& gateway_;
  http::Settings settings_;
};

inline constexpr std::string_view kUsualProfile = "server";  ///< of a request that names none

/// {"status":"success","data":…}
/// Of a document about what is not done yet: it goes out as 202 (RFC 9110 15.3.3).
inline constexpr std::string_view kPendingStatus = "pending";
Json success(Json data);
/// {"status":"success","message":…}
Json done(std::string message);

/// What the daemon's certificate.issue, certificate.generate or certificate.renew gave, as certify answers.
Json issued(const Json& result);
/// The CRL that crl.get or crl.issue gave. @errors Malformed.
Result<Json> crl_of(const Json& answer);
/// The realm's nodes: {dn, cn, profile, state, serial} each, under `member`, a page of them.
Result<Json> node_page(const Call& call, std::string_view member);
/// Deletes a node, and shows its certificate in the CRL at once as uPKI does.
Result<Json> delete_node(const Call& call, const std::string& cn);
/// Issues for a request, unless the profile makes a CA.
Result<Json> issue(const Call& call, const std::string& csr, const std::string& profile);
/// @errors Denied: the profile makes a CA; NotFound.
Status check_profile_makes_no_ca(const Call& call, const std::string& profile);
/// One profile in uPKI's keys. @errors NotFound.
Result<Json> profile_view(const Call& call, const std::string& name);
/// The DN that a path segment stands for: the base64 of one, or one in comma form; empty: neither.
std::string dn_of_segment(const std::string& segment);
/// What certificate.get takes for a DN, a CN or a serial number; a path has DNs as base64.
Json selected(const std::string& text);

}  // namespace chancery::api
