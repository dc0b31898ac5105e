#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cli/answer_files.h"
#include "clients/cli/local_verbs.h"
#include "clients/cli/login.h"
#include "clients/cli/report.h"
#include "clients/cli/rollover.h"
#include "clients/cli/secret_verbs.h"
#include "clients/cli/upki.h"
#include "clients/lib/client.h"
#include "server/signer/create_options.h"
#include "server/wire/commands.h"

/// What may stand on the command line: subcommands from the command table, and verbs of its own.
namespace chancery::cli {

struct Global {
  std::string socket = client::default_socket();
  std::string realm, front_end;
  LoginOptions login;
  FileNames files;
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
  const UpkiVerb* verb;
  CLI::App* app;
  UpkiOptions options;
};

struct CeremonyVerb {
  CLI::App* app = nullptr;
  std::string plan;
  std::string confirm;
  bool dry_run = false;
};

struct Line {
  CLI::App app{"Chancery: certificates, realms and their server", "chancery"};
  Global global;
  std::deque<Leaf> leaves;
  RealmCreate create;
  CeremonyVerb ceremony;
  std::deque<ImportLeaf> imports;
  std::deque<UpkiLeaf> upki;
  CLI::App* csr = nullptr;
  CsrOrder order;
  CLI::App* zmq_key = nullptr;
  std::vector<CLI::App*> unlock;
  CLI::App* split = nullptr;
  SplitOrder split_order;
  CLI::App* completion = nullptr;
  CLI::App* watch = nullptr;
  std::vector<CLI::App*> reports;  ///< as kReports
  ReportOrder report;
  double watch_every_seconds = 1;
  CLI::App* rollover = nullptr;
  RolloverOrder rollover_order;
};

/// Every subcommand and option. @param line  empty, and at its place for good: CLI11 keeps where its words go
void lay_out(Line& line);

}  // namespace chancery::cli
