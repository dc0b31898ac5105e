#include "clients/http/router.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "server/base/log.h"
#include "server/base/names.h"
#include "server/base/text.h"

namespace chancery::http {
namespace {

constexpr std::string_view kRealms = "/realms/";

using Parameters = std::vector<std::pair<std::string, std::string>>;

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

/// "{request*}": octets of any kind, to the path's end.
bool takes_rest(std::string_view segment) { return segment.ends_with("*}"); }

/// The segments of a path, decoded; none, which no pattern has, when one of them cannot be.
Segments decoded(Segments segments) {
  for (auto& one : segments) {
    auto plain = decode_segment(one);
    if (!plain.ok()) return {};
    one = std::move(*plain);
  }
  return segments;
}

bool is_like(const std::string& want, const std::string& have) { return is_parameter(want) ? !have.empty() : have == want; }

/// What a path has where the pattern takes the rest of it. None: nothing, or what cannot be decoded.
std::optional<std::string> rest_in(const Segments& pattern, const AskedPath& path) {
  if (path.raw.size() < pattern.size()) return std::nullopt;
  const auto first = path.raw.begin() + static_cast<std::ptrdiff_t>(pattern.size() - 1);
  auto octets = decode_octets(base::join({first, path.raw.end()}, "/"));
  return octets.ok() && !octets->empty() ? std::optional(std::move(*octets)) : std::nullopt;
}

bool follows(const Segments& pattern, const AskedPath& path) {
  if (!takes_rest(pattern.back())) return std::ranges::equal(pattern, path.plain, is_like);
  if (!rest_in(pattern, path)) return false;
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    const auto plain = decode_segment(path.raw[i]);
    if (!plain.ok() || !is_like(pattern[i], *plain)) return false;
  }
  return true;
}

/// The {name} segments, decoded. @pre the path follows the pattern
Parameters parameters_of(const Segments& pattern, const AskedPath& path) {
  Parameters found;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto& want = pattern[i];
    if (takes_rest(want)) {
      found.emplace_back(want.substr(1, want.size() - 3), *rest_in(pattern, path));
    } else if (is_parameter(want)) {
      found.emplace_back(want.substr(1, want.size() - 2), decode_segment(path.raw[i]).value());
    }
  }
  return found;
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

void Router::add(Route route) {
  patterns_.push_back(base::split(route.pattern, '/'));
  routes_.push_back(std::move(route));
}

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
  const auto raw = base::split(path, '/');
  const AskedPath asked{raw, decoded(raw)};
  const auto fits = [&](const Route& route) {
    return is_on(route.listener, request.is_tls()) && takes(route, request.method) &&
           follows(patterns_[static_cast<std::size_t>(&route - routes_.data())], asked);
  };
  const auto type = request.header("content-type").value_or("");
  // Of two with the same path the one that is for such a body: uPKI's /ocsp takes JSON, RFC 6960's is a type of its own.
  auto found = std::ranges::find_if(routes_, [&](const Route& route) {
    return !route.media_type.empty() && is_media_type(type, route.media_type) && fits(route);
  });
  if (found == routes_.end()) found = std::ranges::find_if(routes_, fits);
  if (found == routes_.end()) {
    const auto allowed = allowed_methods(asked, request.is_tls());
    match.refusal = allowed.empty()
                        ? refuse(match, 404, "there is nothing at this address")
                        : refuse(match, 405, "method " + base::printable(request.method, 20) + ", expected " + allowed);
    if (!allowed.empty()) match.refusal.add("Allow", allowed);
    return;
  }
  request.parameters = parameters_of(patterns_[static_cast<std::size_t>(found - routes_.begin())], asked);
  if (head.body == BodyKind::Counted && head.content_length > found->max_body) {
    match.refusal = refuse(
        match, 413, "body of " + std::to_string(head.content_length) + " octets, at most " + std::to_string(found->max_body));
    return;
  }
  if (!found->media_type.empty() && !is_media_type(type, found->media_type)) {
    match.refusal = refuse(match, 415, "the body's media type must be " + found->media_type);
    return;
  }
  match.route = &*found;
}

std::string Router::allowed_methods(const AskedPath& path, bool tls) const {
  std::vector<std::string> methods;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const auto& route = routes_[i];
    const bool is_named = std::ranges::find(methods, route.method) != methods.end();  // of two that are for other bodies
    if (is_named || !is_on(route.listener, tls) || !follows(patterns_[i], path)) continue;
    methods.push_back(route.method);
    if (route.method == "GET") methods.emplace_back("HEAD");
  }
  return base::join(methods, ", ");
}

Response Router::refuse(const Match& match, int status, std::string_view detail) const {
  const bool own_form = match.family != nullptr && match.family->refuse;
  auto response = own_form ? match.family->refuse(status, detail) : problem(status, detail);
  if (status == 503) response.add("Retry-After", "2");
  finish(match, response);
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

void Router::finish(const Match& match, Response& response) {
  if (match.family != nullptr && match.family->finish) match.family->finish(match.request, response);
}

Response Router::run(const Match& match) const {
  const auto& peer = match.request.peer;
  base::set_log_context({match.request.realm, peer.address + ":" + std::to_string(peer.port), match.request.id});
  try {
    auto response = match.route->handler(match.request);
    finish(match, response);
    return response;
  } catch (const std::exception& failure) {  // a Bug: this request fails, the others do not
    base::log_error(std::string("request ") + match.request.path + ": " + failure.what());
    return refuse(match, 500, "the server failed; its log has the details");
  }
}

}  // namespace chancery::http
