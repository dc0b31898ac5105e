#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "clients/zmq/older_nodes.h"

/// The older dialect's own answers (UPKI.md 1.7); t/test_upki_conformance.py has the same against a server.
namespace chancery::zmq_gateway {
namespace {

const std::string kDn = "/C=FR/CN=a.example.com";

/// Answers each method with one text, whatever is asked of it.
class Script : public Backend {
 public:
  using Backend::call;
  Script() {
    say("crl.get", R"({"crl":"CRL"})");
    say("crl.issue", R"({"crl":"NEW CRL"})");
    say("ca.get", R"({"certificate":"CA"})");
    say("admin.list", R"({"admins":["/CN=adm"]})");
    say("admin.add", "{}");
    say("profile.list", R"({"profiles":["ca","server","admin","mine"]})");
    say("profile.get", R"({"profile":{"keyType":"rsa","keyLen":2048,"digest":"sha256","domain":"","altnames":true,)"
                       R"("subject":{"C":"FR","O":"","CN":""}}})");
    say("profile.options", R"({"words":{"certType":["server"],"digest":["sha256"],"keyType":["rsa"]},)"
                           R"("key_lengths":{"rsa":[2048],"ec":[256]}})");
    say("certificate.get", certificate("2026-01-01", "2999-01-01", "valid"));
    for (const auto* method : {"certificate.issue", "certificate.renew"})
      say(method, certificate("2026-01-01", "2027-01-01", "valid"));
    say("certificate.request", R"({"private_key":"KEY","csr":"CSR"})");
    say("certificate.revoke", "{}");
    say("node.get", R"({"cn":"a.example.com","serial":"0a0b","key_stored":true})");
    say("node.list", R"({"nodes":[{"serial":"0a0b","key_stored":true}]})");
    for (const auto* method : {"node.announce", "node.announced"})
      say(method,
          R"({"number":7,"dn":")" + kDn +
              R"(","cn":"a.example.com","profile":"server","sans":["DNS:a"],"days":30,"announced_at":"2026-01-01T00:00:00Z"})");
  }

  static std::string certificate(const std::string& from, const std::string& to, const std::string& state) {
    return R"({"serial":"0a0b","certificate":"PEM","subject":")" + kDn + R"(","profile":"server","sans":["DNS:a"],"state":")" +
           state + R"(","issued_at":")" + from + R"(T00:00:00Z","not_before":")" + from + R"(T00:00:00Z","not_after":")" + to +
           R"(T00:00:00Z"})";
  }
  void say(const std::string& method, const std::string& text) {
    answers_.insert_or_assign(method, wire::parse_json(text).value());
  }
  void lack(const std::string& method) {
    answers_.insert_or_assign(method, Result<Json>(Error(Code::NotFound, method + " found nothing")));
  }
  Result<Json> call(std::string_view method, Json params) override {
    asked.push_back(std::string(method) + " " + wire::to_text(params));
    const auto found = answers_.find(std::string(method));
    return found == answers_.end() ? Result<Json>(Error(Code::UnknownMethod, "the script has no " + std::string(method)))
                                   : found->second;
  }
  Result<Json> speak_for(const std::string& /*holder*/) override { return Error(Code::Denied, "no front end"); }
  Result<Json> call_for(std::string_view method, Json params, const std::string& /*acting_for*/) override {
    return call(method, std::move(params));
  }
  const std::string& realm() const override { return realm_; }
  bool is_in_time() override { return commands_in_time-- > 0; }
  std::vector<std::string> asked;
  int commands_in_time = 100;

 private:
  std::string realm_ = "default";
  std::map<std::string, Result<Json>> answers_;
};

std::string ask(Script& script, const std::string& task, const std::string& params) {
  return handle(script, Port::Operations, R"({"TASK":")" + task + R"(","PARAMS":)" + params + "}").text;
}
std::string data(const std::string& text) { return R"({"EVENT": "ANSWER", "DATA": )" + text + "}"; }
std::string refusal(const std::string& text) { return R"({"EVENT": "UPKI ERROR", "MSG": ")" + text; }

const std::string kBasics =
    R"("Admin": false, "DN": "/C=FR/CN=a.example.com", "CN": "a.example.com", "Profile": "server", "Domain": "", "Altnames": true, )"
    R"("KeyType": "rsa", "KeyLen": 2048, "Digest": "sha256", "Sans": ["a"], )";
