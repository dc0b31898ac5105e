#pragma once

#include <string_view>

/// How the challenges of an authorization say that nobody proved its name: it holds for its own order, and proves nothing to
/// anybody else.
namespace chancery::store {

/// Taken unproven (acme.upki_clients): it has none.
inline constexpr std::string_view kUnproven = "[]";

/// The type of the entry that stands among the challenges of what a policy granted, for the order's story; clients do not see it.
inline constexpr std::string_view kGrant = "policy";
/// How these begin, as JSON: the statement acme_authorization_find compares as many characters.
inline constexpr std::string_view kGrantedBegins = R"([{"type":"policy")";
static_assert(kGrantedBegins.size() == 17);
static_assert(kGrantedBegins.substr(10, kGrant.size()) == kGrant);

}  // namespace chancery::store
