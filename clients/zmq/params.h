#pragma once

#include <string>
#include <string_view>

#include "clients/zmq/tasks.h"
#include "server/base/names.h"

/// How tasks read their parameters: what Python clients send, where null and "" stand for nothing.
namespace chancery::zmq_gateway {

/// uPKI's text: "[700] Missing dn parameter".
Error missing(std::string_view name);

/// The member, or null.
const Json& value_of(const Json& params, std::string_view name);

/// The text, or the fallback when there is none: no parameter, null or an empty text. Another kind of value is no default.
/// @errors InvalidParams.
Result<std::string> text_or(const Json& params, std::string_view name, std::string_view fallback);
/// @errors InvalidParams: there is none, or it is no text.
Result<std::string> need(const Json& params, std::string_view name);

/// The profile's name, or the fallback. @errors NotFound: no profile can have that name.
Result<std::string> profile_from(const Json& params, std::string_view fallback);

/// `duration` in days, or null. @errors InvalidParams: no whole number of them, or none that a certificate may have.
Result<Json> duration_from(const Json& params);

/// A whole number as decimal digits, however long, or a text as it stands; empty: neither.
std::string digits_of(const Json& value);
/// A serial: an integer, decimal digits, or hexadecimal ones that have a letter or a colon. @errors Malformed.
Result<Serial> serial_from(const Json& value);

/// `reason` by name or number; none, null: unspecified. @errors InvalidParams with uPKI's text.
Result<std::string> reason_or_unspecified(const Json& params);

/// How certificate.get finds what `serial` or `dn` names: its parameters.
Result<Json> selector_of(const Json& params);

/// What certificate.get says of the certificate that `serial` or `dn` names, in any spelling. @errors NotFound with uPKI's text.
Result<Json> find_certificate(Backend& backend, const Json& params);

/// The PEM text of a CRL as base64 of its DER.
Result<Json> der_of(const Json& crl);
/// A new CRL with what was just changed, then `true`: uPKI's shows a change at once.
Result<Json> publish(Backend& backend);

/// A request for a certificate that the daemon does not understand is uPKI's "Failed to load CSR".
Error csr_failure(const Error& error);

/// That there is time for another command. @errors Timeout: the list is too long for one message.
Status check_time(Backend& backend);

/// Every row of a command that pages, by as many calls as it takes. @errors as check_time.
Result<Json::Array> all_rows(Backend& backend, std::string_view method, Json params, std::string_view member);

}  // namespace chancery::zmq_gateway
