#include "clients/lib/repeat.h"

#include <algorithm>
#include <array>

namespace chancery::client {
namespace {

using std::string_view_literals::operator""sv;

// session.whoami is here although its challenge changes: the answer is that of the connection it came over.
constexpr std::array kReading{
    "acme.account.get"sv,
    "acme.account.list"sv,
    "acme.authorization.get"sv,
    "acme.certificate.get"sv,
    "acme.order.get"sv,
    "acme.order.list"sv,
    "acme.realm.get"sv,
    "admin.list"sv,
    "audit.list"sv,
    "audit.verify"sv,
    "ca.chain"sv,
    "ca.get"sv,
    "ca.list"sv,
    "certificate.get"sv,
    "certificate.preview"sv,
    "certificate.search"sv,
    "crl.get"sv,
    "node.get"sv,
    "node.list"sv,
    "ocsp.status"sv,
    "profile.get"sv,
    "profile.list"sv,
    "realm.get"sv,
    "realm.list"sv,
    "server.describe"sv,
    "server.ping"sv,
    "server.status"sv,
    "session.whoami"sv,
};
constexpr std::array kKeyed{"certificate.issue"sv, "certificate.renew"sv};
static_assert(std::ranges::is_sorted(kReading) && std::ranges::is_sorted(kKeyed));

}  // namespace

std::span<const std::string_view> reading_commands() { return kReading; }

std::span<const std::string_view> keyed_commands() { return kKeyed; }

bool is_repeatable(std::string_view method, const Json& params) {
  if (std::ranges::binary_search(kReading, method)) return true;
  return std::ranges::binary_search(kKeyed, method) && !params.text("idempotency_key").empty();
}

}  // namespace chancery::client
