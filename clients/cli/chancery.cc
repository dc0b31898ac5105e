#include <unistd.h>

#include <cstdio>
#include <deque>
#include <iostream>
#include <thread>

#include "clients/cli/arguments.h"
#include "clients/cli/completion.h"
#include "clients/cli/line.h"
#include "clients/cli/more_options.h"
#include "clients/cli/output.h"
#include "clients/cli/request_options.h"
#include "clients/cli/steps.h"
#include "clients/cli/usage.h"
#include "clients/cli/watch.h"
#include "clients/lib/rows.h"
#include "server/base/process.h"
#include "server/base/text.h"

// The command line: subcommands from the command table, some local verbs, one place for errors.

using namespace chancery;

namespace {

using cli::Bound, cli::Global, cli::ImportLeaf, cli::Leaf, cli::Line, cli::UpkiLeaf;

/// The words to complete do not reach CLI11, which would take their options for its own: see main.
constexpr std::string_view kWordsToComplete = "--words";

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

Status open_session(client::Client& client, const Global& global) {
  PKI_TRY_VOID(client.open(global.realm, global.front_end));
  return cli::log_in(client, global.login);
}

Result<Json> call(const Global& global, const wire::Command& command, const Json& params) {
  PKI_TRY(auto client, client::Client::connect(server_of(global)));
  if (command.name == "session.open") return client.open(global.realm, global.front_end);
  if (command.state != wire::In::Anywhere || !global.realm.empty() || !global.front_end.empty())
    PKI_TRY_VOID(open_session(client, global));
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

/// Whoever types yes has seen what will be done, and of which plan.
Result<std::string> confirm_plan(const Json& preview) {
  std::cerr << preview.text("title") << "\n";
  for (const auto& act : preview.texts("acts")) std::cerr << "  " << base::printable(act, 2000) << "\n";
  std::cerr << "SHA-256 of the plan: " << preview.text("plan") << "\nType yes to hold this ceremony: " << std::flush;
  std::string said;
  std::getline(std::cin, said);
  if (said == "yes") return preview.text("plan");
  return Error(Code::InvalidParams, "found \"" + base::printable(said, 64) + "\", expected yes: nothing is done",
               "--confirm with the plan's SHA-256 does without asking");
}

Status run_ceremony(const Line& line) {
  PKI_TRY_VOID(refuse_files(line.global.files, "ceremony"));
  const auto& verb = line.ceremony;
  auto confirmed = verb.confirm;
  if (verb.dry_run || confirmed.empty()) {
    PKI_TRY(const auto preview, cli::run_ceremony(verb.plan, {"--dry-run"}));
    if (verb.dry_run) return print(line.global, preview);
    PKI_TRY(confirmed, confirm_plan(preview));
  }
  PKI_TRY(const auto made, cli::run_ceremony(verb.plan, {"--confirm", confirmed}));
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

Status run_rollover(const Line& line) {
  auto global = line.global;
  PKI_TRY_VOID(refuse_files(global.files, "ca rollover"));
  global.realm = line.rollover_order.realm;
  const cli::RolloverWorld world{
      .call = [&](const std::string& name, const Json& params) { return call(global, *wire::find_command(name), params); },
      .say = [](const std::string& text) { std::cerr << base::printable(text, 4096) << std::endl; },
      .pause = [](double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); },
      .now = [] { return base::SystemClock().now(); }};
  PKI_TRY(const auto end, cli::run_rollover(line.rollover_order, world));
  return print(global, end);
}

Status run_report(const Line& line, std::string_view kind) {
  const auto& global = line.global;
  PKI_TRY_VOID(refuse_files(global.files, "report"));
  auto order = line.report;
  order.kind = kind;
  if (global.json) order.format = "json";
  PKI_TRY(auto client, client::Client::connect(server_of(global)));
  PKI_TRY_VOID(open_session(client, global));
  return cli::write_report(client, order, base::SystemClock().now(), std::cout);
}

Status run_completion(const Line& line) {
  PKI_TRY_VOID(refuse_files(line.global.files, "completion"));
  std::cout << cli::bash_script();
  return {};
}

Status run(Line& line) {
  if (line.create.app->parsed()) return run_create(line);
  if (line.ceremony.app->parsed()) return run_ceremony(line);
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
  if (line.rollover->parsed()) return run_rollover(line);
  for (std::size_t i = 0; i < line.reports.size(); ++i) {
    if (line.reports[i]->parsed()) return run_report(line, cli::kReports.at(i).name);
  }
  if (line.completion->parsed()) return run_completion(line);
  for (const auto& leaf : line.leaves) {
    if (leaf.app->parsed()) return run_command(line.global, leaf);
  }
  return Error(Code::UnknownMethod, "no command");
}

/// The words behind `ca rollover` that the command table has, and run.
std::vector<std::string> rollover_verbs() {
  constexpr std::string_view kPrefix = "ca.rollover.";
  std::vector<std::string> verbs{cli::kRolloverRun};
  for (const auto& command : wire::commands()) {
    if (command.name.starts_with(kPrefix)) verbs.emplace_back(command.name.substr(kPrefix.size()));
  }
  return verbs;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Line line;
    cli::lay_out(line);
    if (argc > 2 && argv[1] == std::string_view("completion") && argv[2] == kWordsToComplete) {
      return complete(line, {argv + 3, argv + argc});
    }
    try {
      auto words = cli::with_rollover_run({argv + 1, argv + argc}, rollover_verbs());
      std::ranges::reverse(words);  // as CLI11 takes them
      line.app.parse(std::move(words));
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
