#pragma once

#include <set>
#include <string>
#include <vector>

#include "server/wire/json.h"
#include "server/worker/issue.h"
#include "server/worker/params.h"

/// What an ACME order may ask for, whoever brings it: a client by acme.order.create, an RA by acme.order.sync.
namespace chancery::worker {

/// An identifier {type, value} as a name: dns and ip (RFC 8555 9.7.7, RFC 8738).
/// @errors acme:unsupportedIdentifier, acme:rejectedIdentifier.
Result<x509::GeneralName> name_of(const Json& identifier);
/// The identifier of such a name.
Json identifier_of(const x509::GeneralName& name);
/// Each name once, in the order of the request. @errors as name_of; InvalidParams: there is none.
Result<std::vector<x509::GeneralName>> names_of(const Json& identifiers);
/// Each name once, in their order. @errors InvalidParams: there is none.
Result<std::vector<x509::GeneralName>> each_once(const std::vector<x509::GeneralName>& names);

/// Names of which the order does not count.
std::set<x509::GeneralName> as_set(const std::vector<x509::GeneralName>& names);
bool is_wildcard(const x509::GeneralName& name);

/// The profile that `params` asks for, or the realm's for ACME. @errors acme:invalidProfile.
Result<ProfileName> profile_for(const Session& session, const Params& params);

/// What the realm would refuse anyway is refused before anything is proved: RFC 8555 7.4 forbids to issue other contents than
/// those asked for. The account's key stands in for the one to come, so only what is known now is looked at.
/// @errors acme:rejectedIdentifier, acme:malformed, those of judge().
Status check_policy(Session& session, const store::AcmeAccount& account, Order wanted);

/// The methods by which the realm lets a name be proved, in its order; none: it takes no names of that kind.
std::vector<std::string> methods_for(const config::AcmeConfig& acme, const x509::GeneralName& name);
/// Whether it offers that method now for what an authorization is of, which was made when it may have offered others.
bool offers(const config::AcmeConfig& acme, const store::AcmeAuthorization& authorization, std::string_view method);
/// That each name can be proved somehow. @errors acme:rejectedIdentifier.
Status check_provable(const config::AcmeConfig& acme, const std::vector<x509::GeneralName>& names);

/// An authorization of that name, and nothing else of it yet: neither id nor status.
store::AcmeAuthorization authorization_of(const std::string& account, const x509::GeneralName& name);
/// A pending authorization of that name for that order, with a new id and a new challenge for each method of the realm. For a
/// wildcard it is of the name below the asterisk (RFC 8555 7.1.4).
store::AcmeAuthorization authorization_for(const config::AcmeConfig& acme, const store::AcmeOrder& order,
                                           const x509::GeneralName& name, Seconds now);
/// What an authorization names: of a wildcard the name below the asterisk (RFC 8555 7.1.4).
Json identifier_of(const store::AcmeAuthorization& authorization);
/// What orders name it by: a wildcard with its asterisk.
std::string ordered_name(const store::AcmeAuthorization& authorization);
/// The identifier by which they do.
Json ordered_identifier(const store::AcmeAuthorization& authorization);

}  // namespace chancery::worker
