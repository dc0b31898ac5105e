// chancery-signer: the one program that opens a realm's CA key. `serve` is what the master runs; `create` and `check` are run by
// `chancery realm create` and `chanceryd --check`.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/text.h"
#include "server/signer/create.h"
#include "server/signer/serve.h"

namespace {

using namespace chancery;

constexpr const char* kUsage =
    "usage: chancery-signer serve --realm NAME --directory DIR --listen-fd N --ready-fd N --life-fd N --pass-fd N\n"
    "           [--worker-uid N] [--log DESTINATION] [--log-level LEVEL]\n"
    "       chancery-signer create --realm NAME --directory DIR [--key KIND] [--subject DN] [--days N] [--path-length N]\n"
    "           [--passphrase-file FILE | --credential NAME | --unencrypted]\n"
    "           [--self-signed | --request-only | --import-key FILE --import-certificate FILE [--import-passphrase-file FILE]]\n"
    "           [--signer-user USER] [--worker-user USER]\n"
    "       chancery-signer check --realm NAME --directory DIR\n";

/// Options by name; a flag's value is empty.
using Options = std::map<std::string, std::string, std::less<>>;

bool is_flag(std::string_view name) { return name == "unencrypted" || name == "self-signed" || name == "request-only"; }

constexpr std::array kKnown{"realm",
                            "directory",
                            "listen-fd",
                            "ready-fd",
                            "life-fd",
                            "pass-fd",
                            "worker-uid",
                            "key",
                            "subject",
                            "days",
                            "path-length",
                            "passphrase-file",
                            "credential",
                            "unencrypted",
                            "self-signed",
                            "request-only",
                            "import-key",
                            "import-certificate",
                            "import-passphrase-file",
                            "signer-user",
                            "worker-user",
                            "log",
                            "log-level"};

Result<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 2; i < argc; ++i) {
    std::string_view name = argv[i];
    if (!name.starts_with("--")) return Error(Code::InvalidParams, "\"" + base::printable(name, 64) + "\" is no option");
    name.remove_prefix(2);
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end())
      return Error(Code::InvalidParams, "unknown option --" + base::printable(name, 64));
    if (is_flag(name)) {
      options[std::string(name)] = "";
    } else if (i + 1 < argc) {
      options[std::string(name)] = argv[++i];
    } else {
      return Error(Code::InvalidParams, "option --" + std::string(name) + " without a value");
    }
  }
  return options;
}

std::string value(const Options& options, std::string_view name) {
  const auto found = options.find(name);
  return found == options.end() ? "" : found->second;
}

Result<int> number(const Options& options, std::string_view name) {
  const auto text = value(options, name);
  int out = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failure == std::errc() && end == text.data() + text.size() && out >= 0) return out;
  return Error(Code::InvalidParams, "option --" + std::string(name) + ": found \"" + text + "\", expected a number");
}

