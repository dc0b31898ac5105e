#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "clients/dns/address.h"

struct ub_ctx;

/// The one door to libunbound: questions to a resolver, answers as they are on the wire.
namespace chancery::dns {

inline constexpr std::size_t kMaxAddresses = 8;  ///< of each family; further ones of an answer are passed over (PROMISES F46)
inline constexpr std::size_t kMaxRecords = 500;  ///< of an answer of any type; one with more is refused, not cut

using Deadline = std::chrono::steady_clock::time_point;

/// Types of records (IANA's registry of DNS parameters).
enum class Type : int { A = 1, Txt = 16, Aaaa = 28, Caa = 257 };

/// Whom to ask, and what to believe.
struct Resolver {
  std::string server{};                ///< "ADDR:PORT" or "[ADDR]:PORT"; empty: the system's resolv.conf and hosts file
  std::vector<std::string> anchors{};  ///< "example. IN DS …": below them unsigned or wrongly signed answers are refused

  bool operator==(const Resolver&) const = default;
};

struct Question {
  std::string name;  ///< without a trailing dot
  Type type = Type::A;
};

/// What a resolver said. CNAMEs are followed by it, and their length is its business.
struct Answer {
  std::vector<std::string> records{};  ///< rdata, octet for octet (RFC 1035 3.2.1)
  bool no_such_name = false;           ///< NXDOMAIN (RFC 8020), and hence no records
  bool is_signed = false;              ///< DNSSEC validated it
};

/// A conversation with a resolver: one look at the world. A validation that is tried again opens another. One after
/// the other they may share libunbound's context, unless it has failed; none is asked the same question twice, so that no answer
/// comes out of its memory.
class Lookup {
 public:
  struct ContextFree {
    void operator()(ub_ctx* context) const noexcept;
  };

  /// @errors Unavailable: the resolver cannot be set up as configured.
  static Result<Lookup> open(const Resolver& resolver);
  Lookup(Lookup&&) noexcept = default;
  ~Lookup();

  /// Asks all at once. @return in the order of the questions.
  /// @errors of each: Timeout: not by the deadline; Unavailable: a resolver failed (SERVFAIL, REFUSED, unreachable); BadProof:
  ///         DNSSEC; TooLarge: above kMaxRecords; InvalidParams: not a name. The message begins with name and type.
  std::vector<Result<Answer>> ask(std::span<const Question> questions, Deadline deadline);
  Result<Answer> ask(const Question& question, Deadline deadline);

 private:
  using ContextPtr = std::unique_ptr<ub_ctx, ContextFree>;
  Lookup(Resolver resolver, ContextPtr context, std::chrono::steady_clock::time_point born)
      : resolver_(std::move(resolver)), context_(std::move(context)), born_(born) {}
  static Result<ContextPtr> make_context(const Resolver& resolver);
  Status forget_what_was_asked(std::span<const Question> questions);

  Resolver resolver_;
  ContextPtr context_;
  std::chrono::steady_clock::time_point born_;
  std::set<std::string> asked_{};  ///< "name type", of this context
  bool is_good_ = true;            ///< all answers so far came as they should
};

/// The addresses of a host: IPv6 ones first. An address literal, in brackets or not, stands for itself; "localhost" and names
/// below it are loopback without asking anybody (RFC 6761 6.3).
///
/// @errors NotFound: no such name, or no addresses; else those of Lookup::ask. One family's failure is passed over when the other
///         has addresses.
Result<std::vector<IpAddress>> addresses_of(const std::string& host, const Resolver& resolver, Deadline deadline);

/// "TXT", "CAA", …
std::string_view to_text(Type type);

}  // namespace chancery::dns
