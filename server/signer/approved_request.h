#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/base/bytes.h"
#include "server/base/clock.h"
#include "server/wire/json.h"

namespace chancery::signer {

/// One person's agreement, signed.
struct SignedApproval {
  Bytes certificate;  ///< DER
  Bytes signature;    ///< over base::approval_text of the request's digest
};

/// The request that a certificate is made for, or a step of a rollover taken: what the signer needs beside what it is told to do
/// to build the digest again that people approved.
struct ApprovedRequest {
  std::string id;
  std::string kind;
  std::string certificate{};  ///< serial of the one that is renewed or has its names changed; empty: none
  std::chrono::seconds validity{};
  Seconds expires{};
  std::vector<SignedApproval> approvals{};
  std::string requester{};  ///< this and the next three of a rollover alone: a certificate to be signed says them itself
  std::string front_end{};
  std::string step{};    ///< that was approved
  std::string source{};  ///< likewise, of one that starts
};
Json to_json(const ApprovedRequest& request);
Result<ApprovedRequest> approved_request_from_json(const Json& object);

/// The idempotency key of a request's certificate: there is one for ever.
inline std::string key_of_request(const std::string& id) { return "request:" + id; }

}  // namespace chancery::signer
