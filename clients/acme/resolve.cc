#include "clients/acme/resolve.h"

#include <unbound.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "clients/acme/problems.h"
#include "server/base/address.h"
#include "server/base/fd.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr int kTypeA = 1;
constexpr int kTypeAaaa = 28;
constexpr int kClassIn = 1;

struct ContextFree {
  void operator()(ub_ctx* context) const noexcept { ::ub_ctx_delete(context); }
};
using ContextPtr = std::unique_ptr<ub_ctx, ContextFree>;
struct ResultFree {
  void operator()(ub_result* result) const noexcept { ::ub_resolve_free(result); }
};
using ResultPtr = std::unique_ptr<ub_result, ResultFree>;

/// One question under way.
struct Question {
  int type;
  bool done = false;
  int failure = 0;
  ResultPtr answer;
};

Error dns_error(std::string detail) { return acme_error("dns", std::move(detail)); }

/// "127.0.0.1:5353" or "[::1]:5353" as libunbound writes it: "127.0.0.1@5353".
std::string forward_form(const std::string& resolver) {
  const auto colon = resolver.rfind(':');
  if (colon == std::string::npos) return resolver;
  auto address = resolver.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return address + "@" + resolver.substr(colon + 1);
}

/// A context per question keeps nothing between validations: each sees what the world says now.
Result<ContextPtr> make_context(const std::string& resolver) {
  ContextPtr context(::ub_ctx_create());
  if (!context) return dns_error("the resolver cannot be started");
  ::ub_ctx_async(context.get(), 1);
  ::ub_ctx_set_option(context.get(), "do-not-query-localhost:", "no");
  if (!resolver.empty()) {
    if (::ub_ctx_set_fwd(context.get(), forward_form(resolver).c_str()) != 0)
      return dns_error("the realm's resolver address is not usable");
    return context;
  }
  if (::ub_ctx_resolvconf(context.get(), nullptr) != 0) return dns_error("the system's resolv.conf is not usable");
  ::ub_ctx_hosts(context.get(), nullptr);
  return context;
}

void on_answer(void* data, int failure, ub_result* result) {
  auto* question = static_cast<Question*>(data);
  question->done = true;
  question->failure = failure;
  question->answer.reset(result);
}

/// Waits until all are answered. @errors dns: the deadline passed.
Status wait_for(ub_ctx* context, const std::array<Question*, 2>& questions, std::chrono::steady_clock::time_point deadline) {
  while (!std::ranges::all_of(questions, &Question::done)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !base::wait_readable(::ub_fd(context), left).ok())
      return dns_error("no answer from the resolver in time");
    if (::ub_process(context) != 0) return dns_error("the resolver failed");
  }
  return {};
}

/// Appends the addresses of an answer. @return why there are none, or an empty text.
std::string collect(const Question& question, std::vector<IpAddress>& addresses) {
  if (question.failure != 0) return ::ub_strerror(question.failure);
  const ub_result& answer = *question.answer;
  if (answer.bogus != 0) return "DNSSEC validation failed";
  if (answer.nxdomain != 0) return "no such name";
  if (answer.havedata == 0)
    return answer.rcode == 0 ? "no address records" : "the resolver answered code " + std::to_string(answer.rcode);
  for (std::size_t i = 0; answer.data[i] != nullptr && i < kMaxAddresses; ++i) {
    const auto address = IpAddress::from_octets({answer.data[i], static_cast<std::size_t>(answer.len[i])});
    if (address.ok()) addresses.push_back(*address);
  }
  return {};
}

Result<std::vector<IpAddress>> ask(const std::string& host, const std::string& resolver,
                                   std::chrono::steady_clock::time_point deadline) {
  Question v6{kTypeAaaa, false, 0, nullptr};  // before the context: its answers point here until it is gone
  Question v4{kTypeA, false, 0, nullptr};
  PKI_TRY(const auto context, make_context(resolver));
  for (auto* question : {&v6, &v4}) {
    const int failure = ::ub_resolve_async(context.get(), host.c_str(), question->type, kClassIn, question, on_answer, nullptr);
    if (failure != 0) return dns_error(host + ": " + ::ub_strerror(failure));
  }
  if (auto all = wait_for(context.get(), {&v6, &v4}, deadline); !all.ok()) return dns_error(host + ": " + all.error().message());
  std::vector<IpAddress> addresses;
  collect(v6, addresses);
  const auto why = collect(v4, addresses);
  if (addresses.empty()) return dns_error(host + ": " + (why.empty() ? "no address records" : why));
  return addresses;
}

}  // namespace

Result<std::vector<IpAddress>> resolve(const std::string& host, const std::string& resolver,
                                       std::chrono::steady_clock::time_point deadline) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  const auto literal = IpAddress::parse(bracketed ? host.substr(1, host.size() - 2) : host);
  if (literal.ok()) return std::vector{*literal};
  if (base::is_localhost(base::to_lower_ascii(host)))
    return std::vector{IpAddress::parse("::1").value(), IpAddress::parse("127.0.0.1").value()};
  return ask(host, resolver, deadline);
}

}  // namespace chancery::acme
