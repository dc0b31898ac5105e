#include "clients/acme/http01.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "clients/acme/fetch.h"
#include "clients/acme/problems.h"
#include "clients/acme/resolve.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr std::size_t kBodySlack = 64;      ///< white space that may follow the key authorization
constexpr std::size_t kMaxEvidence = 2000;  ///< octets, see acme.challenge.finish
constexpr std::array kRedirects{301, 302, 303, 307, 308};

using Deadline = std::chrono::steady_clock::time_point;

/// One validation under way.
class Search {
 public:
  explicit Search(const Http01Question& question)
      : question_(question),
        expected_(question.token + "." + question.thumbprint),
        deadline_(std::chrono::steady_clock::now() + kValidationLimit) {}

  Verdict run() {
    auto found = follow();
    return {found.ok() ? std::nullopt : std::optional(found.error()), evidence_.substr(0, kMaxEvidence)};
  }

 private:
  Status follow();
  Result<Fetched> ask(const Url& url);
  Result<std::vector<IpAddress>> permitted_addresses(const Url& url);
  Status check_port(const Url& url) const;
  Status check(const IpAddress& address) const;
  Status judge(const Url& url, const Fetched& fetched) const;
  void note(const std::string& line) { evidence_ += (evidence_.empty() ? "" : "; ") + line; }

  const Http01Question& question_;
  std::string expected_;
  Deadline deadline_;
  IpAddress address_;  ///< that answered last
  std::string evidence_;
};

std::string first_url(const Http01Question& question) {
  const auto literal = IpAddress::parse(question.host);
  const auto host = literal.ok() ? literal->host_text() : question.host;
  const auto port = question.port == 80 ? "" : ":" + std::to_string(question.port);
  return "http://" + host + port + "/.well-known/acme-challenge/" + question.token;
}

/// What kind of thing the body is, without a word of it (PROMISES I17).
std::string describe_body(const Fetched& fetched, const std::string& token) {
  if (fetched.body_was_cut) return "a longer body";
  if (fetched.body.empty()) return "an empty body";
  if (fetched.body.starts_with(token + ".")) return "the key authorization of another account key";
  if (fetched.body.find('<') != std::string::npos) return "a page of markup";
  return "other text of " + std::to_string(fetched.body.size()) + " octets";
}

/// The error with the place in front, its ACME type kept.
Error at(const Url& url, const Error& error) { return error.within(base::printable(url.text, 300)); }

Status Search::check_port(const Url& url) const {
  if (url.port == 80 || url.port == 443 || url.port == question_.port) return {};
  return acme_error("connection", "redirect to port " + std::to_string(url.port) + ", expected 80 or 443");
}

/// A realm that keeps validation off loopback keeps it off the machine's other addresses, too (PROMISES F47).
Status Search::check(const IpAddress& address) const {
  PKI_TRY_VOID(check_target(address, question_.allow_loopback));
  if (question_.allow_loopback) return {};
  const auto own = own_addresses();
  const bool is_own = std::ranges::find(own, address) != own.end() || std::ranges::find(own, address.embedded()) != own.end();
  if (!is_own) return {};
  return Error(Code::Denied, address.text() + " is this machine's own address: validation does not connect there");
}

Result<std::vector<IpAddress>> Search::permitted_addresses(const Url& url) {
  PKI_TRY(auto addresses, resolve(url.host, question_.resolver, deadline_));
  std::string why;
  std::erase_if(addresses, [&](const IpAddress& address) {
    const auto permitted = check(address);
    if (!permitted.ok()) why = permitted.error().message();
    return !permitted.ok();
  });
  if (addresses.empty()) return acme_error("connection", why);
  return addresses;
}

/// Tries the addresses in order until one answers; what answers is final, whatever it says.
Result<Fetched> Search::ask(const Url& url) {
  PKI_TRY_VOID(check_port(url));
  PKI_TRY(const auto addresses, permitted_addresses(url));
  Error last = acme_error("connection", "no address was tried");
  for (const auto& address : addresses) {
    FetchLimits limits{deadline_};
    limits.max_body = expected_.size() + kBodySlack;
    auto fetched = fetch(url, address, limits);
    const auto place = url.text + " at " + address.text();
    if (fetched.ok()) {
      note(place + ": status " + std::to_string(fetched->status));
      address_ = address;
      return fetched;
    }
    note(place + ": " + fetched.error().message());
    last = fetched.error().within(address.text());
    if (std::chrono::steady_clock::now() >= deadline_) break;
  }
  return last;
}

Status Search::judge(const Url& url, const Fetched& fetched) const {
  const auto place = base::printable(url.text, 300) + " at " + address_.text();
  if (fetched.status != 200) {
    return acme_error("incorrectResponse", place + " answered status " + std::to_string(fetched.status) + ", expected 200");
  }
  const auto end = fetched.body.find_last_not_of(" \t\r\n");
  const auto body = std::string_view(fetched.body).substr(0, end == std::string::npos ? 0 : end + 1);
  if (!fetched.body_was_cut && body == expected_) return {};
  return acme_error("incorrectResponse", place + " answered with " + describe_body(fetched, question_.token) +
                                             ", expected the key authorization (token, dot, thumbprint of the account key)");
}

Status Search::follow() {
  std::string next = first_url(question_);
  std::string from = next;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    const auto url = parse_url(next);
    if (!url.ok()) return acme_error("connection", from + ": redirect that is not followed: " + url.error().message());
    auto fetched = ask(*url);
    if (!fetched.ok()) return at(*url, fetched.error());
    if (std::ranges::find(kRedirects, fetched->status) == kRedirects.end()) return judge(*url, *fetched);
    if (fetched->location.empty()) return at(*url, acme_error("incorrectResponse", "redirect without a usable Location"));
    from = base::printable(url->text, 300);
    next = fetched->location;
  }
  return acme_error("connection", "more than " + std::to_string(kMaxRedirects) + " redirects from " + first_url(question_));
}

}  // namespace

Verdict validate_http01(const Http01Question& question) { return Search(question).run(); }

}  // namespace chancery::acme
