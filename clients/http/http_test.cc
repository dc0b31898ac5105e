#include <gtest/gtest.h>

#include <string>

#include "clients/http/head.h"
#include "clients/http/router.h"
#include "clients/http/settings.h"

namespace chancery::http {
namespace {

std::string get(const std::string& target, const std::string& more = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost:8000\r\n" + more + "\r\n";
}
std::string post(const std::string& more) { return "POST /x HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n"; }

// ----- request heads

TEST(Head, ReadsARequest) {
  const auto head = parse_head(get("/acme/order/a-b_1?cursor=7", "X-One:  two words \t\r\nConnection: Keep-Alive\r\n"));
  ASSERT_TRUE(head.ok()) << head.error().message();
  EXPECT_EQ(head->method, "GET");
  EXPECT_EQ(head->path, "/acme/order/a-b_1");
  EXPECT_EQ(head->query, "cursor=7");
  EXPECT_EQ(head->host, "localhost:8000");
  EXPECT_EQ(find_header(head->headers, "x-one"), "two words");
  EXPECT_TRUE(head->keep_alive);
  EXPECT_EQ(head->body, BodyKind::None);
}

TEST(Head, ReadsTheFraming) {
  const auto counted = parse_head(post("Content-Length: 12\r\n"));
  ASSERT_TRUE(counted.ok());
  EXPECT_EQ(counted->body, BodyKind::Counted);
  EXPECT_EQ(counted->content_length, 12U);
  const auto chunked = parse_head(post("Transfer-Encoding: Chunked\r\n"));
  ASSERT_TRUE(chunked.ok());
  EXPECT_EQ(chunked->body, BodyKind::Chunked);
  EXPECT_EQ(parse_head(post("Content-Length: 0\r\n"))->body, BodyKind::None);
  EXPECT_FALSE(parse_head("GET / HTTP/1.0\r\n\r\n")->keep_alive);
  EXPECT_FALSE(parse_head(get("/", "Connection: upgrade, close\r\n"))->keep_alive);
  EXPECT_TRUE(parse_head(post("Expect: 100-continue\r\nContent-Length: 1\r\n"))->expects_continue);
}

TEST(Head, ReadsAbsoluteTargets) {
  struct Case {
    const char* target;
    const char* scheme;
    const char* host;
    const char* path;
    const char* query;
  };
  const Case cases[] = {
      {"http://ca.example.com/crl", "http", "ca.example.com", "/crl", ""},
      {"HTTPS://CA.example.com:8443/a/b?c=d", "https", "CA.example.com:8443", "/a/b", "c=d"},
      {"http://ca.example.com", "http", "ca.example.com", "/", ""},
      {"http://ca.example.com?c", "http", "ca.example.com", "/", "c"},
      {"http://[::1]:8080/crl", "http", "[::1]:8080", "/crl", ""},
  };
  for (const auto& one : cases) {
    const auto head = parse_head(get(one.target));  // with another Host
    ASSERT_TRUE(head.ok()) << one.target << ": " << head.error().message();
    EXPECT_EQ(head->scheme, one.scheme) << one.target;
    EXPECT_EQ(head->host, one.host) << one.target;
    EXPECT_EQ(head->path, one.path) << one.target;
    EXPECT_EQ(head->query, one.query) << one.target;
  }
  const auto plain = parse_head(get("/redirect?to=http://elsewhere/"));
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "localhost:8000");
  EXPECT_EQ(plain->scheme, "");
}

TEST(Head, WhatCanBecomeAHeadIsAwaited) {
  const auto whole = get("/crl", "X-One: two\r\n");
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    EXPECT_TRUE(check_begun_head(std::string_view(whole).substr(0, length)).ok()) << length;
  }
}

TEST(Head, F26_WhatCannotBecomeAHeadIsRefusedAtOnce) {
  for (const auto* text : {"GET /\r\n", "GET /\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n", "\n", "\r\n",
                           "GET / HTTP/1.1\rX", "GET / HTTP/1.1\r\r", "hello\r\n"}) {
    const auto begun = check_begun_head(text);
    ASSERT_FALSE(begun.ok()) << text;
    EXPECT_EQ(begun.error().code(), Code::Malformed) << text;
  }
}

