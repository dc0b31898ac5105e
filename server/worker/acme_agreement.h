#pragma once

#include "server/worker/session.h"

/// Agreement to the terms of service (RFC 8555 7.3 and 7.3.3): an account agrees to those that the realm has at that time, and
/// once acme.terms_of_service says another URL it has to agree again.
namespace chancery::worker {

/// acme:userActionRequired, with the URL for the client's user.
Error terms_refusal(const std::string& url, std::string_view why);

/// The account agrees to the terms as they are now. @return whether it had not before: the row is to be written.
bool agree(const config::AcmeConfig& acme, store::AcmeAccount& account);

/// That the account agreed to the terms as they are now. One from before agreements were noted counts as having agreed to them.
/// @errors acme:userActionRequired.
Status check_agreement(const config::AcmeConfig& acme, store::Store& store, const store::AcmeAccount& account);

}  // namespace chancery::worker
