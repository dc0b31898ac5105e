#include "clients/cli/completion.h"

#include <algorithm>

namespace chancery::cli {
namespace {

const OptionOfVerb* find_option(const std::vector<const Verb*>& path, std::string_view name) {
  for (const auto* verb : path) {
    const auto found = std::ranges::find(verb->options, name, &OptionOfVerb::name);
    if (found != verb->options.end()) return &*found;
  }
  return nullptr;
}

void add_fitting(std::vector<std::string>& out, std::string_view begun, const std::string& word) {
  if (word.starts_with(begun)) out.push_back(word);
}

/// Options of the subcommand and of the program, which may stand anywhere; subcommands once no option is begun.
std::vector<std::string> next_words(const std::vector<const Verb*>& path, std::string_view begun) {
  std::vector<std::string> out;
  for (const auto& verb : path.back()->verbs) add_fitting(out, begun, verb.name);
  const bool offers_options = begun.starts_with('-') || path.back()->verbs.empty();
  for (const auto* verb : path) {
    if (!offers_options || (verb != path.back() && verb != path.front())) continue;
    for (const auto& option : verb->options) add_fitting(out, begun, option.name);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> values(const OptionOfVerb& option, std::string_view begun) {
  std::vector<std::string> out;
  for (const auto& word : option.words) add_fitting(out, begun, word);
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::vector<std::string> completions(const Verb& program, const std::vector<std::string>& words) {
  if (words.empty()) return {};
  std::vector<const Verb*> path{&program};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto* option = find_option(path, words[i]);
    const bool has_value = option != nullptr && option->takes_value;
    if (has_value && i + 2 == words.size()) return values(*option, words.back());
    if (has_value) ++i;
    if (words[i].starts_with('-') || option != nullptr) continue;
    const auto& verbs = path.back()->verbs;
    const auto verb = std::ranges::find(verbs, words[i], &Verb::name);
    if (verb == verbs.end() && !verbs.empty()) return {};
    if (verb != verbs.end()) path.push_back(&*verb);
  }
  return next_words(path, words.back());
}

std::string_view bash_script() {
  return R"(# bash completion for chancery: source it, or install it as chancery in bash-completion's directory.
_chancery() {
    local IFS=$'\n'
    COMPREPLY=($("${COMP_WORDS[0]}" completion --words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _chancery chancery
)";
}

}  // namespace chancery::cli