struct BadHead {
  const char* name;
  std::string text;
  Code want = Code::Malformed;
};

std::string many_headers() {
  std::string text;
  for (std::size_t i = 0; i <= kMaxHeaders; ++i) text += "X-" + std::to_string(i) + ": 1\r\n";
  return text;
}

const BadHead kBadHeads[] = {
    {"length and coding", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")},
    {"two lengths", post("Content-Length: 4\r\nContent-Length: 4\r\n")},
    {"length list", post("Content-Length: 4, 4\r\n")},
    {"signed length", post("Content-Length: +4\r\n")},
    {"hexadecimal length", post("Content-Length: 0x4\r\n")},
    {"endless length", post("Content-Length: 99999999999999999999\r\n")},
    {"coding list", post("Transfer-Encoding: gzip, chunked\r\n")},
    {"two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
    {"coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"bare CR", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"},
    {"bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
    {"folded header", get("/", "X: a\r\n b\r\n")},
    {"blank before colon", get("/", "X : a\r\n")},
    {"no colon", get("/", "X\r\n")},
    {"empty name", get("/", ": a\r\n")},
    {"control in value", get("/", std::string("X: a\0b\r\n", 8))},
    {"no host", "GET / HTTP/1.1\r\n\r\n"},
    {"two hosts", get("/", "Host: b\r\n")},
    {"host with user", "GET / HTTP/1.1\r\nHost: u@b\r\n\r\n"},
    {"host with path", "GET / HTTP/1.1\r\nHost: b/c\r\n\r\n"},
    {"HTTP/0.9", "GET /\r\n\r\n"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", Code::Unsupported},
    {"HTTP/3.7", "GET / HTTP/3.7\r\nHost: a\r\n\r\n", Code::Unsupported},
    {"target of another scheme", get("ftp://localhost/")},
    {"target without a scheme", get("://localhost/")},
    {"target without a host", get("http:///crl")},
    {"target with a user", get("http://user@localhost/")},
    {"target with a bad port", get("http://localhost:0/")},
    {"target with a bad address", get("http://[::1/crl")},
    {"absolute target with a fragment", get("http://localhost#a")},
    {"absolute target with dots", get("http://localhost/a/../b")},
    {"absolute target with two slashes", get("http://localhost//a")},
    {"absolute target without a Host", "GET http://localhost/ HTTP/1.1\r\n\r\n"},
    {"absolute target beside a bad Host", "GET http://localhost/ HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {"authority target", get("localhost:80")},
    {"asterisk target", get("*")},
    {"double slash", get("//etc")},
    {"dot dot", get("/a/../b")},
    {"encoded dot dot", get("/a/%2e%2e/b")},
    {"encoded slash", get("/a%2fb")},
    {"encoded NUL", get("/a%00")},
    {"bad encoding", get("/a%zz")},
    {"cut encoding", get("/a%2")},
    {"blank in target", get("/a b")},
    {"quote in target", get("/a\"b")},
    {"fragment", get("/a#b")},
    {"octet above 127", get("/\xc3\xa9")},
    {"method with blank", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"method of signs", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"other expectation", post("Expect: 200-ok\r\n")},
    {"too many headers", get("/", many_headers()), Code::TooLarge},
    {"long target", get("/" + std::string(kMaxTargetBytes, 'a')), Code::TooLarge},
    {"octets behind", get("/") + "x"},
};

TEST(Head, F28_RefusesWhatTwoReadersCouldReadDifferently) {
  for (const auto& one : kBadHeads) {
    const auto head = parse_head(one.text);
    ASSERT_FALSE(head.ok()) << one.name;
    EXPECT_EQ(head.error().code(), one.want) << one.name << ": " << head.error().message();
  }
}

TEST(Head, StatusesOfRefusals) {
  EXPECT_EQ(status_of_head_error(Error(Code::Malformed, "")), 400);
  EXPECT_EQ(status_of_head_error(Error(Code::TooLarge, "")), 431);
  EXPECT_EQ(status_of_head_error(Error(Code::Unsupported, "")), 505);
}

// ----- chunked bodies

TEST(ChunkedBody, ReadsHoweverItIsCut) {
  const std::string whole = "4\r\nWiki\r\n6;ext=1\r\npedia \r\n0\r\n\r\nGET";
  for (std::size_t step = 1; step <= whole.size(); ++step) {
    ChunkedBody body(100);
    std::string input;
    bool complete = false;
    for (std::size_t at = 0; at < whole.size(); at += step) {
      input += whole.substr(at, step);
      if (complete) continue;
      const auto fed = body.feed(input);
      ASSERT_TRUE(fed.ok()) << step;
      complete = *fed;
    }
    EXPECT_TRUE(complete) << step;
    EXPECT_EQ(input, "GET") << step;
    EXPECT_EQ(body.take(), "Wikipedia ") << step;
  }
}

TEST(ChunkedBody, F28_RefusesBadFraming) {
  const BadHead cases[] = {
      {"no size", "\r\n", Code::Malformed},
      {"sign", "-1\r\n", Code::Malformed},
      {"blank", " 4\r\nWiki\r\n", Code::Malformed},
      {"nine digits", "000000004\r\nWiki\r\n", Code::Malformed},
      {"bare LF", "4\nWiki\r\n", Code::Malformed},
      {"longer than said", "4\r\nWikipedia\r\n", Code::Malformed},
      {"trailer", "0\r\nX: y\r\n\r\n", Code::Malformed},
      {"extension bomb", "4;" + std::string(10'000, 'x'), Code::Malformed},
      {"above limit", "65\r\n", Code::TooLarge},
      {"far above limit", "ffffffff\r\n", Code::TooLarge},
      {"above limit in sum", "60\r\n" + std::string(0x60, 'a') + "\r\n10\r\n", Code::TooLarge},
  };
  for (const auto& one : cases) {
    ChunkedBody body(100);
    auto input = one.text;
    const auto fed = body.feed(input);
    ASSERT_FALSE(fed.ok()) << one.name;
    EXPECT_EQ(fed.error().code(), one.want) << one.name;
  }
}

// ----- hosts

TEST(Authority, ReadsAndRefuses) {
  EXPECT_EQ(parse_authority("Example.COM:81")->host, "example.com");
  EXPECT_EQ(parse_authority("Example.COM:81")->port, 81);
  EXPECT_EQ(parse_authority("[::1]:81")->host, "[::1]");
  EXPECT_EQ(parse_authority("[::1]")->port, 0);
  for (const auto* bad :
       {"", ":80", "a:", "a:0", "a:65536", "a:8x", "a:-1", "[::1", "::1", "[zz]", "a b", "a/b", "u@h", "a,b", "a\\b"}) {
    EXPECT_FALSE(parse_authority(bad).ok()) << bad;
  }
  EXPECT_FALSE(parse_authority(std::string(256, 'a')).ok());
}

ListenerSettings listener() {
  ListenerSettings one;
  one.name = "https";
  one.port = 8000;
  one.default_realm = "default";
  one.realms = {"default", "devices"};
  one.names = {"pki.example.com", "10.0.0.1", "2001:db8::1"};
  return one;
}

TEST(Listener, TakesItsOwnNamesFromTheHostHeaderOnly) {
  const auto one = listener();
  EXPECT_EQ(one.authority("pki.example.com"), "pki.example.com");
  EXPECT_EQ(one.authority("PKI.example.com:8443"), "pki.example.com:8443");
  EXPECT_EQ(one.authority("10.0.0.1:8000"), "10.0.0.1:8000");
  EXPECT_EQ(one.authority("[2001:db8::1]:8000"), "[2001:db8::1]:8000");
  EXPECT_EQ(one.authority("localhost:8000"), "localhost:8000");
  EXPECT_EQ(one.authority("127.0.0.1:8000"), "127.0.0.1:8000");
  EXPECT_EQ(one.authority("a.localhost"), "a.localhost");
  for (const auto* foreign : {"evil.example.net", "pki.example.com.evil.net", "10.0.0.2", "", "a b", "localhost.evil.net",
                              "127.0.0.1.evil.net", "127.evil.net"}) {
    EXPECT_EQ(one.authority(foreign), "pki.example.com:8000") << foreign;
  }
}

TEST(Listener, AHostNameLeadsToItsRealm) {
  auto one = listener();
  one.hosts = {{"pki.example.com", "devices"}};
  EXPECT_EQ(one.realm_of("pki.example.com"), "devices");
  EXPECT_EQ(one.realm_of("pki.example.com:8443"), "devices");
  EXPECT_EQ(one.realm_of("PKI.example.com"), "devices");
  for (const auto* other : {"10.0.0.1:8000", "[2001:db8::1]:8000", "localhost", "example.com", "a.pki.example.com", ""})
    EXPECT_EQ(one.realm_of(other), "default") << other;
}

// ----- settings

TEST(Percent, DecodesAnyOctetButNul) {
  EXPECT_EQ(*decode_percent("a%0Ab%2fc%2B+"), "a\nb/c++");
  for (const auto* bad : {"%", "%4", "%zz", "%00"}) EXPECT_FALSE(decode_percent(bad).ok()) << bad;
}

TEST(Settings, OfClientCertificates) {
  const auto settings = read_settings(*wire::parse_json(
      R"({"socket":"/s","state_directory":"/x","listeners":[{"name":"a","port":1},{"name":"b","port":2,"client_certificates":"none","trusted_proxies":["192.0.2.0/24","::1"],"proxy_headers":"SSL-Client"}]})"));
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  const auto& usual = settings->listeners.at(0);
  EXPECT_TRUE(usual.asks_for_certificates);
  EXPECT_FALSE(usual.trusts("127.0.0.1"));
  EXPECT_EQ(usual.proxy_headers, "x-ssl-client");
  const auto& other = settings->listeners.at(1);
  EXPECT_FALSE(other.asks_for_certificates);
  EXPECT_TRUE(other.trusts("192.0.2.1") && other.trusts("::1"));
  EXPECT_FALSE(other.trusts("192.0.3.1"));
  EXPECT_EQ(other.proxy_headers, "ssl-client");
}

TEST(Settings, ReadsTheMastersText) {
  const auto json = wire::parse_json(
      R"({"socket":"/run/s","front_end":"http","state_directory":"/run/http","listeners":[{"name":"https","tls":true,"address":"127.0.0.1","port":8000,"default_realm":"default","realms":["default"],"names":["localhost"],"hosts":{"pki.example.com":"devices"}},{"name":"http","tls":false,"port":8080,"new_accounts_per_hour":7}]})");
  const auto settings = read_settings(*json);
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  EXPECT_EQ(settings->listeners.at(0).port, 8000);
  EXPECT_TRUE(settings->listeners.at(0).tls);
  EXPECT_EQ(settings->listeners.at(0).new_accounts_per_hour, 100);
  EXPECT_EQ(settings->listeners.at(1).new_accounts_per_hour, 7);
  EXPECT_EQ(settings->listeners.at(0).hosts, (std::map<std::string, std::string>{{"pki.example.com", "devices"}}));
}

TEST(Settings, OfARemoteCa) {
  const auto settings = read_settings(*wire::parse_json(
      R"({"remote_ca":{"host":"ca.example.com","server_key":"k","key_file":"/f","realm":"devices"},"state_directory":"/x","listeners":[{"name":"a","port":1,"default_realm":"devices","certificate_file":"/c","key_file":"/k"}]})"));
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  EXPECT_EQ(settings->remote_ca->host, "ca.example.com");
  EXPECT_EQ(settings->remote_ca->port, 5000);
  EXPECT_EQ(settings->remote_ca->label(), "devices");
  EXPECT_EQ(settings->listeners.at(0).certificate_file, "/c");
}

TEST(Settings, RefusesWhatIsIncomplete) {
  for (
      const auto* bad : {
          R"({})",
          R"({"socket":"/s"})",
          R"({"socket":"/s","listeners":{}})",
          R"({"socket":"/s","listeners":[{"name":"https","port":1}]})",
          R"({"socket":"/s","state_directory":"/x","listeners":[{"name":"../x","port":1}]})",
          R"({"socket":"/s","state_directory":"/x","listeners":[{"name":"a","port":65536}]})",
          R"({"socket":"/s","state_directory":"/x","listeners":[{"name":"a","port":1,"new_accounts_per_hour":-1}]})",
          R"({"socket":"/s","state_directory":"/x","listeners":[{"name":"a","port":1,"trusted_proxies":["proxy"]}]})",
          R"({"socket":"/s","state_directory":"/x","listeners":[{"name":"a","port":1,"trusted_proxies":["::ffff:10.0.0.0/8"]}]})",
          R"({"socket":"/s","remote_ca":{"host":"h"},"listeners":[]})",
          R"({"remote_ca":{},"listeners":[]})",
          R"({"remote_ca":{"host":"h","port":65535},"listeners":[]})",
          R"({"remote_ca":{"host":"h","port":0},"listeners":[]})",
          R"({"remote_ca":{"host":"h","server_key":"k"},"listeners":[]})",
          R"({"remote_ca":{"host":"h"},"state_directory":"/x","listeners":[{"name":"a","port":1,"default_realm":"default"}]})",
          R"({"remote_ca":{"host":"h"},"listeners":[{"name":"a","tls":false,"port":1,"default_realm":"other"}]})",
          R"({"remote_ca":{"host":"h"},"listeners":[{"name":"a","tls":false,"port":1,"default_realm":"default","realms":["b"]}]})",
          R"({"socket":"/s","state_directory":"/x","listeners":[{"name":"a","port":1,"certificate_file":"/c"}]})",
          R"({"socket":"/s","state_directory":"/x","listeners":[{"name":"a","port":1,"key_file":"/k"}]})",
      }) {
    const auto settings = read_settings(*wire::parse_json(bad));
    ASSERT_FALSE(settings.ok()) << bad;
    EXPECT_EQ(settings.error().code(), Code::BadConfig) << bad;
  }
}

// ----- router

Router make_router() {
  Router router;
  const auto echo = [](const Request& request) {
    return content(200, "text/plain", request.realm + " " + std::string(request.parameter("order")));
  };
  router.add(Route{"GET", "/crl", On::Both, "", echo});
  router.add(Route{"GET", "/acme/directory", On::Tls, "", echo});
  router.add(Route{"POST", "/acme/order/{order}", On::Tls, "application/jose+json", echo, 100});
  router.add(Route{"GET", "/broken", On::Both, "", [](const Request&) -> Response { throw Bug("broken"); }});
  router.add(Family{"/acme/", "acme", [](const Request&, Response& response) { response.add("Replay-Nonce", "n"); }, {}});
  return router;
}

Match match(const Router& router, const std::string& text, bool tls = true) {
  Peer peer;
  peer.tls = tls ? "TLSv1.3" : "";
  return router.match(listener(), parse_head(text).value(), peer);
}

TEST(Router, AnAbsoluteTargetNamesHostAndScheme) {
  const auto router = make_router();
  const auto found = match(router, get("https://localhost:9000/realms/devices/crl"));
  EXPECT_EQ(router.run(found).body, "devices ");
  EXPECT_EQ(found.request.authority, "localhost:9000");  // not that of the Host header
  EXPECT_EQ(router.run(match(router, get("http://localhost/crl"), false)).body, "default ");
  EXPECT_EQ(match(router, get("http://localhost/crl")).refusal.status, 421);
  EXPECT_EQ(match(router, get("https://localhost/crl"), false).refusal.status, 421);
}

TEST(Router, FindsRealmAndHandler) {
  const auto router = make_router();
  EXPECT_EQ(router.run(match(router, get("/crl"))).body, "default ");
  EXPECT_EQ(router.run(match(router, get("/realms/devices/crl"))).body, "devices ");
  EXPECT_EQ(router.run(match(router, get("/crl"), false)).body, "default ");
  const auto order =
      match(router, "POST /realms/devices/acme/order/o1 HTTP/1.1\r\nHost: x\r\nContent-Type: Application/JOSE+json; a=b\r\n\r\n");
  ASSERT_NE(order.route, nullptr);
  EXPECT_EQ(router.run(order).body, "devices o1");
  EXPECT_EQ(order.request.prefix, "/realms/devices");
  EXPECT_EQ(order.request.authority, "pki.example.com:8000");
  auto head = get("/crl");
  head.replace(0, 3, "HEAD");
  EXPECT_NE(match(router, head).route, nullptr);
}

struct Refused {
  const char* name;
  std::string text;
  int status;
  bool tls = true;
};

TEST(Router, RefusesWithTheRightStatus) {
  const auto router = make_router();
  const std::string jose = "Content-Type: application/jose+json\r\n";
  const Refused cases[] = {
      {"no such path", get("/nothing"), 404},
      {"root", get("/"), 404},
      {"no such realm", get("/realms/other/crl"), 404},
      {"realm alone", get("/realms/devices"), 404},
      {"bad realm name", get("/realms/De..vices/crl"), 404},
      {"TLS route on plain listener", get("/acme/directory"), 404, false},
      {"trailing slash", get("/crl/"), 404},
      {"empty parameter", "POST /acme/order/ HTTP/1.1\r\nHost: x\r\n" + jose + "\r\n", 404},
      {"GET of a POST", get("/acme/order/o1"), 405},
      {"DELETE", "DELETE /crl HTTP/1.1\r\nHost: x\r\n\r\n", 405},
      {"too large", "POST /acme/order/o1 HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n" + jose + "\r\n", 413},
      {"no media type", "POST /acme/order/o1 HTTP/1.1\r\nHost: x\r\n\r\n", 415},
      {"other media type", "POST /acme/order/o1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n", 415},
  };
  for (const auto& one : cases) {
    const auto found = match(router, one.text, one.tls);
    EXPECT_EQ(found.route, nullptr) << one.name;
    EXPECT_EQ(found.refusal.status, one.status) << one.name;
    EXPECT_EQ(find_header(found.refusal.headers, "Content-Type"), "application/problem+json") << one.name;
  }
}

TEST(Router, Answers405WithAllow) {
  const auto router = make_router();
  EXPECT_EQ(find_header(match(router, get("/acme/order/o1")).refusal.headers, "Allow"), "POST");
  EXPECT_EQ(find_header(match(router, "PUT /crl HTTP/1.1\r\nHost: x\r\n\r\n").refusal.headers, "Allow"), "GET, HEAD");
}

TEST(Router, AnUnknownRealmLooksLikeAnUnknownPath) {
  const auto router = make_router();
  EXPECT_EQ(match(router, get("/realms/other/crl")).refusal.body, match(router, get("/realms/default/nothing")).refusal.body);
}

TEST(Router, EveryAnswerOfAFamilyIsFinished) {
  const auto router = make_router();
  for (const auto& text : {get("/acme/nothing"), get("/acme/order/o1"), get("/realms/devices/acme/order/o1")}) {
    EXPECT_EQ(find_header(match(router, text).refusal.headers, "Replay-Nonce"), "n");
  }
  EXPECT_EQ(find_header(match(router, get("/nothing")).refusal.headers, "Replay-Nonce"), std::nullopt);
  EXPECT_EQ(find_header(router.run(match(router, get("/acme/directory"))).headers, "Replay-Nonce"), "n");
}

/// A head that cannot be read has no path that could be matched; its first line still says whose form a refusal has.
TEST(Router, RefusesAnUnreadHeadInTheFormOfItsPath) {
  Router router;
  router.add(Family{"/api/", "api", nullptr, [](int status, std::string_view detail) {
                      return content(status, "application/json", "own: " + std::string(detail));
                    }});
  router.add(Family{"/acme/", "acme", [](const Request&, Response& response) { response.add("Replay-Nonce", "n"); }, nullptr});
  for (const auto* begun :
       {"DELETE /api/x/%%% HTTP/1.1\r\nHost: x\r\n\r\n", "GET /realms/devices/api/%zz", "GET  /api/?%", "G@T /api/\r"}) {
    const auto response = router.refuse_head(begun, 400, "why");
    EXPECT_EQ(response.body, "own: why") << begun;
    EXPECT_EQ(response.status, 400);
  }
  for (const auto* begun :
       {"", "GET", "GET ", " ", "GET\r\n/api/", "GET /x?/api/ ", "GET /acme/%%%", "GET /realms/De..vices/api/%", "\r\n /api/"})
    EXPECT_EQ(find_header(router.refuse_head(begun, 400, "why").headers, "Content-Type"), "application/problem+json") << begun;
}

TEST(Router, ABugFailsOneRequest) {
  const auto router = make_router();
  const auto response = router.run(match(router, get("/broken")));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("broken"), std::string::npos);
}

}  // namespace
}  // namespace chancery::http
