#pragma once

#include <optional>

#include "server/base/clock.h"
#include "server/base/names.h"

/// When a certificate should be renewed (RFC 9773). Pure.
namespace chancery::realm {

struct RenewalWindow {
  Seconds start;
  Seconds end;
};

/// What of a certificate decides it.
struct RenewalFacts {
  Serial serial;
  Seconds not_before;
  Seconds not_after;
  std::optional<Seconds> ended_at;        ///< when it was revoked, or its CA gave way to another
  std::optional<Seconds> authority_ends;  ///< notAfter of its CA's certificate, where that is known
  std::optional<Seconds> replaced_at{};   ///< when another generation of its CA began: it holds, and should be replaced before
};

/// Lies in the last third of the certificate's life and ends well before it, at another place for each serial number, so that
/// certificates that were issued together are not renewed together; the same for the same certificate. Where its CA ends first,
/// that end counts. Of one whose CA has another generation it lies between that one's beginning and where it would lie otherwise.
/// Of one that has ended the window has passed: renew at once.
RenewalWindow renewal_window(const RenewalFacts& certificate);

}  // namespace chancery::realm
