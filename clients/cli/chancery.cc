#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <deque>
#include <iostream>
#include <map>

#include "clients/cli/answer_files.h"
#include "clients/cli/arguments.h"
#include "clients/cli/completion.h"
#include "clients/cli/local_verbs.h"
#include "clients/cli/login.h"
#include "clients/cli/more_options.h"
#include "clients/cli/output.h"
#include "clients/cli/request_options.h"
#include "clients/cli/secret_verbs.h"
#include "clients/cli/steps.h"
#include "clients/cli/upki.h"
#include "clients/cli/usage.h"
#include "clients/cli/watch.h"
#include "clients/lib/rows.h"
#include "server/base/process.h"
#include "server/base/text.h"
#include "server/signer/create_options.h"

// The command line: subcommands from the command table, some local verbs, one place for errors.

using namespace chancery;

namespace {

struct Global {
  std::string socket = client::default_socket();
  std::string realm, front_end;
  cli::LoginOptions login;
  cli::FileNames files;
  double timeout_seconds = 60;
  bool json = false;
  bool all = false;
};

/// One parameter's option and where CLI11 puts its words.
struct Bound {
  const wire::Param* param;
  CLI::Option* option;
  std::string one;
  std::vector<std::string> many;
  bool flag = false;
};

/// One command's subcommand.
struct Leaf {
  const wire::Command* command;
  CLI::App* app;
  std::deque<Bound> bound;
  std::map<std::string_view, std::vector<std::string>> more;  ///< words of kMoreOptions, by their names
};

struct RealmCreate {
  CLI::App* app = nullptr;
  std::string name;
  std::string realms_directory = "/var/lib/chancery/realms";
};

/// One kind of `chancery import`.
struct ImportLeaf {
  const signer::ImportKind* kind;
  CLI::App* app = nullptr;
  std::string source;
  std::string name = "default";
  std::string realms_directory = "/var/lib/chancery/realms";
};

/// One verb of `chancery upki`.
struct UpkiLeaf {
  const cli::UpkiVerb* verb;
  CLI::App* app;
  cli::UpkiOptions options;
};

struct Line {
  CLI::App app{"Chancery: certificates, realms and their server", "chancery"};
  Global global;
  std::deque<Leaf> leaves;
  RealmCreate create;
  std::deque<ImportLeaf> imports;
  std::deque<UpkiLeaf> upki;
  CLI::App* csr = nullptr;
  cli::CsrOrder order;
  CLI::App* zmq_key = nullptr;
  std::vector<CLI::App*> unlock;
  CLI::App* split = nullptr;
  cli::SplitOrder split_order;
  CLI::App* completion = nullptr;
  CLI::App* watch = nullptr;
  double watch_every_seconds = 1;
};

/// Checks of CLI11: an empty text is consent.
std::string is_name(const std::string& text) { return text.empty() ? "found an empty text, expected a file's name" : ""; }

std::string is_timeout(const std::string& text) {
  if (CLI::Range(0.001, 86400.0)(text).empty()) return {};
  return "found \"" + base::printable(text, 64) + "\", expected seconds, 0.001 to 86400";
}

void add_global_options(Line& line) {
  auto& app = line.app;
  auto& global = line.global;
  app.fallthrough();
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("chancery ") + CHANCERY_VERSION);
  app.add_option("--socket", global.socket, "the server's socket")->capture_default_str();
  app.add_option("--realm", global.realm, "realm, default the server's default realm");
  app.add_option("--front-end", global.front_end, "act as this configured front end");
  app.add_option("--login", global.login.stack, "log in by this stack of the realm first");
  app.add_option("--user", global.login.user, "as this person, where the stack asks for one; the password is asked for");
  app.add_option("--secret-file", global.login.secret_file,
                 "file with the password, or without --user with the token (else CHANCERY_TOKEN); - is standard input");
  app.add_option("--timeout", global.timeout_seconds, "seconds for one answer")
      ->capture_default_str()
      ->type_name("SECONDS")
      ->check(is_timeout);
  app.add_option("--out", global.files.out, "write the answer's first PEM (certificate, crl, chain, request) to this file")
      ->check(is_name);
  app.add_option("--key-out", global.files.key_out,
                 "write the private key to this file, mode 0600, which must be new, instead of printing it")
      ->check(is_name);
  app.add_flag("--json", global.json, "the answer as JSON");
  app.add_flag("--all", global.all, "all pages of a list");
}

