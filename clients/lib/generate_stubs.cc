#include <algorithm>
#include <cctype>
#include <iostream>
#include <string>

#include "clients/lib/repeat.h"
#include "clients/lib/rows.h"
#include "server/base/process.h"
#include "server/wire/commands.h"

// Prints what comes from the command table: generate-stubs --perl|--cpp|--doc.

namespace {

using namespace chancery;
using wire::Command;
using wire::Param;
using wire::Type;

std::string underscored(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, '.', '_');
  return out;
}

/// "certificate.issue" is CertificateIssue.
std::string pascal(std::string_view name) {
  std::string out;
  bool start = true;
  for (const char c : name) {
    if (c == '.' || c == '_') {
      start = true;
      continue;
    }
    out += start ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    start = false;
  }
  return out;
}

std::string need(const Param& param) { return param.required ? "required" : "optional"; }

std::string words_note(const Param& param) {
  return param.words.empty() || param.words == param.doc ? "" : ": " + std::string(param.words);
}

std::string session_note(const Command& command) {
  constexpr std::array kNotes{std::string_view{"with or without a session"}, std::string_view{"in a session"},
                              std::string_view{"in a session, also of a front end that is attested"},
                              std::string_view{"in a session that stands on a certificate"}};
  return std::string(kNotes.at(static_cast<std::size_t>(command.state)));
}

/// Whether a client may send it twice.
std::string repeat_note(const Command& command) {
  if (command.effect == wire::Effect::Reads) return "repeatable";
  const auto keyed = client::keyed_commands();
  const bool is_keyed = std::ranges::find(keyed, command.name) != keyed.end();
  return is_keyed ? "repeatable with an idempotency_key" : "never repeated by a client";
}

// ----- Perl

void perl_types(const Command& command) {
  std::cout << "    '" << command.name << "' => {";
  for (const auto& param : command.params) std::cout << " " << param.name << " => '" << wire::to_text(param.type) << "',";
  std::cout << " },\n";
}

void perl_method(const Command& command) {
  const auto name = underscored(command.name);
  std::cout << "\n=head2 " << name << "(%params)\n\n"
            << command.doc << "\n\nCommand C<" << command.name << ">, least role C<" << base::to_text(command.least_role) << ">, "
            << session_note(command) << "; " << repeat_note(command) << ".\n";
  if (!command.params.empty()) std::cout << "\n=over\n";
  for (const auto& param : command.params) {
    std::cout << "\n=item " << param.name << " (" << wire::to_text(param.type) << ", " << need(param) << ")\n\n"
              << param.doc << words_note(param) << "\n";
  }
  if (!command.params.empty()) std::cout << "\n=back\n";
  std::cout << "\nGives a hash reference:";
  for (const auto& field : command.result)
    std::cout << (&field == command.result.data() ? " " : ", ") << "C<" << field.name << ">";
  std::cout << ".\n\n=cut\n\nsub " << name << " {\n    my ($self, %params) = @_;\n    return $self->call('" << command.name
            << "', \\%params);\n}\n";
}

void perl_errors() {
  const auto [rows, count] = base::all_codes();
  std::cout << "\n=head1 ERRORS\n\nWhat a method dies with is a C<Chancery::Error> (see L<Chancery::Client/ERRORS>) with one of "
               "these codes:\n\n=over\n";
  for (const auto& row : std::span(rows, count))
    std::cout << "\n=item C<" << row.text << ">\n\n" << row.meaning << ". " << row.advice << "\n";
  std::cout << "\n=back\n\n=head1 SEE ALSO\n\nL<Chancery::Client>, chancery-protocol(7)\n\n=cut\n";
}

/// A hash of names, "our %READS = (...)", each with what `value` says of its command; nothing stands for no member.
template <class Value>
void perl_hash(std::string_view name, std::string_view comment, const Value& value) {
  std::cout << "\n# " << comment << "\nour %" << name << " = (\n";
  for (const auto& command : wire::commands()) {
    const std::string text = value(command);
    if (!text.empty()) std::cout << "    '" << command.name << "' => '" << text << "',\n";
  }
  std::cout << ");\n";
}

void print_perl() {
  std::cout << "package Chancery::Commands;\n\n# Made by generate-stubs from server/wire/commands.def; do not edit.\n\n"
               "use strict;\nuse warnings;\nuse utf8;\n\n# The type of each command's parameters on the wire.\nour %TYPES = (\n";
  for (const auto& command : wire::commands()) perl_types(command);
  std::cout << ");\n";
  perl_hash("ROWS", "Which member holds the rows of a command that pages.",
            [](const Command& command) { return std::string(client::paged_member(command)); });
  perl_hash("REPEATABLE", "What may be sent twice: always, or with an idempotency_key.", [](const Command& command) {
    const auto note = repeat_note(command);
    return note == "repeatable" ? "always" : note.starts_with("never") ? "" : "keyed";
  });
  std::cout << "\n=encoding UTF-8\n\n=head1 NAME\n\nChancery::Commands - one method for each command of chanceryd\n\n=head1 "
               "METHODS\n";
  for (const auto& command : wire::commands()) perl_method(command);
  perl_errors();
  std::cout << "\n1;\n";
}

// ----- C++

