#include "clients/zmq/settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "server/base/address.h"
#include "server/base/file.h"

namespace chancery::zmq_gateway {
namespace {

constexpr std::size_t kMaxSettings = 1 << 20;

struct Word {
  std::string_view text;
  WithoutCurve value;
};
constexpr std::array kWithoutCurve{Word{"loopback", WithoutCurve::Loopback}, Word{"anyone", WithoutCurve::Anyone},
                                   Word{"nobody", WithoutCurve::Nobody}};

Result<WithoutCurve> without_curve_from(const std::string& text) {
  const auto found = std::ranges::find(kWithoutCurve, text, &Word::text);
  if (found != kWithoutCurve.end()) return found->value;
  return Error(Code::BadConfig, "without_curve \"" + text + "\" of an endpoint, expected loopback, anyone or nobody");
}

/// chanceryd has checked this, too; but this program is the one that would listen.
Status check_reach(const Endpoint& endpoint) {
  const bool local = endpoint.address == "localhost" || base::is_loopback(endpoint.address);
  const bool lets_in = !endpoint.server_key_file.empty() || endpoint.without_curve == WithoutCurve::Anyone;
  if (lets_in || (local && endpoint.without_curve == WithoutCurve::Loopback)) return {};
  return Error(Code::BadConfig, "endpoint " + endpoint.address + " has no server-key-file, and lets nobody in without one",
               "chancery zmq-key makes a key");
}

Result<Endpoint> read_endpoint(const Json& json) {
  Endpoint endpoint{.address = json.text("address"),
                    .port = static_cast<int>(json.integer("port")),
                    .realm = json.text("realm"),
                    .server_key_file = json.text("server_key_file"),
                    .attests_loopback = json.boolean("attests_loopback"),
                    .peer_keys = json.texts("peer_keys")};
  endpoint.wrong_seeds_per_minute = static_cast<int>(json.integer("wrong_seeds_per_minute", endpoint.wrong_seeds_per_minute));
  if (endpoint.wrong_seeds_per_minute < 0) return Error(Code::BadConfig, "wrong_seeds_per_minute of an endpoint is below 0");
  PKI_TRY(endpoint.without_curve, without_curve_from(json.text("without_curve", "loopback")));
  PKI_TRY_VOID(check_reach(endpoint));
  return endpoint;
}

Result<std::string> read_descriptor(int fd) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const auto got = ::read(fd, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::io_error("read the settings", errno);
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxSettings) return Error(Code::TooLarge, "settings of more than 1 MiB");
  }
}

}  // namespace

Result<Settings> read_settings(const Json& json) {
  Settings settings{json.text("socket"), json.text("front_end", "zmq"), {}, {}};
  if (const auto* log = json.find("log")) {
    settings.log.destination = log->text("destination", "stderr");
    PKI_TRY(settings.log.level, base::log_level_from_text(log->text("level", "info")));
  }
  const auto* endpoints = json.find("endpoints");
  if (endpoints == nullptr || !endpoints->is_array()) return Error(Code::BadConfig, "the settings have no endpoints");
  for (const auto& one : *endpoints->as_array()) {
    PKI_TRY(auto endpoint, read_endpoint(one));
    settings.endpoints.push_back(std::move(endpoint));
  }
  return settings;
}

Result<Settings> load_settings(const std::string& file, int descriptor) {
  PKI_TRY(const auto text, file.empty() ? read_descriptor(descriptor) : base::read_file(file, kMaxSettings));
  PKI_TRY(const auto json, wire::parse_json(text));
  return read_settings(json);
}

}  // namespace chancery::zmq_gateway