/// An option that takes one value each time it is given, and may be given again.
CLI::Option* one_each(CLI::Option* option) {
  return option->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::string help_of(const wire::Param& param) {
  auto help = std::string(param.doc);
  if (param.type == wire::Type::Pem) help += " (a file, - for standard input, or the PEM text)";
  if (cli::is_secret(param)) help += " (a file that has it in its first line, - for standard input)";
  if (param.type == wire::Type::Texts) help += "; give the option once for each";
  if (!param.words.empty() && param.words != param.doc) help += ": " + std::string(param.words);
  return help;
}

void add_option(Leaf& leaf, const wire::Param& param) {
  auto& bound = leaf.bound.emplace_back(Bound{&param, nullptr, {}, {}});
  const auto names = cli::option_names(param);
  const auto help = help_of(param);
  if (param.type == wire::Type::Boolean) {
    bound.option = leaf.app->add_flag(names, bound.flag, help);
  } else if (param.type == wire::Type::Texts) {
    bound.option = one_each(leaf.app->add_option(names, bound.many, help));
  } else {
    bound.option = leaf.app->add_option(names, bound.one, help);
  }
  if (param.type != wire::Type::Boolean) bound.option->type_name(cli::value_name(param));
  bound.option->required(param.required);
}

CLI::App* noun(CLI::App& app, const std::string& word) {
  const auto known = app.get_subcommands([&](const CLI::App* one) { return one->get_name() == word; });
  if (!known.empty()) return known.front();
  auto* made = app.add_subcommand(word, word + " commands");
  made->require_subcommand(1);
  return made;
}

/// session.open takes its parameters from --realm and --front-end.
bool is_global(const wire::Param& param) { return param.name == "realm" || param.name == "front_end"; }

/// What a command line does for its user beside the parameters.
void add_more_options(Leaf& leaf) {
  for (const auto& row : cli::kMoreOptions) {
    if (row.command != leaf.command->name) continue;
    auto& words = leaf.more[row.name];
    one_each(leaf.app->add_option("--" + std::string(row.name), words, std::string(row.doc)))->type_name(std::string(row.value));
  }
}

void add_commands(Line& line) {
  for (const auto& command : wire::commands()) {
    if (command.name == cli::kEnterCommand) continue;  // a secret has no place among the words of a command line
    auto words = base::split(command.name, '.');
    auto* at = &line.app;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) at = noun(*at, words[i]);
    auto& leaf = line.leaves.emplace_back(Leaf{&command, at->add_subcommand(words.back(), std::string(command.doc)), {}, {}});
    for (const auto& param : command.params) {
      if (!is_global(param)) add_option(leaf, param);
    }
    add_more_options(leaf);
  }
}

/// Short names for what an operator in a hurry looks for.
struct Alias {
  const char* word;
  std::string_view command;
};
constexpr std::array kAliases{Alias{"repair", "realm.repair"}};

void add_aliases(Line& line) {
  for (const auto& alias : kAliases) {
    const auto* command = wire::find_command(alias.command);
    auto& leaf = line.leaves.emplace_back(Leaf{command, line.app.add_subcommand(alias.word, std::string(command->doc)), {}, {}});
    for (const auto& param : command->params) add_option(leaf, param);
  }
}

void add_signer_options(CLI::App& app, signer::Makes verb) {
  for (const auto& option : signer::kCreateOptions) {
    if (!option.is_of(verb)) continue;
    const auto name = "--" + std::string(option.name);
    const std::string doc(option.doc);
    if (option.value.empty()) {
      app.add_flag(name, doc);
    } else {
      app.add_option(name, doc)->type_name(std::string(option.value));
    }
  }
}

void add_realm_create(Line& line) {
  auto& create = line.create;
  create.app = noun(line.app, "realm")->add_subcommand("create", "Make a realm's directory and CA on this machine.");
  create.app->fallthrough(false);  // a realm may be named like a noun
  create.app->add_option("name", create.name, "realm name")->required();
  create.app->add_option("--realms-directory", create.realms_directory, "where realms are")->capture_default_str();
  add_signer_options(*create.app, signer::Makes::Realm);
}

void add_imports(Line& line) {
  auto* import = noun(line.app, "import");
  import->description("Take over another program's CA as a realm of this machine.");
  for (const auto& kind : signer::kImportKinds) {
    auto& leaf = line.imports.emplace_back(ImportLeaf{.kind = &kind, .source = {}});
    leaf.app = import->add_subcommand(std::string(kind.name), std::string(kind.doc));
    leaf.app->fallthrough(false);
    leaf.app->add_option("directory", leaf.source, std::string(kind.directory))->required();
    leaf.app->add_option("--name", leaf.name, "the realm's name")->capture_default_str();
    leaf.app->add_option("--realms-directory", leaf.realms_directory, "where realms are")->capture_default_str();
    add_signer_options(*leaf.app, kind.verb);
  }
}

