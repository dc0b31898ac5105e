#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "clients/zmq/testing.h"

/// What each task answers when all is well.
namespace chancery::zmq_gateway {
namespace {

using testing::data;
using testing::frame;
using testing::kSerialDecimal;
using testing::kSerialHex;
using testing::Script;

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
