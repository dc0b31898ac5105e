#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "server/worker/session.h"

/// A realm's look at everything that it keeps (PROMISES C20, I16): each certificate of the store is read, linted and checked
/// against its CA's key and the journal, each one of the journal against the store, CRLs against what is revoked, files against
/// what they should be. It changes nothing.
namespace chancery::worker {

/// Something that is not as it should be.
struct AuditFinding {
  std::string part;   ///< which part of the audit found it
  std::string about;  ///< a serial, a CA, a file
  std::string fault;
};

/// Where the next step begins: in a part, at a place that the part understands.
struct AuditPlace {
  std::size_t part = 0;
  std::string cursor;

  bool operator==(const AuditPlace&) const = default;
};
/// "certificates:4f2a.ca". @errors InvalidParams: no place that a step gave.
Result<AuditPlace> audit_place_from(const std::string& text);
std::string to_text(const AuditPlace& place);
bool is_end(const AuditPlace& place);

/// One step's work and what it found.
class AuditStep {
 public:
  AuditStep(Session& session, store::Store& store, std::chrono::milliseconds limit)
      : session_(session), store_(store), end_(std::chrono::steady_clock::now() + limit) {}

  /// Where the certificates begin, when they begin: behind those that were looked at another time.
  void begin_certificates_behind(std::string cursor) { behind_ = std::move(cursor); }
  const std::string& certificates_behind() const { return behind_; }

  /// Looks on from there until the time is over, or as many certificates were looked at.
  /// @return where the next step begins. @errors what keeps it from looking: that is no finding.
  Result<AuditPlace> run(AuditPlace place, std::int64_t most_certificates);

  const std::vector<AuditFinding>& findings() const { return findings_; }
  std::int64_t certificates() const { return certificates_; }  ///< of the store that were looked at

  // For the parts.
  Session& session() { return session_; }
  store::Store& store() { return store_; }
  bool is_over() const;
  void found(std::string about, std::string fault);
  void count(std::size_t certificates) { certificates_ += static_cast<std::int64_t>(certificates); }

 private:
  Session& session_;
  store::Store& store_;
  std::chrono::steady_clock::time_point end_;
  std::int64_t most_certificates_ = 0;
  std::int64_t certificates_ = 0;
  std::string_view part_;
  std::string behind_;
  std::vector<AuditFinding> findings_;
};

/// A part looks from a cursor on. @return where it goes on; empty: it is at its end.
using AuditPart = Result<std::string>(AuditStep& step, const std::string& cursor);
AuditPart audit_realm_files;   ///< self_audit_realm.cc
AuditPart audit_crls;          ///< self_audit_crls.cc
AuditPart audit_journal;       ///< self_audit_journal.cc: each record of it against the store
AuditPart audit_states;        ///< self_audit_journal.cc
AuditPart audit_certificates;  ///< self_audit_certificates.cc

/// The nightly one, step by step, when it is due; of several servers with one store one does it.
/// @return what self_audit_status says, and `more`, whether a step is waiting.
Result<Json> run_self_audit_if_due(Session& session);
Result<Json> self_audit_status(Session& session);

/// When the last night began, and what it found.
Result<std::pair<std::int64_t, Json>> last_self_audit(store::Store& store);

/// The time of day, "03:10", as it was last. @pre it has that form
Seconds last_time_of_day(std::string_view at, Seconds now);

}  // namespace chancery::worker
