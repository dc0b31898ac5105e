#include "clients/dns/lookup.h"

#include <unbound.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "server/base/address.h"
#include "server/base/fd.h"
#include "server/base/text.h"

namespace chancery::dns {
namespace {

constexpr int kClassIn = 1;
constexpr int kRefused = 5;  // RFC 1035 4.1.1

struct ResultFree {
  void operator()(ub_result* result) const noexcept { ::ub_resolve_free(result); }
};
using ResultPtr = std::unique_ptr<ub_result, ResultFree>;

struct Word {
  Type type;
  std::string_view text;
};
constexpr std::array kWords{Word{Type::A, "A"}, Word{Type::Txt, "TXT"}, Word{Type::Aaaa, "AAAA"}, Word{Type::Caa, "CAA"}};

/// A resolver may be on loopback. What one look has learned, of names and of servers, the next one does not know.
constexpr std::array kOptions{std::pair{"do-not-query-localhost:", "no"}, std::pair{"cache-max-ttl:", "0"},
                              std::pair{"cache-max-negative-ttl:", "0"}, std::pair{"infra-host-ttl:", "0"}};

/// What libunbound would answer by itself for names that private networks do use (RFC 6761 6.2, RFC 8375).
constexpr std::array kServedPrivately{"test.", "home.arpa.", "invalid."};

/// One question under way. libunbound keeps its address until it is answered or cancelled.
struct Pending {
  int id = 0;
  bool done = false;
  int failure = 0;
  ResultPtr result{};
};

void on_answer(void* data, int failure, ub_result* result) {
  auto* pending = static_cast<Pending*>(data);
  pending->done = true;
  pending->failure = failure;
  pending->result.reset(result);
}

/// "127.0.0.1:5353" or "[::1]:5353" as libunbound writes it: "127.0.0.1@5353".
std::string forward_form(const std::string& server) {
  const auto colon = server.rfind(':');
  if (colon == std::string::npos) return server;
  auto address = server.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return address + "@" + server.substr(colon + 1);
}

Status set_server(ub_ctx* context, const std::string& server) {
  if (!server.empty()) {
    if (::ub_ctx_set_fwd(context, forward_form(server).c_str()) == 0) return {};
    return Error(Code::Unavailable, "the realm's resolver address is not usable");
  }
  if (::ub_ctx_resolvconf(context, nullptr) != 0) return Error(Code::Unavailable, "the system's resolv.conf is not usable");
  ::ub_ctx_hosts(context, nullptr);
  return {};
}

bool is_over(const Pending& pending) { return pending.done || pending.failure != 0; }

/// Until all are answered, the deadline passes or the resolver fails.
void wait_for(ub_ctx* context, const std::vector<Pending>& all, Deadline deadline) {
  while (!std::ranges::all_of(all, is_over)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !base::wait_readable(::ub_fd(context), left).ok() || ::ub_process(context) != 0) return;
  }
}

/// What the answers to these questions would be written to goes away.
void cancel(ub_ctx* context, const std::vector<Pending>& all) {
  for (const auto& one : all) {
    if (!is_over(one)) ::ub_cancel(context, one.id);
  }
}

std::string rcode_text(int rcode) {
  if (rcode == 2) return "SERVFAIL";
  if (rcode == kRefused) return "REFUSED";
  return "code " + std::to_string(rcode);
}

Result<Answer> read_answer(const Pending& pending) {
  if (pending.failure == UB_SYNTAX) return Error(Code::InvalidParams, "not a name that can be asked for");
  if (pending.failure != 0) return Error(Code::Unavailable, ::ub_strerror(pending.failure));
  if (!pending.done) return Error(Code::Timeout, "no answer from the resolver in time");
  const ub_result& result = *pending.result;
  if (result.bogus != 0) return Error(Code::BadProof, "DNSSEC validation failed");
  Answer answer{{}, result.nxdomain != 0, result.secure != 0};
  if (result.havedata == 0 && !answer.no_such_name && result.rcode != 0)
    return Error(Code::Unavailable, "the resolver answered " + rcode_text(result.rcode));
  if (result.havedata == 0) return answer;
  for (std::size_t i = 0; result.data[i] != nullptr; ++i) {
    if (i == kMaxRecords) return Error(Code::TooLarge, "more than " + std::to_string(kMaxRecords) + " records");
    answer.records.emplace_back(result.data[i], static_cast<std::size_t>(result.len[i]));
  }
  return answer;
}

/// A context that has answered well, for the next look: making one costs twenty times what two questions do.
struct Kept {
  Resolver resolver{};
  std::set<std::string> asked{};
  std::unique_ptr<ub_ctx, Lookup::ContextFree> context{};
  std::chrono::steady_clock::time_point born{};
};
constexpr std::size_t kMostKept = 16;
constexpr std::size_t kMostAsked = 1000;  ///< of one context

/// How long a context is good for. The system's resolv.conf and hosts file are read when one is made, and below an anchor it
/// keeps in mind which zones are signed.
std::chrono::seconds life_of(const Resolver& resolver) {
  const bool learns_nothing = !resolver.server.empty() && resolver.anchors.empty();
  return std::chrono::seconds{learns_nothing ? 30 : 2};
}

/// Those that nobody asks just now, the one used last in front: few contexts, each with a thread of its own, serve many looks.
class Contexts {
 public:
  Kept take(const Resolver& resolver) {
    std::vector<Kept> gone;  // ends behind the lock
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    for (auto& one : kept_) {
      if (now - one.born >= life_of(one.resolver)) gone.push_back(std::move(one));
    }
    std::erase_if(kept_, [](const Kept& one) { return one.context == nullptr; });
    const auto found = std::ranges::find(kept_, resolver, &Kept::resolver);
    if (found == kept_.end()) return {};
    auto taken = std::move(*found);
    kept_.erase(found);
    return taken;
  }
  void keep(Kept one) {
    Kept gone;
    const std::lock_guard lock(mutex_);
    kept_.push_front(std::move(one));
    if (kept_.size() <= kMostKept) return;
    gone = std::move(kept_.back());
    kept_.pop_back();
  }

