#include <gtest/gtest.h>

#include "clients/zmq/testing.h"

/// What tasks refuse, and how they say what the daemon refuses.
namespace chancery::zmq_gateway {
namespace {

using testing::data;
using testing::frame;
using testing::refusal;
using testing::Script;

struct Bad {
  const char* task;
  const char* params;
  const char* message;
  Port port = Port::Operations;
};

TEST(Tasks, RefusesBadParametersWithoutAskingTheDaemon) {
  const Bad cases[] = {
      {"sign", "{}", "[700] Missing csr parameter"},
      {"sign", "null", "[700] Missing csr parameter"},
      {"sign", R"({"csr":""})", "[700] Missing csr parameter"},
      {"sign", R"({"csr":null})", "[700] Missing csr parameter"},
      {"sign", R"({"csr":7})", "[200] csr is an integer, expected a text"},
      {"sign", R"({"csr":"x","profile":7})", "[200] profile is an integer, expected a text"},
      {"sign", R"({"csr":"x","profile":["ca"]})", "[200] profile is an array, expected a text"},
      {"sign", "[]", "[700] params is an array, expected an object"},
      {"sign", R"("CSR")", "[700] params is a text, expected an object"},
      {"sign", "true", "[700] params is a boolean, expected an object"},
      {"generate", "{}", "[700] Missing cn parameter"},
      {"generate", R"({"cn":{}})", "[200] cn is an object, expected a text"},
      {"generate", R"({"cn":"x","sans":"y"})", "[200] sans is a text, expected an array"},
      {"generate", R"({"cn":"x","sans":[7]})", "[200] SAN without type or value"},
      {"generate", R"({"cn":"x","profile":false})", "[200] profile is a boolean, expected a text"},
      {"register", "{}", "[700] Missing seed parameter"},
      {"register", R"({"seed":"","cn":"x"})", "[700] Missing seed parameter"},
      {"register", R"({"seed":"s"})", "[700] Missing cn parameter"},
      {"register", R"({"seed":7,"cn":"x"})", "[200] seed is an integer, expected a text"},
      {"register", "{}", "[700] Missing seed parameter", Port::Registration},
      {"register", R"({"seed":"s"})", "[700] Missing cn parameter", Port::Registration},
      {"register", R"({"seed":"s","cn":"x","sans":{}})", "[200] sans is an object, expected an array", Port::Registration},
      {"status", R"({"cn":[]})", "[200] cn is an array, expected a text", Port::Registration},
      {"renew", "{}", "[700] Missing dn parameter"},
      {"renew", R"({"dn":"x","duration":"90"})", "[200] duration is a text, expected a number of days, 1 to 36500"},
      {"renew", R"({"dn":"x","duration":1.5})", "[200] duration is a number, expected a number of days, 1 to 36500"},
      {"revoke", "{}", "[700] Missing dn parameter"},
      {"revoke", R"({"dn":true})", "[200] dn is a boolean, expected a text"},
      {"revoke", R"({"dn":"x","reason":7})", "[200] Invalid revocation reason: 7. Allowed values: "},
      {"revoke", R"({"dn":"x","reason":{}})", "[200] Invalid revocation reason: an object. Allowed values: "},
      {"unrevoke", "{}", "[700] Missing dn parameter"},
      {"delete", "{}", "[700] Missing dn parameter"},
      {"view", "{}", "[700] Missing dn parameter"},
      {"view", R"("")", "[700] Missing dn parameter"},
      {"ocsp_check", "{}", "[700] Missing cert parameter"},
      {"ocsp_check", R"({"cert":7})", "[200] cert is an integer, expected a text"},
      {"ocsp_check", R"({"serial":"0x12"})", "[200] "},
      {"view", R"({"serial":"nope"})", "[200] "},
      {"view", R"({"dn":-1})", "[200] serial is not a decimal number"},
      {"ocsp_check", R"({"serial":-1})", "[200] serial is not a decimal number of at most 48 digits"},
      {"ocsp_check", R"({"serial":1.5})", "[700] Missing cert parameter"},
      {"get_profile", "{}", "[700] Missing profile parameter"},
      {"get_node", "{}", "[700] Missing cn parameter"},
      {"add_admin", "{}", "[700] Missing dn parameter"},
      {"remove_admin", R"({"dn":""})", "[700] Missing dn parameter"},
      {"acme_sync_account", "{}", "[700] Missing account_id parameter"},
      {"acme_sync_account", R"({"account_id":"t"})", "[700] Missing jwk parameter"},
      {"acme_sync_account", R"({"account_id":"t","jwk":{},"created_at":"yesterday"})", "[200] created_at is "},
      {"acme_sync_account", R"({"account_id":"t","jwk":{},"status":7})", "[200] status is an integer, expected a text"},
      {"acme_get_account", "{}", "[700] Missing account_id parameter"},
      {"acme_deactivate_account", "{}", "[700] Missing account_id parameter"},
      {"acme_sync_order", "{}", "[700] Missing order_id parameter"},
      {"acme_sync_order", R"({"order_id":"o"})", "[700] Missing account_id parameter"},
      {"acme_sync_order", R"({"order_id":"o","account_id":"t"})", "[700] Missing identifiers parameter"},
      {"acme_get_order", R"({"order_id":7})", "[200] order_id is an integer, expected a text"},
      {"acme_list_orders", "{}", "[700] Missing account_id parameter"},
      {"acme_sync_authorization", R"({"order_id":"o"})", "[700] Missing auth_id parameter"},
      {"acme_sync_authorization", R"({"auth_id":"z","order_id":"o"})", "[700] Missing identifier_type parameter"},
      {"acme_get_authorization", "{}", "[700] Missing auth_id parameter"},
      {"acme_deactivate_authorization", "{}", "[700] Missing auth_id parameter"},
      {"acme_issue_certificate", R"({"csr":"x"})", "[700] Missing order_id parameter"},
      {"acme_issue_certificate", R"({"order_id":"o"})", "[700] Missing csr parameter"},
      {"acme_issue_certificate", R"({"order_id":"o","csr":"x","profile":"../x"})", "[500] Profile not found: ../x"},
      {"acme_get_certificate", "{}", "[700] Missing cert_id parameter"},
      {"acme_revoke_certificate", "{}", "[700] Missing certificate parameter"},
      {"acme_revoke_certificate", R"({"certificate":"x","reason":7})", "[200] Invalid revocation reason: 7. Allowed values: "},
      {"command", "{}", "[700] Missing method parameter"},
      {"command", R"({"method":7})", "[200] method is an integer, expected a text"},
      {"command", R"({"method":"ca.gte"})", "[700] Unknown command: ca.gte"},
      {"command", R"({"method":"ca.get","params":[]})", "[200] params of the command is an array, expected an object"},
      {"command", R"({"method":"ca.get","for":{}})", "[200] for is an object, expected a text"},
      {"command", R"({"method":"ca.get","certificate":7})", "[200] certificate is an integer, expected a text"},
      {"command", R"({"method":"ca.get","realm":"devices"})", "[700] no realm \\\"devices\\\" at this port"},
      {"command", R"({"method":"session.open"})", "[700] session.open is not carried"},
      {"command", R"({"method":"session.login"})", "[700] session.login is not carried"},
      {"command", R"({"method":"session.close"})", "[700] session.close is not carried"},
      {"command", R"({"method":"node.register"})", "[700] node.register is not carried"},
      {"command", R"({"method":"listener.certify"})", "[700] listener.certify is not carried"},
      {"command", R"({"method":"server.log_level"})", "[700] server.log_level is not carried"},
      {"command", R"({"method":"server.status"})", "[700] server.status is not carried"},
      {"command", R"({"method":"ca.get"})", "[700] Unknown task: command", Port::Registration},
      {"get_ca", "7", "[700] params is an integer, expected an object"},
      {"get_ca", R"("x")", "[700] params is a text, expected an object"},
      {"foo", "{}", "[700] Unknown task: foo"},
      {"Get_CA", "{}", "[700] Unknown task: Get_CA"},
      {"", "{}", "[700] Unknown task: "},
      {"a\\nb", "{}", "[700] Unknown task: a\\\\x0ab"},
      {"status", "{}", "[700] Unknown task: status"},
      {"get_ca", "{}", "[700] Unknown task: get_ca", Port::Registration},
      {"sign", "{}", "[700] Unknown task: sign", Port::Registration},
  };
  for (const auto& one : cases) {
    Script script;
    const auto reply = handle(script, one.port, frame(one.task, one.params));
    const auto want = refusal(one.message);
    EXPECT_TRUE(reply.text.starts_with(want.substr(0, want.size() - 2))) << one.task << " " << one.params << ": " << reply.text;
    EXPECT_TRUE(reply.refusal.has_value()) << one.task << " " << one.params;
    EXPECT_TRUE(script.asked.empty()) << one.task << " " << one.params;
  }
}

TEST(Tasks, ACommandIsForFrontEndsAlone) {
  Script script;
  script.refuse("session.attest", Error(Code::Denied, "to speak for others needs the role frontend, curve:ra1 has ra-operator"));
  const auto reply = handle(script, Port::Operations, frame("command", R"({"method":"ca.get"})"));
  EXPECT_EQ(reply.text, refusal("[700] to speak for others needs the role frontend, curve:ra1 has ra-operator"));
  EXPECT_EQ(script.asked.size(), 1U);
}

TEST(Tasks, ACommandsOwnRefusalIsAnAnswer) {
  Script script;
  script.refuse("session.attest", Error(Code::AuthFailed, "revoked", "get another"));
  auto reply = handle(script, Port::Operations, frame("command", R"({"method":"ca.get","certificate":"CERT"})"));
  EXPECT_EQ(reply.text,
            data(R"({"error": {"code": -32004, "message": "revoked", "data": {"code": "auth_failed", "hint": "get another"}}})"));
  Script other;
  other.refuse("admin.add", Error(Code::Denied, "admin.add needs the role admin"));
  reply = handle(other, Port::Operations, frame("command", R"({"method":"admin.add"})"));
  EXPECT_TRUE(reply.text.starts_with(R"({"EVENT": "ANSWER", "DATA": {"error": )")) << reply.text;
}

struct Inner {
  const char* task;
  const char* params;
  const char* method;
  Error error;
  const char* message;
};

TEST(Tasks, SaysWhatTheDaemonRefuses) {
  const Inner cases[] = {
      {"view", R"({"dn":"x"})", "certificate.get", {Code::NotFound, "no such certificate"}, "[300] Certificate not found: x"},
      {"revoke", R"({"dn":"x"})", "certificate.revoke", {Code::Conflict, "revoked already"}, "[900] revoked already"},
      {"sign",
       R"({"csr":"x"})",
       "certificate.issue",
       {Code::NotFound, "profile not found: nope"},
       "[500] Profile not found: nope"},
      {"sign", R"({"csr":"x"})", "certificate.issue", {Code::BadProof, "CSR signature"}, "[300] CSR signature"},
      {"sign", R"({"csr":"x"})", "certificate.issue", {Code::Busy, "too many"}, "[700] too many"},
      {"register", R"({"seed":"x","cn":"y"})", "node.register", {Code::AuthFailed, "wrong"}, "[700] Invalid registration seed"},
      {"get_profile", R"({"profile":"../x"})", "profile.get", {Code::InvalidParams, "bad word"}, "[500] Profile not found: ../x"},
      {"get_ca", "{}", "ca.get", {Code::Unavailable, "Authority not initialized"}, "[600] Authority not initialized"},
      {"get_node", R"({"cn":"x"})", "node.get", {Code::NotFound, "node not found"}, "[300] node not found"},
      {"list_nodes", "{}", "node.list", {Code::Timeout, "the deadline passed"}, "[700] the deadline passed"},
      {"ocsp_check", R"({"cert":"x"})", "ocsp.status", {Code::Malformed, "no PEM"}, "[200] no PEM"},
  };
  for (const auto& one : cases) {
    Script script;
    script.refuse(one.method, one.error);
    EXPECT_EQ(handle(script, Port::Operations, frame(one.task, one.params)).text, refusal(one.message)) << one.task;
  }
}

TEST(Tasks, AMissingCrlIsMade) {
  Script script;
  script.refuse("crl.get", Error(Code::NotFound, "none yet"));
  EXPECT_EQ(handle(script, Port::Operations, frame("get_crl", "{}")).text, data(R"("MAA=")"));
  EXPECT_EQ(script.asked, (std::vector<std::string>{"crl.get {}", "crl.issue {}"}));
}

TEST(Tasks, ACaWithoutCertificateIsNotInitialized) {
  Script script;
  script.say("ca.get", R"({"state":"waiting"})");
  EXPECT_EQ(handle(script, Port::Operations, frame("get_ca", "{}")).text, refusal("[600] Authority not initialized"));
}

TEST(Tasks, AnUnknownNodeIsNotRegistered) {
  Script script;
  script.refuse("node.get", Error(Code::NotFound, "node not found"));
  EXPECT_EQ(handle(script, Port::Registration, frame("status", R"({"cn":"x"})")).text, data(R"({"status": "not_registered"})"));
}

TEST(Tasks, F54_WrongSeedsCountAndThenNoSeedIsLookedAt) {
  const auto message = frame("register", R"({"seed":"s","cn":"RA","profile":"ra"})");
  for (const auto port : {Port::Operations, Port::Registration}) {
    Script script;
    for (const auto& other : {Error(Code::Denied, "closed"), Error(Code::Timeout, "late"), Error(Code::NotFound, "profile")}) {
      script.refuse("node.register", other);
      EXPECT_FALSE(handle(script, port, message).text.empty());
      EXPECT_EQ(script.offers, 0);
    }
    script.refuse("node.register", Error(Code::AuthFailed, "wrong"));
    handle(script, port, frame("register", R"({"seed":"s"})"));
    EXPECT_EQ(script.offers, 0);
    for (int i = 1; i <= 2; ++i) {
      EXPECT_EQ(handle(script, port, message).text, refusal("[700] Invalid registration seed"));
      EXPECT_EQ(script.offers, i);
    }
    script.say("node.register", "{}");
    script.asked.clear();
    const auto reply = handle(script, port, message);
    EXPECT_EQ(reply.text, refusal("[700] Too many wrong registration seeds: try again in a minute"));
    EXPECT_EQ(reply.refusal->code(), Code::Busy);
    EXPECT_TRUE(script.asked.empty());
    EXPECT_EQ(script.offers, 2);
  }
}

TEST(Tasks, ARevokedCertificateSaysSo) {
  Script script;
  script.say("ocsp.status",
             R"({"status":"revoked","cn":"a","serial":"05","reason":"keyCompromise","revoked_at":"2026-11-20T19:59:45Z"})");
  EXPECT_EQ(
      handle(script, Port::Operations, frame("ocsp_check", R"({"serial":"5"})")).text,
      data(
          R"({"status": "revoked", "serial": 5, "cn": "a", "revoke_reason": "keyCompromise", "revoke_date": "2026-11-20T19:59:45+00:00"})"));
}

}  // namespace
}  // namespace chancery::zmq_gateway
