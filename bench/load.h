#pragma once

#include <functional>
#include <string>

namespace bench {

/// Makes, in each process, what is then done again and again. Whatever goes wrong is thrown.
using Worker = std::function<std::function<void()>()>;

std::string content_of(const std::string& file);

/// `sign` and `generate` over uPKI's protocol (bench/zmq.cc), one request at a time. @param endpoint  "tcp://127.0.0.1:5000"
Worker zmq_signs(const std::string& endpoint, const std::string& csr_file);
Worker zmq_generates(const std::string& endpoint);

/// Issuances a second of a signer's journal alone (bench/audit.cc). @param directory  there, and empty
double journal_rate(const std::string& directory, bool with_audit, double seconds, int threads);

/// Microseconds that a decision takes of a realm with so many policy rules (bench/policy.cc). @param directory  is made
double policy_microseconds(const std::string& directory, int rules, bool by_name, double seconds);

}  // namespace bench
