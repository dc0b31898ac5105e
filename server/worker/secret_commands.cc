#include "server/worker/handlers.h"

/// What opens the CA's key goes straight to the signer, which alone has a use for it: nothing of it stays here (base/wiping.h).
namespace chancery::worker {

Result<Json> secret_clear(Session& session, const Params& /*params*/) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto status, signer->clear_secret());
  return to_json(status);
}

/// One person's share counts by that person's name: a front end's own name stands for many people, or for nobody.
Result<Json> secret_enter(Session& session, const Params& params) {
  const auto& identity = session.identity();
  if (!identity.front_end.empty() && !session.is_attested())
    return Error(Code::Denied, "a share has to come from a person, " + identity.name + " is none",
                 "session.attest says for whom it is");
  PKI_TRY(auto* signer, session.signer());
  const signer::SecretEntry entry{SecretBytes(params.text("secret")), identity.name};
  PKI_TRY(const auto status, signer->enter_secret(entry));
  return to_json(status);
}

Result<Json> secret_status(Session& session, const Params& /*params*/) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto status, signer->secret_status());
  return to_json(status);
}

}  // namespace chancery::worker