void add_upki(Line& line) {
  auto* upki = noun(line.app, "upki");
  upki->description("The verbs of uPKI's programs, with their environment variables.");
  for (const auto& verb : cli::kUpkiVerbs) {
    auto* at = verb.group.empty() ? upki : noun(*upki, std::string(verb.group));
    auto& leaf = line.upki.emplace_back(UpkiLeaf{&verb, at->add_subcommand(std::string(verb.name), std::string(verb.doc)), {}});
    leaf.app->fallthrough(false);
    for (const auto& row : cli::kUpkiOptions) {
      if (!cli::takes(row, verb)) continue;
      const auto from = row.environment.empty() ? "" : " (else " + std::string(row.environment) + ")";
      leaf.app->add_option("--" + std::string(row.name), leaf.options.*row.member, std::string(row.doc) + from)
          ->type_name(std::string(row.value));
    }
  }
}

void add_csr(Line& line) {
  line.csr = line.app.add_subcommand("csr", "Make a key pair and a request for it; --key-out FILE takes the key.");
  line.csr->add_option("--cn", line.order.cn, "common name")->required();
  one_each(line.csr->add_option("--san,--sans", line.order.sans,
                                "subject alternative name, \"DNS:a.example.com\"; give the option once for each"));
  line.csr->add_option("--key", line.order.key, "kind of key pair")->capture_default_str();
}

void add_zmq_key(Line& line) {
  line.zmq_key = line.app.add_subcommand(
      "zmq-key", "Make a CURVE key pair for ZMQ; --out FILE takes the secret key, mode 0600, and must be new.");
}

void add_secret(Line& line) {
  const std::string doc = "Give the realm's passphrase, or one share of it: typed, or the first line of standard input.";
  for (const auto& [word, verb] : {std::pair("realm", "unlock"), std::pair("secret", "enter")})
    line.unlock.push_back(noun(line.app, word)->add_subcommand(verb, doc));
  line.split = noun(line.app, "secret")->add_subcommand("split", "Make shares of a passphrase, for realm --realm.");
  line.split->add_option("--passphrase-file", line.split_order.passphrase_file, "with it on its first line; else it is typed");
  line.split->add_option("--shares", line.split_order.shares, "how many shares")->required();
  line.split->add_option("--threshold", line.split_order.threshold, "how many of them it takes")->required();
  line.split->add_option("--directory", line.split_order.directory, "for their files, mode 0600")->required();
}

void add_watch(Line& line) {
  line.watch = noun(line.app, "acme")->add_subcommand("watch", "Print what becomes of ACME orders, until it is ended.");
  line.watch->add_option("--every", line.watch_every_seconds, "seconds between two looks")
      ->capture_default_str()
      ->type_name("SECONDS")
      ->check(is_timeout);
}

/// The words to complete do not reach CLI11, which would take their options for its own: see main.
constexpr std::string_view kWordsToComplete = "--words";
void add_completion(Line& line) {
  line.completion = line.app.add_subcommand("completion", "Print the script that completes words in bash.");
}

cli::OptionOfVerb describe(const CLI::Option& option, const std::deque<Bound>* bound) {
  cli::OptionOfVerb out{option.get_name(), option.get_items_expected_max() > 0, {}};
  if (bound == nullptr) return out;
  const auto found = std::ranges::find(*bound, &option, &Bound::option);
  if (found != bound->end() && !found->param->words.empty()) out.words = base::split(found->param->words, ' ');
  return out;
}

/// The tree as CLI11 has it, with the words that the command table knows.
cli::Verb describe(const Line& line, const CLI::App& app) {
  const auto leaf = std::ranges::find(line.leaves, &app, &Leaf::app);
  cli::Verb verb{app.get_name(), {}, {}};
  for (const auto* option : app.get_options()) {
    if (!option->get_positional()) verb.options.push_back(describe(*option, leaf == line.leaves.end() ? nullptr : &leaf->bound));
  }
  for (const auto* one : app.get_subcommands([](const CLI::App*) { return true; })) verb.verbs.push_back(describe(line, *one));
  return verb;
}