const std::string kInit =
    "{" + kBasics +
    R"("State": "Init", "Created": 1767225600, "Created_human": "2026-01-01T00:00:00+00:00", "Start": null, )"
    R"("Start_human": null, "Expire": null, "Expire_human": null, "Duration": 30, "Serial": null, )"
    R"("Remote": true, "Local": false})";
const std::string kValid =
    "{" + kBasics +
    R"("State": "Valid", "Created": 1767225600, "Created_human": "2026-01-01T00:00:00+00:00", "Start": 1767225600, )"
    R"("Start_human": "2026-01-01T00:00:00+00:00", "Expire": 32472144000, "Expire_human": "2999-01-01T00:00:00+00:00", )"
    R"("Duration": 355381, "Serial": "0A:0B", "Remote": false, "Local": true})";
const std::string kIssued = R"("dn": "/C=FR/CN=a.example.com", "profile": "server", "certificate": "PEM"})";

struct Good {
  const char* task;
  std::string params;
  std::string data;
};

TEST(OlderTasks, AnswerInTheirStyle) {
  const Good cases[] = {
      {"get_ca", "null", R"("CA")"},
      {"GET_CA", "null", R"("CA")"},
      {"get_crl", "null", R"("CRL")"},
      {"generate_crl", "null", R"({"state": "OK"})"},
      {"list_admins", "null", R"([{"name": "adm", "dn": "/CN=adm"}])"},
      {"add_admin", R"("/CN=adm")", "true"},
      {"get_node", "\"" + kDn + "\"", kValid},
      {"get_node", R"({"cn":"a.example.com","profile":"server"})", kValid},
      {"list_nodes", "null", "[" + kValid + "]"},
      {"view", R"({"dn":")" + kDn + R"("})", R"({"node": )" + kValid + "}"},
      {"download_node", "\"" + kDn + "\"", R"("PEM")"},
      {"register", R"({"profile":"server","dn":")" + kDn + R"(","sans":["a"],"keyLen":1024})", "7"},
      {"register", R"({"cn":"a.example.com"})", "7"},
      {"generate", R"({"dn":")" + kDn + R"(","profile":"server"})", R"({"key": "KEY", "csr": "CSR"})"},
      {"revoke", R"({"dn":")" + kDn + R"(","reason":"superseded"})", "true"},
      {"done", R"("seed")", "true"},
      {"get_options", "null",
       R"({"KeyLen": [256, 2048], "CertTypes": ["server"], "Digest": ["sha256"], "ExtendedUsages": null, "Fields": null, )"
       R"("KeyTypes": ["rsa"], "Types": null, "Usages": null})"},
  };
  for (const auto& one : cases) {
    Script script;
    EXPECT_EQ(ask(script, one.task, one.params), data(one.data)) << one.task << " " << one.params;
  }
}

TEST(OlderTasks, RefuseInTheirStyle) {
  const Good cases[] = {
      {"foo", "null", "Unknown command"},
      {"get_profiles", "null", "Unknown command"},
      {"view", "{}", "Missing dn parameter"},
      {"get_node", "{}", "Missing cn parameter"},
      {"sign", "{}", "Missing csr parameter"},
      {"sign", R"({"csr":"garbage"})", "Failed to load CSR: "},
      {"revoke", R"({"dn":"x","reason":"bored"})", "Invalid revocation reason: bored"},
      {"register", R"({"profile":"../x","cn":"a"})", "Profile not found: ../x"},
      {"register", R"({"cn":"a","duration":"30"})", "duration is a text"},
      {"register", R"({"cn":"a","sans":7})", "sans is an integer"},
      {"register", R"({"seed":"s"})", "a seed makes no administrator here"},
      {"register", "[]", "params is an array"},
      {"add_profile", R"({"name":"x"})", "profiles are not written over the network"},
      {"update_profile", R"({"name":"x"})", "profiles are not written over the network"},
      {"remove_profile", R"({"name":"x"})", "profiles are not written over the network"},
      {"ocsp_check", R"({"ocsp":"AA==","cert":"x"})", "this port answers no OCSP requests"},
      {"check_ocsp", R"({"ocsp":"AA==","cert":"x"})", "this port answers no OCSP requests"},
      {"list_nodes", "7", "params is an integer"},
  };
  for (const auto& one : cases) {
    Script script;
    EXPECT_TRUE(ask(script, one.task, one.params).starts_with(refusal(one.data)))
        << one.task << ": " << ask(script, one.task, one.params);
    EXPECT_TRUE(script.asked.empty()) << one.task << " asked " << script.asked.front();
  }
}