std::string cpp_type(Type type) {
  switch (type) {
    case Type::Integer: return "std::int64_t";
    case Type::Boolean: return "bool";
    case Type::Texts: return "std::vector<std::string>";
    case Type::Object:
    case Type::Objects:
    case Type::Any: return "Json";
    default: return "std::string";
  }
}

void cpp_params(const Command& command) {
  std::cout << "\n/// Parameters of " << command.name << ".\nstruct " << pascal(command.name) << " {\n";
  for (const auto& param : command.params) {
    const auto type = cpp_type(param.type);
    std::cout << "  /// " << param.doc << words_note(param) << "\n  " << (param.required ? type : "std::optional<" + type + ">")
              << " " << param.name << "{};\n";
  }
  std::cout << "};\n";
}

void cpp_set(const Param& param) {
  const auto value = (param.required ? "" : "*") + ("params." + std::string(param.name));
  const auto json = param.type == Type::Texts ? "Json::strings(" + value + ")" : value;
  std::cout << "  " << (param.required ? "" : "if (params." + std::string(param.name) + ") ") << "object.set(\"" << param.name
            << "\", " << json << ");\n";
}

/// certificate.search has certificates(client, params).
void cpp_rows(const Command& command) {
  const auto member = client::paged_member(command);
  std::cout << "\n/// The " << member << " that " << command.name
            << " gives, over all its pages.\n/// @param acting_for whom a front end acts for, else empty.\ninline Rows " << member
            << "(Client& client, const " << pascal(command.name) << "& params"
            << (std::ranges::any_of(command.params, &Param::required) ? "" : " = {}")
            << ", std::string_view acting_for = {}) {\n  auto object = Json::object();\n";
  for (const auto& param : command.params) cpp_set(param);
  std::cout << "  return {client, \"" << command.name << "\", std::move(object), \"" << member << "\", acting_for};\n}\n";
}

void cpp_function(const Command& command) {
  const bool has_params = !command.params.empty();
  if (has_params) cpp_params(command);
  std::cout << "\n/// " << command.doc << "\n///\n/// Command " << command.name << ", least role "
            << base::to_text(command.least_role) << ", " << session_note(command) << "; " << repeat_note(command)
            << ".\n/// @param acting_for whom a front end acts for, else empty.\n/// @return an object:\n";
  for (const auto& field : command.result)
    std::cout << "///   " << field.name << " (" << wire::to_text(field.type) << "): " << field.doc << "\n";
  std::cout << "inline Result<Json> " << underscored(command.name) << "(Client& client, "
            << (has_params ? "const " + pascal(command.name) + "& params, " : "") << "std::string_view acting_for = {}) {\n"
            << "  auto object = Json::object();\n";
  for (const auto& param : command.params) cpp_set(param);
  std::cout << "  return client.call(\"" << command.name << "\", std::move(object), acting_for);\n}\n";
  if (!client::paged_member(command).empty()) cpp_rows(command);
}

void print_cpp() {
  std::cout << "#pragma once\n\n// Made by generate-stubs from server/wire/commands.def; do not edit.\n\n#include "
               "<optional>\n#include <string>\n"
               "#include <vector>\n\n#include \"clients/lib/rows.h\"\n\n"
               "/// One function for each command, and for those that page one that walks over the rows. A parameter that is not "
               "set is not sent.\n/// Each fails as Client::call does: doc/errors.md has the codes.\nnamespace "
               "chancery::client::calls {\n";
  for (const auto& command : wire::commands()) cpp_function(command);
  std::cout << "\n}  // namespace chancery::client::calls\n";
}

// ----- the manual

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

void doc_command(const Command& command) {
  std::cout << "\n## " << command.name << "\n\n"
            << command.doc << "\n\nLeast role: `" << base::to_text(command.least_role)
            << "`. Session: " << (command.state == wire::In::Realm ? "open" : "not needed") << ".\n";
  if (!command.params.empty()) std::cout << "\n| Parameter | Type | | At most | |\n|---|---|---|---|---|\n";
  for (const auto& param : command.params) {
    std::cout << "| `" << param.name << "` | " << wire::to_text(param.type) << " | " << need(param) << " | " << param.bound
              << " | " << cell(param.doc) << cell(words_note(param)) << " |\n";
  }
  if (!command.result.empty()) std::cout << "\n| Result | Type | |\n|---|---|---|\n";
  for (const auto& field : command.result) {
    std::cout << "| `" << field.name << "` | " << wire::to_text(field.type) << " | " << cell(field.doc) << " |\n";
  }
}

void print_doc() {
  std::cout
      << "# Commands\n\nMade from the command table by `make docs`; do not edit. `server.describe` gives the same as JSON.\n"
         "[errors.md](errors.md) has what they may fail with.\n";
  for (const auto& command : wire::commands()) doc_command(command);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  if (wanted == "--perl") {
    print_perl();
  } else if (wanted == "--cpp") {
    print_cpp();
  } else if (wanted == "--doc") {
    print_doc();
  } else {
    std::cerr << "usage: generate-stubs --perl|--cpp|--doc\n";
    return base::to_int(base::Exit::Usage);
  }
  return base::to_int(std::cout.flush() ? base::Exit::Ok : base::Exit::Io);
}
