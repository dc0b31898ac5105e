#include "clients/lib/repeat.h"

#include <algorithm>
#include <array>

#include "server/wire/commands.h"
#include "server/wire/message.h"

namespace chancery::client {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kKeyed{"certificate.issue"sv, "certificate.renew"sv};
static_assert(std::ranges::is_sorted(kKeyed));

}  // namespace

std::span<const std::string_view> keyed_commands() { return kKeyed; }

bool says_connect_again(const Error& error) { return error.hint() == wire::kConnectAgain; }

bool is_repeatable(std::string_view method, const Json& params) {
  const auto* command = wire::find_command(method);
  if (command != nullptr && command->effect == wire::Effect::Reads) return true;
  return std::ranges::binary_search(kKeyed, method) && !params.text("idempotency_key").empty();
}

}  // namespace chancery::client
