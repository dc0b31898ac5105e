#pragma once

#include <map>
#include <memory>
#include <vector>

#include "server/base/names.h"

namespace chancery::master {

/// A page of memory that no child has: after a fork its octets are zero there (MADV_WIPEONFORK, madvise(2)). It is in no core
/// dump, and not swapped where RLIMIT_MEMLOCK allows that.
class UnforkedPage {
 public:
  static constexpr std::size_t kOctets = 4096;
  /// @errors Io: no memory, or a kernel that cannot (before 4.14).
  static Result<UnforkedPage> create();
  std::span<std::uint8_t> octets() const { return {start_.get(), kOctets}; }

 private:
  struct Unmap {
    void operator()(std::uint8_t* start) const noexcept;  ///< wipes it first
  };
  explicit UnforkedPage(std::uint8_t* start) : start_(start) {}
  std::unique_ptr<std::uint8_t, Unmap> start_;
};

/// The passes of all realms for one kind of process (base/realm_passes.h). They are made, kept and given away without a copy
/// anywhere in memory that a child inherits.
class PassBook {
 public:
  /// Made at the first call. @return base::kPassOctets, for as long as the book. @errors Io: no memory.
  Result<ByteView> make(const RealmName& realm);
  /// Empty when there is none.
  ByteView find(const RealmName& realm) const;

 private:
  Result<std::span<std::uint8_t>> next_place();

  std::vector<UnforkedPage> pages_;
  std::map<RealmName, ByteView> passes_;
};

/// By whom workers show them to.
struct PassBooks {
  PassBook signers;
  PassBook keymaker;
};

}  // namespace chancery::master
