#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include "clients/cli/answer_files.h"

#include "clients/cli/arguments.h"
#include "clients/cli/completion.h"
#include "clients/cli/output.h"
#include "clients/cli/steps.h"
#include "server/base/text.h"

namespace chancery::cli {
namespace {

constexpr const char* kPem = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";

Result<std::string> fake_file(const std::string& name) {
  if (name == "a.csr" || name == "-") return std::string(kPem);
  return Error(Code::NotFound, name + ": no such file");
}

Result<Json> params_of(std::string_view command, const Given& given) {
  return arguments(*wire::find_command(command), given, fake_file);
}

TEST(Arguments, BecomeParams) {
  const auto issue =
      params_of("certificate.issue",
                {{"csr", {"a.csr"}}, {"profile", {"server"}}, {"days", {"30"}}, {"sans", {"DNS:a.example.com", "IP:10.0.0.1"}}});
  ASSERT_TRUE(issue.ok()) << issue.error().message();
  EXPECT_EQ(issue->text("csr"), kPem);
  EXPECT_EQ(issue->integer("days"), 30);
  EXPECT_EQ(issue->texts("sans"), (std::vector<std::string>{"DNS:a.example.com", "IP:10.0.0.1"}));
  EXPECT_EQ(params_of("certificate.issue", {{"csr", {kPem}}})->text("csr"), kPem);
  EXPECT_EQ(params_of("certificate.issue", {{"csr", {"-"}}})->text("csr"), kPem);
  EXPECT_TRUE(params_of("crl.issue", {{"if_due", {"true"}}})->boolean("if_due"));
  EXPECT_FALSE(params_of("crl.issue", {{"if_due", {"false"}}})->boolean("if_due", true));
  EXPECT_EQ(params_of("acme.order.create", {{"account", {"x"}}, {"identifiers", {R"([{"type":"dns","value":"a.example.com"}])"}}})
                ->find("identifiers")
                ->as_array()
                ->size(),
            1U);
  EXPECT_EQ(option_name("store_key"), "store-key");
}

TEST(Arguments, HaveTheirNamesAndValuesInHelp) {
  const auto param_of = [](std::string_view command, std::string_view name) {
    return *std::ranges::find(wire::find_command(command)->params, name, &wire::Param::name);
  };
  EXPECT_EQ(option_names(param_of("certificate.issue", "sans")), "--sans,--san");
  EXPECT_EQ(option_names(param_of("certificate.issue", "csr")), "--csr");
  EXPECT_EQ(option_names(param_of("acme.account.create", "contact")), "--contact");
  EXPECT_EQ(option_names(param_of("crl.issue", "if_due")), "--if-due,!--no-if-due");
  EXPECT_EQ(value_name(param_of("certificate.issue", "sans")), "TEXT");
  EXPECT_EQ(value_name(param_of("certificate.issue", "csr")), "FILE");
  EXPECT_EQ(value_name(param_of("certificate.issue", "days")), "INTEGER");
  EXPECT_EQ(value_name(param_of("acme.account.create", "jwk")), "JSON");
}

TEST(Arguments, AreRefused) {
  struct Case {
    const char* name;
    std::string_view command;
    Given given;
    Code want;
  };
  const Case kCases[] = {
      {"missing csr", "certificate.issue", {}, Code::InvalidParams},
      {"missing file", "certificate.issue", {{"csr", {"b.csr"}}}, Code::NotFound},
      {"days no integer", "certificate.issue", {{"csr", {"a.csr"}}, {"days", {"30x"}}}, Code::InvalidParams},
      {"days negative", "certificate.issue", {{"csr", {"a.csr"}}, {"days", {"-1"}}}, Code::InvalidParams},
      {"days above 64 bits", "certificate.issue", {{"csr", {"a.csr"}}, {"days", {"99999999999999999999"}}}, Code::InvalidParams},
      {"days empty", "certificate.issue", {{"csr", {"a.csr"}}, {"days", {""}}}, Code::InvalidParams},
      {"unknown reason", "certificate.revoke", {{"serial", {"0a"}}, {"reason", {"keyCompromised"}}}, Code::InvalidParams},
      {"serial no hex", "certificate.revoke", {{"serial", {"xyz"}}}, Code::InvalidParams},
      {"jwk no JSON", "acme.account.create", {{"jwk", {"{"}}}, Code::InvalidParams},
      {"jwk an array", "acme.account.create", {{"jwk", {"[]"}}}, Code::InvalidParams},
      {"boolean", "crl.issue", {{"if_due", {"maybe"}}}, Code::InvalidParams},
      {"twice", "certificate.revoke", {{"serial", {"0a", "0b"}}}, Code::InvalidParams},
  };
  for (const auto& c : kCases) {
    const auto params = params_of(c.command, c.given);
    ASSERT_FALSE(params.ok()) << c.name;
    EXPECT_EQ(params.error().code(), c.want) << c.name;
  }
}

// ----- completion

Verb program() {
  const OptionOfVerb realm{"--realm", true, {}};
  const OptionOfVerb json{"--json", false, {}};
  const Verb revoke{"revoke", {{"--serial", true, {}}, {"--reason", true, {"superseded", "keyCompromise", "key"}}}, {}};
  const Verb renew{"renew", {{"--serial", true, {}}}, {}};
  return {"chancery", {realm, json}, {{"ca", {}, {{"get", {}, {}}}}, {"certificate", {}, {revoke, renew}}, {"crl", {}, {}}}};
}

TEST(Completion, OffersWhatFits) {
  using Words = std::vector<std::string>;
  const std::pair<Words, Words> kCases[] = {
      {{""}, {"ca", "certificate", "crl"}},
      {{"c"}, {"ca", "certificate", "crl"}},
      {{"ce"}, {"certificate"}},
      {{"-"}, {"--json", "--realm"}},
      {{"certificate", "re"}, {"renew", "revoke"}},
      {{"certificate", "revoke", ""}, {"--json", "--realm", "--reason", "--serial"}},
      {{"certificate", "revoke", "--reason", "key"}, {"key", "keyCompromise"}},
      {{"--realm", "ca", "cert"}, {"certificate"}},  // a value that looks like a subcommand
      {{"--json", "certificate", "renew", "--s"}, {"--serial"}},
      {{"certificate", "revoke", "--serial", "ca", "--rea"}, {"--realm", "--reason"}},
  };
  for (const auto& [words, want] : kCases) EXPECT_EQ(completions(program(), words), want) << base::join(words, " ");
}

TEST(Completion, OffersNothingWhereAnythingMayStand) {
  using Words = std::vector<std::string>;
  for (const auto& words : {Words{}, Words{"--realm", ""}, Words{"certificate", "revoke", "--serial", "0"}, Words{"cat", ""},
                            Words{"certificate", "x", "--"}, Words{"zzz"}}) {
    EXPECT_EQ(completions(program(), words), Words{}) << base::join(words, " ");
  }
}

// ----- files

/// The certificate is issued, and the key's place is taken meanwhile: no reason to show the key to whoever looks over a shoulder.
TEST(AnswerFiles, AKeyLeavesTheAnswerEvenWhenItsFileFails) {
  std::string directory = "/tmp/chancery-cli-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const FileNames names{.out = directory + "/crt", .key_out = directory + "/key"};
  auto files = begin_files(names);
  ASSERT_TRUE(files.ok()) << files.error().message();
  ASSERT_TRUE(base::replace_file(names.key_out, base::as_bytes("theirs"), 0600).ok());
  auto answer = Json::object({{"certificate", kPem}, {"private_key", kPem}, {"serial", "0a"}});
  EXPECT_EQ(write_answer(*files, names, answer, false).error().code(), Code::Io);
  EXPECT_EQ(answer.find("private_key"), nullptr);
  EXPECT_EQ(answer.text("file"), names.out) << "the certificate is written all the same";
  EXPECT_EQ(base::read_file(names.key_out, 100).value(), "theirs");
  std::filesystem::remove_all(directory);
}

TEST(AnswerFiles, AreRefusedWhereTheAnswerHasNone) {
  struct Case {
    const char* command;
    FileNames names;
    bool ok;
  };
  const auto params = Json::object({{"return_key", true}});
  const Case kCases[] = {
      {"certificate.generate", {"crt", "key"}, true},
      {"certificate.issue", {"crt", ""}, true},
      {"certificate.issue", {"crt", "key"}, false},
      {"certificate.search", {"crt", ""}, false},
      {"certificate.search", {"", ""}, true},
      {"ca.chain", {"crt", ""}, true},
      {"crl.get", {"crl", ""}, true},
      {"server.ping", {"", "key"}, false},
  };
  for (const auto& c : kCases) EXPECT_EQ(check_gives(*wire::find_command(c.command), params, c.names).ok(), c.ok) << c.command;
  const auto kept = Json::object({{"return_key", false}});
  EXPECT_FALSE(check_gives(*wire::find_command("certificate.generate"), kept, {"", "key"}).ok());
}

// ----- output

Json row(std::string_view serial, std::string_view cn) { return Json::object({{"serial", serial}, {"cn", cn}}); }

TEST(Output, TablesAreAligned) {
  const auto rows = Json::array({row("01", "a.example.com"), row("abcdef", "b"), Json::object({{"extra", true}})});
  EXPECT_EQ(render_table(*rows.as_array()),
            "serial  cn             extra\n"
            "01      a.example.com\n"
            "abcdef  b\n"
            "                       yes\n");
  EXPECT_EQ(render(Json::object({{"certificates", Json::array({row("01", "é"), row("2", "bb")})}, {"next", "k"}})),
            "serial  cn\n01      é\n2       bb\nnext: k\n");
  EXPECT_EQ(render(Json::object({{"profiles", Json::strings({"ca", "server"})}})), "ca\nserver\n");
  EXPECT_EQ(render(Json::object({{"certificates", Json::array()}})), "no certificates\n");
  EXPECT_EQ(render(Json::object({{"certificates", Json::array()}, {"next", "k"}})), "no certificates\nnext: k\n");
}

TEST(Output, ColumnsThatSayNothingAreLeftOutAndWideRowsBecomeBlocks) {
  const auto narrow =
      Json::array({Json::object({{"serial", "1"}, {"ca", ""}, {"sans", Json::array()}, {"held", Json()}, {"count", 0}})});
  EXPECT_EQ(render_table(*narrow.as_array()), "serial  count\n1       0\n");
  const std::string wide(300, 'x');
  const auto rows =
      Json::array({Json::object({{"kind", "event"}, {"about", wide}, {"key", ""}}), Json::object({{"kind", "crl"}})});
  EXPECT_EQ(render_table(*rows.as_array()), "kind:  event\nabout: " + wide + "\n\nkind: crl\n");
  EXPECT_EQ(render(Json::object({{"missing", Json::array()}, {"applied", false}})), "missing: none\napplied: no\n");
}

TEST(Output, TextsTooLongForOneLineGetOneEach) {
  const std::string first(100, 'a');
  const std::string second = "with, a comma " + std::string(40, 'b');
  const auto answer = Json::object({{"odd", Json::strings({first, second})}, {"findings", 2}});
  EXPECT_EQ(render(answer), "odd:\n  " + first + "\n  " + second + "\nfindings: 2\n");
}

TEST(Output, ObjectsAreAlignedAndPemIsVerbatim) {
  const auto answer =
      Json::object({{"serial", "0a"}, {"certificate", kPem}, {"sans", Json::strings({"DNS:a", "DNS:b"})}, {"days", 3}});
  EXPECT_EQ(render(answer), "serial: 0a\ncertificate:\n" + std::string(kPem) + "sans:   DNS:a, DNS:b\ndays:   3\n");
  EXPECT_EQ(pem_of(answer), kPem);
  EXPECT_EQ(pem_of(Json::object({{"chain", Json::strings({kPem, kPem})}})), std::string(kPem) + kPem);
  EXPECT_EQ(pem_of(Json::object({{"private_key", kPem}})), "");
}

TEST(Output, ChainsAreVerbatimHoweverLongAndLeftOutWithTheirAlternates) {
  const std::string pem = "-----BEGIN X-----\n" + std::string(120, 'A') + "\n-----END X-----\n";
  const auto chain = Json::strings({pem, pem});
  EXPECT_EQ(render(Json::object({{"ca", "tls-2"}, {"chain", chain}})), "ca: tls-2\nchain:\n" + pem + pem);
  auto answer = Json::object({{"serial", "0a"},
                              {"chain", chain},
                              {"alternates", Json::array({Json::object({{"chain", chain}}), Json::object({{"chain", chain}})})},
                              {"nodes", Json::array({Json::object({{"cn", "a"}})})},
                              {"private_key", kPem}});
  leave_out_pem(answer);
  EXPECT_EQ(answer.find("chain"), nullptr);
  EXPECT_EQ(answer.find("alternates"), nullptr);
  EXPECT_NE(answer.find("nodes"), nullptr);
  EXPECT_NE(answer.find("private_key"), nullptr);
}

TEST(Output, TextOfSeveralLinesStaysLinesAndNothingElseOfItReachesTheTerminal) {
  const auto answer =
      Json::object({{"id", "4f"}, {"content", "realm default\n  kind enrolment\x1b[2J\r\n"}, {"state", "done\n"}});
  EXPECT_EQ(render(answer), "id:    4f\ncontent:\n  realm default\n    kind enrolment\\x1b[2J\nstate: done\\x0a\n");
}

TEST(Output, ForeignTextDoesNotReachTheTerminal) {
  EXPECT_EQ(render(Json::object({{"cn", "a\x1b[2J\nb"}})).find('\x1b'), std::string::npos);
  EXPECT_FALSE(is_pem(Json(std::string("-----BEGIN X-----\n\x1b[2J"))));
  EXPECT_FALSE(is_pem(Json("text")));
  const auto table = render_table(*Json::array({row("1", "a\nb")}).as_array());
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2);
}

TEST(Steps, AreTakenToTheLastAndAddedUp) {
  std::vector<std::string> asked;
  const auto call = [&](const Json& params) -> Result<Json> {
    asked.push_back(params.text("after") + (params.boolean("apply") ? "!" : ""));
    const auto number = static_cast<std::int64_t>(asked.size());
    auto step = Json::object({{"missing", Json::array({std::to_string(number)})}, {"applied", true}, {"compared", number}});
    if (number < 3) step.set("next", std::to_string(number * 100));
    return step;
  };
  std::vector<std::string> seen;
  const auto answer = call_step_by_step(call, Json::object({{"apply", true}}),
                                        [&](const Json& so_far) { seen.push_back(progress_line(so_far)); });
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(asked, (std::vector<std::string>{"!", "100!", "200!"}));
  EXPECT_EQ(seen, (std::vector<std::string>{"1 compared", "3 compared"}));
  EXPECT_EQ(wire::to_text(*answer), R"({"missing":["1","2","3"],"applied":true,"compared":6})");
}

TEST(Steps, EndWithTheFirstThatFails) {
  int calls = 0;
  const auto call = [&](const Json&) -> Result<Json> {
    if (++calls == 2) return Error(Code::Unavailable, "gone");
    return Json::object({{"next", "1"}});
  };
  EXPECT_EQ(call_step_by_step(call, Json::object(), [](const Json&) {}).error().code(), Code::Unavailable);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace chancery::cli
