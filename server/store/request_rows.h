#pragma once

#include <string>
#include <vector>

#include "server/realm/request_history.h"

/// Requests that wait for approval, as plain values.
namespace chancery::store {

struct RequestRow {
  std::string id;  ///< random
  std::string kind;
  std::string state;
  std::string requester;
  std::string front_end{};  ///< through which; empty: none
  std::int64_t uid = realm::kNoUid;
  std::string profile{};
  std::string content{};  ///< realm::canonical_text
  std::string digest{};   ///< of that
  std::string wish{};     ///< what was asked for, JSON
  Seconds created_at{};
  Seconds expires_at{};
  std::string serial{};      ///< of the certificate that came of it; empty: none yet
  std::int64_t version = 0;  ///< the number of the latest entry of its history
};

/// Evidence that came with a request or a comment.
struct RequestFile {
  std::int64_t number = 0;  ///< of one request, from 0
  std::string name;
  std::string type;    ///< "application/pdf"
  std::string sha256;  ///< hex
  std::int64_t size = 0;
  Bytes octets{};  ///< of single files only; lists leave it empty
};

/// What becomes of a request: one entry of its history, what it makes of the row, and what came with it.
struct RequestStep {
  realm::HistoryEntry entry;
  std::vector<RequestFile> files{};
};

/// Empty members do not narrow.
struct RequestFilter {
  std::string state{};
  std::string requester{};
};

}  // namespace chancery::store
