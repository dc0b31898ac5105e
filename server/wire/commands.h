#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "server/base/role.h"
#include "server/wire/json.h"

/// The command table (DESIGN 4): what every command takes, gives and demands. The rows are in commands.def; the worker
/// binds them to their handlers; dispatch, refusals, server.describe, the manual, the stubs and the command line read them here.
namespace chancery::wire {

/// What a parameter or result field looks like on the wire.
enum class Type : std::uint8_t {
  Text,  ///< UTF-8 without control characters
  Word,  ///< one of a list of words, or a name of a-z 0-9 - _
  Hex,   ///< lower-case hexadecimal
  Pem,   ///< one or more PEM blocks
  File,  ///< the text of a file, several lines
  Time,  ///< RFC 3339 UTC
  Integer,
  Boolean,
  Texts,    ///< array of texts
  Object,   ///< object whose fields the doc names
  Objects,  ///< array of those
  Any,
};
std::string_view to_text(Type type);

inline constexpr bool kRequired = true;
inline constexpr bool kOptional = false;

/// `bound` is the most octets of a text or items of an array, or the largest integer.
struct Param {
  std::string_view name;
  Type type;
  bool required;
  std::int64_t bound;
  std::string_view doc;
  std::string_view words = {};  ///< of Type::Word: the allowed ones, separated by spaces; empty: any name
  std::int64_t least = 0;       ///< of Type::Integer
};

struct Field {
  std::string_view name;
  Type type;
  std::string_view doc;
};

/// Where in a session a command may come: anywhere; in a realm; in a realm, as what a front end does in its own right, with the
/// roles that session.open gave it, whomever the session is attested for; in a realm when the session stands on a certificate
/// (session.attest, session.login).
enum class In : std::uint8_t { Anywhere, Realm, FrontEnd, Holder };
std::string_view to_text(In state);

/// What a command leaves behind: nothing; something; something that the audit stream holds before it is done and after it.
enum class Effect : std::uint8_t { Reads, Changes, Acts };

struct Command {
  std::string_view name;
  Role least_role;
  In state;
  Effect effect;
  std::span<const Param> params;
  std::span<const Field> result;
  std::string_view doc;
};

/// Sorted by name.
std::span<const Command> commands();
const Command* find_command(std::string_view name);

/// Holds the params of a request against the table: unknown ones (did-you-mean), missing ones, types, bounds, words.
/// @errors InvalidParams, TooLarge.
Status check_params(const Command& command, const Json& params);

/// The table as JSON, for server.describe and the generators of stubs and documents.
Json describe_commands();
Json describe_command(const Command& command);

}  // namespace chancery::wire
