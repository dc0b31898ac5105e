#include "clients/notify/serve.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "clients/lib/client.h"
#include "clients/lib/complaints.h"
#include "clients/notify/hook.h"
#include "clients/notify/ldap_publish.h"
#include "clients/notify/message.h"
#include "clients/notify/publish.h"
#include "clients/notify/transfer.h"
#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/base/process.h"
#include "server/base/text.h"

namespace chancery::notify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxSecret = 1024;
constexpr int kMostInTurn = 50;  ///< notices of a realm before it is another one's turn
constexpr int kMostReports = 3;  ///< times that an outcome is told, when connections end meanwhile

/// One line, as a person writes it with an editor. @errors those of read_secret_file.
Result<SecretBytes> read_secret(const std::string& file) {
  PKI_TRY(const auto whole, base::read_secret_file(file, kMaxSecret));
  return SecretBytes(base::trim(base::as_text(whole.view())));
}

// ----- the ways

Status by_mail(const RealmSettings& realm, const Json& notice, Seconds now) {
  SecretBytes password;
  if (!realm.mail_user.empty()) {
    PKI_TRY(password, read_secret(realm.mail_password_file));
  }
  PKI_TRY(const auto mail, make_mail(realm, notice, now));
  return send_mail(realm, password, notice.text("recipient"), mail);
}

Status by_webhook(const RealmSettings& realm, const Json& notice, Seconds now) {
  PKI_TRY(const auto key, read_secret(realm.webhook_key_file));
  const auto body = make_json(realm, notice);
  return post(
      realm, notice.text("recipient"),
      {"Content-Type: application/json", "Chancery-Notice: " + notice.text("id"),
       "Chancery-Timestamp: " + std::to_string(base::to_epoch(now)), "Chancery-Signature: " + sign(key.view(), now, body)},
      body);
}

Status by_program(const RealmSettings& realm, const Json& notice, Seconds /*now*/) {
  return run_hook(realm.program, make_json(realm, notice), realm.timeout);
}

struct Way {
  std::string_view channel;
  Status (*send)(const RealmSettings& realm, const Json& notice, Seconds now);
};
constexpr std::array kWays{Way{"mail", by_mail}, Way{"program", by_program}, Way{"webhook", by_webhook}};

Status send(const RealmSettings& realm, const Json& notice) {
  const auto* const way = std::ranges::find(kWays, notice.text("channel"), &Way::channel);
  if (way == kWays.end())
    return Error(Code::Unsupported, "no way called \"" + base::printable(notice.text("channel"), 40) + "\"");
  return way->send(realm, notice, base::SystemClock().now());
}

// ----- one realm

/// That a notice was sent must not be lost with a connection: said twice, it is refused once.
Status report(client::Client& client, const Json& notice, const Status& outcome) {
  auto params = Json::object({{"id", notice.text("id")}, {"token", notice.text("token")}, {"sent", outcome.ok()}});
  if (!outcome.ok()) params.set("problem", base::printable(outcome.error().message(), 200));
  for (int i = 1;; ++i) {
    const auto told = client.call("notice.finish", params);
    if (told.ok()) return {};
    if (client.connected() || i == kMostReports) return told.error();
    PKI_TRY_VOID(client.reconnect());
  }
}

class Sender {
 public:
  Sender(const Settings& settings, const RealmSettings& realm, client::Complaints& complaints)
      : settings_(settings), realm_(realm), complaints_(complaints) {}

  /// @return whether there may be more at once.
  bool take_turn(const auto& asked_to_stop) {
    auto client = client::Client::connect_to_realm({.socket = settings_.socket, .reconnect_for = std::chrono::seconds(10)},
                                                   realm_.realm, settings_.front_end);
    if (!client.ok()) return complain("", client.error());
    if (!realm_.crl_directory.empty()) publish(*client);
    if (!realm_.ldap.url.empty() && client->connected()) publish_to_ldap(*client);
    if (!realm_.sends || !client->connected()) return false;
    for (int i = 0; i < kMostInTurn; ++i) {
      if (asked_to_stop()) return false;
      const auto claimed = client->call("notice.claim");
      if (!claimed.ok()) return complain("", claimed.error());
      const auto* notice = claimed->find("notice");
      if (notice == nullptr) return false;
      const auto outcome = send(realm_, *notice);
      if (!outcome.ok()) complain("notice by " + notice->text("channel") + ": ", outcome.error());
      if (const auto told = report(*client, *notice, outcome); !told.ok()) return complain("", told.error());
    }
    return true;
  }

  const RealmSettings& realm() const { return realm_; }

 private:
  void publish(client::Client& client) {
    const auto done = publisher_.take_turn(
        client, [this](const std::string& ca, const Error& error) { complain("CRL of " + ca + ": ", error); });
    if (!done.ok()) complain("CRLs: ", done.error());
  }

  void publish_to_ldap(client::Client& client) {
    const auto done = ldap_.take_turn(
        client, [this](const std::string& whose, const Error& error) { complain("LDAP entry of " + whose + ": ", error); });
    if (!done.ok()) complain("LDAP: ", done.error());
  }

  bool complain(const std::string& what, const Error& error) {
    const auto text = what + base::to_line(error);
    complaints_.log(base::LogLevel::Warning, realm_.realm + what + error.message(),
                    {.realm = realm_.realm, .peer = {}, .request = {}}, text);
    return false;
  }

  const Settings& settings_;
  const RealmSettings& realm_;
  client::Complaints& complaints_;
  Publisher publisher_{realm_};
  LdapPublisher ldap_{realm_};
};

/// The end of this process's work, to be waited for.
class End {
 public:
  explicit End(int life) {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT}) ::sigaddset(&signals, number);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC));
    waiting_ = {pollfd{signals_.get(), POLLIN, 0}, pollfd{life, POLLIN, 0}};
  }
  /// @return whether it came.
  bool wait(std::chrono::milliseconds limit) {
    return ::poll(waiting_.data(), waiting_.size(), static_cast<int>(std::max<std::int64_t>(limit.count(), 0))) > 0;
  }

 private:
  base::UniqueFd signals_;
  std::array<pollfd, 2> waiting_{};
};

}  // namespace

int serve(const Settings& settings, int life) {
  End end(life);
  client::Complaints complaints;
  struct Turn {
    Sender sender;
    Clock::time_point at;
  };
  std::vector<Turn> turns;
  for (const auto& realm : settings.realms) turns.push_back({Sender(settings, realm, complaints), Clock::now()});
  constexpr std::chrono::milliseconds kNothingToDo{60000};
  auto pause = std::chrono::milliseconds(0);
  while (!end.wait(pause)) {
    pause = kNothingToDo;
    for (auto& turn : turns) {
      if (turn.at <= Clock::now()) {
        const bool has_more = turn.sender.take_turn([&] { return end.wait(std::chrono::milliseconds(0)); });
        turn.at = Clock::now() + (has_more ? std::chrono::seconds(0) : turn.sender.realm().round);
      }
      pause = std::min(pause, std::chrono::duration_cast<std::chrono::milliseconds>(turn.at - Clock::now()));
    }
    complaints.report();
  }
  complaints.report(true);
  return base::to_int(base::Exit::Ok);
}

}  // namespace chancery::notify
