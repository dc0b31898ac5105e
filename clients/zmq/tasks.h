#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/zmq/dialect.h"

namespace chancery::zmq_gateway {

/// Which of an endpoint's two ports a request came by.
enum class Port { Operations, Registration };

/// The way to the daemon: one command at a time, in the endpoint's realm (see backend.h; tests put their own here).
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;
  virtual Result<Json> call(std::string_view method, Json params) = 0;
  /// Counts one offer of a registration seed by the peer in hand. @return whether the seed may be looked at.
  virtual bool offer_seed() { return true; }
  /// It was not a wrong one.
  virtual void take_back_offer() {}
  /// Whether an answer that takes many commands is still in time; asked before each of them. A client gives up after 5 s, and
  /// uPKI's RA for good (UPKI.md 1.1).
  virtual bool is_in_time() { return true; }
  Result<Json> call(std::string_view method) { return call(method, Json::object()); }

  /// From now on until the next request, commands are those of a front end that the peer in hand is itself.
  ///
  /// @param holder  PEM: of whom they are; looked at anew. Empty: see call_for().
  /// @return what session.attest gives. @errors Denied: the peer is no front end; AuthFailed: the certificate holds for nobody.
  virtual Result<Json> speak_for(const std::string& holder) = 0;
  /// One command after speak_for(). @param acting_for  whom the front end acts for; empty: the holder, or itself.
  virtual Result<Json> call_for(std::string_view method, Json params, const std::string& acting_for) = 0;
  /// The endpoint's.
  virtual const std::string& realm() const = 0;
};

/// A frame's answer.
struct Reply {
  std::string text;
  std::string task;              ///< as far as it was understood
  std::optional<Error> refusal;  ///< why the text is an UPKI ERROR
};

/// Runs one frame and gives the reply frame, whatever came in.
Reply handle(Backend& backend, Port port, std::string_view frame);

/// Every task's name of a port in a dialect, for tests.
std::vector<std::string_view> task_names(Port port, Dialect dialect);

}  // namespace chancery::zmq_gateway
