#include <gtest/gtest.h>

#include <map>

#include "clients/api/service.h"

/// What the API makes of a daemon's answers, over a daemon that says what a test wants.
namespace chancery::api {
namespace {

using Answers = std::map<std::string, Json, std::less<>>;

class FakeSession : public http::Session {
 public:
  explicit FakeSession(const Answers& answers) : answers_(answers) {}
  Result<Json> call(std::string_view method, const Json& /*params*/, const std::string& /*acting_for*/) override {
    const auto found = answers_.find(method);
    if (found == answers_.end()) return Error(Code::UnknownMethod, "no answer");
    return found->second;
  }
  bool connected() const override { return true; }
  bool is_over() const override { return false; }

 private:
  const Answers& answers_;
};

class FakeDaemon : public http::Connector {
 public:
  explicit FakeDaemon(const Answers& answers) : answers_(answers) {}
  Result<std::unique_ptr<http::Session>> open(const std::string& /*realm*/) override {
    return std::unique_ptr<http::Session>(std::make_unique<FakeSession>(answers_));
  }

 private:
  const Answers& answers_;
};

/// What a caller of those roles gets from a path of the API.
http::Response get(const std::string& path, const std::string& roles, Answers answers, bool is_remote = false) {
  answers.insert_or_assign("session.attest",
                           wire::parse_json(R"({"identity":"cert:/CN=a","dn":"/CN=a","roles":[)" + roles + "]}").value());
  http::Settings settings;
  settings.listeners = {{.name = "tls", .default_realm = "default", .realms = {"default"}, .names = {"localhost"}}};
  if (is_remote) settings.remote_ca = http::RemoteCa{};
  http::Gateway gateway(std::make_unique<FakeDaemon>(answers));
  Service service(gateway, settings);
  http::Router router;
  service.add_routes(router);
  http::Head head;
  head.method = "GET";
  head.path = path;
  http::Peer peer{.address = "192.0.2.1", .tls = "TLSv1.3", .certificate = "PEM"};
  return router.run(router.match(settings.listeners[0], std::move(head), std::move(peer)));
}

http::Response admins(const std::string& list) {
  return get("/api/v1/private/admins", R"("admin")", {{"admin.list", wire::parse_json(list).value()}});
}

TEST(Admins, AListIsShown) {
  const auto response =
      admins(R"({"admins":["/CN=a"],"administrators":[{"dn":"/CN=a","keys":["k"],"serials":["05"],"others":[]}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(
      response.body,
      R"({"status":"success","data":{"admins":["/CN=a"],"administrators":[{"dn":"/CN=a","keys":["k"],"serials":[5],"others":[]}]}})"
      "\n");
}

TEST(Admins, WhatIsNoListIsNone) {
  for (const auto* list : {R"({})", R"({"admins":7,"administrators":7})", R"({"admins":{},"administrators":{"dn":"/CN=a"}})",
                           R"({"admins":null,"administrators":null})", R"({"administrators":"/CN=a"})"}) {
    const auto response = admins(list);
    EXPECT_EQ(response.status, 200) << list;
    EXPECT_EQ(response.body, R"({"status":"success","data":{"admins":[],"administrators":[]}})"
                             "\n")
        << list;
  }
}

TEST(Admins, WhoIsNoneLearnsWhichRowBoundsTheFrontEnd) {
  const auto own = get("/api/v1/private/admins", R"("ra-operator")", {});
  EXPECT_EQ(own.status, 403);
  EXPECT_NE(own.body.find("the <front-end> in chancery.xml needs the role admin, too"), std::string::npos) << own.body;
  const auto remote = get("/api/v1/private/admins", R"("ra-operator")", {}, true);
  EXPECT_EQ(remote.status, 403);
  EXPECT_NE(remote.body.find("the <peer> of this RA in the chancery.xml of the CA's machine needs the role admin, too"),
            std::string::npos)
      << remote.body;
}

}  // namespace
}  // namespace chancery::api
