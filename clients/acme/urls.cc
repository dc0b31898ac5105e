#include "clients/acme/urls.h"

#include <algorithm>

namespace chancery::acme {

constexpr std::size_t kMaxId = 64;

std::string absolute_url(const http::Request& request) {
  return request.origin() + request.path + (request.query.empty() ? "" : "?" + request.query);
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxId && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string account_of_kid(const http::Request& request, std::string_view kid) {
  const auto start = Urls(request).to(kAccount);
  if (!kid.starts_with(start)) return {};
  const auto id = kid.substr(start.size());
  return is_id(id) ? std::string(id) : std::string();
}

}  // namespace chancery::acme