int complete(const Line& line, const std::vector<std::string>& words) {
  for (const auto& word : cli::completions(describe(line, line.app), words)) std::cout << word << "\n";
  return 0;
}

/// The options for chancery-signer that were given, as words.
std::vector<std::string> signer_options(const CLI::App& app, signer::Makes verb) {
  std::vector<std::string> words;
  for (const auto& row : signer::kCreateOptions) {
    if (!row.is_of(verb)) continue;
    const auto name = "--" + std::string(row.name);
    const auto* option = app.get_option(name);
    if (option->count() == 0) continue;
    words.push_back(name);
    if (!row.value.empty()) words.push_back(option->results().front());
  }
  return words;
}

cli::Given given_of(const Leaf& leaf) {
  cli::Given given;
  for (const auto& bound : leaf.bound) {
    if (bound.option->count() == 0) continue;
    auto& words = given[std::string(bound.param->name)];
    if (bound.param->type == wire::Type::Boolean) {
      words = {bound.flag ? "true" : "false"};
    } else {
      words = bound.param->type == wire::Type::Texts ? bound.many : std::vector{bound.one};
    }
  }
  return given;
}

Result<Json> call_all(client::Client& client, const wire::Command& command, const Json& params) {
  const auto member = client::paged_member(command);
  if (member.empty()) return Error(Code::InvalidParams, "--all: " + std::string(command.name) + " has no pages");
  auto list = Json::array();
  client::Rows rows(client, command.name, params, member);
  for (const auto& row : rows) list.push_back(row);
  PKI_TRY_VOID(rows.status());
  return Json::object({{std::string(member), std::move(list)}});
}

/// One line that the next one overwrites; only where somebody looks at it.
void show_progress(const Json& so_far) {
  if (::isatty(STDERR_FILENO) == 1) std::cerr << "\r\033[K" << cli::progress_line(so_far) << std::flush;
}

client::Options server_of(const Global& global) {
  const std::chrono::milliseconds timeout(static_cast<std::int64_t>(global.timeout_seconds * 1000));
  return {.socket = global.socket, .request_timeout = timeout};
}

Result<Json> call(const Global& global, const wire::Command& command, const Json& params) {
  PKI_TRY(auto client, client::Client::connect(server_of(global)));
  if (command.name == "session.open") return client.open(global.realm, global.front_end);
  if (command.state != wire::In::Anywhere || !global.realm.empty() || !global.front_end.empty()) {
    PKI_TRY_VOID(client.open(global.realm, global.front_end));
    PKI_TRY_VOID(cli::log_in(client, global.login));
  }
  if (cli::is_stepwise(command.name) && params.find("after") == nullptr) {
    auto answer =
        cli::call_step_by_step([&](const Json& step) { return client.call(command.name, step); }, params, show_progress);
    show_progress(Json::object());
    return answer;
  }
  return global.all ? call_all(client, command, params) : client.call(command.name, params);
}

Status print(const Global& global, const Json& answer) {
  std::cout << (global.json ? wire::to_pretty_text(answer) + "\n" : cli::render(answer)) << std::flush;
  return std::cout ? Status() : Error(Code::Io, "standard output refuses the answer");
}

std::vector<std::string> words_of(const Leaf& leaf, std::string_view option) {
  const auto found = leaf.more.find(option);
  return found == leaf.more.end() ? std::vector<std::string>() : found->second;
}

Status run_command(const Global& global, const Leaf& leaf) {
  const auto& command = *leaf.command;
  PKI_TRY(auto params, cli::arguments(command, given_of(leaf), cli::read_argument_file));
  PKI_TRY_VOID(cli::attach_files(params, words_of(leaf, cli::kAttach)));
  if (const auto keys = words_of(leaf, cli::kSigningKey); !keys.empty()) {
    const auto about = Json::object({{"request", params.text("request")}});
    PKI_TRY(const auto request, call(global, *wire::find_command("request.get"), about));
    PKI_TRY(params, cli::sign_approval(std::move(params), request, keys.back()));
  }
  PKI_TRY_VOID(cli::check_gives(command, params, global.files));
  PKI_TRY(auto files, cli::begin_files(global.files));
  PKI_TRY(auto answer, call(global, command, params));
  const auto written = cli::write_answer(files, global.files, answer, global.json);
  const auto printed = print(global, answer);  // also when a file failed: the server has done its work
  return written.ok() ? printed : written;
}

