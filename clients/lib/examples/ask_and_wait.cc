#include <fstream>
#include <iostream>
#include <string>

#include "clients/lib/request.h"
#include "server/base/file.h"

// ask-and-wait-example REALM PROFILE CSR CRT SECONDS [STACK USER PASSWORD-FILE]: asks for the certificate of a request, waits so
// long until others have approved it, and writes the certificate with its chain. Run it again whenever it ended before: beside
// CRT it keeps the id of what it asked for, so it asks once.
namespace {

using namespace chancery;
using client::Request;

constexpr std::size_t kMostOctets = 65536;

struct Task {
  std::string realm;
  std::string profile;
  std::string csr;
  std::string crt;
  std::chrono::seconds limit;
};

Result<Request> asked(client::Client& client, const Task& task) {
  const base::Path mark = task.crt + ".request";
  if (std::filesystem::exists(mark)) {
    PKI_TRY(const auto id, base::read_file(mark, kMostOctets));
    return Request::find(client, id);
  }
  PKI_TRY(const auto csr, base::read_file(task.csr, kMostOctets));
  PKI_TRY(auto request, Request::create(client, {.csr = csr, .profile = task.profile}));
  PKI_TRY_VOID(base::replace_file(mark, base::as_bytes(request.id()), 0644));
  return request;
}

Status run(const Task& task, const client::Client::Login& login) {
  PKI_TRY(auto client, client::Client::connect({.reconnect_for = std::chrono::seconds(30)}));
  PKI_TRY_VOID(client.open(task.realm));
  if (!login.stack.empty()) PKI_TRY_VOID(client.login(login));
  PKI_TRY(auto request, asked(client, task));
  std::cout << "request " << request.id() << " of digest " << request.digest() << std::endl;
  PKI_TRY(const auto state, request.wait(task.limit));
  if (state != "approved" && state != "issued") return Error(Code::Conflict, "the request is " + state);
  PKI_TRY(const auto made, request.pickup());
  auto text = made.text("certificate");
  for (const auto& above : made.texts("chain")) text += above;
  PKI_TRY_VOID(base::replace_file(task.crt, base::as_bytes(text), 0644));
  std::cout << "certificate " << made.text("serial") << " until " << made.text("not_after") << "\n";
  return {};
}

/// The first line of a file.
std::string secret_in(const char* file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 9)
    return std::cerr << "usage: ask-and-wait-example REALM PROFILE CSR CRT SECONDS [STACK USER PASSWORD-FILE]\n", 64;
  const auto password = argc == 9 ? secret_in(argv[8]) : std::string();
  const client::Client::Login login{.stack = argc == 9 ? argv[6] : "", .user = argc == 9 ? argv[7] : "", .password = password};
  const auto done = run({argv[1], argv[2], argv[3], argv[4], std::chrono::seconds(std::strtol(argv[5], nullptr, 10))}, login);
  if (!done.ok()) return std::cerr << to_line(done.error()) << "\n", base::describe(done.error().code()).exit_status;
  return 0;
}
