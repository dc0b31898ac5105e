#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/fd.h"
#include "server/base/scoreboard.h"
#include "server/config/server_config.h"
#include "server/signer/client.h"
#include "server/wire/commands.h"
#include "server/wire/message.h"
#include "server/worker/session.h"

/// What the tests of this room share: realms without a server around them, connections without a socket, and who stands in for
/// the signer.
namespace chancery::worker::testing {

/// What every connection is given for its realm's signer.
inline constexpr std::string_view kPass = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
inline constexpr Seconds kNow{std::chrono::seconds{1'800'000'000}};

/// A clock that goes when it is told.
class SetClock : public base::Clock {
 public:
  Seconds now() const override { return time; }
  Seconds time = kNow;
};

/// Listens where a realm's signer would. It has no key: it remembers the events that it is told, or refuses them.
class StandInSigner {
 public:
  explicit StandInSigner(const std::filesystem::path& socket);
  StandInSigner(const StandInSigner&) = delete;
  StandInSigner& operator=(const StandInSigner&) = delete;
  ~StandInSigner();

  /// What it was told since the last call.
  std::vector<signer::AuditEvent> take_events();
  std::size_t count_events() const;
  /// What it says to every event from now on; nothing: it takes them.
  void refuse_with(std::optional<Error> refusal);
  /// Closes the connection instead of answering, that many times.
  void hang_up(int times) { hang_ups_ = times; }
  /// What the latest connection said first.
  std::string pass() const;

 private:
  void listen();
  void converse(int connection);
  /// @return what to answer; nothing: hang up.
  std::optional<std::string> answer(const std::string& line);

  base::UniqueFd socket_;
  mutable std::mutex mutex_;
  std::string pass_;
  std::vector<signer::AuditEvent> events_;
  std::optional<Error> refusal_;
  std::atomic<int> hang_ups_{0};
  int connection_ = -1;
  bool ending_ = false;
  std::thread thread_;
};

/// Somebody at the socket.
struct Peer {
  uid_t uid = 0;
  bool from_upkeep = false;
};

/// Realms in a directory of their own and a configuration that a test may change until the first connection.
class Place {
 public:
  Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place();

  /// A uid that no other call gives, neither root's nor this process's.
  uid_t somebody();
  /// Gives that uid those roles in a realm, or in all ("*").
  void grant(uid_t uid, const std::string& realm, Roles roles);
  config::RealmConfig& realm(const std::string& name);
  std::filesystem::path signer_socket(const std::string& realm) const;
  std::string log() const;

  /// A connection of that peer, for as long as `use` runs. An open session confines its thread for good (PROMISES C22), so each
  /// connection has one of its own.
  void connect(const Peer& peer, const std::function<void(Session&)>& use);
  /// A certificate of realm "default", valid around kNow, which the realm's store has. The realm gets its CA with the first.
  x509::Certificate certify(const std::string& dn, const std::string& profile = "server");
  /// The store of realm "default". Before a connection, or after it.
  store::Store open_store();
  /// An administrator's session of realm "default" in which every command may come: a front end attested it for the
  /// administrator's certificate.
  void in_full_session(const std::function<void(Session&)>& use);
  /// Somebody with that role, in an open session of realm "default".
  void in_session(Role role, const std::function<void(Session&)>& use);

  config::ServerConfig server;
  SetClock clock;
  std::unique_ptr<base::Scoreboard> board;
  bool gives_passes = true;  ///< as the master does, whatever it is asked
  base::UniqueFd master;     ///< the master's end of the latest connection's way to ask for passes

 private:
  std::filesystem::path directory_;
  std::vector<std::shared_ptr<config::RealmConfig>> realms_;
  uid_t last_uid_;
};

/// What dispatch answers to that line.
wire::Reply say(Session& session, const std::string& line);
/// What it answers to that command. @param acting_for  the envelope's member "for"; empty: none
wire::Reply ask(Session& session, std::string_view command, const Json& params = Json::object(),
                const std::string& acting_for = {});
/// The reply's error code in words, "ok" without one.
std::string code_of(const wire::Reply& reply);

/// Every role, the least first.
std::vector<Role> all_roles();

/// A value that the table allows for that parameter.
Json sample(const wire::Param& param);
/// All of a command's parameters, or those that it requires.
Json sample_params(const wire::Command& command, bool optional_ones = true);

}  // namespace chancery::worker::testing
