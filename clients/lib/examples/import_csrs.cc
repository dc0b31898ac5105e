#include <algorithm>
#include <filesystem>
#include <iostream>
#include <vector>

#include "clients/lib/calls.h"
#include "server/base/file.h"

// import-csrs-example REALM PROFILE FOLDER: has every *.csr of a folder certified and writes the certificate with its chain
// beside it, as
// *.crt; what is refused gets a *.err that says why. A request that has its *.crt is passed over.
namespace {

using namespace chancery;
namespace fs = std::filesystem;

constexpr std::size_t kMostOctets = 65536;

std::vector<fs::path> requests_in(const fs::path& folder, std::error_code& failure) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    if (entry.path().extension() == ".csr") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

fs::path beside(fs::path file, const char* extension) { return file.replace_extension(extension); }

Result<std::string> certify(client::Client& client, const std::string& profile, const fs::path& file) {
  PKI_TRY(auto csr, base::read_file(file, kMostOctets));
  // The file's name is the key: run again after it was killed, the program gets the same certificate.
  const auto key = "import-csrs " + file.filename().string();
  PKI_TRY(const auto made,
          client::calls::certificate_issue(client, {.csr = std::move(csr), .profile = profile, .idempotency_key = key}));
  auto text = made.text("certificate");
  for (const auto& above : made.texts("chain")) text += above;
  return text;
}

/// @return how many were refused
Result<int> import(const std::string& realm, const std::string& profile, const fs::path& folder) {
  std::error_code failure;
  const auto files = requests_in(folder, failure);
  if (failure) return Error(Code::Io, folder.string() + ": " + failure.message());
  PKI_TRY(auto client, client::Client::connect({.reconnect_for = std::chrono::seconds(30)}));
  PKI_TRY_VOID(client.open(realm));
  int refused = 0;
  for (const auto& file : files) {
    if (fs::exists(beside(file, ".crt"))) continue;
    const auto made = certify(client, profile, file);
    if (!made.ok() && !client.connected()) return made.error();  // nobody answers: the rest waits for the next run
    if (!made.ok()) ++refused;
    const auto text = made.ok() ? *made : to_line(made.error()) + "\n";
    PKI_TRY_VOID(base::replace_file(beside(file, made.ok() ? ".crt" : ".err"), base::as_bytes(text), 0644));
    if (made.ok()) fs::remove(beside(file, ".err"));
    std::cout << file.string() << ": " << (made.ok() ? "certified" : to_line(made.error())) << "\n";
  }
  return refused;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "usage: import-csrs-example REALM PROFILE FOLDER\n", 64;
  const auto refused = import(argv[1], argv[2], argv[3]);
  if (!refused.ok()) return std::cerr << to_line(refused.error()) << "\n", base::describe(refused.error().code()).exit_status;
  return *refused == 0 ? 0 : 1;
}
