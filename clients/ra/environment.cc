#include "clients/ra/environment.h"

#include <algorithm>
#include <charconv>

#include "server/base/names.h"
#include "server/base/network.h"
#include "server/base/text.h"
#include "server/base/z85.h"

namespace chancery::ra {
namespace {

constexpr std::size_t kMaxShown = 64;
constexpr int kMostCaPort = 65534;  ///< registration is one above
constexpr int kMostPort = 65535;

/// Refusals are completed with the variable's name.
Error expected(const std::string& found, const std::string& what) {
  return {Code::InvalidParams, "found \"" + base::printable(found, kMaxShown) + "\", expected " + what};
}

bool is_address(const std::string& text) {
  const auto network = base::Network::parse(text);
  return network.ok() && !network->is_mapped() && text.find('/') == std::string::npos;
}

template <int Most>
Result<int> port_from(const std::string& text) {
  int port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure == std::errc() && end == text.data() + text.size() && port >= 1 && port <= Most) return port;
  return expected(text, "a port, 1 to " + std::to_string(Most));
}

template <auto Member>
Status take_text(Environment& into, const std::string& text) {
  into.*Member = text;
  return {};
}
template <auto Member>
Status take_for_ca(Environment& into, const std::string& text) {
  into.ca.*Member = text;
  return {};
}

Status take_ca_port(Environment& into, const std::string& text) {
  PKI_TRY(into.ca.port, port_from<kMostCaPort>(text));
  return {};
}

Status take_server_key(Environment& into, const std::string& text) {
  into.ca.server_key = text;
  if (base::is_curve_key(text)) return {};
  return expected(text, "the CA's public CURVE key, 40 characters of Z85");
}

Status take_port(Environment& into, const std::string& text) {
  PKI_TRY(into.port, port_from<kMostPort>(text));
  return {};
}

Status take_address(Environment& into, const std::string& text) {
  if (!is_address(text)) return expected(text, "an IPv4 or IPv6 address");
  into.address = text;
  return {};
}

Status take_tls(Environment& into, const std::string& text) {
  const auto word = base::to_lower_ascii(text);
  into.tls = word == "true" || word == "1" || word == "yes";
  if (into.tls || word == "false" || word == "0" || word == "no") return {};
  return expected(text, "true or false");
}

Status take_sans(Environment& into, const std::string& text) {
  for (const auto& part : base::split(text, ',')) {
    if (const auto name = base::trim(part); !name.empty()) into.sans.emplace_back(name);
  }
  return {};
}

Status take_realm(Environment& into, const std::string& text) {
  PKI_TRY(const auto name, RealmName::parse(text));
  into.ca.realm = name.text();
  return {};
}

}  // namespace

const std::array<Variable, 11> kVariables{
    Variable{"UPKI_CA_CURVE_KEY", "server-key", take_server_key,
             "the CA's public CURVE key; needed unless the CA is on this machine"},
    Variable{"UPKI_CA_HOST", "ip", take_for_ca<&http::RemoteCa::host>, "where the CA is; 127.0.0.1"},
    Variable{"UPKI_CA_PORT", "port", take_ca_port, "its port of operations, registration is one above; 5000"},
    Variable{"UPKI_CA_SEED", "", take_text<&Environment::seed>, "the registration seed, for the first start"},
    Variable{"UPKI_DATA_DIR", "dir", take_text<&Environment::data>, "the data directory; ~/.upki/ra"},
    Variable{"UPKI_RA_CN", "cn", take_text<&Environment::cn>, "the common name to register; RA"},
    Variable{"UPKI_RA_HOST", "web-ip", take_address, "the address to listen at; 127.0.0.1"},
    Variable{"UPKI_RA_PORT", "web-port", take_port, "the port to listen at; 8000"},
    Variable{"UPKI_RA_REALM", "realm", take_realm,
             "the CA's realm, to be served under its name; else whichever that port serves"},
    Variable{"UPKI_RA_SANS", "sans", take_sans, "names and addresses of the RA's certificate, with commas between"},
    Variable{"UPKI_RA_TLS", "tls", take_tls, "whether to serve HTTPS, with the RA's certificate; false"},
};

std::string name_of(const Variable& variable) {
  const std::string name(variable.name);
  return variable.option.empty() ? name : name + " or --" + std::string(variable.option);
}

std::string describe_variables() {
  std::string text = "Environment of --remote-ra:\n";
  for (const auto& variable : kVariables) text += "  " + std::string(variable.name) + ": " + std::string(variable.doc) + "\n";
  return text;
}

Result<Environment> read_environment(const std::function<const char*(const char*)>& get) {
  Environment environment;
  for (const auto& variable : kVariables) {
    const char* text = get(std::string(variable.name).c_str());
    if (text == nullptr || base::trim(text).empty()) continue;
    const auto taken = variable.take(environment, std::string(base::trim(text)));
    if (!taken.ok()) return Error(taken.error().code(), name_of(variable) + ": " + taken.error().message());
  }
  if (environment.data.empty()) {
    const char* home = get("HOME");
    if (home == nullptr) return Error(Code::NotFound, "found neither UPKI_DATA_DIR nor HOME, expected the data directory");
    environment.data = base::Path(home) / ".upki" / "ra";
  }
  return environment;
}

Json sans_to_register(const Environment& environment) {
  Json sans = Json::array();
  for (const auto& name : environment.sans) {
    sans.push_back(Json::object({{"type", is_address(name) ? "IP" : "DNS"}, {"value", name}}));
  }
  return sans;
}

}  // namespace chancery::ra
