#include "server/signer/messages.h"
#include "server/wire/message.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

/// What is read is written as what reads the same.
template <typename Read>
void check(const Json& json, Read read) {
  const auto message = read(json);
  if (!message.ok()) return;
  const auto written = signer::to_json(*message);
  const auto again = read(written);
  fuzz::hold(again.ok() && signer::to_json(*again) == written);
}

}  // namespace

/// The parameters or the result of a message between a worker and its signer.
FUZZ_TARGET(signer_message) {
  const auto json = wire::parse_json(input);
  if (!json.ok()) return;
  check(*json, signer::sign_request_from_json);
  check(*json, signer::signed_from_json);
  check(*json, signer::crl_request_from_json);
  check(*json, signer::signed_crl_from_json);
  check(*json, signer::journal_page_from_json);
  check(*json, signer::audit_event_from_json);
  check(*json, signer::audit_page_from_json);
  check(*json, signer::authority_from_json);
  check(*json, signer::serials_from_json);
  check(*json, signer::taken_over_from_json);
  check(*json, signer::generations_from_json);
  check(*json, signer::new_generation_from_json);
  check(*json, signer::approved_request_from_json);
  check(*json, signer::secret_entry_from_json);
  check(*json, signer::secret_status_from_json);
}
