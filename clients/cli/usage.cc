#include "clients/cli/usage.h"

#include <algorithm>
#include <iostream>

#include "server/base/process.h"
#include "server/base/text.h"

namespace chancery::cli {
namespace {

std::optional<Error> unknown(const std::string& kind, const std::string& word, const std::vector<std::string>& known) {
  const auto near = base::did_you_mean(word, std::vector<std::string_view>(known.begin(), known.end()));
  return Error(Code::InvalidParams, "unknown " + kind + " \"" + word + "\", expected one of " + base::join(known, ", "),
               near.empty() ? "chancery --help, and --help after each word" : "did you mean \"" + std::string(near) + "\"?");
}

/// The subcommand that was reached.
const CLI::App& reached(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

std::string words_to(const CLI::App& app) {
  const auto* parent = app.get_parent();
  return (parent == nullptr ? "" : words_to(*parent) + " ") + app.get_name();
}

std::string syntax_of(const CLI::Option& option) {
  const auto name = option.get_name();
  if (option.get_positional()) return "<" + name + ">";
  const auto spelt = option.get_items_expected_max() == 0 ? name : name + " " + option.get_type_name();
  const bool repeats = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  return (option.get_required() ? spelt : "[" + spelt + "]") + (repeats ? "..." : "");
}

/// How a subcommand is given, in one line: chancery ca import --certificate FILE.
std::string syntax_of(const CLI::App& app) {
  constexpr std::size_t kMostOptional = 8;
  const auto options = app.get_options([](const CLI::Option* one) { return one->get_name() != "--help"; });
  const auto required = std::ranges::count_if(options, [](const CLI::Option* one) { return one->get_required(); });
  const bool is_long = options.size() - static_cast<std::size_t>(required) > kMostOptional;
  auto text = words_to(app);
  if (!app.get_subcommands([](const CLI::App*) { return true; }).empty()) return text + " --help";
  for (const auto* option : options) {
    if (option->get_required() || !is_long) text += " " + syntax_of(*option);
  }
  return is_long ? text + " [options]" : text;
}

/// The word or option that nobody knows, and what it may have been meant for; CLI11 only says that something is missing.
std::optional<Error> unknown_word(const CLI::App& app) {
  const auto& at = reached(app);
  const auto words = app.remaining(true);
  std::vector<std::string> names;
  for (const auto* one : at.get_subcommands([](const CLI::App*) { return true; })) names.push_back(one->get_name());
  const auto is_option = [](const std::string& one) { return one.starts_with('-'); };
  const auto word = std::ranges::find_if_not(words, is_option);
  if (word != words.end() && !names.empty()) return unknown("word", *word, names);
  if (const auto option = std::ranges::find_if(words, is_option); option != words.end()) {
    for (const auto* one : at.get_options()) names.push_back(one->get_name());
    return unknown("option", *option, names);
  }
  if (word == words.end()) return std::nullopt;
  return Error(Code::InvalidParams, "unexpected word \"" + *word + "\" behind \"" + words_to(at) + "\"",
               "syntax: " + syntax_of(at));
}

}  // namespace

int complain(const Error& error) {
  std::cerr << "chancery: " << base::printable(error.message(), 4096) << "\n";
  if (!error.hint().empty()) std::cerr << "hint: " << base::printable(error.hint(), 4096) << "\n";
  return base::describe(error.code()).exit_status;
}

int usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);
  const bool is_value = dynamic_cast<const CLI::ValidationError*>(&error) != nullptr;  // what it says of one is enough
  const auto hint = is_value ? "chancery --help, and --help after each word" : "syntax: " + syntax_of(reached(app));
  complain(unknown_word(app).value_or(Error(Code::InvalidParams, error.what(), hint)));
  return base::to_int(base::Exit::Usage);
}

}  // namespace chancery::cli
