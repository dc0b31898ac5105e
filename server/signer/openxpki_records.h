#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/wire/json.h"

/// Rows of OpenXPKI's table of certificates, as its command search_cert answers them (doc/moving.md).
namespace chancery::signer {

/// One row; members that it lacks are empty.
struct OpenxpkiRecord {
  std::string certificate{};       ///< PEM
  std::optional<Serial> serial{};  ///< cert_key; none: not given, or no serial of today
  std::string serial_text{};
  std::string subject{};  ///< slash form where it can be read
  std::string cn{};
  std::string issuer{};  ///< likewise
  std::string profile{};
  std::optional<Seconds> not_after{};
  bool revoked = false;
  std::optional<Seconds> revoked_at{};
  std::string reason{};       ///< CRLReason name; empty: none that is known
  std::string reason_text{};  ///< as it stands
  std::optional<Seconds> invalid_since{};
};

/// A list of rows, an object with such a list in `result`, or a row on each line.
/// @errors Malformed: none of these; a row without certificate and serial, or in a state that nobody knows: its number is in the
/// message.
Result<std::vector<OpenxpkiRecord>> parse_openxpki(std::string_view text);

}  // namespace chancery::signer
