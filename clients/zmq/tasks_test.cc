#include "clients/zmq/tasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace chancery::zmq_gateway {
namespace {

const std::string kSerialHex = "57000000000000000000000000000000000001";
const std::string kSerialDecimal = "1940164832272164213313607489720407451020296193";

/// Answers from a script; remembers what was asked as "method params".
class Script : public Backend {
 public:
  using Backend::call;
  Script() {
    say("ca.get", R"({"certificate":"CA\n"})");
    say("crl.get", R"({"crl":"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"})");
    say("crl.issue", R"({"crl":"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"})");
    const std::string certificate =
        R"({"certificate":"CERT\n","subject":"/C=FR/CN=a.example.com","issuer":"/C=FR/O=uPKI/CN=Root",)"
        R"("not_before":"2026-11-20T19:59:45Z","not_after":"2027-01-19T19:59:45Z","fingerprint":"37c2",)"
        R"("sans":["DNS:a.example.com"],"key_usage":["digitalSignature","keyEncipherment"],"extended_key_usage":["serverAuth"],)"
        R"("is_ca":false,"state":"valid","acme_order":"o","serial":")" +
        kSerialHex + "\"}";
    for (const auto* method : {"certificate.issue", "certificate.generate", "certificate.renew", "certificate.get"})
      say(method, certificate);
    for (const auto* method : {"certificate.revoke", "certificate.unrevoke", "node.delete", "admin.add", "admin.remove"})
      say(method, "{}");
    say("node.register", R"({"certificate":"CERT\n","private_key":"KEY\n","profile":"ra","serial":")" + kSerialHex + "\"}");
    const std::string node = R"({"cn":"a.example.com","dn":"/C=FR/CN=a.example.com","profile":"server","state":"valid",)"
                             R"("registered_at":"2026-11-20T19:59:45Z","serial":")" +
                             kSerialHex + "\"}";
    say("node.get", node);
    say("node.list", R"({"nodes":[)" + node + "]}");
    say("ocsp.status", R"({"status":"good","cn":"a.example.com","serial":")" + kSerialHex + "\"}");
    say("profile.list", R"({"profiles":["ca","ra","server","webapp","laptop","user","admin"]})");
    say("profile.get", R"({"name":"server","profile":{"keyType":"rsa","keyLen":4096}})");
    const std::string account =
        R"({"id":"t","jwk":{"kty":"EC"},"contact":[],"status":"valid","created_at":"2026-11-20T20:00:00Z"})";
    for (const auto* method : {"acme.account.get", "acme.account.sync", "acme.account.update"}) say(method, account);
    say("acme.account.list", R"({"accounts":[)" + account + "]}");
    const std::string order = R"({"id":"o","account":"t","identifiers":[],"status":"valid","serial":")" + kSerialHex + "\"}";
    for (const auto* method : {"acme.order.find", "acme.order.sync", "acme.order.finalize"}) say(method, order);
    say("acme.order.list", R"({"orders":["o"]})");
    for (const auto* method : {"acme.authorization.find", "acme.authorization.sync", "acme.authorization.deactivate"})
      say(method, R"({"id":"z","account":"t","order":"o","identifier":{"type":"dns","value":"x"},"status":"valid"})");
    say("session.attest", R"({"identity":"cert:/CN=a"})");
    say("admin.list", R"({"admins":["/C=FR/O=Company/OU=Admins/CN=adm"]})");
  }

  void say(const std::string& method, const std::string& result) {
    answers_.insert_or_assign(method, wire::parse_json(result).value());
  }
  void refuse(const std::string& method, const Error& error) { answers_.insert_or_assign(method, Result<Json>(error)); }

  Result<Json> call(std::string_view method, Json params) override {
    asked.push_back(std::string(method) + " " + wire::to_text(params));
    const auto found = answers_.find(std::string(method));
    return found == answers_.end() ? Result<Json>(Error(Code::UnknownMethod, "the script has no such command")) : found->second;
  }

  Result<Json> speak_for(const std::string& holder) override {
    return call("session.attest", Json::object({{"holder", holder}}));
  }
  Result<Json> call_for(std::string_view method, Json params, const std::string& acting_for) override {
    auto answer = call(method, std::move(params));
    asked.back() += " for " + acting_for;
    return answer;
  }
  const std::string& realm() const override { return realm_; }

  bool offer_seed() override {
    if (offers == most_offers) return false;
    ++offers;
    return true;
  }
  void take_back_offer() override { --offers; }

  std::vector<std::string> asked;
  int offers = 0;  ///< that were wrong
  int most_offers = 2;

 private:
  std::string realm_ = "default";
  std::map<std::string, Result<Json>> answers_;
};

