#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/wire/json.h"

/// uPKI's words in ours and back (UPKI.md 1.2 and 1.3): DNs, serials, reasons, names, errors.
namespace chancery::zmq_gateway {

/// Which generation of uPKI a client is of: the newer one sends `params`, the older one `PARAMS` (UPKI.md 1.7).
enum class Dialect { Newer, Older };

/// One request of a client.
struct Message {
  std::string task;  ///< in lower case, where the older dialect does not tell cases apart
  Json params;       ///< any value; null without one
  Dialect dialect = Dialect::Newer;
};
/// @errors Malformed: the text is uPKI's own for it, "Invalid JSON: …".
Result<Message> parse_message(std::string_view frame);

std::string answer(const Json& data);
std::string failure(const Error& error, Dialect dialect = Dialect::Newer);

/// "[300] Certificate not found: x": the class of the error in uPKI's numbers, and the texts that clients match.
std::string failure_text(const Error& error);
/// The same without the class; "Unknown command" for a task that there is not (UPKI.md 1.7).
std::string older_failure_text(const Error& error);

/// How certificate.get finds what a client names: a bare CN, a DN in any spelling, or a serial as hex or decimal digits.
Json selector(const std::string& dn);

/// A reason by name in any case, or by number, as text or integer. @errors InvalidParams: "Invalid revocation reason: …".
Result<std::string> reason_from(const Json& value);

/// Objects {"type": "DNS", "value": "x"} or plain texts, as our texts "DNS:x". @errors InvalidParams.
Result<Json> sans_from(const Json& value);

/// A serial of ours as the integer of up to 159 bits that uPKI's wire has.
Json serial_number(const std::string& hex);

/// "2026-11-20T19:59:45Z" as Python writes it: "2026-11-20T19:59:45+00:00".
std::string python_time(std::string time);

}  // namespace chancery::zmq_gateway