 private:
  std::mutex mutex_;
  std::deque<Kept> kept_;
};

Contexts& contexts() {
  static Contexts all;
  return all;
}

Error at(const Question& question, const Error& error) {
  return error.within(base::printable(question.name, 300) + " " + std::string(to_text(question.type)));
}

/// Appends the addresses of an answer, kMaxAddresses at most.
void collect(const Answer& answer, std::vector<IpAddress>& addresses) {
  const auto count = std::min(answer.records.size(), kMaxAddresses);
  for (std::size_t i = 0; i < count; ++i) {
    const auto address = IpAddress::from_octets(answer.records[i]);
    if (address.ok()) addresses.push_back(*address);
  }
}

}  // namespace

void Lookup::ContextFree::operator()(ub_ctx* context) const noexcept { ::ub_ctx_delete(context); }

Result<Lookup> Lookup::open(const Resolver& resolver) {
  if (auto earlier = contexts().take(resolver); earlier.context) {
    Lookup again(resolver, std::move(earlier.context), earlier.born);
    again.asked_ = std::move(earlier.asked);
    return again;
  }
  PKI_TRY(auto context, make_context(resolver));
  return Lookup(resolver, std::move(context), std::chrono::steady_clock::now());
}

Lookup::~Lookup() {
  if (context_ && is_good_ && asked_.size() < kMostAsked)
    contexts().keep({std::move(resolver_), std::move(asked_), std::move(context_), born_});
}

Result<Lookup::ContextPtr> Lookup::make_context(const Resolver& resolver) {
  ContextPtr context(::ub_ctx_create());
  if (!context) return Error(Code::Unavailable, "the resolver cannot be started");
  ::ub_ctx_async(context.get(), 1);
  for (const auto& [option, value] : kOptions) ::ub_ctx_set_option(context.get(), option, value);
  for (const auto& anchor : resolver.anchors) {
    if (::ub_ctx_add_ta(context.get(), anchor.c_str()) != 0)
      return Error(Code::Unavailable, "trust anchor that libunbound does not take: " + base::printable(anchor, 120));
  }
  PKI_TRY_VOID(set_server(context.get(), resolver.server));
  for (const auto* zone : kServedPrivately) ::ub_ctx_zone_remove(context.get(), zone);
  return context;
}

/// What a context was asked before it may still know, for the rest of a second.
Status Lookup::forget_what_was_asked(std::span<const Question> questions) {
  const auto key = [](const Question& one) { return one.name + " " + std::string(to_text(one.type)); };
  if (std::ranges::any_of(questions, [&](const Question& one) { return asked_.contains(key(one)); })) {
    PKI_TRY(context_, make_context(resolver_));
    born_ = std::chrono::steady_clock::now();
    asked_.clear();
  }
  for (const auto& one : questions) asked_.insert(key(one));
  return {};
}

std::vector<Result<Answer>> Lookup::ask(std::span<const Question> questions, Deadline deadline) {
  if (const auto forgotten = forget_what_was_asked(questions); !forgotten.ok())
    return std::vector<Result<Answer>>(questions.size(), forgotten.error());
  std::vector<Pending> all(questions.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].failure = ::ub_resolve_async(context_.get(), questions[i].name.c_str(), static_cast<int>(questions[i].type), kClassIn,
                                        &all[i], on_answer, &all[i].id);
  }
  wait_for(context_.get(), all, deadline);
  cancel(context_.get(), all);
  std::vector<Result<Answer>> answers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto answer = read_answer(all[i]);
    is_good_ = is_good_ && answer.ok();
    answers.push_back(answer.ok() ? std::move(answer) : Result<Answer>(at(questions[i], answer.error())));
  }
  return answers;
}

Result<Answer> Lookup::ask(const Question& question, Deadline deadline) {
  return std::move(ask(std::span(&question, 1), deadline).front());
}

Result<std::vector<IpAddress>> addresses_of(const std::string& host, const Resolver& resolver, Deadline deadline) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  const auto literal = IpAddress::parse(bracketed ? host.substr(1, host.size() - 2) : host);
  if (literal.ok()) return std::vector{*literal};
  if (base::is_localhost(base::to_lower_ascii(host)))
    return std::vector{IpAddress::parse("::1").value(), IpAddress::parse("127.0.0.1").value()};
  PKI_TRY(auto lookup, Lookup::open(resolver));
  std::vector<IpAddress> addresses;
  std::optional<Error> failure;
  for (const auto& answer : lookup.ask(std::array{Question{host, Type::Aaaa}, Question{host, Type::A}}, deadline)) {
    if (answer.ok()) collect(*answer, addresses);
    if (!answer.ok() && answer.error().code() == Code::BadProof) return answer.error();
    if (!answer.ok()) failure = answer.error();
  }
  if (!addresses.empty()) return addresses;
  if (failure) return *failure;
  return Error(Code::NotFound, base::printable(host, 300) + ": no such name, or no address records");
}

std::string_view to_text(Type type) { return std::ranges::find(kWords, type, &Word::type)->text; }

}  // namespace chancery::dns