std::string frame(const std::string& task, const std::string& params) {
  return R"({"TASK":")" + task + R"(","params":)" + params + "}";
}
std::string data(const std::string& text) { return R"({"EVENT": "ANSWER", "DATA": )" + text + "}"; }
std::string refusal(const std::string& text) { return R"({"EVENT": "UPKI ERROR", "MSG": ")" + text + "\"}"; }

const std::string kFound = R"({"cn":"a.example.com"})";
const std::string kIssued = R"({"certificate": "CERT\n", "serial": )" + kSerialDecimal + "}";
const std::string kSigned = R"({"certificate": "CERT\n", "serial": )" + kSerialDecimal + R"(, "dn": "/C=FR/CN=a.example.com"})";
const std::string kNamedIssued = R"({"dn": "/CN=a.example.com", "certificate": "CERT\n", "serial": )" + kSerialDecimal + "}";
const std::string kNode =
    R"({"dn": "/C=FR/CN=a.example.com", "cn": "a.example.com", "profile": "server", "state": "issued", "serial": )" +
    kSerialDecimal + "}";

const std::string kAccount =
    R"({"id": "t", "jwk": {"kty": "EC"}, "contact": [], "status": "valid", "created_at": "2026-11-20T20:00:00+00:00"})";
const std::string kOrder =
    R"({"id": "o", "account_id": "t", "identifiers": [], "status": "valid", "not_before": null, "not_after": null, "certificate": "CERT\n"})";
const std::string kObtained = R"({"certificate": "CERT\n", "serial": )" + kSerialDecimal +
                              R"(, "order_id": "o", "not_before": "2026-11-20T19:59:45+00:00", )"
                              R"("not_after": "2027-01-19T19:59:45+00:00"})";

struct Good {
  const char* task;
  std::string params;
  std::vector<std::string> asked;
  std::string data;
  Port port = Port::Operations;
};

