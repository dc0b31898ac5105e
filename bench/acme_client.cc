#include "bench/acme_client.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "server/crypto/digest.h"
#include "server/crypto/signature.h"
#include "server/x509/csr.h"

namespace bench {
namespace {

using chancery::Json;
using chancery::base::as_bytes;
using chancery::base::to_base64url;
using chancery::crypto::PrivateKey;
using std::chrono::milliseconds;

constexpr long kPatience = 20;  ///< seconds for one request
constexpr int kNonceTries = 5;
constexpr std::size_t kFieldOctets = 32;
constexpr milliseconds kFirstPause{2};  ///< between two looks at what is not ready, doubled up to the last
constexpr milliseconds kLastPause{50};
constexpr int kLooks = 200;

PrivateKey fresh_key() { return PrivateKey::generate(chancery::base::parse_key_spec("ec:P-256").value()).value(); }

Json jwk_of(const PrivateKey& key) {
  std::array<unsigned char, 1 + 2 * kFieldOctets> point{};  // 04, x, y (SEC 1 2.3.3)
  std::size_t length = 0;
  if (EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &length) != 1)
    throw std::runtime_error("no public key");
  const chancery::ByteView all(point.data(), length);
  return Json::object({{"crv", "P-256"},
                       {"kty", "EC"},
                       {"x", to_base64url(all.subspan(1, kFieldOctets))},
                       {"y", to_base64url(all.subspan(1 + kFieldOctets))}});
}

std::string encoded(const std::string& text) { return to_base64url(as_bytes(text)); }

std::string request_for(const std::string& name) {
  const auto csr =
      chancery::x509::make_csr(fresh_key(), {}, {chancery::x509::GeneralName{chancery::x509::GeneralName::Type::Dns, name}});
  return to_base64url(csr.value());
}

bool is_header(std::string_view line, std::string_view name) {
  return line.size() > name.size() + 1 && line[name.size()] == ':' &&
         std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) { return a == std::tolower(b); });
}

std::string value_of(std::string_view line) {
  line.remove_prefix(line.find(':') + 1);
  const auto begin = line.find_first_not_of(' ');
  const auto end = line.find_last_not_of(" \r\n");
  return begin == std::string_view::npos ? std::string() : std::string(line.substr(begin, end - begin + 1));
}

}  // namespace

