#pragma once

#include <map>
#include <string>
#include <vector>

#include "clients/zmq/tasks.h"

/// A daemon that answers from a script, and messages: what the tests of tasks share.
namespace chancery::zmq_gateway::testing {

inline const std::string kSerialHex = "57000000000000000000000000000000000001";
inline const std::string kSerialDecimal = "1940164832272164213313607489720407451020296193";

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

inline std::string frame(const std::string& task, const std::string& params) {
  return R"({"TASK":")" + task + R"(","params":)" + params + "}";
}
inline std::string data(const std::string& text) { return R"({"EVENT": "ANSWER", "DATA": )" + text + "}"; }
inline std::string refusal(const std::string& text) { return R"({"EVENT": "UPKI ERROR", "MSG": ")" + text + "\"}"; }

}  // namespace chancery::zmq_gateway::testing