Status run_csr(Line& line) {
  line.order.files = line.global.files;
  if (line.global.files.key_out.empty()) return Error(Code::InvalidParams, "csr: --key-out is required");
  PKI_TRY(auto made, cli::make_request(line.order));
  if (!line.global.files.out.empty() && !line.global.json) cli::leave_out_pem(made);
  return print(line.global, made);
}

/// What writes no file of its choice must not seem to.
Status refuse_files(const cli::FileNames& files, const std::string& verb) {
  if (files.out.empty() && files.key_out.empty()) return {};
  return Error(Code::InvalidParams, verb + " takes no " + (files.out.empty() ? "--key-out" : "--out and no --key-out"),
               "leave it out");
}

Status run_create(const Line& line) {
  PKI_TRY_VOID(refuse_files(line.global.files, "realm create"));
  PKI_TRY(const auto made, cli::create_realm(line.create.name, line.create.realms_directory,
                                             signer_options(*line.create.app, signer::Makes::Realm)));
  return print(line.global, made);
}

Status run_import(const Line& line, const ImportLeaf& leaf) {
  PKI_TRY_VOID(refuse_files(line.global.files, "import " + std::string(leaf.kind->name)));
  PKI_TRY(const auto made,
          cli::import_ca(*leaf.kind, leaf.source, leaf.name, leaf.realms_directory, signer_options(*leaf.app, leaf.kind->verb)));
  return print(line.global, made);
}

Status run_zmq_key(const Line& line) {
  PKI_TRY_VOID(refuse_files({.out = {}, .key_out = line.global.files.key_out}, "zmq-key"));
  PKI_TRY(const auto made, cli::make_zmq_key(line.global.files.out));
  return print(line.global, made);
}

Status run_secret(const Line& line) {
  const auto& global = line.global;
  PKI_TRY_VOID(refuse_files(global.files, line.split->parsed() ? "secret split" : "realm unlock"));
  PKI_TRY(const auto answer, line.split->parsed() ? cli::split_passphrase(global.realm, line.split_order)
                                                  : cli::unlock(server_of(global), global.realm, global.front_end));
  return print(global, answer);
}

Status run_upki(const Line& line, const UpkiLeaf& leaf) {
  PKI_TRY_VOID(refuse_files(line.global.files, "upki"));
  auto options = leaf.options;
  cli::add_environment(options, *leaf.verb);
  PKI_TRY(const auto done, leaf.verb->run(options));
  return print(line.global, done);
}

Status run_watch(const Line& line) {
  const auto& global = line.global;
  PKI_TRY_VOID(refuse_files(global.files, "acme watch"));
  return cli::watch_orders({.server = server_of(global),
                            .realm = global.realm,
                            .front_end = global.front_end,
                            .every_seconds = line.watch_every_seconds,
                            .json = global.json},
                           std::cout, std::cerr);
}

Status run_completion(const Line& line) {
  PKI_TRY_VOID(refuse_files(line.global.files, "completion"));
  std::cout << cli::bash_script();
  return {};
}

Status run(Line& line) {
  if (line.create.app->parsed()) return run_create(line);
  for (const auto& leaf : line.imports) {
    if (leaf.app->parsed()) return run_import(line, leaf);
  }
  for (const auto& leaf : line.upki) {
    if (leaf.app->parsed()) return run_upki(line, leaf);
  }
  if (line.csr->parsed()) return run_csr(line);
  if (line.zmq_key->parsed()) return run_zmq_key(line);
  if (line.split->parsed() || std::ranges::any_of(line.unlock, [](const auto* verb) { return verb->parsed(); }))
    return run_secret(line);
  if (line.watch->parsed()) return run_watch(line);
  if (line.completion->parsed()) return run_completion(line);
  for (const auto& leaf : line.leaves) {
    if (leaf.app->parsed()) return run_command(line.global, leaf);
  }
  return Error(Code::UnknownMethod, "no command");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Line line;
    add_global_options(line);
    add_commands(line);
    add_aliases(line);
    add_realm_create(line);
    add_imports(line);
    add_upki(line);
    add_csr(line);
    add_zmq_key(line);
    add_secret(line);
    add_watch(line);
    add_completion(line);
    if (argc > 2 && argv[1] == std::string_view("completion") && argv[2] == kWordsToComplete) {
      return complete(line, {argv + 3, argv + argc});
    }
    try {
      line.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return cli::usage(line.app, error);
    }
    const auto done = run(line);
    return done.ok() ? 0 : cli::complain(done.error());
  } catch (const std::exception& bug) {
    std::cerr << "chancery: " << bug.what() << "\n";
    return base::to_int(base::Exit::Software);
  }
}
