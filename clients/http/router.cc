#include "clients/http/router.h"

#include <algorithm>
#include <exception>

#include "server/base/log.h"
#include "server/base/names.h"
#include "server/base/text.h"

namespace chancery::http {
namespace {

constexpr std::string_view kRealms = "/realms/";

using Parameters = std::vector<std::pair<std::string, std::string>>;

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

/// Whether the path follows the pattern; the {name} segments, decoded, go to `parameters`.
bool follows(std::string_view pattern, std::string_view path, Parameters& parameters) {
  const auto want = base::split(pattern, '/');
  const auto have = base::split(path, '/');
  if (want.size() != have.size()) return false;
  Parameters found;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const auto plain = decode_segment(have[i]);
    if (!plain.ok() || plain->empty() != want[i].empty()) return false;
    if (is_parameter(want[i])) {
      found.emplace_back(want[i].substr(1, want[i].size() - 2), *plain);
    } else if (*plain != want[i]) {
      return false;
    }
  }
  parameters = std::move(found);
  return true;
}

bool is_on(On where, bool tls) { return where == On::Both || (where == On::Tls) == tls; }

bool takes(const Route& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

/// RFC 9110 8.3.1: type and subtype regardless of case, parameters passed over.
bool is_media_type(std::string_view header, std::string_view wanted) {
  return base::to_lower_ascii(base::trim(header.substr(0, header.find(';')))) == wanted;
}

/// Cuts "/realms/<realm>" off the path. @return the realm, or nothing when the path does not name one.
std::string cut_realm(std::string_view& path) {
  if (!path.starts_with(kRealms)) return {};
  const auto rest = path.substr(kRealms.size());
  const auto realm = rest.substr(0, rest.find('/'));
  if (!RealmName::parse(realm).ok()) return {};
  path = rest.substr(realm.size());
  return std::string(realm);
}

}  // namespace

Match Router::match(const ListenerSettings& listener, Head head, Peer peer) const {
  Match match;
  std::string_view path = head.path;
  auto& request = match.request;
  request.realm = cut_realm(path);
  request.authority = listener.authority(head.host);
  if (request.realm.empty()) {
    request.realm = listener.realm_of(request.authority);
  } else {
    request.prefix = std::string(kRealms) + request.realm;
  }
  request.method = head.method;
  request.path = head.path;
  request.query = head.query;
  request.listener = listener.name;
  request.peer = std::move(peer);
  match.family = family_of(path);
  request.headers = std::move(head.headers);
  // RFC 9110 7.4: what was sent for https must have come that way.
  if (!head.scheme.empty() && (head.scheme == "https") != request.is_tls()) {
    match.refusal = refuse(match, 421, "the request target's scheme is not that of this address");
    return match;
  }
  if (!listener.serves(request.realm)) {
    match.refusal = refuse(match, 404, "there is nothing at this address");
    return match;
  }
  look_up(match, path, head);
  return match;
}

/// @param path  without the realm's prefix. @return null: of none.
const Family* Router::family_of(std::string_view path) const {
  const Family* found = nullptr;
  for (const auto& family : families_) {
    if (path.starts_with(family.prefix)) found = &family;
  }
  return found;
}

void Router::look_up(Match& match, std::string_view path, const Head& head) const {
  auto& request = match.request;
  const auto fits = [&](const Route& route) {
    return is_on(route.listener, request.is_tls()) && takes(route, request.method) &&
           follows(route.pattern, path, request.parameters);
  };
  const auto found = std::ranges::find_if(routes_, fits);
  if (found == routes_.end()) {
    const auto allowed = allowed_methods(path, request.is_tls());
    match.refusal = allowed.empty()
                        ? refuse(match, 404, "there is nothing at this address")
                        : refuse(match, 405, "method " + base::printable(request.method, 20) + ", expected " + allowed);
    if (!allowed.empty()) match.refusal.add("Allow", allowed);
    return;
  }
  if (head.body == BodyKind::Counted && head.content_length > found->max_body) {
    match.refusal = refuse(
        match, 413, "body of " + std::to_string(head.content_length) + " octets, at most " + std::to_string(found->max_body));
    return;
  }
  if (!found->media_type.empty() && !is_media_type(request.header("content-type").value_or(""), found->media_type)) {
    match.refusal = refuse(match, 415, "the body's media type must be " + found->media_type);
    return;
  }
  match.route = &*found;
}

std::string Router::allowed_methods(std::string_view path, bool tls) const {
  std::vector<std::string> methods;
  Parameters ignored;
  for (const auto& route : routes_) {
    if (!is_on(route.listener, tls) || !follows(route.pattern, path, ignored)) continue;
    methods.push_back(route.method);
    if (route.method == "GET") methods.emplace_back("HEAD");
  }
  return base::join(methods, ", ");
}

Response Router::refuse(const Match& match, int status, std::string_view detail) const {
  const bool own_form = match.family != nullptr && match.family->refuse;
  auto response = own_form ? match.family->refuse(status, detail) : problem(status, detail);
  if (status == 503) response.add("Retry-After", "2");
  if (match.family != nullptr && match.family->finish) match.family->finish(match.request, response);
  return response;
}

Response Router::refuse_head(std::string_view begun, int status, std::string_view detail) const {
  const auto line = begun.substr(0, begun.find_first_of("\r\n"));
  auto path = line.substr(std::min(line.size(), line.find(' ')));  // behind the method
  path.remove_prefix(std::min(path.size(), path.find_first_not_of(' ')));
  path = path.substr(0, path.find_first_of(" ?"));
  cut_realm(path);
  const auto* family = family_of(path);
  return family != nullptr && family->refuse ? family->refuse(status, detail) : problem(status, detail);
}

Response Router::run(const Match& match) const {
  const auto& peer = match.request.peer;
  base::set_log_context({match.request.realm, peer.address + ":" + std::to_string(peer.port), match.request.id});
  try {
    auto response = match.route->handler(match.request);
    if (match.family != nullptr && match.family->finish) match.family->finish(match.request, response);
    return response;
  } catch (const std::exception& failure) {  // a Bug: this request fails, the others do not
    base::log_error(std::string("request ") + match.request.path + ": " + failure.what());
    return refuse(match, 500, "the server failed; its log has the details");
  }
}

}  // namespace chancery::http
