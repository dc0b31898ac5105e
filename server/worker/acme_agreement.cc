#include "server/worker/acme_agreement.h"

#include "server/wire/json.h"
#include "server/worker/acme_common.h"

namespace chancery::worker {
namespace {

constexpr std::string_view kNone = "none";  ///< what was agreed to where the realm had no terms

std::string present_terms(const config::AcmeConfig& acme) {
  return acme.terms_of_service.empty() ? std::string(kNone) : acme.terms_of_service;
}

}  // namespace

Error terms_refusal(const std::string& url, std::string_view why) {
  const auto more = wire::to_text(Json::object({{"terms", url}}));
  return acme_error("userActionRequired " + more, Code::Denied, std::string(why) + ": " + url);
}

bool agree(const config::AcmeConfig& acme, store::AcmeAccount& account) {
  const bool is_new = !account.terms_agreed || account.terms != present_terms(acme);
  account.terms_agreed = true;
  account.terms = present_terms(acme);
  return is_new;
}

Status check_agreement(const config::AcmeConfig& acme, store::Store& store, const store::AcmeAccount& account) {
  const auto& url = acme.terms_of_service;
  if (url.empty() || (account.terms_agreed && account.terms == url)) return {};
  if (!account.terms_agreed || !account.terms.empty())
    return terms_refusal(url, "the account has not agreed to the terms of service as they are now");
  auto noted = account;
  agree(acme, noted);
  return unless_overtaken(store.update_acme_account(noted));
}

}  // namespace chancery::worker
