#include <iostream>

#include "clients/lib/calls.h"

// list-example REALM PROFILE: the realm's certificates of one profile, newest first: serial number, end of validity, subject.
namespace {

using namespace chancery;

Status list(const std::string& realm, const std::string& profile) {
  using std::chrono::seconds;
  // A server that restarts meanwhile is waited for: certificate.search only reads.
  PKI_TRY(auto client, client::Client::connect({.request_timeout = seconds(10), .reconnect_for = seconds(30)}));
  PKI_TRY_VOID(client.open(realm));
  auto found = client::calls::certificates(client, {.profile = profile});
  for (const auto& row : found)
    std::cout << row.text("serial") << " " << row.text("not_after") << " " << row.text("subject") << "\n";
  return found.status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: list-example REALM PROFILE\n", 64;
  const auto done = list(argv[1], argv[2]);
  if (done.ok()) return 0;
  const auto& error = done.error();
  std::cerr << base::describe(error.code()).text << ": " << error.message() << "\n";
  if (!error.hint().empty()) std::cerr << "hint: " << error.hint() << "\n";
  return base::describe(error.code()).exit_status;
}
