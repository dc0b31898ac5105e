#include "clients/validate/settings.h"

#include <algorithm>
#include <charconv>

#include "clients/dns/address.h"
#include "server/base/text.h"
#include "server/base/z85.h"

namespace chancery::validate {
namespace {

constexpr std::size_t kMaxClientsBytes = 64 * 1024;

/// "ADDRESS:PORT". @errors InvalidParams without a word about what is wrong.
Result<Endpoint> split_endpoint(std::string_view text) {
  constexpr int kMostPort = 65535;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return Error(Code::InvalidParams, "no port");
  auto address = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  Endpoint endpoint{std::string(address)};
  const auto parsed = dns::IpAddress::parse(address);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  const bool is_port =
      failure == std::errc() && end == digits.data() + digits.size() && endpoint.port >= 1 && endpoint.port <= kMostPort;
  if (!parsed.ok() || parsed->is_v6() != bracketed || !is_port) return Error(Code::InvalidParams, "no address and port");
  return endpoint;
}

Error bad_line(const std::string& file, std::size_t line, const std::string& what) {
  return {Code::BadConfig, file + ":" + std::to_string(line) + ": " + what};
}

}  // namespace

Result<Endpoint> read_endpoint(std::string_view text) {
  constexpr std::string_view kScheme = "tcp://";
  auto endpoint = split_endpoint(text.substr(text.starts_with(kScheme) ? kScheme.size() : text.size()));
  if (endpoint.ok()) return endpoint;
  return Error(Code::InvalidParams, "found \"" + base::printable(text, 80) +
                                        "\", expected an address and a port like tcp://192.0.2.1:5010 or tcp://[::1]:5010");
}

Status check_resolver(std::string_view text) {
  if (split_endpoint(text).ok()) return {};
  return Error(Code::InvalidParams,
               "found \"" + base::printable(text, 80) + "\", expected an address and a port like 127.0.0.1:53 or [::1]:53");
}

Result<std::vector<std::string>> read_clients(std::string_view text, const std::string& file) {
  std::vector<std::string> keys;
  std::size_t number = 0;
  for (const auto& whole : base::split(text, '\n')) {
    ++number;
    const std::string line(base::trim(whole));
    if (line.empty() || line == "#" || line.starts_with("# ")) continue;
    if (!base::is_curve_key(line))
      return bad_line(file, number,
                      "found \"" + base::printable(line, 80) +
                          "\", expected a public CURVE key of 40 characters in Z85, as chancery zmq-key prints it");
    if (std::ranges::find(keys, line) != keys.end())
      return bad_line(file, number, "found the key a second time, expected it once");
    keys.push_back(line);
  }
  if (keys.empty()) return bad_line(file, number, "found no key, expected those of the front ends that may ask");
  if (keys.size() > kMostClients)
    return bad_line(file, number,
                    "found " + std::to_string(keys.size()) + " keys, expected at most " + std::to_string(kMostClients));
  return keys;
}

Result<std::vector<std::string>> load_clients(const base::Path& file) {
  PKI_TRY(const auto text, base::read_file(file, kMaxClientsBytes));
  return read_clients(text, file.string());
}

}  // namespace chancery::validate
