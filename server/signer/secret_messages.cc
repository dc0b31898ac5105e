#include "server/base/bytes.h"
#include "server/signer/messages.h"

namespace chancery::signer {

Json to_json(const SecretEntry& entry) {
  return Json::object({{"secret", base::as_text(entry.secret.view())}, {"by", entry.by}});
}

Result<SecretEntry> secret_entry_from_json(const Json& params) {
  const auto* secret = params.find("secret");
  SecretEntry entry{SecretBytes(), params.text("by")};
  if (secret != nullptr && secret->is_string()) entry.secret = SecretBytes(std::string_view(*secret->as_string()));
  if (entry.secret.empty() || entry.by.empty()) return Error(Code::Malformed, "secret entry without a secret or a name");
  return entry;
}

Json to_json(const SecretGiven& given) {
  return Json::object({{"index", given.index}, {"by", given.by}, {"at", base::to_rfc3339(given.at)}});
}

Json to_json(const SecretStatus& status) {
  Json given = Json::array();
  for (const auto& one : status.given) given.push_back(to_json(one));
  return Json::object({{"method", status.method},
                       {"store", status.store},
                       {"state", status.state},
                       {"reason", status.reason},
                       {"shares", status.shares},
                       {"threshold", status.threshold},
                       {"set", status.set},
                       {"given", std::move(given)}});
}

Result<SecretStatus> secret_status_from_json(const Json& result) {
  SecretStatus status{.method = result.text("method"),
                      .store = result.text("store"),
                      .state = result.text("state"),
                      .reason = result.text("reason"),
                      .shares = static_cast<int>(result.integer("shares")),
                      .threshold = static_cast<int>(result.integer("threshold")),
                      .set = result.text("set"),
                      .given = {}};
  const auto* given = result.find("given");
  if (given == nullptr || !given->is_array()) return Error(Code::Malformed, "secret status without given");
  for (const auto& one : *given->as_array()) {
    PKI_TRY(const auto at, base::from_rfc3339(one.text("at")));
    status.given.push_back({static_cast<int>(one.integer("index")), one.text("by"), at});
  }
  return status;
}

}  // namespace chancery::signer
