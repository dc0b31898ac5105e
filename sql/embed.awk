# Makes one C++ file of the SQL text: awk -f embed.awk query/*.sql schema/*.sql
#
# query/<noun>.sql   "-- name: x" begins statement x, "-- fragment: y" text that {y} stands for in the same and later files.
#                    :realm_id becomes $1, :serial $2, … in order of first appearance: SQLite and PostgreSQL take both.
# schema/NNNN_x.sql  statements that end with ';' at the end of a line.
# Other comments are dropped.

function finish_block() {
  sub(/[ \t\n]+$/, "", block); sub(/;$/, "", block)
  if (kind == "fragment") fragments[title] = block
  if (kind == "name") { names[++count] = title; texts[title] = block }
  kind = ""; block = ""
}
function expand(text,   out, word) {
  out = ""
  while (match(text, /\{[a-z_]+\}/)) {
    word = substr(text, RSTART + 1, RLENGTH - 2)
    if (!(word in fragments)) { print "embed.awk: no fragment " word > "/dev/stderr"; failed = 1 }
    out = out substr(text, 1, RSTART - 1) fragments[word]
    text = substr(text, RSTART + RLENGTH)
  }
  return out text
}
# Writes one statement; the parameters' names go out in front of it.
function write_query(name,   text, out, word, number, list, seen, total) {
  text = expand(texts[name]); out = ""; list = ""; total = 0
  split("", seen)
  while (match(text, /:[a-z][a-z0-9_]*/)) {
    word = substr(text, RSTART + 1, RLENGTH - 1)
    if (!(word in seen)) { seen[word] = ++total; list = list (total > 1 ? ", " : "") "\"" word "\"" }
    out = out substr(text, 1, RSTART - 1) "$" seen[word]
    text = substr(text, RSTART + RLENGTH)
  }
  print "constexpr std::array<std::string_view, " total "> k_" name "{" list "};"
  rows = rows "    Statement{\"" name "\", R\"sql(" out text ")sql\", k_" name "},\n"
}
function sort_names(   i, j, held) {
  for (i = 2; i <= count; ++i) {
    held = names[i]
    for (j = i - 1; j >= 1 && names[j] > held; --j) names[j + 1] = names[j]
    names[j + 1] = held
  }
}
FNR == 1 { finish_block(); in_schema = FILENAME ~ /schema\//; if (in_schema) ++versions }
!in_schema && /^-- (name|fragment): / { finish_block(); kind = $2; sub(/:$/, "", kind); title = $3; next }
{ sub(/[ \t]*--.*$/, "") }
/^[ \t]*$/ { next }
in_schema {
  block = block $0 "\n"
  if (/;$/) { sub(/;\n$/, "", block); schema[versions] = schema[versions] "    R\"sql(" block ")sql\",\n"; ++sizes[versions]; block = "" }
  next
}
kind != "" { block = block $0 "\n" }
END {
  finish_block()
  print "// Made of sql/ by sql/embed.awk. Do not edit."
  print "#include <algorithm>\n#include <array>\n"
  print "#include \"server/store/statement.h\"\n"
  print "namespace chancery::store {\nnamespace {\n"
  sort_names()
  for (i = 1; i <= count; ++i) write_query(names[i])
  print "\nconstexpr std::array kStatements{\n" rows "};"
  print "static_assert(std::ranges::is_sorted(kStatements, {}, &Statement::name));\n"
  for (v = 1; v <= versions; ++v) print "constexpr std::array<std::string_view, " sizes[v] "> kSchema" v "{\n" schema[v] "};"
  print "\nconstexpr std::array kSteps{"
  for (v = 1; v <= versions; ++v) print "    SchemaStep{" v ", kSchema" v "},"
  print "};\n\n}  // namespace\n"
  print "std::span<const Statement> statements() { return kStatements; }"
  print "std::span<const SchemaStep> schema_steps() { return kSteps; }\n"
  print "}  // namespace chancery::store"
  exit failed
}
