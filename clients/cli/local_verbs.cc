#include "clients/cli/local_verbs.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "server/base/fd.h"
#include "server/base/names.h"
#include "server/crypto/key.h"
#include "server/x509/csr.h"
#include "server/x509/pem.h"

namespace chancery::cli {
namespace {

constexpr const char* kSigner = "chancery-signer";

/// Uninstalled trees have it beside this program; an installation in libexec.
Result<base::Path> find_signer() {
  std::vector<base::Path> directories;
  if (const char* named = std::getenv("CHANCERY_PROGRAMS"); named != nullptr && *named != '\0') directories.emplace_back(named);
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (!failure) directories.push_back(self.parent_path());
  directories.emplace_back(CHANCERY_LIBEXECDIR);
  for (const auto& directory : directories) {
    auto path = directory / kSigner;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return Error(Code::NotFound, "no chancery-signer in " + directories.back().string(),
               "set CHANCERY_PROGRAMS to the directory that has it");
}

}  // namespace

Status create_realm(const std::string& name, const base::Path& realms_directory, const std::vector<std::string>& options) {
  PKI_TRY(const auto realm, RealmName::parse(name));
  PKI_TRY(const auto program, find_signer());
  std::vector<std::string> words{program.string(), "create",      "--realm",
                                 realm.text(),     "--directory", (realms_directory / realm.text()).string()};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  return base::io_error("run " + program.string(), errno);
}

Result<Json> make_request(const CsrOrder& order) {
  std::error_code failure;
  if (std::filesystem::exists(order.key_out, failure)) {
    return Error(Code::Exists, order.key_out.string() + " is there already",
                 "keys are not overwritten; choose another --key-out");
  }
  PKI_TRY(const auto spec, base::parse_key_spec(order.key));
  x509::Name subject;
  subject.attributes.push_back({"CN", order.cn});
  std::vector<x509::GeneralName> sans;
  for (const auto& text : order.sans) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    sans.push_back(std::move(name));
  }
  PKI_TRY(const auto key, crypto::PrivateKey::generate(spec));
  PKI_TRY(const auto der, x509::make_csr(key, subject, sans));
  const auto request = x509::to_pem(x509::kRequestLabel, der);
  PKI_TRY_VOID(base::replace_file(order.key_out, key.to_pem().view(), 0600));
  if (!order.out.empty()) PKI_TRY_VOID(base::replace_file(order.out, base::as_bytes(request), 0644));
  return Json::object({{"key_file", order.key_out.string()}, {"request", request}});
}

}  // namespace chancery::cli
