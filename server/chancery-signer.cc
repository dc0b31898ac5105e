// chancery-signer: the one program that opens a realm's CA key. `serve` is what the master runs; `create` and `check` are run by
// `chancery realm create` and `chanceryd --check`.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/text.h"
#include "server/signer/ceremony.h"
#include "server/signer/check.h"
#include "server/signer/create.h"
#include "server/signer/create_options.h"
#include "server/signer/import.h"
#include "server/signer/serve.h"

namespace {

using namespace chancery;
using signer::Makes;

constexpr const char* kUsage =
    "usage: chancery-signer serve --realm NAME --directory DIR --listen-fd N --ready-fd N --life-fd N --pass-fd N\n"
    "           [--worker-uid N] [--log DESTINATION] [--log-level LEVEL]\n"
    "       chancery-signer create --realm NAME --directory DIR [options of create]\n"
    "       chancery-signer ceremony --plan FILE (--dry-run | --confirm SHA256)\n"
    "       chancery-signer check --realm NAME --directory DIR [--settings good|bad]\n"
    "       chancery-signer import-KIND --realm NAME --directory DIR --source DIR [options of import]\n"
    "Options of create:\n";

/// Options by name; a flag's value is empty.
using Options = std::map<std::string, std::string, std::less<>>;

/// Those that `create` alone takes are rows of kCreateOptions.
constexpr std::array<std::string_view, 13> kCommon{"plan",       "confirm",  "realm",    "source",  "directory",
                                                   "listen-fd",  "ready-fd", "settings", "life-fd", "pass-fd",
                                                   "worker-uid", "log",      "log-level"};

constexpr std::string_view kCeremonyVerb = "ceremony";
constexpr std::string_view kImportVerb = "import-";  ///< and the name of a kind

/// Null: the word is no import's.
const signer::ImportKind* import_of(std::string_view word) {
  const auto* const found = std::ranges::find_if(signer::kImportKinds, [&](const auto& kind) {
    return word.starts_with(kImportVerb) && word.substr(kImportVerb.size()) == kind.name;
  });
  return found == signer::kImportKinds.end() ? nullptr : found;
}

Result<Options> parse(int argc, char** argv) {
  Options options;
  const auto* const kind = import_of(argv[1]);
  const auto verb = kind != nullptr ? kind->verb : argv[1] == kCeremonyVerb ? Makes::Ceremony : Makes::Realm;
  for (int i = 2; i < argc; ++i) {
    std::string_view name = argv[i];
    if (!name.starts_with("--")) return Error(Code::InvalidParams, "\"" + base::printable(name, 64) + "\" is no option");
    name.remove_prefix(2);
    const auto* of_create = signer::find_create_option(verb, name);
    if (of_create == nullptr && std::ranges::find(kCommon, name) == kCommon.end())
      return Error(Code::InvalidParams, "unknown option --" + base::printable(name, 64), "chancery-signer --help lists them");
    if (of_create != nullptr && of_create->value.empty()) {
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

Result<int> number(const std::string& text, std::int64_t least = 0, std::int64_t most = INT_MAX) {
  int out = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failure == std::errc() && end == text.data() + text.size() && out >= least && out <= most) return out;
  return Error(Code::InvalidParams,
               "found \"" + base::printable(text, 64) + "\", expected " + std::to_string(least) + " to " + std::to_string(most));
}

/// A descriptor or user that the master passes.
Result<int> passed(const Options& options, std::string_view name) {
  auto found = number(value(options, name));
  return found.ok() ? found : Result<int>(found.error().within("--" + std::string(name)));
}

/// None when the option was not given.
Result<std::optional<int>> number_of(const Options& options, std::string_view name) {
  if (!options.contains(name)) return std::optional<int>();
  const auto* row = signer::find_create_option(Makes::Realm, name);
  const auto found = number(value(options, name), row->least, row->most);
  if (!found.ok()) return signer::of_option(found.error(), name);
  return std::optional(*found);
}

/// An option that was given says something: nobody means the default by an empty text.
Status check_not_empty(const Options& options, Makes verb) {
  for (const auto& [name, text] : options) {
    const auto* row = signer::find_create_option(verb, name);
    if (row == nullptr || row->value.empty() || !text.empty()) continue;
    const Error empty(Code::InvalidParams,
                      "found an empty text, expected " + std::string(row->value) + "; without --" + name + " the default holds");
    return signer::of_option(empty, name);
  }
  return {};
}

/// Names of files, and what else comes from others, write no lines of their own on a terminal (PROMISES D41).
int complain(const Error& error) {
  constexpr std::size_t kMost = 64 << 10;
  std::fprintf(stderr, "chancery-signer: %s\n", base::printable(error.message(), kMost).c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", base::printable(error.hint(), kMost).c_str());
  return base::describe(error.code()).exit_status;
}

/// What both verbs take.
Result<signer::Creation> common_creation(const Options& options, Makes verb) {
  PKI_TRY_VOID(check_not_empty(options, verb));
  signer::Creation creation;
  creation.realm = value(options, "realm");
  creation.directory = std::filesystem::absolute(value(options, "directory")).lexically_normal();
  creation.passphrase_file = value(options, "passphrase-file");
  creation.credential = value(options, "credential");
  creation.unencrypted = options.contains("unencrypted");
  creation.owners = {value(options, "signer-user"), value(options, "worker-user")};
  return creation;
}

Result<signer::Creation> creation_from(const Options& options) {
  PKI_TRY(auto creation, common_creation(options, Makes::Realm));
  if (options.contains("key")) {
    const auto spec = base::parse_key_spec(value(options, "key"));
    if (!spec.ok()) return signer::of_option(spec.error(), "key");
    creation.key = *spec;
  }
  PKI_TRY(creation.days, number_of(options, "days"));
  PKI_TRY(creation.path_length, number_of(options, "path-length"));
  creation.subject = value(options, "subject");
  PKI_TRY(const auto shares, number_of(options, "shares"));
  PKI_TRY(const auto threshold, number_of(options, "threshold"));
  creation.shares = shares.value_or(0);
  creation.threshold = threshold.value_or(0);
  creation.prompt = options.contains("prompt");
  creation.module = value(options, "pkcs11-module");
  creation.token = value(options, "token");
  creation.token_path = value(options, "token-path");
  creation.key_label = value(options, "key-label");
  creation.pin_file = value(options, "pin-file");
  creation.existing_key = options.contains("existing-key");
  creation.shares_directory = value(options, "shares-directory");
  creation.company = value(options, "company");
  creation.domain = value(options, "domain");
  creation.import_key = value(options, "import-key");
  creation.import_certificate = value(options, "import-certificate");
  creation.import_passphrase_file = value(options, "import-passphrase-file");
  creation.secret_file = value(options, "from-secret");
  PKI_TRY(const auto generation, number_of(options, "generation"));
  if (generation && creation.secret_file.empty())
    return Error(Code::InvalidParams, "--generation: found it without --from-secret, expected both", "leave it out");
  creation.generation = generation.value_or(1);
  if (!creation.secret_file.empty() && !creation.import_key.empty())
    return Error(Code::InvalidParams, "found --from-secret and --import-key, expected one of them",
                 "the key comes from one place");
  if (creation.secret_file.empty() && !creation.existing_key &&
      creation.import_key.empty() != creation.import_certificate.empty()) {
    return Error(Code::InvalidParams, "found one of --import-key and --import-certificate, expected both",
                 "an existing CA is its key and its certificate");
  }
  const bool import = !creation.import_certificate.empty();
  const bool request = options.contains("request-only");
  if (static_cast<int>(import) + static_cast<int>(request) + static_cast<int>(options.contains("self-signed")) > 1) {
    return Error(Code::InvalidParams, "more than one of --self-signed, --request-only and --import-key, expected one",
                 "leave the others out");
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

base::Path absolute(const Options& options, std::string_view name) {
  const auto text = value(options, name);
  return text.empty() ? base::Path() : std::filesystem::absolute(text).lexically_normal();
}

/// A directory's name, whether it ends in a slash or not.
base::Path directory(const Options& options, std::string_view name) {
  auto path = absolute(options, name);
  return path.has_filename() ? path : path.parent_path();
}

Result<signer::ImportOrder> import_from(const signer::ImportKind& kind, const Options& options) {
  for (const auto* name : {"source", "directory"}) {
    if (value(options, name).empty())
      return Error(Code::InvalidParams, "--" + std::string(name) + ": found an empty text, expected a directory");
  }
  signer::ImportOrder order;
  PKI_TRY(order.creation, common_creation(options, kind.verb));
  order.creation.import_passphrase_file = value(options, "ca-passphrase-file");
  order.source = directory(options, "source");
  order.ca_directory = value(options, "ca-directory");
  order.ca_certificate = absolute(options, "ca-certificate");
  order.ca_key = absolute(options, "ca-key");
  order.chain = absolute(options, "chain");
  order.configuration = value(options, "config");
  order.certificates = directory(options, "certificates");
  order.dry_run = options.contains("dry-run");
  return order;
}

int import(const signer::ImportKind& kind, const Options& options) {
  const auto order = import_from(kind, options);
  if (!order.ok()) return complain(order.error());
  const auto now = base::SystemClock().now();
  const auto made = kind.verb == Makes::Ceremony ? signer::import_ceremony(*order, value(options, "transcript"), now)
                                                 : signer::import_ca(kind, *order, now);
  if (!made.ok()) return complain(made.error());
  std::printf("%s\n", wire::to_text(*made).c_str());
  return 0;
}

int ceremony(const Options& options) {
  const auto plan = absolute(options, "plan");
  if (plan.empty()) return complain(Error(Code::InvalidParams, "--plan: found an empty text, expected a file"));
  const auto made = options.contains("dry-run") ? signer::preview_ceremony(plan)
                                                : signer::hold_ceremony(plan, value(options, "confirm"), base::SystemClock());
  if (!made.ok()) return complain(made.error());
  std::printf("%s\n", wire::to_text(*made).c_str());
  return 0;
}

int check(const Options& options) {
  const auto realm = RealmName::parse(value(options, "realm"));
  if (!realm.ok()) return complain(realm.error());
  const auto directory = value(options, "directory");
  const auto now = base::SystemClock().now();
  const bool bad = value(options, "settings") == "bad";
  const auto checked = bad ? signer::check_ca_files(*realm, directory, now) : signer::check_realm(*realm, directory, now);
  for (const auto& line : checked.lines) std::printf("%s\n", line.c_str());
  return base::to_int(checked.holds ? base::Exit::Ok : base::Exit::Config);
}

Result<SecretBytes> read_pass(const Options& options) {
  constexpr std::size_t kMostOctets = 256;
  PKI_TRY(const int number_of_pass, passed(options, "pass-fd"));
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
  PKI_TRY(const int listener, passed(options, "listen-fd"));
  PKI_TRY(const int ready, passed(options, "ready-fd"));
  PKI_TRY(const int life, passed(options, "life-fd"));
  PKI_TRY(auto pass, read_pass(options));
  std::optional<uid_t> worker;
  if (options.contains("worker-uid")) {
    PKI_TRY(const int uid, passed(options, "worker-uid"));
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

void print_options(std::FILE* out, Makes verb) {
  for (const auto& option : signer::kCreateOptions) {
    if (!option.is_of(verb)) continue;
    const auto spelt = "--" + std::string(option.name) + " " + std::string(option.value);
    std::fprintf(out, "  %-30s %s\n", spelt.c_str(), std::string(option.doc).c_str());
  }
}

void print_usage(std::FILE* out) {
  std::fputs(kUsage, out);
  print_options(out, Makes::Realm);
  for (const auto& kind : signer::kImportKinds) {
    std::fprintf(out, "Options of import-%s:\n", std::string(kind.name).c_str());
    print_options(out, kind.verb);
  }
}

struct Mode {
  std::string_view name;
  int (*run)(const Options&);
};
constexpr std::array kModes{Mode{kCeremonyVerb, ceremony}, Mode{"check", check}, Mode{"create", create}, Mode{"serve", serve}};

/// With what the words name, or none when they name nothing.
std::optional<int> run(int argc, char** argv) {
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  const auto* const mode = std::ranges::find(kModes, wanted, &Mode::name);
  const auto* const kind = import_of(wanted);
  if (mode == kModes.end() && kind == nullptr) return std::nullopt;
  const auto options = parse(argc, argv);
  if (!options.ok()) return complain(options.error());
  return kind != nullptr ? import(*kind, *options) : mode->run(*options);
}

}  // namespace

int main(int argc, char** argv) {
  base::remember_arguments(argc, argv);
  ::umask(077);
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  if (wanted == "--version") return std::printf("chancery-signer %s\n", CHANCERY_VERSION) < 0 ? 1 : 0;
  try {
    if (const auto done = run(argc, argv)) return *done;
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "chancery-signer: bug: %s\n", bug.what());
    return base::to_int(base::Exit::Software);
  }
  print_usage(wanted == "--help" ? stdout : stderr);
  return wanted == "--help" ? 0 : base::to_int(base::Exit::Usage);
}
