#include "server/worker/login.h"
#include "server/worker/login_runner.h"

namespace chancery::worker {

Result<Proof> prove_by_program(Session& session, const config::LoginStack& /*stack*/, const Params& params) {
  const SecretBytes password(params.text("password"));
  const auto name = person_name(params.text("user"));
  if (!name.ok() || password.empty()) return Error(Code::AuthFailed, "no name, or no password");
  PKI_TRY(auto answer, ask_program(session.login_runner(), session.realm().name.text(), params.text("stack"), *name, password));
  if (!answer.yes) return Error(Code::AuthFailed, "the program says no");
  Proof proof{.identity = "user:" + *name};
  proof.shown = {.user = *name, .groups = std::move(answer.groups), .profile = {}, .dn = {}, .listed = false};
  proof.login.person = *name;
  return proof;
}

}  // namespace chancery::worker
