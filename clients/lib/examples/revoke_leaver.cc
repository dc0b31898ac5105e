#include <iostream>
#include <map>
#include <string>

#include "clients/lib/calls.h"

// revoke-leaver-example REALM WHO [apply]: lists, and with "apply" revokes, the certificates in force of somebody who leaves. WHO
// is an identity that asked for them ("unix:alice"), an e-mail address among their names, or a common name that they begin with.
namespace {

using namespace chancery;
namespace calls = client::calls;

/// How the server finds what is theirs.
calls::CertificateSearch search_for(const std::string& who) {
  calls::CertificateSearch search{.state = "valid"};
  const auto mark = who.find_first_of(":@");
  auto& filter = mark == std::string::npos ? search.subject : who[mark] == ':' ? search.requester : search.san;
  filter = mark != std::string::npos && who[mark] == '@' ? "EMAIL:" + who : who;
  return search;
}

/// What can be seen as done: somebody else was faster.
bool is_done(const Status& revoked) { return revoked.ok() || revoked.error().code() == Code::Conflict; }

Status revoke(client::Client& client, const std::string& serial) {
  PKI_TRY([[maybe_unused]] const auto done,
          calls::certificate_revoke(client, {.serial = serial, .reason = "affiliationChanged"}));
  return {};
}

/// @return how many could not be revoked
Result<int> revoke_all(const std::string& realm, const std::string& who, bool applies) {
  PKI_TRY(auto client, client::Client::connect());
  PKI_TRY_VOID(client.open(realm));
  // First all of them: what is revoked leaves the list under our feet.
  std::map<std::string, std::string> found;
  auto rows = calls::certificates(client, search_for(who));
  for (const auto& row : rows) found.emplace(row.text("serial"), row.text("subject"));
  PKI_TRY_VOID(rows.status());
  int failed = 0;
  for (const auto& [serial, subject] : found) {
    const auto revoked = applies ? revoke(client, serial) : Status();
    if (!is_done(revoked)) ++failed;
    std::cout << (!applies           ? "would revoke "
                  : is_done(revoked) ? "revoked "
                                     : "not revoked: ")
              << serial << " " << subject << "\n";
  }
  std::cout << found.size() << " certificates\n";
  if (applies && !found.empty()) {
    PKI_TRY([[maybe_unused]] const auto crl, calls::crl_issue(client, {}));  // at once, not at its next turn
  }
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  const bool applies = argc == 4 && std::string_view(argv[3]) == "apply";
  if (argc != 3 && !applies) return std::cerr << "usage: revoke-leaver-example REALM WHO [apply]\n", 64;
  const auto failed = revoke_all(argv[1], argv[2], applies);
  if (!failed.ok()) return std::cerr << to_line(failed.error()) << "\n", base::describe(failed.error().code()).exit_status;
  return *failed == 0 ? 0 : 1;
}
