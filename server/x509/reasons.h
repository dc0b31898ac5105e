#pragma once

#include <string_view>

#include "server/base/result.h"

/// CRLReason (RFC 5280 5.3.1): names and numbers.
namespace chancery::x509 {

inline constexpr int kReasonUnspecified = 0;
inline constexpr int kReasonKeyCompromise = 1;
inline constexpr int kReasonCertificateHold = 6;
inline constexpr int kReasonRemoveFromCrl = 8;

/// "keyCompromise" for 1; an empty text for a number outside the table (7 is not used).
std::string_view reason_name(int reason);
/// Any case, '_' and '-' ignored: "key_compromise" is keyCompromise. @errors InvalidParams: the message lists the names.
Result<int> reason_from_name(std::string_view name);

}  // namespace chancery::x509