std::vector<Good> good_cases() {
  const std::string serial = R"({"serial":")" + kSerialHex + "\"";
  const std::string get = "certificate.get " + kFound;
  const std::string find = R"(acme.order.find {"order":"o"})";
  const std::string certificate = "certificate.get " + serial + "}";
  return {
      {"get_ca", "null", {"ca.get {}"}, R"("CA\n")"},
      {"command",
       R"({"method":"ca.get"})",
       {R"(session.attest {"holder":""})", "ca.get {} for "},
       R"({"result": {"certificate": "CA\n"}})"},
      {"command",
       R"({"method":"profile.get","params":{"profile":"x"},"for":"http:::1","certificate":null,"realm":"default"})",
       {R"(session.attest {"holder":""})", R"(profile.get {"profile":"x"} for http:::1)"},
       R"({"result": {"name": "server", "profile": {"keyType": "rsa", "keyLen": 4096}}})"},
      {"command",
       R"({"method":"own.certificate.get","certificate":"CERT"})",
       {R"(session.attest {"holder":"CERT"})", "own.certificate.get {} for "},
       R"({"error": {"code": -32601, "message": "the script has no such command", "data": {"code": "unknown_method"}}})"},
      {"command",
       R"({"method":"session.attest","certificate":"CERT"})",
       {R"(session.attest {"holder":"CERT"})"},
       R"({"result": {"identity": "cert:/CN=a"}})"},
      {"get_crl", "{}", {"crl.get {}"}, R"("MAA=")"},
      {"generate_crl", "{}", {"crl.issue {}"}, R"("MAA=")"},
      {"sign", R"({"csr":"CSR"})", {R"(certificate.issue {"csr":"CSR","profile":"server"})"}, kSigned},
      {"sign", R"({"csr":"CSR","profile":"user"})", {R"(certificate.issue {"csr":"CSR","profile":"user"})"}, kSigned},
      {"sign", R"({"csr":"CSR","profile":null})", {R"(certificate.issue {"csr":"CSR","profile":"server"})"}, kSigned},
      {"generate",
       R"({"cn":"a.example.com","sans":[{"type":"DNS","value":"b"},"c"],"local":true})",
       {R"(certificate.generate {"cn":"a.example.com","profile":"server","sans":["DNS:b","c"],"store_key":true,"return_key":false})"},
       kNamedIssued},
      {"register",
       R"({"seed":"s","cn":"a.example.com"})",
       {R"(node.register {"seed":"s","cn":"a.example.com","profile":"server","sans":[]})"},
       kNamedIssued},
      {"register",
       R"({"seed":"s","cn":"RA"})",
       {R"(node.register {"seed":"s","cn":"RA","profile":"ra","sans":[]})", "ca.get {}"},
       R"({"status": "registered", "cn": "RA", "profile": "ra", "certificate": "CERT\n", "private_key": "KEY\n", "ca_certificate": "CA\n"})",
       Port::Registration},
      {"status",
       R"({"cn":"a.example.com"})",
       {R"(node.get {"cn":"a.example.com"})"},
       R"({"status": "registered", "node": {"cn": "a.example.com", "profile": "server", "registered_at": "2026-11-20T19:59:45+00:00"}})",
       Port::Registration},
      {"status", "{}", {}, R"({"status": "not_registered"})", Port::Registration},
      {"renew", R"({"dn":"a.example.com"})", {get, "certificate.renew " + serial + "}"}, kIssued},
      {"renew", R"({"dn":"a.example.com","duration":90})", {get, "certificate.renew " + serial + R"(,"days":90})"}, kIssued},
      {"revoke",
       R"({"dn":"a.example.com"})",
       {get, "certificate.revoke " + serial + R"(,"reason":"unspecified"})", "crl.issue {}"},
       "true"},
      {"revoke",
       R"({"dn":"a.example.com","reason":"1"})",
       {get, "certificate.revoke " + serial + R"(,"reason":"keyCompromise"})", "crl.issue {}"},
       "true"},
      {"revoke",
       R"("a.example.com")",
       {get, "certificate.revoke " + serial + R"(,"reason":"unspecified"})", "crl.issue {}"},
       "true"},
      {"unrevoke", R"({"dn":"a.example.com"})", {get, "certificate.unrevoke " + serial + "}", "crl.issue {}"}, "true"},
      {"delete", R"({"dn":"a.example.com"})", {get, "node.get " + kFound, "node.delete " + kFound, "crl.issue {}"}, "true"},
      {"ocsp_check",
       R"({"cert":"PEM"})",
       {R"(ocsp.status {"certificate":"PEM"})"},
       R"({"status": "good", "serial": )" + kSerialDecimal + R"(, "cn": "a.example.com"})"},
      {"ocsp_check",
       R"({"serial":")" + kSerialDecimal + "\"}",
       {"ocsp.status " + serial + "}"},
       R"({"status": "good", "serial": )" + kSerialDecimal + R"(, "cn": "a.example.com"})"},
      {"ocsp_check",
       R"({"serial":)" + kSerialDecimal + "}",
       {"ocsp.status " + serial + "}"},
       R"({"status": "good", "serial": )" + kSerialDecimal + R"(, "cn": "a.example.com"})"},
      {"list_profiles", "{}", {"profile.list {}"}, R"(["ca", "ra", "server", "webapp", "laptop", "user", "admin"])"},
      {"get_profile",
       R"({"profile":"server"})",
       {R"(profile.get {"profile":"server"})"},
       R"({"keyType": "rsa", "keyLen": 4096})"},
      {"get_profile", R"("server")", {R"(profile.get {"profile":"server"})"}, R"({"keyType": "rsa", "keyLen": 4096})"},
      {"list_admins", "{}", {"admin.list {}"}, R"(["/C=FR/O=Company/OU=Admins/CN=adm"])"},
      {"add_admin", R"({"dn":"/CN=adm"})", {R"(admin.add {"dn":"/CN=adm"})"}, "true"},
      {"remove_admin", R"("/CN=adm")", {R"(admin.remove {"dn":"/CN=adm"})"}, "true"},
      {"list_nodes", "{}", {R"(node.list {"limit":1000})"}, "[" + kNode + "]"},
      {"get_node", R"({"cn":"a.example.com"})", {"node.get " + kFound}, kNode},
      {"get_node", R"("/CN=a.example.com")", {"node.get " + kFound}, kNode},
      {"view",
       R"({"dn":"a.example.com"})",
       {get, "node.get " + kFound},
       R"({"subject": {"countryName": "FR", "commonName": "a.example.com"}, "issuer": {"countryName": "FR", "organizationName": "uPKI", "commonName": "Root"}, )"
       R"("extensions": {"basicConstraints": "<BasicConstraints(ca=False, path_length=None)>", "keyUsage": "<KeyUsage(digitalSignature, keyEncipherment)>", )"
       R"("extendedKeyUsage": "<ExtendedKeyUsage(serverAuth)>", )"
       R"("subjectAltName": "<SubjectAlternativeName(DNS:a.example.com)>"}, "sans": [{"type": "DNS", "value": "a.example.com"}], )"
       R"("key_usage": {"digital_signature": true, "content_commitment": false, "key_encipherment": true, "data_encipherment": false, )"
       R"("key_agreement": false, "key_cert_sign": false, "crl_sign": false}, "basic_constraints": {"ca": false, "path_length": null}, "serial_number": )" +
           kSerialDecimal +
           R"(, "fingerprint": "37c2", "not_valid_before": "2026-11-20T19:59:45+00:00", "not_valid_after": "2027-01-19T19:59:45+00:00", )"
           R"("is_valid": true, "is_revoked": false, "revoke_reason": "", "is_ca": false, "serial": )" +
           kSerialDecimal + R"(, "status": "valid", "deleted": false, "renewed": false})"},
      {"acme_sync_account",
       R"({"account_id":"t","jwk":{"kty":"EC"},"contact":["mailto:a@b.c"],"status":"valid","created_at":"2026-11-20T20:00:00+00:00"})",
       {R"(acme.account.sync {"account":"t","jwk":{"kty":"EC"},"contact":["mailto:a@b.c"],"status":"valid","created_at":"2026-11-20T20:00:00Z"})"},
       "true"},
      {"acme_sync_account",
       R"({"account_id":"t","jwk":{},"created_at":""})",
       {R"(acme.account.sync {"account":"t","jwk":{},"contact":null})"},
       "true"},
      {"acme_get_account", R"({"account_id":"t"})", {R"(acme.account.get {"account":"t"})"}, kAccount},
      {"acme_list_accounts", "{}", {R"(acme.account.list {"limit":1000})"}, "[" + kAccount + "]"},
      {"acme_deactivate_account",
       R"({"account_id":"t"})",
       {R"(acme.account.get {"account":"t"})", R"(acme.account.update {"account":"t","status":"deactivated"})"},
       "true"},
      {"acme_sync_order",
       R"({"order_id":"o","account_id":"t","identifiers":[{"type":"dns","value":"x"}],"status":"pending","not_before":null,"not_after":null})",
       {R"(acme.order.sync {"order":"o","account":"t","identifiers":[{"type":"dns","value":"x"}],"status":"pending"})"},
       "true"},
      {"acme_get_order", R"({"order_id":"o"})", {find, certificate}, kOrder},
      {"acme_list_orders",
       R"({"account_id":"t"})",
       {R"(acme.order.list {"account":"t","limit":1000})", find, certificate},
       "[" + kOrder + "]"},
      {"acme_sync_authorization",
       R"({"auth_id":"z","order_id":"o","identifier_type":"dns","identifier_value":"x","status":"valid"})",
       {R"(acme.authorization.sync {"authorization":"z","order":"o","identifier":{"type":"dns","value":"x"},"status":"valid"})"},
       "true"},
      {"acme_get_authorization",
       R"({"auth_id":"z"})",
       {R"(acme.authorization.find {"authorization":"z"})"},
       R"({"id": "z", "order_id": "o", "identifier_type": "dns", "identifier_value": "x", "status": "valid"})"},
      {"acme_deactivate_authorization",
       R"({"auth_id":"z"})",
       {R"(acme.authorization.find {"authorization":"z"})",
        R"(acme.authorization.deactivate {"account":"t","authorization":"z"})"},
       "true"},
      {"acme_issue_certificate",
       R"({"order_id":"o","csr":"CSR","profile":"server"})",
       {find, R"(acme.order.finalize {"account":"t","order":"o","csr":"CSR","profile":"server"})", certificate},
       kIssued},
      {"acme_get_certificate", R"({"cert_id":"o"})", {find, certificate}, kObtained},
      {"acme_get_certificate", R"({"cert_id":)" + kSerialDecimal + "}", {certificate}, kObtained},
      {"acme_revoke_certificate",
       R"({"certificate":"PEM","reason":4})",
       {R"(ocsp.status {"certificate":"PEM"})", "certificate.revoke " + serial + R"(,"reason":"superseded"})", "crl.issue {}"},
       "true"},
  };
}

