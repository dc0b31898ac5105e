#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "clients/acme/quorum.h"
#include "clients/acme/vantage_message.h"

namespace chancery::acme {

inline constexpr std::chrono::seconds kVantageConnectLimit{5};                  ///< until CURVE's handshake is done
inline constexpr std::chrono::seconds kVantageLimit = kVantageConnectLimit + 2 * kValidationLimit;  ///< of connection, proof and CAA together

/// This program's conversations with vantage points, over CURVE with its own key. Connections that answered are kept for the next
/// question for a while; one that did not is closed, so that no late answer can meet another question. Any thread may call.
class Panel {
 public:
  /// @param key_file  as chancery zmq-key makes it. @errors those of zmq_gateway::read_key_file.
  static Result<std::unique_ptr<Panel>> open(const std::filesystem::path& key_file);
  ~Panel();
  Panel(const Panel&) = delete;
  Panel& operator=(const Panel&) = delete;

  /// Asks all at once and waits for each, at most kVantageLimit. Who does not answer, or not as it should, has said no; the log
  /// has that once, until that one answers again.
  ///
  /// @param points  "tcp://HOST:PORT KEY" each. @param inquiry  its id is made here.
  /// @return one for each point, in their order.
  std::vector<Finding> ask(Inquiry inquiry, std::span<const std::string> points);

 private:
  struct State;
  explicit Panel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace chancery::acme
