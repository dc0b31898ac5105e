#pragma once

#include <array>
#include <string>
#include <string_view>

#include "server/wire/json.h"

/// Answers for people: aligned names and tables, PEM as it is.
namespace chancery::cli {

/// An object as `name: value` lines, its arrays of objects as tables, PEM verbatim under its name. An answer that is only one
/// list is that list alone, an empty one "no certificates". Foreign text is escaped for the terminal.
std::string render(const Json& answer);

/// Rows of objects under the names of their members; one line a row.
std::string render_table(const Json::Array& rows);

/// Whether a value is one or more PEM blocks of plain ASCII.
bool is_pem(const Json& value);

/// The members that --out writes the first of.
inline constexpr std::array<std::string_view, 4> kPemMembers{"certificate", "crl", "chain", "request"};

/// The PEM that --out writes; empty: none.
std::string pem_of(const Json& answer);

/// Takes the certificates, CRLs and requests out of an answer: what is in a file need not fill the screen, too.
void leave_out_pem(Json& answer);

}  // namespace chancery::cli