/// Whether one row of the table answers the task in both dialects.
bool speaks_both(std::string_view task) {
  constexpr std::string_view kBoth[] = {"add_admin", "delete", "get_ca", "get_profile", "remove_admin", "revoke", "unrevoke"};
  return task.starts_with("acme_") || std::ranges::find(kBoth, task) != std::end(kBoth);
}

TEST(Tasks, AnswersOctetForOctet) {
  for (const auto& one : good_cases()) {
    Script script;
    const auto reply = handle(script, one.port, frame(one.task, one.params));
    EXPECT_EQ(reply.text, data(one.data)) << one.task << " " << one.params;
    EXPECT_EQ(script.asked, one.asked) << one.task << " " << one.params;
    EXPECT_FALSE(reply.refusal.has_value()) << one.task;
    EXPECT_EQ(reply.task, one.task);
  }
}

TEST(Tasks, EveryTaskHasAGoodCase) {
  for (const auto port : {Port::Operations, Port::Registration}) {
    std::set<std::string_view> shown;
    const auto cases = good_cases();
    for (const auto& one : cases) {
      if (one.port == port) shown.insert(one.task);
    }
    for (const auto name : task_names(port, Dialect::Newer)) EXPECT_TRUE(shown.contains(name)) << name;
  }
}

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

std::string older_frame(const std::string& task, const std::string& params) {
  return R"({"TASK":")" + task + R"(","PARAMS":)" + params + "}";
}

TEST(Tasks, WhatBothDialectsHaveIsAnsweredAlike) {
  const auto older = task_names(Port::Operations, Dialect::Older);
  for (const auto& one : good_cases()) {
    const auto newer = task_names(one.port, Dialect::Newer);
    const bool own_row = one.port == Port::Operations && !speaks_both(one.task);
    if (own_row) continue;
    Script script;
    EXPECT_EQ(handle(script, one.port, older_frame(one.task, one.params)).text, data(one.data)) << one.task;
  }
}

}  // namespace
}  // namespace chancery::zmq_gateway
