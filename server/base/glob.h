#pragma once

#include <string_view>

namespace chancery::base {

/// Whether the whole text matches; '*' stands for any octets, none too, and everything else for itself. Takes time of the product
/// of both lengths at most.
constexpr bool matches_glob(std::string_view glob, std::string_view text) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (in < text.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      resume = in;
    } else if (at < glob.size() && glob[at] == text[in]) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++resume;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') ++at;
  return at == glob.size();
}

}  // namespace chancery::base
