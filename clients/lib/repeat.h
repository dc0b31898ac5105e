#pragma once

#include <span>
#include <string_view>

#include "server/wire/json.h"

namespace chancery::client {

/// The commands of which the server makes two requests with one idempotency_key one certificate, sorted by name.
/// certificate.generate is none of them: the second request would bring a key pair of its own, and is refused as a conflict.
std::span<const std::string_view> keyed_commands();

/// Whether these are the server's words with the last answer of a session, such as one whose configuration is no longer in force.
/// When the connection ended with them, no request was read after the last one that was answered: the one they came back for was
/// not carried out, and is safe to send over another session, whatever it does.
bool says_connect_again(const Error& error);
/// How many sessions a front end tries in turn when each ends before it reads the request: while configurations are loaded one
/// after the other.
inline constexpr int kMostSessions = 16;

/// Whether a request may be sent again when nobody knows if the server carried it out: it changes nothing
/// (the command table's Reads), or it is one of keyed_commands() with a member idempotency_key that is a text of at least one
/// octet.
///
/// @param method  the command's name, "certificate.issue"; an unknown one is not repeatable.
/// @param params  its parameters, an object.
bool is_repeatable(std::string_view method, const Json& params);

}  // namespace chancery::client
