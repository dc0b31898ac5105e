#include <algorithm>
#include <array>
#include <utility>

#include "clients/acme/challenge.h"
#include "clients/acme/fetch.h"
#include "clients/acme/problems.h"
#include "clients/acme/reach.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr int kMaxRedirects = 10;       // PROMISES F45
constexpr std::size_t kBodySlack = 64;  ///< white space that may follow the key authorization
constexpr std::size_t kMaxShownUrl = 300;
constexpr std::array kRedirects{301, 302, 303, 307, 308};

/// One try under way. Redirects are followed by hand: each hop is resolved and checked anew, to ports 80, 443 and the realm's
/// own only, and connects to exactly the address that was checked.
class Search {
 public:
  Search(const Question& question, Deadline deadline, Evidence& evidence)
      : question_(question), expected_(question.key_authorization()), deadline_(deadline), evidence_(evidence) {}

  Status follow();

 private:
  Result<Fetched> ask(const Url& url);
  Status check_port(const Url& url) const;
  Status judge(const Url& url, const Fetched& fetched) const;

  const Question& question_;
  std::string expected_;
  Deadline deadline_;
  Evidence& evidence_;
  IpAddress address_;  ///< that answered last
};

std::string first_url(const Question& question) {
  const auto literal = IpAddress::parse(question.name);
  const auto host = literal.ok() ? literal->host_text() : question.name;
  const auto port = question.rules.http01_port == 80 ? "" : ":" + std::to_string(question.rules.http01_port);
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

std::string shown(const Url& url) { return base::printable(url.text, kMaxShownUrl); }

Status Search::check_port(const Url& url) const {
  if (url.port == 80 || url.port == 443 || url.port == question_.rules.http01_port) return {};
  return acme_error("connection", "redirect to port " + std::to_string(url.port) + ", expected 80 or 443");
}

Result<Fetched> Search::ask(const Url& url) {
  PKI_TRY_VOID(check_port(url));
  PKI_TRY(const auto addresses, permitted_addresses(url.host, question_.rules, deadline_));
  Fetched fetched;
  PKI_TRY_VOID(ask_each(addresses, shown(url), deadline_, evidence_, [&](const IpAddress& address) -> Status {
    FetchLimits limits{deadline_};
    limits.max_body = expected_.size() + kBodySlack;
    PKI_TRY(fetched, fetch(url, address, limits));
    address_ = address;
    return {};
  }));
  evidence_.note(shown(url) + " at " + address_.text() + ": status " + std::to_string(fetched.status));
  return fetched;
}

Status Search::judge(const Url& url, const Fetched& fetched) const {
  const auto place = shown(url) + " at " + address_.text();
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
    if (!fetched.ok()) return fetched.error().within(shown(*url));
    if (std::ranges::find(kRedirects, fetched->status) == kRedirects.end()) return judge(*url, *fetched);
    if (fetched->location.empty())
      return acme_error("incorrectResponse", "redirect without a usable Location").within(shown(*url));
    from = shown(*url);
    next = fetched->location;
  }
  return acme_error("connection", "more than " + std::to_string(kMaxRedirects) + " redirects from " + first_url(question_));
}

}  // namespace

Status prove_http01(const Question& question, Deadline deadline, Evidence& evidence) {
  return Search(question, deadline, evidence).follow();
}

}  // namespace chancery::acme
