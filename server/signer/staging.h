#pragma once

#include "server/base/fd.h"
#include "server/base/file.h"

namespace chancery::signer {

/// A place beside a realm's directory where it is made, so that it is there whole or not at all. The place is
/// `.<name>.importing`, which no server takes for a realm; what a crash left in it goes with the next attempt.
class Staging {
 public:
  /// @errors Busy: somebody is making that realm just now; Io.
  static Result<Staging> begin(const base::Path& target);
  Staging(Staging&& other) noexcept;
  Staging(const Staging&) = delete;
  ~Staging();  ///< removes the place, and what was not put at the target

  base::Path realm() const { return place_ / "realm"; }
  base::Path place() const { return place_; }
  /// Durable, then in one step at the target. @errors Exists: something is there; Io.
  Status finish();

 private:
  Staging(base::Path place, base::Path target, base::UniqueFd lock);
  base::Path place_;  ///< empty: moved from
  base::Path target_;
  base::UniqueFd lock_;
};

}  // namespace chancery::signer
