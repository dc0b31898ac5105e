#include "clients/cli/upki_server.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "server/base/address.h"
#include "server/base/fd.h"
#include "server/base/socket_address.h"
#include "server/base/text.h"
#include "server/base/xml_text.h"
#include "server/base/z85.h"

namespace chancery::cli {
namespace {

constexpr int kMostPort = 65534;  ///< registration is one above
constexpr std::size_t kMaxFile = 1 << 20;
constexpr std::size_t kMaxKeyFile = 256;

// ----- options

Status take_host(const std::string& text, UpkiEndpoint& endpoint) {
  endpoint.host = text;
  if (base::octets_of_address(text)) return {};
  return Error(Code::InvalidParams,
               "--host or UPKI_CA_HOST: found \"" + base::printable(text, 64) + "\", expected an IPv4 or IPv6 address");
}

Status take_port(const std::string& text, UpkiEndpoint& endpoint) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), endpoint.port);
  if (failure == std::errc() && end == text.data() + text.size() && endpoint.port >= 1 && endpoint.port <= kMostPort) return {};
  return Error(Code::InvalidParams,
               "--port: found \"" + base::printable(text, 64) + "\", expected 1 to " + std::to_string(kMostPort));
}

Status take_server_key(const std::string& text, UpkiEndpoint& endpoint) {
  endpoint.server_key_file = std::filesystem::absolute(text).lexically_normal().string();
  const auto key = base::read_secret_file(endpoint.server_key_file, kMaxKeyFile);
  if (key.ok()) return {};
  const auto& error = key.error();
  return Error(error.code(), "--server-key: " + error.message(),
               error.hint().empty() ? "chancery zmq-key --out FILE makes one" : error.hint());
}

Status take_ra_key(const std::string& text, UpkiEndpoint& endpoint) {
  endpoint.ra_key = text;
  if (base::is_curve_key(text)) return {};
  return Error(Code::InvalidParams,
               "--ra-key: found \"" + base::printable(text, 64) + "\", expected a public CURVE key, 40 characters of Z85",
               "chancery zmq-key --out FILE prints it");
}

/// An option, and what it changes.
struct Row {
  std::string UpkiOptions::*option;
  Status (*take)(const std::string& text, UpkiEndpoint& endpoint);
};
constexpr std::array kRows{Row{&UpkiOptions::host, take_host}, Row{&UpkiOptions::port, take_port},
                           Row{&UpkiOptions::server_key, take_server_key}, Row{&UpkiOptions::ra_key, take_ra_key}};

/// The endpoint with what the options say instead.
Result<UpkiEndpoint> changed(UpkiEndpoint endpoint, const UpkiOptions& options) {
  for (const auto& row : kRows) {
    if (const auto& text = options.*row.option; !text.empty()) PKI_TRY_VOID(row.take(text, endpoint));
  }
  return endpoint;
}

Status check_reach(const UpkiEndpoint& endpoint) {
  if (!endpoint.server_key_file.empty() || base::is_loopback(endpoint.host)) return {};
  return Error(Code::InvalidParams,
               "--host or UPKI_CA_HOST: found " + endpoint.host +
                   ", which others reach, without --server-key; expected both, since without keys nobody from there comes in",
               "chancery zmq-key --out FILE makes the key; the programs of this machine need none at 127.0.0.1");
}

/// Only an endpoint with a key of its own knows others by theirs.
Status check_ra_key(const UpkiEndpoint& endpoint) {
  if (endpoint.ra_key.empty() || !endpoint.server_key_file.empty()) return {};
  return Error(Code::InvalidParams,
               "found --ra-key without --server-key, expected both: nobody comes in with a key where the endpoint has none",
               "chancery zmq-key --out FILE makes the endpoint's");
}

// ----- chancery.xml