int complain(const Error& error) {
  std::fprintf(stderr, "chancery-signer: %s\n", error.message().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
  return base::describe(error.code()).exit_status;
}

Result<signer::Creation> creation_from(const Options& options) {
  signer::Creation creation;
  creation.realm = value(options, "realm");
  creation.directory = std::filesystem::absolute(value(options, "directory")).lexically_normal();
  if (options.contains("key")) {
    PKI_TRY(creation.key, base::parse_key_spec(value(options, "key")));
  }
  if (options.contains("days")) {
    PKI_TRY(creation.days, number(options, "days"));
  }
  if (options.contains("path-length")) {
    PKI_TRY(creation.path_length, number(options, "path-length"));
  }
  creation.subject = value(options, "subject");
  creation.passphrase_file = value(options, "passphrase-file");
  creation.credential = value(options, "credential");
  creation.unencrypted = options.contains("unencrypted");
  creation.import_key = value(options, "import-key");
  creation.import_certificate = value(options, "import-certificate");
  creation.import_passphrase_file = value(options, "import-passphrase-file");
  creation.owners = {value(options, "signer-user"), value(options, "worker-user")};
  if (creation.import_key.empty() != creation.import_certificate.empty()) {
    return Error(Code::InvalidParams, "--import-key and --import-certificate come together");
  }
  const bool import = !creation.import_key.empty();
  const bool request = options.contains("request-only");
  if (static_cast<int>(import) + static_cast<int>(request) + static_cast<int>(options.contains("self-signed")) > 1) {
    return Error(Code::InvalidParams, "more than one of --self-signed, --request-only and --import-key, expected one");
  }
  creation.from = import ? signer::CaFrom::Import : request ? signer::CaFrom::Request : signer::CaFrom::SelfSigned;
  return creation;
}

int create(const Options& options) {
  const auto creation = creation_from(options);
  if (!creation.ok()) return complain(creation.error());
  const auto made = signer::create_realm(*creation, base::SystemClock().now());
  if (!made.ok()) return complain(made.error());
  std::printf("%s\n", wire::to_text(*made).c_str());
  return 0;
}

int check(const Options& options) {
  const auto realm = RealmName::parse(value(options, "realm"));
  if (!realm.ok()) return complain(realm.error());
  const auto faults = signer::check_realm(*realm, value(options, "directory"), base::SystemClock().now());
  for (const auto& fault : faults) std::printf("%s\n", fault.c_str());
  return base::to_int(faults.empty() ? base::Exit::Ok : base::Exit::Config);
}

Result<SecretBytes> read_pass(const Options& options) {
  constexpr std::size_t kMostOctets = 256;
  PKI_TRY(const int number_of_pass, number(options, "pass-fd"));
  const base::UniqueFd fd(number_of_pass);
  Bytes text(kMostOctets);
  const auto count = ::read(fd.get(), text.data(), text.size());
  if (count < 0) return base::io_error("read --pass-fd", errno);
  text.resize(static_cast<std::size_t>(count));
  if (text.empty()) return Error(Code::InvalidParams, "--pass-fd: found nothing to read, expected the realm's pass");
  return SecretBytes(std::move(text));
}

Result<signer::Serve> serve_from(const Options& options) {
  PKI_TRY(auto realm, RealmName::parse(value(options, "realm")));
  PKI_TRY(const int listener, number(options, "listen-fd"));
  PKI_TRY(const int ready, number(options, "ready-fd"));
  PKI_TRY(const int life, number(options, "life-fd"));
  PKI_TRY(auto pass, read_pass(options));
  std::optional<uid_t> worker;
  if (options.contains("worker-uid")) {
    PKI_TRY(const int uid, number(options, "worker-uid"));
    worker = static_cast<uid_t>(uid);
  }
  return signer::Serve{.realm = std::move(realm),
                       .directory = value(options, "directory"),
                       .listener = base::UniqueFd(listener),
                       .ready = base::UniqueFd(ready),
                       .life = base::UniqueFd(life),
                       .pass = std::move(pass),
                       .worker_uid = worker,
                       .log_destination = value(options, "log")};
}

int serve(const Options& options) {
  auto start = serve_from(options);
  if (!start.ok()) return complain(start.error());
  const auto level = base::log_level_from_text(options.contains("log-level") ? value(options, "log-level") : "info");
  if (!level.ok()) return complain(level.error());
  const auto log =
      base::open_log({options.contains("log") ? value(options, "log") : "stderr", *level}, "signer " + start->realm.text());
  if (!log.ok()) return complain(log.error());
  return signer::serve(std::move(start).value());
}

struct Mode {
  std::string_view name;
  int (*run)(const Options&);
};
constexpr std::array kModes{Mode{"check", check}, Mode{"create", create}, Mode{"serve", serve}};

}  // namespace

int main(int argc, char** argv) {
  base::remember_arguments(argc, argv);
  ::umask(077);
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  if (wanted == "--version") return std::printf("chancery-signer %s\n", CHANCERY_VERSION) < 0 ? 1 : 0;
  for (const auto& mode : kModes) {
    if (mode.name != wanted) continue;
    try {
      const auto options = parse(argc, argv);
      return options.ok() ? mode.run(*options) : complain(options.error());
    } catch (const std::exception& bug) {
      std::fprintf(stderr, "chancery-signer: bug: %s\n", bug.what());
      return base::to_int(base::Exit::Software);
    }
  }
  std::fputs(kUsage, stderr);
  return wanted == "--help" ? 0 : base::to_int(base::Exit::Usage);
}
