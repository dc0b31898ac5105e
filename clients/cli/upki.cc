#include "clients/cli/upki.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "clients/cli/local_verbs.h"
#include "server/base/file.h"
#include "server/base/names.h"
#include "server/base/text.h"

namespace chancery::cli {
namespace {

constexpr const char* kHost = "127.0.0.1";
constexpr int kPort = 5000;
constexpr int kMostPort = 65534;  ///< registration is one above
constexpr std::size_t kSeedOctets = 32;
constexpr std::size_t kMaxFile = 1 << 20;

/// Where the parts of one data directory are.
struct Place {
  base::Path data;
  std::string realm;
  base::Path configuration() const { return data.parent_path() / (realm + ".chancery.xml"); }
  base::Path run_directory() const { return data.parent_path() / (realm + ".run"); }
  base::Path settings() const { return data / "ca.config.yml"; }
  base::Path seed() const { return data / "db" / "seed"; }
};

struct Address {
  std::string host;
  int port = kPort;
};

bool is_there(const base::Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<Place> place_of(const UpkiOptions& options) {
  if (options.path.empty())
    return Error(Code::InvalidParams, "found neither --path nor UPKI_DATA_DIR, expected the data directory",
                 "chancery upki init --path /var/lib/upki/ca");
  Place place;
  place.data = (std::filesystem::absolute(options.path) / "").lexically_normal().parent_path();
  const auto name = RealmName::parse(place.data.filename().string());
  if (!name.ok())
    return Error(Code::InvalidParams,
                 "--path " + place.data.string() + ": its last part is the realm's name: " + name.error().message(),
                 "choose a directory like /var/lib/upki/ca");
  place.realm = name->text();
  return place;
}

Result<Address> address_of(const UpkiOptions& options) {
  Address address{options.host.empty() ? kHost : options.host};
  unsigned char octets[sizeof(in6_addr)];  // NOLINT: inet_pton writes into it
  if (::inet_pton(AF_INET, address.host.c_str(), octets) != 1 && ::inet_pton(AF_INET6, address.host.c_str(), octets) != 1)
    return Error(Code::InvalidParams,
                 "--host or UPKI_CA_HOST: found \"" + base::printable(address.host, 64) + "\", expected an IPv4 or IPv6 address");
  if (options.port.empty()) return address;
  const auto& text = options.port;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), address.port);
  if (failure == std::errc() && end == text.data() + text.size() && address.port >= 1 && address.port <= kMostPort)
    return address;
  return Error(Code::InvalidParams,
               "--port: found \"" + base::printable(text, 64) + "\", expected 1 to " + std::to_string(kMostPort));
}

std::string in_xml(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '"' ? "&quot;" : std::string(1, c);
  return out;
}

std::string configuration_text(const Place& place, const Address& address) {
  const auto realm = in_xml(place.realm);
  return "<?xml version=\"1.0\"?>\n<!-- Written by chancery upki. Once it is changed by hand, it is left alone. -->\n<chancery "
         "run-directory=\"" +
         in_xml(place.run_directory().string()) + "\">\n  <log destination=\"stderr\"/>\n  <realms directory=\"" +
         in_xml(place.data.parent_path().string()) + "\" default=\"" + realm + "\"><realm name=\"" + realm +
         "\"/></realms>\n  <front-ends>\n    <front-end name=\"zmq\" program=\"chancery-zmq\" realms=\"" + realm +
         "\" roles=\"frontend ra-operator admin\"/>\n  </front-ends>\n  <zmq><endpoint address=\"" + address.host + "\" port=\"" +
         std::to_string(address.port) + "\" realm=\"" + realm + "\" loopback-peers=\"ra-operator admin\"/></zmq>\n</chancery>\n";
}

std::string between(const std::string& text, const std::string& begin) {
  const auto at = text.find(begin);
  if (at == std::string::npos) return {};
  const auto from = at + begin.size();
  return text.substr(from, text.find('"', from) - from);
}

/// The address in a file that nobody changed; none: somebody did.
std::optional<Address> written_address(const Place& place, const std::string& text) {
  UpkiOptions options;
  options.host = between(text, "<endpoint address=\"");
  options.port = between(text, "\" port=\"");
  const auto address = address_of(options);
  if (!address.ok() || configuration_text(place, *address) != text) return std::nullopt;
  return *address;
}

/// Writes chancery.xml where there is none, and with another address where one is asked for.
Status write_configuration(const Place& place, const UpkiOptions& options) {
  PKI_TRY(const auto address, address_of(options));
  const auto path = place.configuration();
  if (!is_there(path)) return base::replace_file(path, base::as_bytes(configuration_text(place, address)), 0644);
  if (options.host.empty() && options.port.empty()) return {};
  PKI_TRY(const auto text, base::read_file(path, kMaxFile));
  const auto written = written_address(place, text);
  if (!written)
    return Error(Code::Conflict, path.string() + " was changed by hand, so the address in it holds",
                 "leave --host, --port and UPKI_CA_HOST out, or change <endpoint> there");
  auto wanted = *written;
  if (!options.host.empty()) wanted.host = address.host;
  if (!options.port.empty()) wanted.port = address.port;
  return base::replace_file(path, base::as_bytes(configuration_text(place, wanted)), 0644);
}

/// UPKI_CA_SEED, or a new one.
std::string choose_seed() {
  const char* given = std::getenv("UPKI_CA_SEED");
  const auto text = std::string(base::trim(given == nullptr ? "" : given));
  return text.empty() ? base::to_base64url(base::random_bytes(kSeedOctets)) : text;
}

bool is_seed_given() {
  const char* given = std::getenv("UPKI_CA_SEED");
  return given != nullptr && !base::trim(given).empty();
}

/// Opens registration: a seed, and the setting that names it. @return the seed where it was made here; empty: it was there, or
/// given.
Result<std::string> open_registration(const Place& place) {
  PKI_TRY(auto text, base::read_file(place.settings(), kMaxFile));
  if (("\n" + text).find("\nseed_file:") != std::string::npos) return std::string();
  const auto seed = choose_seed();
  PKI_TRY_VOID(base::make_directories(place.data / "db", 0700));
  PKI_TRY_VOID(base::replace_file(place.seed(), base::as_bytes(seed + "\n"), 0600));
  text += (text.ends_with('\n') ? "" : "\n") + std::string("seed_file: \"db/seed\"\n");
  PKI_TRY_VOID(base::replace_file(place.settings(), base::as_bytes(text), 0640));
  return is_seed_given() ? std::string() : seed;
}

Status check_new(const Place& place) {
  for (const auto* name : {".serials.json", "certs", "crls"}) {
    if (is_there(place.data / name))
      return Error(Code::Exists, place.data.string() + " has " + name + ": it is a data directory of uPKI's own programs",
                   "chancery import upki " + place.data.string() + " takes it over");
  }
  if (is_there(place.data / "ca.crt"))
    return Error(Code::Exists, place.data.string() + " has a CA already", "chancery upki start --path " + place.data.string());
  return {};
}

/// The options of `realm create`.
Result<std::vector<std::string>> ca_words(const UpkiOptions& options) {
  if (!options.ca_password.empty())
    return Error(Code::InvalidParams,
                 "found --ca-password, expected --ca-password-file: everybody on this machine sees the command line",
                 "write the password to a file of mode 0600");
  if (options.ca_key.empty() != options.ca_certificate.empty())
    return Error(Code::InvalidParams, "found one of --ca-key and --ca-cert (UPKI_CA_KEY_FILE, UPKI_CA_CERT_FILE), expected both",
                 "an existing CA is its key and its certificate");
  if (options.ca_key.empty() && !options.ca_password_file.empty())
    return Error(Code::InvalidParams, "found --ca-password-file without --ca-key, expected both", "leave it out");
  if (options.ca_key.empty()) return std::vector<std::string>{"--key", "rsa:4096"};  // uPKI's
  std::vector<std::string> words{"--import-key", options.ca_key, "--import-certificate", options.ca_certificate};
  if (!options.ca_password_file.empty()) {
    words.emplace_back("--import-passphrase-file");
    words.push_back(options.ca_password_file);
  }
  return words;
}

/// The server takes this process over. @return only what kept it from that.
Error serve(const Place& place) {
  const auto program = find_program("chanceryd");
  if (!program.ok()) return program.error();
  auto name = program->string();
  std::string option = "--config";
  auto file = place.configuration().string();
  char* const argv[] = {name.data(), option.data(), file.data(), nullptr};  // NOLINT: execv's
  std::cout.flush();
  ::execv(name.c_str(), argv);
  return base::io_error("run " + name, errno);
}

Status check_laid_out(const Place& place) {
  if (is_there(place.settings()) && is_there(place.data / "ca.crt")) return {};
  return Error(Code::NotFound, "found no CA in " + place.data.string() + ", expected a data directory that is laid out",
               "chancery upki init --path " + place.data.string());
}

}  // namespace

