#pragma once

#include <string>
#include <vector>

#include "clients/notify/settings.h"
#include "server/base/bytes.h"
#include "server/base/clock.h"

/// What is sent: the mail, the JSON, its signature.
namespace chancery::notify {

/// A mail (RFC 5322), lines ended by CRLF. @param notice  of notice.claim.
/// The same notice has the same Message-ID, however often it is tried.
/// @errors BadConfig, Io: the texts of the addressee's language cannot be had.
Result<std::string> make_mail(const RealmSettings& realm, const Json& notice, Seconds now);

/// The language of an addressee.
std::string language_of(const RealmSettings& realm, const std::string& address);

/// How long a certificate still lasts, in a language's words; in English where they are not known.
std::string left_text(std::int64_t seconds, const std::string& language);

/// A header's value in ASCII (RFC 2047), folded; control characters become blanks.
std::string header_text(const std::string& value);

/// The JSON that webhooks and programs get.
std::string make_json(const RealmSettings& realm, const Json& notice);

/// "v1=" and the HMAC-SHA-256, in hex, of the time in decimal digits, a dot and the body.
std::string sign(ByteView key, Seconds at, const std::string& body);

}  // namespace chancery::notify
