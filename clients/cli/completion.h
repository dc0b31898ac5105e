#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What a shell may complete, from the same subcommands and options that the program parses.
namespace chancery::cli {

struct OptionOfVerb {
  std::string name;                ///< "--realm"
  bool takes_value = false;        ///< the next word is its value
  std::vector<std::string> words;  ///< the values there are; empty: any
};

/// A subcommand, or the program itself.
struct Verb {
  std::string name;
  std::vector<OptionOfVerb> options;
  std::vector<Verb> verbs;
};

/// @param words  behind the program's name, the last one as far as it is typed (perhaps empty)
/// @return what the last word may become, sorted; empty where a file or any text belongs, and after a word that nobody knows.
std::vector<std::string> completions(const Verb& program, const std::vector<std::string>& words);

/// The script that bash is to source; it asks the program itself, so it never grows old.
std::string_view bash_script();

}  // namespace chancery::cli
