#pragma once

#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/signer/issuer.h"

namespace chancery::signer {

/// Runs one line of a worker and gives the reply line. There is no operation that signs bytes of the caller's.
/// @errors Malformed, TooLarge: the line is no frame of ours, and its connection ends.
Result<std::string> operate(Issuer& issuer, const base::Clock& clock, std::string_view line);

}  // namespace chancery::signer
