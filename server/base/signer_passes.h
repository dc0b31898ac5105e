#pragma once

#include <map>

#include "server/base/bytes.h"
#include "server/base/names.h"

namespace chancery::base {

/// What a worker must show a realm's signer: a random text for each realm, made by the master, which gives it to that realm's
/// signer. Workers have all of them when they are forked, and once they are bound to a realm only that one: whoever takes over a
/// worker then cannot speak to another realm's signer, although all workers are one Unix user (DESIGN 1).
class SignerPasses {
 public:
  /// Made at the first call. 64 octets of text, without a line's end.
  ByteView make(const RealmName& realm);
  /// Empty when there is none, or none any more.
  ByteView find(const RealmName& realm) const;
  /// Wipes the others.
  void keep_only(const RealmName& realm);
  void wipe() { passes_.clear(); }

 private:
  std::map<RealmName, SecretBytes> passes_;
};

}  // namespace chancery::base
