#include "clients/cli/watch.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <thread>

#include "clients/cli/order_watch.h"
#include "server/base/text.h"

namespace chancery::cli {
namespace {

bool may_pass(const Error& error) {
  constexpr std::array kCodes{Code::Closed, Code::Unavailable, Code::Busy, Code::Timeout};
  return std::ranges::find(kCodes, error.code()) != kCodes.end();
}

/// A session for each look: a reload of the server ends those that were there.
Result<std::vector<Json>> look(const WatchOptions& options, std::optional<client::Client>& session, OrderWatch& watch) {
  PKI_TRY(session, client::Client::connect_to_realm(options.server, options.realm, options.front_end));
  auto happened = watch.look();
  session.reset();
  return happened;
}

std::string text_of(const Json& line) {
  return line.text("at") + "  " + line.text("order") + "  " + line.text("account") + "  " +
         base::printable(line.text("what"), 4000);
}

}  // namespace

Status watch_orders(const WatchOptions& options, std::ostream& out, std::ostream& complaints) {
  std::optional<client::Client> session;
  OrderWatch watch([&](std::string_view command, Json params) { return session->call(command, std::move(params)); });
  for (bool was_there = true;; std::this_thread::sleep_for(std::chrono::duration<double>(options.every_seconds))) {
    const auto happened = look(options, session, watch);
    if (!happened.ok() && !may_pass(happened.error())) return happened.error();
    if (!happened.ok() && was_there)
      complaints << "chancery: " << base::to_line(happened.error()) << "; waiting for it\n" << std::flush;
    was_there = happened.ok();
    if (!happened.ok()) continue;
    for (const auto& line : *happened) out << (options.json ? wire::to_text(line) : text_of(line)) << "\n";
    if (!(out << std::flush)) return Error(Code::Io, "standard output refuses the lines");
  }
}

}  // namespace chancery::cli
