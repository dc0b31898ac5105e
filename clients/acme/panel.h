#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "clients/acme/quorum.h"
#include "clients/acme/vantage_message.h"

namespace chancery::acme {

inline constexpr std::chrono::seconds kVantageConnectLimit{5};  ///< until CURVE's handshake is done
inline constexpr std::chrono::seconds kVantageLimit =
    kVantageConnectLimit + 2 * kValidationLimit;         ///< of connection, proof and CAA together
inline constexpr std::chrono::seconds kVantageGrace{5};  ///< for who has not answered when enough have found the same

/// This program's conversations with vantage points, over CURVE with its own key. Connections that answered are kept for the next
/// question for a while; one that did not is closed, so that no late answer can meet another question. Any thread may call.
class Panel {
 public:
  /// @param key_file  as chancery zmq-key makes it. @errors those of zmq_gateway::read_key_file.
  static Result<std::unique_ptr<Panel>> open(const std::filesystem::path& key_file);
  ~Panel();
  Panel(const Panel&) = delete;
  Panel& operator=(const Panel&) = delete;

  /// Asks all at once and waits for each, at most kVantageLimit, and once a quorum agrees at most kVantageGrace: one that hangs
  /// holds nobody up. Who does not answer, or not as it should, has said no; the log has that once, until that one answers again.
  ///
  /// @param own  what this program found; the quorum is of those that agree with it
  /// @param points  "tcp://HOST:PORT KEY" each. @param inquiry  its id is made here.
  /// @return one for each point, in their order.
  std::vector<Finding> ask(Inquiry inquiry, const Vantage& vantage, const Verdict& own);

 private:
  struct State;
  explicit Panel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace chancery::acme