AcmeClient::AcmeClient(const AcmeServer& server, AcmeWorld& world)
    : world_(world), key_(fresh_key()), jwk_(jwk_of(key_)), curl_(curl_easy_init()) {
  thumbprint_ = to_base64url(chancery::crypto::sha256(as_bytes(chancery::wire::to_text(jwk_))));  // RFC 7638 3: in that order
  headers_.reset(curl_slist_append(nullptr, "Content-Type: application/jose+json"));
  curl_easy_setopt(curl_.get(), CURLOPT_CAINFO, server.ca_file.c_str());
  curl_easy_setopt(curl_.get(), CURLOPT_TIMEOUT, kPatience);
  curl_easy_setopt(curl_.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(curl_.get(), CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl_.get(), CURLOPT_HEADERFUNCTION, take_header);
  directory_ = json_of(perform(server.directory, nullptr));
  nonce_ = perform(url_of("newNonce"), nullptr).nonce;
  const auto made = post(url_of("newAccount"), R"({"termsOfServiceAgreed":true,"contact":["mailto:bench@example.com"]})");
  if (made.status != 201) throw std::runtime_error("no account: " + made.body);
  account_ = made.location;
}

std::string AcmeClient::url_of(const char* resource) const { return directory_.text(resource); }

std::size_t AcmeClient::take_body(const char* data, std::size_t size, std::size_t count, void* reply) {
  static_cast<Reply*>(reply)->body.append(data, size * count);
  return size * count;
}

std::size_t AcmeClient::take_header(const char* data, std::size_t size, std::size_t count, void* reply) {
  const std::string_view line(data, size * count);
  auto& taken = *static_cast<Reply*>(reply);
  if (is_header(line, "replay-nonce")) taken.nonce = value_of(line);
  if (is_header(line, "location")) taken.location = value_of(line);
  return size * count;
}

/// @param body  null: GET
AcmeClient::Reply AcmeClient::perform(const std::string& url, const std::string* body) {
  Reply reply;
  curl_easy_setopt(curl_.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_.get(), CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl_.get(), CURLOPT_HEADERDATA, &reply);
  if (body == nullptr) {
    curl_easy_setopt(curl_.get(), CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(curl_.get(), CURLOPT_POST, 1L);
    curl_easy_setopt(curl_.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
    curl_easy_setopt(curl_.get(), CURLOPT_POSTFIELDS, body->data());
  }
  if (const auto code = curl_easy_perform(curl_.get()); code != CURLE_OK)
    throw std::runtime_error(url + ": " + curl_easy_strerror(code));
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  return reply;
}

/// RFC 8555 6.2. @param payload  empty: POST-as-GET
std::string AcmeClient::signed_request(const std::string& url, const std::string& payload) const {
  auto header = Json::object({{"alg", "ES256"}, {"nonce", nonce_}, {"url", url}});
  account_.empty() ? header.set("jwk", jwk_) : header.set("kid", account_);
  const auto protected_part = encoded(chancery::wire::to_text(header));
  const auto payload_part = encoded(payload);
  const auto der = key_.sign(chancery::crypto::SignatureAlgorithm::EcdsaSha256, as_bytes(protected_part + "." + payload_part));
  const auto raw = chancery::crypto::ecdsa_der_to_raw(der.value(), 2 * kFieldOctets);
  return chancery::wire::to_text(
      Json::object({{"protected", protected_part}, {"payload", payload_part}, {"signature", to_base64url(raw.value())}}));
}

AcmeClient::Reply AcmeClient::post(const std::string& url, const std::string& payload) {
  Reply reply;
  for (int i = 0; i < kNonceTries; ++i) {
    const auto body = signed_request(url, payload);
    reply = perform(url, &body);
    nonce_ = reply.nonce;
    if (reply.status != 400 || reply.body.find(":badNonce") == std::string::npos) return reply;
  }
  return reply;
}

Json AcmeClient::json_of(const Reply& reply) const {
  auto json = chancery::wire::parse_json(reply.body);
  if (reply.status >= 400 || !json.ok()) throw std::runtime_error(std::to_string(reply.status) + " " + reply.body);
  return *std::move(json);
}

Json AcmeClient::wait(const std::string& url, const std::string& status) {
  auto pause = kFirstPause;
  for (int i = 0; i < kLooks; ++i) {
    auto json = json_of(get(url));
    if (json.text("status") == status) return json;
    if (json.text("status") == "invalid") throw std::runtime_error("invalid: " + chancery::wire::to_text(json));
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLastPause);
  }
  throw std::runtime_error(url + " is not " + status);
}

void AcmeClient::prove(const std::string& authorization) {
  const auto json = json_of(get(authorization));
  const auto& challenges = *json.find("challenges")->as_array();
  const auto challenge = std::ranges::find_if(challenges, [](const Json& one) { return one.text("type") == "http-01"; });
  if (challenge == challenges.end()) throw std::runtime_error("no http-01: " + chancery::wire::to_text(json));
  const auto token = challenge->text("token");
  world_.show(token, token + "." + thumbprint_);
  json_of(post(challenge->text("url"), "{}"));
  wait(authorization, "valid");
  world_.hide(token);
}

void AcmeClient::obtain(const std::string& name) {
  const auto wanted = Json::object({{"identifiers", Json::array({Json::object({{"type", "dns"}, {"value", name}})})}});
  const auto made = post(url_of("newOrder"), chancery::wire::to_text(wanted));
  auto order = json_of(made);
  for (const auto& authorization : order.texts("authorizations")) prove(authorization);
  order = json_of(post(order.text("finalize"), chancery::wire::to_text(Json::object({{"csr", request_for(name)}}))));
  if (order.text("status") != "valid") order = wait(made.location, "valid");
  const auto chain = get(order.text("certificate"));
  if (chain.status != 200 || !chain.body.starts_with("-----BEGIN CERTIFICATE-----"))
    throw std::runtime_error("no certificate: " + chain.body);
}

}  // namespace bench