TEST(OlderTasks, ProfilesOfTheCaItselfAreNotListed) {
  Script script;
  const auto reply = ask(script, "list_profiles", "null");
  EXPECT_TRUE(reply.find(R"("server": {)") != std::string::npos && reply.find(R"("mine": {)") != std::string::npos) << reply;
  EXPECT_TRUE(reply.find(R"("ca":)") == std::string::npos && reply.find(R"("admin":)") == std::string::npos) << reply;
}

TEST(OlderTasks, WhatIsOnlyRegisteredIsInit) {
  Script script;
  script.lack("certificate.get");
  EXPECT_EQ(ask(script, "get_node", "\"" + kDn + "\""), data(kInit));
  EXPECT_EQ(ask(script, "get_node", R"({"cn":"a.example.com","profile":"server"})"), data(kInit));
  script.lack("node.announced");
  EXPECT_TRUE(ask(script, "get_node", "\"" + kDn + "\"").starts_with(refusal("Certificate not found: ")))
      << ask(script, "get_node", "\"" + kDn + "\"");
}

TEST(OlderTasks, WhatIsRegisteredAnewIsInit) {
  Script script;
  script.say("certificate.get", Script::certificate("2025-01-01", "2025-02-01", "revoked"));
  EXPECT_EQ(ask(script, "get_node", "\"" + kDn + "\""), data(kInit));
}

TEST(OlderTasks, ProfileMakesTheDn) {
  Script script;
  ask(script, "register", R"({"profile":"server","cn":"a.example.com","sans":["a"],"duration":30})");
  EXPECT_EQ(script.asked.back(),
            R"(node.announce {"dn":")" + kDn + R"(","profile":"server","sans":["a"],"replace":false,"days":30})");
}

TEST(OlderTasks, UpdateShowsWhatCounts) {
  Script script;
  EXPECT_EQ(
      ask(script, "update", R"({"profile":"server","dn":")" + kDn + R"(","keyLen":1024,"digest":"md5"})"),
      data(R"({"dn": "/C=FR/CN=a.example.com", "profile": "server", "cn": "a.example.com", "domain": "", "keyType": "rsa", )"
           R"("keyLen": 2048, "duration": 30, "digest": "sha256", "sans": ["a"]})"));
}

TEST(OlderTasks, RenewsInTheLastThirdOfALife) {
  Script script;
  const auto params = R"({"dn":")" + kDn + R"("})";
  EXPECT_TRUE(ask(script, "renew", params).starts_with(R"({"EVENT": "ANSWER", "DATA": {"renew": false, "reason": "Still )"));
  EXPECT_EQ(std::ranges::count_if(script.asked, [](const auto& one) { return one.starts_with("certificate.renew"); }), 0);
  script.say("certificate.get", Script::certificate("2020-01-01", "2020-12-31", "expired"));
  EXPECT_EQ(ask(script, "renew", params), data(R"({"renew": true, )" + kIssued));
}

TEST(OlderTasks, AListThatTakesTooLongIsRefusedInTime) {
  for (const int commands : {0, 1}) {
    Script script;
    script.commands_in_time = commands;
    EXPECT_TRUE(ask(script, "list_nodes", "null").starts_with(refusal("the list is too long for one message")));
    EXPECT_EQ(script.asked.size(), static_cast<std::size_t>(commands));
  }
}

TEST(OlderTasks, States) {
  EXPECT_EQ(older_state("valid"), "Valid");
  EXPECT_EQ(older_state("held"), "Revoked");
  EXPECT_EQ(older_state("revoked"), "Revoked");
  EXPECT_EQ(older_state("expired"), "Expired");
  EXPECT_EQ(older_state(""), "Init");
  EXPECT_EQ(colon_serial("5422ff0a"), "54:22:FF:0A");
}

TEST(Dialects, HaveTheirOwnTasks) {
  const auto newer = task_names(Port::Operations, Dialect::Newer);
  const auto older = task_names(Port::Operations, Dialect::Older);
  const auto has = [](const auto& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  for (const auto* name : {"download_node", "get_options", "profile", "update", "done"}) {
    EXPECT_TRUE(has(older, name)) << name;
    EXPECT_FALSE(has(newer, name)) << name;
  }
  for (const auto& names : {newer, older})
    EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size()) << "a task stands twice in one dialect";
}

}  // namespace
}  // namespace chancery::zmq_gateway
