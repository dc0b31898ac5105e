#include "server/base/result.h"

#include <array>

namespace chancery::base {
namespace {

constexpr std::array kRows{
#define ERROR_CODE(name, text, number, exit, meaning, advice) CodeRow{Code::name, #name, text, number, exit, meaning, advice},
#include "server/base/error_codes.def"
#undef ERROR_CODE
};

}  // namespace

const CodeRow& describe(Code code) { return kRows.at(static_cast<std::size_t>(code)); }

std::optional<Code> code_from_text(std::string_view text) {
  for (const auto& row : kRows) {
    if (row.text == text) return row.code;
  }
  return std::nullopt;
}

std::pair<const CodeRow*, std::size_t> all_codes() { return {kRows.data(), kRows.size()}; }

Error Error::within(std::string_view place) const { return {code_, std::string(place) + ": " + message_, hint_}; }

std::string to_line(const Error& error) {
  return error.hint().empty() ? error.message() : error.message() + " (" + error.hint() + ")";
}

void raise_bug(const char* file, int line, const char* what) {
  throw Bug(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

}  // namespace chancery::base