bool takes(const UpkiOption& option, std::string_view verb) {
  const auto verbs = base::split(option.verbs, ' ');
  return std::ranges::find(verbs, verb) != verbs.end();
}

void add_environment(UpkiOptions& options) {
  for (const auto& row : kUpkiOptions) {
    if (row.environment.empty() || !(options.*row.member).empty()) continue;
    const char* text = std::getenv(std::string(row.environment).c_str());
    if (text != nullptr) options.*row.member = text;
  }
}

Result<Json> upki_init(const UpkiOptions& options) {
  PKI_TRY(const auto place, place_of(options));
  PKI_TRY(const auto address, address_of(options));
  PKI_TRY(const auto words, ca_words(options));
  PKI_TRY_VOID(check_new(place));
  PKI_TRY(auto made, create_realm(place.realm, place.data.parent_path(), words));
  PKI_TRY(const auto seed, open_registration(place));
  PKI_TRY_VOID(write_configuration(place, options));
  auto answer = Json::object({{"data_directory", place.data.string()},
                              {"server", place.configuration().string()},
                              {"address", address.host + " port " + std::to_string(address.port)},
                              {"key", made.text("key")},
                              {"subject", made.text("subject")},
                              {"not_after", made.text("not_after")}});
  if (!seed.empty()) answer.set("seed", seed);
  return answer;
}

Result<Json> upki_register(const UpkiOptions& options) {
  PKI_TRY(const auto place, place_of(options));
  PKI_TRY_VOID(check_laid_out(place));
  PKI_TRY(const auto seed, open_registration(place));
  PKI_TRY_VOID(write_configuration(place, options));
  if (!seed.empty()) std::cout << "seed " << seed << "\n";
  return serve(place);
}

Result<Json> upki_start(const UpkiOptions& options) {
  PKI_TRY(const auto place, place_of(options));
  PKI_TRY_VOID(check_laid_out(place));
  PKI_TRY_VOID(write_configuration(place, options));
  return serve(place);
}

}  // namespace chancery::cli
