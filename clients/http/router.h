#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/http/head.h"
#include "clients/http/message.h"
#include "clients/http/settings.h"

namespace chancery::http {

/// Straight-line code that may block: it runs on a thread of the pool.
using Handler = std::function<Response(const Request&)>;

enum class On : std::uint8_t { Plain, Tls, Both };

/// One row of the routing table. HEAD is answered wherever GET is.
struct Route {
  std::string method;  ///< "GET", "POST"
  /// "/acme/order/{order}/finalize", without the realm's prefix; "/ocsp/{request*}" takes all that is left, slashes included
  std::string pattern;
  On listener;             ///< which kind of listener has it
  std::string media_type;  ///< what a body must be; empty: not checked
  Handler handler;
  std::size_t max_body = kMaxBodyBytes;
  std::string signed_by = "nobody";  ///< whose signature a request must carry, in words; the handler sees to it
};

/// Paths below a prefix whose every answer gets something more, refusals included: nonces on ACME answers (RFC 8555 6.5).
struct Family {
  std::string prefix;
  std::string door;  ///< what it is part of, which has its share of the handlers
  std::function<void(const Request&, Response&)> finish;
  /// Makes a refusal of the router: status, one line for people. Without it: http::problem.
  std::function<Response(int, std::string_view)> refuse;
};

/// What the router found for a head, before the body is read.
struct Match {
  Request request;               ///< all but the body
  const Route* route = nullptr;  ///< null: `refusal` answers
  const Family* family = nullptr;
  Response refusal;

  /// Of paths of no family, the door is that of what is published.
  std::string door() const { return family == nullptr ? std::string() : family->door; }
};

using Segments = std::vector<std::string>;

/// A path between its slashes.
struct AskedPath {
  Segments raw;
  Segments plain;  ///< decoded; none when one of them cannot be
};

/// The one table of routes: finds realm and handler of a request, or the refusal.
class Router {
 public:
  void add(Route route);
  void add(Family family) { families_.push_back(std::move(family)); }

  const std::vector<Route>& routes() const { return routes_; }

  /// Realm by /realms/<realm>/ prefix, else the listener's default; a realm that the listener does not serve is 404 like
  /// any path that does not exist. 405 with Allow, 413 by Content-Length, 415.
  Match match(const ListenerSettings& listener, Head head, Peer peer) const;

  /// The refusal of a matched request: 413 in the middle of a chunked body, 503 when the pool is full.
  Response refuse(const Match& match, int status, std::string_view detail) const;

  /// The refusal of a head that cannot be read, or did not come whole: in the form of the paths that its first line names.
  /// @param begun  what came of it, raw
  Response refuse_head(std::string_view begun, int status, std::string_view detail) const;

  /// What its family adds to an answer.
  static void finish(const Match& match, Response& response);

  /// Runs the handler; a Bug becomes 500 and a log line.
  Response run(const Match& match) const;

 private:
  const Family* family_of(std::string_view path) const;
  void look_up(Match& match, std::string_view path, const Head& head) const;
  std::string allowed_methods(const AskedPath& path, bool tls) const;

  std::vector<Route> routes_;
  std::vector<Segments> patterns_;  ///< of each route
  std::vector<Family> families_;
};

}  // namespace chancery::http
