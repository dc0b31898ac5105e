#include "clients/lib/request.h"

#include <algorithm>
#include <array>
#include <thread>

#include "server/base/approval_text.h"
#include "server/base/bytes.h"

namespace chancery::client {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5000};
constexpr std::array<std::string_view, 6> kEnds{"issued", "done", "rejected", "withdrawn", "expired", "failed"};

void set_if(Json& params, std::string_view name, const std::string& value) {
  if (!value.empty()) params.set(name, value);
}

}  // namespace

Result<Request> Request::create(Client& client, const Wish& wish) {
  Json params = Json::object();
  set_if(params, "kind", wish.kind);
  set_if(params, "csr", wish.csr);
  set_if(params, "profile", wish.profile);
  if (!wish.sans.empty()) params.set("sans", Json::strings(wish.sans));
  set_if(params, "serial", wish.serial);
  set_if(params, "dn", wish.dn);
  set_if(params, "reason", wish.reason);
  set_if(params, "ca", wish.ca);
  set_if(params, "step", wish.step);
  set_if(params, "config", wish.config);
  set_if(params, "comment", wish.comment);
  PKI_TRY(auto row, client.call("request.create", std::move(params)));
  return Request(client, std::move(row));
}

Result<Request> Request::find(Client& client, std::string_view id) {
  PKI_TRY(auto row, client.call("request.get", Json::object({{"request", id}})));
  return Request(client, std::move(row));
}

bool Request::has_ended() const { return std::ranges::find(kEnds, state()) != kEnds.end(); }

Status Request::refresh() {
  PKI_TRY(row_, client_->call("request.get", Json::object({{"request", id()}})));
  return {};
}

Status Request::approve(const Approval& approval) {
  auto params = Json::object({{"request", id()}, {"digest", digest()}});
  set_if(params, "comment", approval.comment);
  set_if(params, "certificate", approval.certificate);
  if (approval.sign) {
    const auto text = base::approval_text(digest());
    PKI_TRY(const auto signature, approval.sign(base::as_bytes(text)));
    params.set("signature", base::to_base64(signature));
  }
  return decide("request.approve", std::move(params));
}

Status Request::reject(const std::string& why) {
  return decide("request.reject", Json::object({{"request", id()}, {"digest", digest()}, {"comment", why}}));
}

Status Request::withdraw(const std::string& why) {
  auto params = Json::object({{"request", id()}, {"digest", digest()}});
  set_if(params, "comment", why);
  return decide("request.withdraw", std::move(params));
}

Status Request::comment(const std::string& words) {
  return decide("request.comment", Json::object({{"request", id()}, {"comment", words}}));
}

Status Request::retry(const std::string& why) {
  auto params = Json::object({{"request", id()}});
  set_if(params, "comment", why);
  return decide("request.retry", std::move(params));
}

Result<Json> Request::pickup() {
  PKI_TRY(auto made, client_->call("request.pickup", Json::object({{"request", id()}})));
  row_.set("state", made.text("state"));
  return made;
}

Result<std::string> Request::wait(milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (auto pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    PKI_TRY_VOID(refresh());
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    const bool waits = state() == "pending" || state() == "processing";
    if (!waits || left.count() <= 0) return state();
    std::this_thread::sleep_for(std::min(pause, left));
  }
}

Status Request::decide(std::string_view method, Json params) {
  PKI_TRY(row_, client_->call(method, std::move(params)));
  return {};
}

}  // namespace chancery::client
