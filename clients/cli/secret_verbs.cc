#include "clients/cli/secret_verbs.h"

#include "server/base/names.h"
#include "server/base/terminal.h"
#include "server/base/text.h"
#include "server/crypto/share_files.h"

namespace chancery::cli {
namespace {

constexpr std::size_t kMaxSecret = 1024;

Result<SecretBytes> passphrase_to_split(const SplitOrder& order) {
  if (order.passphrase_file.empty()) return base::ask_secret("Passphrase to split: ", crypto::kMaxSharedOctets);
  PKI_TRY(const auto content, base::read_secret_file(order.passphrase_file, kMaxSecret));
  const auto text = base::as_text(content.view());
  SecretBytes line(base::trim(text.substr(0, text.find('\n'))));
  if (!line.empty()) return line;
  return Error(Code::InvalidParams, order.passphrase_file + " is empty, expected a passphrase on its first line");
}

}  // namespace

Result<Json> unlock(const client::Options& server, const std::string& realm, const std::string& front_end) {
  PKI_TRY(auto client, client::Client::connect(server));
  PKI_TRY_VOID(client.open(realm, front_end));
  PKI_TRY(const auto status, client.call("secret.status", Json::object()));
  if (status.text("state") == "open")
    return Error(Code::Conflict, "the CA's key is open already", "chancery secret clear locks it");
  if (status.text("method") == "none") {
    return Error(Code::Conflict, "nobody enters this realm's secret: a file or credential has it; " + status.text("reason"));
  }
  const bool shares = status.text("method") == "shares";
  PKI_TRY(const auto secret, base::ask_secret(shares ? "Your share: " : "Passphrase: ", kMaxSecret));
  return client.call(kEnterCommand, Json::object({{"secret", base::as_text(secret.view())}}));
}

Result<Json> split_passphrase(const std::string& realm_name, const SplitOrder& order) {
  if (realm_name.empty())
    return Error(Code::InvalidParams, "secret split: found no --realm, expected the realm that the shares open");
  PKI_TRY(const auto realm, RealmName::parse(realm_name));
  PKI_TRY(const auto passphrase, passphrase_to_split(order));
  PKI_TRY(const auto shares, crypto::split_secret(passphrase, realm.text(), order.shares, order.threshold));
  PKI_TRY(const auto files, crypto::write_share_files(order.directory, shares));
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.string());
  const auto lines = "secret:\n  method: shares\n  shares: " + std::to_string(order.shares) +
                     "\n  threshold: " + std::to_string(order.threshold) + "\n  set: \"" + shares.front().set + "\"\n";
  return Json::object({{"set", shares.front().set}, {"files", Json::strings(names)}, {"configuration", lines}});
}

}  // namespace chancery::cli