std::string text_of(const UpkiPlace& place, const UpkiEndpoint& endpoint) {
  const auto realm = base::to_xml(place.realm);
  std::string text = "<?xml version=\"1.0\"?>\n";
  text += "<!-- Written by chancery upki. Once it is changed by hand, it is left alone. -->\n";
  text += "<chancery run-directory=\"" + base::to_xml(place.run_directory().string()) + "\">\n";
  text += "  <log destination=\"stderr\"/>\n";
  text += "  <realms directory=\"" + base::to_xml(place.data.parent_path().string()) + "\" default=\"" + realm +
          "\"><realm name=\"" + realm + "\"/></realms>\n";
  text += "  <front-ends>\n    <front-end name=\"zmq\" program=\"chancery-zmq\" realms=\"" + realm +
          "\" roles=\"frontend ra-operator admin\"/>\n  </front-ends>\n";
  text += "  <zmq><endpoint address=\"" + endpoint.host + "\" port=\"" + std::to_string(endpoint.port) + "\" realm=\"" + realm +
          "\" loopback-peers=\"frontend ra-operator admin\"";
  if (!endpoint.server_key_file.empty()) text += " server-key-file=\"" + base::to_xml(endpoint.server_key_file) + "\"";
  text += "/></zmq>\n";
  if (!endpoint.ra_key.empty())
    text += "  <zmq-peers><peer name=\"ra\" key=\"" + base::to_xml(endpoint.ra_key) + "\" realm=\"" + realm +
            "\" roles=\"frontend ra-operator\"/></zmq-peers>\n";
  return text + "</chancery>\n";
}

std::string between(const std::string& text, const std::string& begin) {
  const auto at = text.find(begin);
  if (at == std::string::npos) return {};
  const auto from = at + begin.size();
  return base::from_xml(text.substr(from, text.find('"', from) - from));
}

/// What a file says, as far as it can be told; none: it has another shape than ours.
std::optional<UpkiEndpoint> endpoint_in(const std::string& text) {
  UpkiEndpoint endpoint{.host = between(text, "<endpoint address=\""),
                        .server_key_file = between(text, " server-key-file=\""),
                        .ra_key = between(text, "<peer name=\"ra\" key=\"")};
  const bool holds = take_host(endpoint.host, endpoint).ok() && take_port(between(text, "\" port=\""), endpoint).ok();
  return holds ? std::optional(endpoint) : std::nullopt;
}

// ----- ports

Status check_port(const UpkiEndpoint& endpoint, int port) {
  const auto address = base::SocketAddress::parse(endpoint.host, static_cast<std::uint16_t>(port));
  PKI_CHECK(address.has_value());
  const base::UniqueFd fd(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;  // connections that ended a moment ago do not count
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) return base::io_error("socket", errno);
  if (::bind(fd.get(), address->get(), address->length) == 0) return {};
  const auto what = "port " + std::to_string(port) + " of " + endpoint.host;
  if (errno != EADDRINUSE) return base::io_error("listen at " + what, errno);
  const auto role = port == endpoint.port ? "operations" : "registration, one above that of operations,";
  return Error(Code::Unavailable, what + ", for " + role + " is taken by another program",
               "end that one (ss -ltnp names it), or choose another port with --port");
}

}  // namespace

Result<UpkiServer> plan_server(const UpkiPlace& place, const UpkiOptions& options) {
  const auto path = place.configuration();
  std::error_code ignored;
  const bool is_new = !std::filesystem::exists(path, ignored);
  const bool is_asked = std::ranges::any_of(kRows, [&](const auto& row) { return !(options.*row.option).empty(); });
  std::optional<UpkiEndpoint> before = UpkiEndpoint{};
  if (!is_new) {
    PKI_TRY(const auto text, base::read_file(path, kMaxFile));
    before = endpoint_in(text);
    const bool is_ours = before && text_of(place, *before) == text;
    if (!is_ours && is_asked)
      return Error(Code::Conflict, path.string() + " was changed by hand, so what it says holds",
                   "leave --host, --port, --server-key, --ra-key and UPKI_CA_HOST out, or change <endpoint> there");
    if (!is_asked) return UpkiServer{before, {}};
  }
  PKI_TRY(auto endpoint, changed(*before, options));
  PKI_TRY_VOID(check_reach(endpoint));
  PKI_TRY_VOID(check_ra_key(endpoint));
  auto text = text_of(place, endpoint);
  return UpkiServer{std::move(endpoint), std::move(text)};
}

Status write_server(const UpkiPlace& place, const UpkiServer& server) {
  return server.text ? base::replace_file(place.configuration(), base::as_bytes(*server.text), 0644) : Status();
}

Status check_ports(const UpkiServer& server) {
  if (!server.endpoint) return {};
  PKI_TRY_VOID(check_port(*server.endpoint, server.endpoint->port));
  return check_port(*server.endpoint, server.endpoint->port + 1);
}

}  // namespace chancery::cli
