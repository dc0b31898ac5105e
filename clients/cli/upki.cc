#include "clients/cli/upki.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "clients/cli/local_verbs.h"
#include "clients/cli/upki_server.h"
#include "server/base/file.h"
#include "server/base/names.h"
#include "server/base/seed.h"
#include "server/base/text.h"

namespace chancery::cli {
namespace {

constexpr std::size_t kSeedOctets = 32;
constexpr std::size_t kMaxFile = 1 << 20;

bool is_there(const base::Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<UpkiPlace> place_of(const UpkiOptions& options) {
  if (options.path.empty())
    return Error(Code::InvalidParams, "found neither --path nor UPKI_DATA_DIR, expected the data directory",
                 "chancery upki init --path /var/lib/upki/ca");
  UpkiPlace place;
  place.data = (std::filesystem::absolute(options.path) / "").lexically_normal().parent_path();
  const auto name = RealmName::parse(place.data.filename().string());
  if (!name.ok())
    return Error(Code::InvalidParams,
                 "--path " + place.data.string() + ": its last part is the realm's name: " + name.error().message(),
                 "choose a directory like /var/lib/upki/ca");
  place.realm = name->text();
  return place;
}

/// UPKI_CA_SEED; empty: not given.
std::string given_seed() {
  const char* given = std::getenv("UPKI_CA_SEED");
  return std::string(base::trim(given == nullptr ? "" : given));
}

Status check_seed() {
  const auto length = given_seed().size();
  if (length == 0 || length >= base::kLeastSeedCharacters) return {};
  return Error(Code::InvalidParams,
               "UPKI_CA_SEED: found " + std::to_string(length) + " characters, expected at least " +
                   std::to_string(base::kLeastSeedCharacters) + ", since whoever guesses the seed registers an RA",
               "leave it out, and a seed is made");
}

/// Opens registration: a seed, and the setting that names it. @return the seed where it was made here; empty: it was there, or
/// given.
Result<std::string> open_registration(const UpkiPlace& place) {
  PKI_TRY(auto text, base::read_file(place.settings(), kMaxFile));
  if (("\n" + text).find("\nseed_file:") != std::string::npos) return std::string();
  PKI_TRY_VOID(check_seed());
  const auto given = given_seed();
  const auto seed = given.empty() ? base::to_base64url(base::random_bytes(kSeedOctets)) : given;
  PKI_TRY_VOID(base::make_directories(place.data / "db", 0700));
  PKI_TRY_VOID(base::replace_file(place.seed(), base::as_bytes(seed + "\n"), 0600));
  text += (text.ends_with('\n') ? "" : "\n") + std::string("seed_file: \"db/seed\"\n");
  PKI_TRY_VOID(base::replace_file(place.settings(), base::as_bytes(text), 0640));
  return given.empty() ? seed : std::string();
}

/// A directory of uPKI's own programs, in the layout of its code or of its documentation (UPKI.md 4.1). A realm has none of
/// these; nor has the documented layout a journal, which a realm has from its beginning.
Status check_not_upkis(const UpkiPlace& place) {
  std::string found;
  for (const auto* name :
       {".serials.json", ".nodes.json", ".admins.json", "certs", "crls", "db/nodes.json", "db/certs.json", "db/admins.json"}) {
    if (found.empty() && is_there(place.data / name)) found = name;
  }
  const bool has_ca = is_there(place.data / "ca.key") && is_there(place.data / "ca.crt");
  if (found.empty() && has_ca && !is_there(place.data / "journal")) found = "a CA without a journal";
  if (found.empty()) return {};
  const auto& data = place.data;
  return Error(Code::Exists, data.string() + " has " + found + ": it is a data directory of uPKI's own programs",
               "chancery import upki " + data.string() + " --name NAME --realms-directory " + data.parent_path().string() +
                   " takes it over, as a realm beside it");
}

Status check_new(const UpkiPlace& place) {
  PKI_TRY_VOID(check_not_upkis(place));
  if (is_there(place.data / "ca.crt"))
    return Error(Code::Exists, place.data.string() + " has a CA already", "chancery upki start --path " + place.data.string());
  return {};
}

/// An option of `upki init` that `realm create` takes under a name of its own.
struct PassedOn {
  std::string UpkiOptions::*member;
  std::string_view name;    ///< the user's
  std::string_view create;  ///< realm create's
};
constexpr std::array kPassedOn{
    PassedOn{&UpkiOptions::subject, "--subject", "--subject"},
    PassedOn{&UpkiOptions::company, "--company", "--company"},
    PassedOn{&UpkiOptions::domain, "--domain", "--domain"},
    PassedOn{&UpkiOptions::ca_key, "--ca-key", "--import-key"},
    PassedOn{&UpkiOptions::ca_certificate, "--ca-cert", "--import-certificate"},
    PassedOn{&UpkiOptions::ca_password_file, "--ca-password-file", "--import-passphrase-file"},
};

/// What realm create says, in the options that the user knows.
std::string in_users_words(std::string text) {
  for (const auto& one : kPassedOn) {
    for (auto at = text.find(one.create); at != std::string::npos; at = text.find(one.create, at + one.name.size()))
      text.replace(at, one.create.size(), one.name);
  }
  return text;
}

Status check_ca_options(const UpkiOptions& options) {
  if (!options.ca_password.empty())
    return Error(Code::InvalidParams,
                 "found --ca-password, expected --ca-password-file: everybody on this machine sees the command line",
                 "write the password to a file of mode 0600");
  if (options.ca_key.empty() != options.ca_certificate.empty())
    return Error(Code::InvalidParams, "found one of --ca-key and --ca-cert (UPKI_CA_KEY_FILE, UPKI_CA_CERT_FILE), expected both",
                 "an existing CA is its key and its certificate");
  if (options.ca_key.empty() && !options.ca_password_file.empty())
    return Error(Code::InvalidParams, "found --ca-password-file without --ca-key, expected both", "leave it out");
  if (!options.ca_key.empty() && !options.subject.empty())
    return Error(Code::InvalidParams, "found --subject with --ca-key, expected one of them",
                 "the subject of an existing CA is its certificate's");
  return {};
}

/// What is wrong with a file of an existing CA is said under the name that the user gave it by. realm create reads it again.
template <class Read>
Status check_ca_file(const std::string& path, std::string_view name, const Read& read) {
  if (path.empty()) return {};
  const auto content = read(path, kMaxFile);
  if (content.ok()) return {};
  const Error& why = content.error();
  return Error(why.code(), std::string(name) + ": " + why.message(), why.hint());
}

Status check_ca_files(const UpkiOptions& options) {
  PKI_TRY_VOID(check_ca_file(options.ca_key, "--ca-key or UPKI_CA_KEY_FILE", base::read_secret_file));
  PKI_TRY_VOID(check_ca_file(options.ca_certificate, "--ca-cert or UPKI_CA_CERT_FILE", base::read_file));
  return check_ca_file(options.ca_password_file, "--ca-password-file", base::read_secret_file);
}

/// The options of `realm create`.
Result<std::vector<std::string>> ca_words(const UpkiOptions& options) {
  PKI_TRY_VOID(check_ca_options(options));
  PKI_TRY_VOID(check_ca_files(options));
  std::vector<std::string> words;
  if (options.ca_key.empty()) words = {"--key", "rsa:4096"};  // uPKI's
  for (const auto& one : kPassedOn) {
    const auto& value = options.*one.member;
    if (!value.empty()) words.insert(words.end(), {std::string(one.create), value});
  }
  return words;
}

/// Another program takes this process over. @return only what kept it from that.
Error become(const char* program_name, std::vector<std::string> words) {
  const auto program = find_program(program_name);
  if (!program.ok()) return program.error();
  words.insert(words.begin(), program->string());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::cout.flush();
  ::execv(argv.front(), argv.data());
  return base::io_error("run " + words.front(), errno);
}

Error serve(const UpkiPlace& place) { return become("chanceryd", {"--config", place.configuration().string()}); }

/// What was given or found goes on in the environment.
Error become_ra(const std::string& name, const UpkiOptions& options) {
  const UpkiVerb& verb =
      *std::ranges::find_if(kUpkiVerbs, [&](const UpkiVerb& one) { return one.group == "ra" && one.name == name; });
  for (const auto& row : kUpkiOptions) {
    const auto& text = options.*row.member;
    if (takes(row, verb) && !text.empty()) ::setenv(std::string(row.environment).c_str(), text.c_str(), 1);
  }
  return become("chancery-http", {"--remote-ra", name});
}

Status check_laid_out(const UpkiPlace& place) {
  PKI_TRY_VOID(check_not_upkis(place));
  if (is_there(place.settings()) && is_there(place.data / "ca.crt")) return {};
  return Error(Code::NotFound, "found no CA in " + place.data.string() + ", expected a data directory that is laid out",
               "chancery upki init --path " + place.data.string());
}

}  // namespace

bool takes(const UpkiOption& option, const UpkiVerb& verb) {
  const auto verbs = base::split(option.verbs, ' ');
  const auto name = verb.group.empty() ? std::string(verb.name) : std::string(verb.group) + "-" + std::string(verb.name);
  return std::ranges::find(verbs, name) != verbs.end();
}

void add_environment(UpkiOptions& options, const UpkiVerb& verb) {
  for (const auto& row : kUpkiOptions) {
    if (!takes(row, verb) || row.environment.empty() || !(options.*row.member).empty()) continue;
    const char* text = std::getenv(std::string(row.environment).c_str());
    if (text != nullptr) options.*row.member = text;
  }
}

Result<Json> upki_init(const UpkiOptions& options) {
  PKI_TRY(const auto place, place_of(options));
  PKI_TRY(const auto server, plan_server(place, options));
  PKI_TRY(const auto words, ca_words(options));
  PKI_TRY_VOID(check_seed());
  PKI_TRY_VOID(check_new(place));
  PKI_TRY(const auto made, create_realm(place.realm, place.data.parent_path(), words, in_users_words));
  PKI_TRY(const auto seed, open_registration(place));
  PKI_TRY_VOID(write_server(place, server));
  auto answer = Json::object({{"data_directory", place.data.string()}, {"server", place.configuration().string()}});
  if (server.endpoint) answer.set("address", server.endpoint->host + " port " + std::to_string(server.endpoint->port));
  for (const auto* name : {"key", "subject", "not_after"}) answer.set(name, made.text(name));
  if (!seed.empty()) answer.set("seed", seed);
  return answer;
}

Result<Json> upki_register(const UpkiOptions& options) {
  PKI_TRY(const auto place, place_of(options));
  PKI_TRY_VOID(check_laid_out(place));
  PKI_TRY(const auto server, plan_server(place, options));
  PKI_TRY_VOID(check_ports(server));
  PKI_TRY(const auto seed, open_registration(place));
  PKI_TRY_VOID(write_server(place, server));
  if (!seed.empty()) std::cout << "seed " << seed << "\n";
  return serve(place);
}

Result<Json> upki_start(const UpkiOptions& options) {
  PKI_TRY(const auto place, place_of(options));
  PKI_TRY_VOID(check_laid_out(place));
  PKI_TRY(const auto server, plan_server(place, options));
  PKI_TRY_VOID(check_ports(server));
  PKI_TRY_VOID(write_server(place, server));
  return serve(place);
}

Result<Json> upki_ra_init(const UpkiOptions& options) { return become_ra("init", options); }
Result<Json> upki_ra_register(const UpkiOptions& options) { return become_ra("register", options); }
Result<Json> upki_ra_start(const UpkiOptions& options) { return become_ra("start", options); }

}  // namespace chancery::cli
