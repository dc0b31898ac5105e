#pragma once

#include <optional>
#include <vector>

#include "server/base/names.h"
#include "server/crypto/key.h"

namespace chancery::worker {

/// The key pairs that are kept ready: which are to be made next, and who gets one. Each pair leaves once, and nothing puts it
/// back. Bookkeeping only: no threads, clock or sockets.
class KeyPool {
 public:
  /// A kind of pair, and the realms that can ask for it.
  struct Kind {
    base::KeySpec spec;
    std::vector<RealmName> realms;
  };

  /// @param size  of each kind, at least 1
  KeyPool(std::vector<Kind> kinds, std::size_t size);

  /// The kind of which fewest are ready; those that have equally few take turns. None: all are there.
  std::optional<base::KeySpec> wanted();
  /// @pre its kind is one of the pool's. One too many is dropped.
  void put(crypto::PrivateKey key);
  /// None: of that kind there is none, or that realm cannot ask for it, or the last one is kept for the others: where several
  /// realms can ask for a kind, its last pair does not go to the realm that had the one before, so that nobody who asks without
  /// end leaves nothing to anybody else.
  std::optional<crypto::PrivateKey> take(const base::KeySpec& spec, const RealmName& realm);

  std::size_t size() const { return size_; }
  std::size_t ready(const base::KeySpec& spec) const;

 private:
  struct Shelf {
    Kind kind;
    std::vector<crypto::PrivateKey> pairs;
    std::optional<RealmName> last_taker;
  };
  Shelf* shelf(const base::KeySpec& spec);

  std::vector<Shelf> shelves_;
  std::size_t size_;
  std::size_t turn_ = 0;  ///< the shelf that is looked at first
};

}  // namespace chancery::worker
