#include <iostream>

#include "clients/lib/calls.h"
#include "server/base/file.h"

// issue-example REALM CSR-FILE: has a request certified and prints the certificate.
namespace {

using namespace chancery;

Result<std::string> issue(const char* realm, const char* csr_file) {
  PKI_TRY(auto csr, base::read_file(csr_file, 65536));
  PKI_TRY(auto client, client::Client::connect());
  PKI_TRY_VOID(client.open(realm));
  PKI_TRY(const auto issued, client::calls::certificate_issue(client, {.csr = std::move(csr), .profile = "server"}));
  return issued.text("certificate");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: issue-example REALM CSR-FILE\n", 64;
  const auto certificate = issue(argv[1], argv[2]);
  if (!certificate.ok())
    return std::cerr << to_line(certificate.error()) << "\n", base::describe(certificate.error().code()).exit_status;
  std::cout << *certificate;
  return 0;
}
