#include "clients/api/errors.h"

#include <algorithm>
#include <array>

#include "server/base/rate_limit.h"
#include "server/wire/json.h"

namespace chancery::api {
namespace {

constexpr std::string_view kAuth = "AUTH_ERROR";
constexpr std::string_view kAuthz = "AUTHZ_ERROR";
constexpr std::string_view kCa = "CA_ERROR";
constexpr std::string_view kInternal = "INTERNAL_ERROR";
constexpr std::string_view kNotFound = "NOT_FOUND";
constexpr std::string_view kValidation = "VALIDATION_ERROR";

constexpr int kServerFault = 500;
constexpr int kTooMany = 429;  ///< RFC 6585 4
constexpr std::chrono::seconds kUsualWait{2};

/// Codes that are not listed are INTERNAL_ERROR, 500, and their message stays in the log.
struct CodeRow {
  Code code;
  std::string_view word;
  int status;
};
constexpr std::array kCodes{
    CodeRow{Code::AuthFailed, kAuth, 401},
    CodeRow{Code::BadKey, kValidation, 400},
    CodeRow{Code::BadProof, kValidation, 400},
    CodeRow{Code::Busy, kCa, 503},
    CodeRow{Code::Closed, kCa, 503},
    CodeRow{Code::Conflict, kValidation, 409},
    CodeRow{Code::Denied, kAuthz, 403},
    CodeRow{Code::Exists, kValidation, 409},
    CodeRow{Code::InvalidParams, kValidation, 400},
    CodeRow{Code::LintFailed, kValidation, 400},
    CodeRow{Code::Malformed, kValidation, 400},
    CodeRow{Code::NotFound, kNotFound, 404},
    CodeRow{Code::PolicyRefused, kValidation, 400},
    CodeRow{Code::Timeout, kCa, 503},
    CodeRow{Code::TooLarge, kValidation, 400},
    CodeRow{Code::Unavailable, kCa, 503},
    CodeRow{Code::Unsupported, kValidation, 400},
};

/// Statuses of the router; the others are VALIDATION_ERROR below 500 and INTERNAL_ERROR above.
struct StatusRow {
  int status;
  std::string_view word;
};
constexpr std::array kStatuses{StatusRow{401, kAuth}, StatusRow{403, kAuthz}, StatusRow{404, kNotFound}, StatusRow{503, kCa}};

http::Response respond(int status, std::string_view word, std::string_view message) {
  const auto document = Json::object({{"status", "error"}, {"message", message}, {"code", word}});
  auto response = http::content(status, "application/json", wire::to_text(document) + "\n");
  response.kind = word;
  response.reason = message;
  // RFC 9110 11.6.1 wants a challenge; no registered scheme stands for a certificate.
  if (status == 401) response.add("WWW-Authenticate", "ClientCertificate");
  return response;
}

std::string message_of(const Error& error) { return error.message() + (error.hint().empty() ? "" : " (" + error.hint() + ")"); }

}  // namespace

std::vector<std::string_view> error_words() { return {kAuth, kAuthz, kCa, kInternal, kNotFound, kValidation}; }

http::Response error_response(const Error& error) {
  const auto row = std::ranges::find(kCodes, error.code(), &CodeRow::code);
  const bool is_limited = error.message().starts_with(base::kRateLimited);
  auto response = row == kCodes.end() ? respond(kServerFault, kInternal, "the server failed; its log has the details")
                                      : respond(is_limited ? kTooMany : row->status, row->word, message_of(error));
  if (response.status == 503 || response.status == kTooMany)
    response.add("Retry-After", std::to_string(base::wait_in(error.hint()).value_or(kUsualWait).count()));
  response.reason = base::to_line(error);
  return response;
}

http::Response error_response(int status, std::string_view message) {
  const auto row = std::ranges::find(kStatuses, status, &StatusRow::status);
  const auto other = status < kServerFault ? kValidation : kInternal;
  return respond(status, row == kStatuses.end() ? other : row->word, message);
}

}  // namespace chancery::api
