#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "clients/notify/settings.h"
#include "server/base/bytes.h"

/// This room's door to libcurl: one mail, or one POST. Nothing is followed, no proxy is used, and what the other side says is
/// nothing but a number.
namespace chancery::notify {

/// @param password  of realm.mail_user. @errors Unavailable: it was not taken; the message says why, without the peer's words.
Status send_mail(const RealmSettings& realm, const SecretBytes& password, const std::string& recipient, const std::string& mail);

/// Taken is what is answered with 2xx. @param headers  "Name: value" each. @errors Unavailable, as above; Denied: http to another
/// machine.
Status post(const RealmSettings& realm, const std::string& url, const std::vector<std::string>& headers, const std::string& body);

}  // namespace chancery::notify
