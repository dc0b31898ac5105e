#pragma once

#include "server/realm/access.h"
#include "server/worker/params.h"
#include "server/worker/session.h"

/// Login stacks: who somebody is by what they show, and which roles that gives here.
namespace chancery::worker {

/// What a stack found out.
struct Proof {
  std::string identity;  ///< "user:alice"
  realm::Shown shown{};
  PersonLogin login{};
  std::optional<x509::Certificate> certificate{};
  std::optional<store::PersonRecord> person{};  ///< known to the realm's store
};

/// Who the session is for: kIdentity.
Json identity_of(const Session& session);

/// session.login with a stack. @errors AuthFailed: one answer for every reason; Busy: too many failures, or sessions; Denied: no
/// role here; Unavailable: what the stack asks does not answer.
Result<Json> log_in_by_stack(Session& session, const Params& params);

/// Before each command of a login by a stack. @errors AuthFailed: it just ended, and the session goes on as what session.open
/// made it.
Status check_person_holds(Session& session);

/// A person's name as it is kept: lower case. @errors InvalidParams: none that anybody may have.
Result<std::string> person_name(const std::string& text);

// ----- the methods. @errors AuthFailed: it is not so; others: nobody can tell.

using Method = Result<Proof> (*)(Session& session, const config::LoginStack& stack, const Params& params);
Result<Proof> prove_by_password(Session& session, const config::LoginStack& stack, const Params& params);
Result<Proof> prove_by_token(Session& session, const config::LoginStack& stack, const Params& params);
Result<Proof> prove_by_certificate(Session& session, const config::LoginStack& stack, const Params& params);
Result<Proof> prove_by_unix(Session& session, const config::LoginStack& stack, const Params& params);
Result<Proof> prove_by_program(Session& session, const config::LoginStack& stack, const Params& params);
Result<Proof> prove_by_ldap(Session& session, const config::LoginStack& stack, const Params& params);

/// That the certificate's key signed the session's challenge. @errors AuthFailed.
Status check_signed_challenge(const Session& session, const x509::Certificate& certificate, const std::string& signature_text);
/// A living certificate of the realm as `gives` sees it. @errors AuthFailed; what the store says.
Result<realm::Shown> shown_by_certificate(Session& session, const x509::Certificate& certificate);

}  // namespace chancery::worker
