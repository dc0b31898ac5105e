#include "server/base/xml_text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace chancery::base {
namespace {

constexpr std::array<std::pair<char, std::string_view>, 4> kEntities{
    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}}};

}  // namespace

std::string to_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto* const found = std::ranges::find(kEntities, c, &std::pair<char, std::string_view>::first);
    out += found == kEntities.end() ? std::string(1, c) : std::string(found->second);
  }
  return out;
}

std::string from_xml(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto* const found = std::ranges::find_if(kEntities, [&](const auto& one) { return text.starts_with(one.second); });
    out += found == kEntities.end() ? text.front() : found->first;
    text.remove_prefix(found == kEntities.end() ? 1 : found->second.size());
  }
  return out;
}

}  // namespace chancery::base
