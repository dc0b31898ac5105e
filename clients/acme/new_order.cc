#include "clients/acme/new_order.h"

#include <array>
#include <string>
#include <utility>

#include "clients/acme/identifiers.h"
#include "clients/acme/service.h"

namespace chancery::acme {
namespace {

/// What clients call it, and what the daemon does.
constexpr std::array kTexts{std::pair<std::string_view, std::string_view>{"profile", "profile"},
                            std::pair<std::string_view, std::string_view>{"notBefore", "not_before"},
                            std::pair<std::string_view, std::string_view>{"notAfter", "not_after"},
                            std::pair<std::string_view, std::string_view>{"replaces", "replaces"}};

}  // namespace

Result<Json> read_new_order(const Json& payload) {
  Json params = Json::object();
  PKI_TRY(auto identifiers, read_identifiers_of(payload));
  params.set("identifiers", std::move(identifiers));
  for (const auto& [from, to] : kTexts) {
    PKI_TRY(const Json* value, optional_member(payload, from, "a text"));
    if (value != nullptr) params.set(to, *value);
  }
  return params;
}

}  // namespace chancery::acme
