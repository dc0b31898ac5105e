#pragma once

#include <span>
#include <string>
#include <string_view>

/// The SQL text of sql/, embedded when the program is built (sql/embed.awk). No other SQL text exists in the program.
namespace chancery::store {

/// One named statement of sql/query/. The text has $1, $2, … where the file has :realm_id, :serial, …
struct Statement {
  std::string_view name;
  std::string_view text;
  std::span<const std::string_view> parameters;  ///< names, $1 first
};

/// All of them, sorted by name.
std::span<const Statement> statements();
/// @pre the name is in sql/query/
const Statement& statement(std::string_view name);

/// Its text as SQLite takes it: a table that the schema calls clustered is one WITHOUT ROWID (sqlite.org/withoutrowid.html).
std::string in_sqlite(std::string_view text);

/// One numbered file of sql/schema/: statements that each change the schema by one thing.
struct SchemaStep {
  int version;
  std::span<const std::string_view> statements;
};
/// Ascending by version, without gaps, from 1.
std::span<const SchemaStep> schema_steps();

}  // namespace chancery::store
