#include "clients/cli/line.h"

#include <array>
#include <utility>

#include "clients/cli/arguments.h"
#include "clients/cli/more_options.h"
#include "server/base/text.h"

namespace chancery::cli {
namespace {

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
  if (is_secret(param)) help += " (a file that has it in its first line, - for standard input)";
  if (param.type == wire::Type::Texts) help += "; give the option once for each";
  if (!param.words.empty() && param.words != param.doc) help += ": " + std::string(param.words);
  return help;
}

void add_option(Leaf& leaf, const wire::Param& param) {
  auto& bound = leaf.bound.emplace_back(Bound{&param, nullptr, {}, {}});
  const auto names = option_names(param);
  const auto help = help_of(param);
  if (param.type == wire::Type::Boolean) {
    bound.option = leaf.app->add_flag(names, bound.flag, help);
  } else if (param.type == wire::Type::Texts) {
    bound.option = one_each(leaf.app->add_option(names, bound.many, help));
  } else {
    bound.option = leaf.app->add_option(names, bound.one, help);
  }
  if (param.type != wire::Type::Boolean) bound.option->type_name(value_name(param));
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
  for (const auto& row : kMoreOptions) {
    if (row.command != leaf.command->name) continue;
    auto& words = leaf.more[row.name];
    one_each(leaf.app->add_option("--" + std::string(row.name), words, std::string(row.doc)))->type_name(std::string(row.value));
  }
}

void add_commands(Line& line) {
  for (const auto& command : wire::commands()) {
    if (command.name == kEnterCommand) continue;  // a secret has no place among the words of a command line
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

void add_ceremony(Line& line) {
  auto& verb = line.ceremony;
  verb.app =
      line.app.add_subcommand("ceremony", "Make a root and the CAs below it on an offline machine, by a plan that was reviewed.");
  verb.app->add_option("plan", verb.plan, "the plan, YAML (doc/ceremony.md)")->required();
  verb.app->add_flag("--dry-run", verb.dry_run, "print what the plan will do, and its SHA-256, and do nothing");
  verb.app->add_option("--confirm", verb.confirm, "the SHA-256 of the plan that was reviewed, instead of typing yes")
      ->type_name("SHA256");
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
  for (const auto& verb : kUpkiVerbs) {
    auto* at = verb.group.empty() ? upki : noun(*upki, std::string(verb.group));
    auto& leaf = line.upki.emplace_back(UpkiLeaf{&verb, at->add_subcommand(std::string(verb.name), std::string(verb.doc)), {}});
    leaf.app->fallthrough(false);
    for (const auto& row : kUpkiOptions) {
      if (!takes(row, verb)) continue;
      const auto from = row.environment.empty() ? "" : " (else " + std::string(row.environment) + ")";
      leaf.app->add_option("--" + std::string(row.name), leaf.options.*row.member, std::string(row.doc) + from)
          ->type_name(std::string(row.value));
    }
  }
}

void add_csr(Line& line) {
  line.csr = line.app.add_subcommand("csr", "Make a key pair and a request for it; --key-out FILE takes the key.");
  line.csr->add_option("--cn", line.order.cn, "common name; this or --subject")->type_name("TEXT");
  line.csr
      ->add_option("--subject", line.order.subject,
                   "whole subject, a DN as RFC 4514 writes it: \"CN=a.example.com,O=Company\"; not beside --cn")
      ->type_name("DN");
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

void add_rollover(Line& line) {
  auto* group = noun(*noun(line.app, "ca"), "rollover");
  line.rollover = group->add_subcommand(kRolloverRun,
                                        "Carry a rollover on to its end, as `ca rollover REALM CA` does: step by step, "
                                        "waiting where that is needed. It may be cut off and run again.");
  auto& order = line.rollover_order;
  line.rollover->fallthrough(false);  // a realm or a CA may be named like a noun
  line.rollover->add_option("realm", order.realm, "the realm")->required();
  line.rollover->add_option("ca", order.ca, "the CA; the realm's first is called ca")->required();
  line.rollover
      ->add_option(
          "--to", order.to,
          "the generation that is to come, like ca-3: it is begun where it is the next one; default is the rollover that is "
          "under way, or a CA's first")
      ->type_name("GENERATION");
  line.rollover->add_option("--from", order.from, "who certifies it, where it is begun: self, root or request")
      ->type_name("WORD");
  line.rollover->add_flag("--no-wait", order.no_wait,
                          "take the steps that may be taken now, and end with status 75 where it waits");
  line.rollover->add_option("--every", order.every_seconds, "seconds between two looks, at most")
      ->capture_default_str()
      ->type_name("SECONDS")
      ->check(is_timeout);
}

void add_reports(Line& line) {
  for (const auto& kind : kReports) {
    auto* app = noun(line.app, "report")->add_subcommand(std::string(kind.name), std::string(kind.doc));
    app->add_option("--days", line.report.days, "how many days back, or ahead")->capture_default_str()->type_name("NUMBER");
    app->add_option("--profile", line.report.profile, "of this profile alone");
    app->add_option("--format", line.report.format, "csv (RFC 4180) or json")->capture_default_str();
    line.reports.push_back(app);
  }
}

void add_completion(Line& line) {
  line.completion = line.app.add_subcommand("completion", "Print the script that completes words in bash.");
}

}  // namespace

void lay_out(Line& line) {
  add_global_options(line);
  add_commands(line);
  add_aliases(line);
  add_realm_create(line);
  add_ceremony(line);
  add_imports(line);
  add_upki(line);
  add_csr(line);
  add_zmq_key(line);
  add_secret(line);
  add_watch(line);
  add_rollover(line);
  add_reports(line);
  add_completion(line);
}

}  // namespace chancery::cli
