#pragma once

#include <string>
#include <string_view>

#include "server/base/names.h"
#include "server/crypto/key.h"
#include "server/worker/session.h"

/// Where a worker has the key pairs from that it makes for others: the keymaker's pool, or its own work.
namespace chancery::worker {

inline constexpr std::size_t kMaxAskBytes = 256;

/// What a worker says to the keymaker, one line "REALM PASS KIND"; the answer is one pair in PEM, or nothing, and the end.
struct Ask {
  RealmName realm;
  std::string pass;
  base::KeySpec spec;
};
/// @param line  without its LF. @errors Malformed.
Result<Ask> read_ask(std::string_view line);

/// A pair that nobody else has. RSA pairs come from the pool where it has one for this realm; else they are made here, giving way
/// to others at first, until Session::answer_by or the client's end.
/// @errors BadKey: no such kind can be made; Busy: none was made in time; Closed: the client hung up meanwhile.
Result<crypto::PrivateKey> key_pair(Session& session, const base::KeySpec& spec);

}  // namespace chancery::worker
