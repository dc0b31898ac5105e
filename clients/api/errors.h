#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clients/http/message.h"
#include "server/base/result.h"

/// {"status":"error","message":"one line","code":"NOT_FOUND"} (UPKI.md 5.3): uPKI's shape and words, with a plain message.
namespace chancery::api {

/// The words of `code`.
std::vector<std::string_view> error_words();

/// What an error of the daemon or of ours becomes. Who it is that asks not being known is 401 AUTH_ERROR; who is known and may
/// not, 403 AUTHZ_ERROR (RFC 9110 15.5.2, 15.5.4), where uPKI has 401 for both.
http::Response error_response(const Error& error);

/// A refusal by its status alone: the router's.
http::Response error_response(int status, std::string_view message);

}  // namespace chancery::api
