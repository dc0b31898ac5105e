#include <filesystem>
#include <fstream>
#include <iostream>

#include "clients/lib/calls.h"
#include "server/base/clock.h"
#include "server/base/file.h"

// renew-expiring-example REALM DAYS DIRECTORY: certifies anew, for the same keys and names, what ends within DAYS days, and
// writes each certificate with its chain to DIRECTORY/SERIAL-OF-THE-OLD-ONE.pem. It may be run as often as one likes, and killed:
// nothing is issued twice.
namespace {

using namespace chancery;
namespace calls = client::calls;

struct Task {
  std::string realm;
  Seconds until;
  std::filesystem::path directory;
};

/// Whether somebody has a newer one of the same subject and profile that lasts longer.
Result<bool> has_successor(client::Client& client, const Task& task, const Json& old) {
  PKI_TRY(const auto newest, calls::certificate_get(client, {.dn = old.text("subject")}));
  return newest.text("serial") != old.text("serial") && newest.text("profile") == old.text("profile") &&
         newest.text("state") == "valid" && newest.text("not_after") > base::to_rfc3339(task.until);
}

Status renew(client::Client& client, const Task& task, const Json& old) {
  const auto serial = old.text("serial");
  const auto mark = task.directory / (serial + ".begun");
  PKI_TRY(const bool is_renewed, has_successor(client, task, old));
  if (is_renewed && !std::filesystem::exists(mark)) return {};
  // Whoever is killed from here on finds the mark at the next run, and the key gives it the same certificate then.
  std::ofstream(mark).flush();
  PKI_TRY(const auto made, calls::certificate_renew(client, {.serial = serial, .idempotency_key = "renew-expiring " + serial}));
  auto text = made.text("certificate");
  for (const auto& above : made.texts("chain")) text += above;
  PKI_TRY_VOID(base::replace_file(task.directory / (serial + ".pem"), base::as_bytes(text), 0644));
  std::filesystem::remove(mark);
  std::cout << "renewed " << serial << " as " << made.text("serial") << " until " << made.text("not_after") << "\n";
  return {};
}

/// @return how many could not be renewed
Result<int> renew_all(const Task& task) {
  PKI_TRY(auto client, client::Client::connect({.reconnect_for = std::chrono::seconds(30)}));
  PKI_TRY_VOID(client.open(task.realm));
  int failed = 0;
  auto ending = calls::certificates(client, {.state = "valid",
                                             .expires_before = base::to_rfc3339(task.until),
                                             .expires_after = base::to_rfc3339(base::SystemClock().now())});
  for (const auto& old : ending) {
    const auto renewed = renew(client, task, old);
    if (renewed.ok()) continue;
    ++failed;
    std::cout << "kept " << old.text("serial") << ": " << to_line(renewed.error()) << "\n";
  }
  PKI_TRY_VOID(ending.status());
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  const long days = argc == 4 ? std::strtol(argv[2], nullptr, 10) : 0;
  if (days <= 0) return std::cerr << "usage: renew-expiring-example REALM DAYS DIRECTORY\n", 64;
  const auto failed = renew_all({argv[1], base::SystemClock().now() + std::chrono::days(days), argv[3]});
  if (!failed.ok()) return std::cerr << to_line(failed.error()) << "\n", base::describe(failed.error().code()).exit_status;
  return *failed == 0 ? 0 : 1;
}
