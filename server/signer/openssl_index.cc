#include "server/signer/openssl_index.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "server/base/text.h"
#include "server/x509/name.h"
#include "server/x509/reasons.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxLines = 5'000'000;
constexpr std::size_t kMaxToldLines = 10;
constexpr std::size_t kMaxLineBytes = 65536;
constexpr std::size_t kMaxSubject = 1024;
constexpr std::size_t kColumns = 6;

/// What `openssl ca` writes that is no name of a CRLReason: its own words for a reason with something behind it.
struct OwnReason {
  std::string_view word;
  std::string_view reason;
};
constexpr std::array kOwnReasons{
    OwnReason{"holdinstruction", "certificateHold"},
    OwnReason{"keytime", "keyCompromise"},
    OwnReason{"cakeytime", "cACompromise"},
};

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

int number(std::string_view digits) {
  int out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

/// UTCTime or GeneralizedTime as certificates have them (RFC 5280 4.1.2.5): seconds, and Z.
Result<Seconds> time_of(std::string_view text) {
  constexpr std::size_t kShort = 12;
  constexpr std::size_t kLong = 14;
  const auto said = "found the date \"" + base::printable(text, 40) + "\", expected YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ";
  const auto digits = text.ends_with('Z') ? text.substr(0, text.size() - 1) : std::string_view();
  if (!is_digits(digits) || (digits.size() != kShort && digits.size() != kLong)) return Error(Code::Malformed, said);
  constexpr int kPivot = 50;  // UTCTime's 49 is 2049, and its 50 is 1950 (4.1.2.5.1)
  const bool is_short = digits.size() == kShort;
  const int two = number(digits.substr(0, 2));
  const int year = is_short ? (two < kPivot ? 2000 + two : 1900 + two) : number(digits.substr(0, 4));
  const auto rest = digits.substr(is_short ? 2 : 4);
  const std::chrono::year_month_day day{std::chrono::year{year},
                                        std::chrono::month(static_cast<unsigned>(number(rest.substr(0, 2)))),
                                        std::chrono::day(static_cast<unsigned>(number(rest.substr(2, 2))))};
  const int hours = number(rest.substr(4, 2));
  const int minutes = number(rest.substr(6, 2));
  const int seconds = number(rest.substr(8, 2));
  if (!day.ok() || hours > 23 || minutes > 59 || seconds > 59) return Error(Code::Malformed, said);
  return Seconds{std::chrono::sys_days{day} + std::chrono::hours{hours} + std::chrono::minutes{minutes} +
                 std::chrono::seconds{seconds}};
}

/// A backslash keeps a tab in its column.
std::vector<std::string> columns_of(std::string_view line) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool keeps = line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '\t';
    if (keeps) {
      out.back() += line[++i];
    } else if (line[i] == '\t') {
      out.emplace_back();
    } else {
      out.back() += line[i];
    }
  }
  return out;
}

std::string reason_of(std::string_view word) {
  const auto folded = base::to_lower_ascii(word);
  const auto own = std::ranges::find(kOwnReasons, folded, &OwnReason::word);
  if (own != kOwnReasons.end()) return std::string(own->reason);
  const auto known = x509::reason_from_name(word);
  return known.ok() ? std::string(x509::reason_name(*known)) : "";
}

Status add_revocation(const std::string& column, IndexRow& row) {
  if (row.state != 'R' && column.empty()) return {};
  if (row.state != 'R')
    return Error(Code::Malformed, "found a date of revocation in state " + std::string(1, row.state) + ", expected state R");
  const auto comma = column.find(',');
  PKI_TRY(row.revoked_at, time_of(column.substr(0, comma)));
  if (comma == std::string::npos) {
    row.reason = "unspecified";
    return {};
  }
  const auto words = column.substr(comma + 1);
  const auto second = words.find(',');
  row.reason = reason_of(words.substr(0, second));
  row.extra = base::printable(second == std::string::npos ? std::string_view() : std::string_view(words).substr(second + 1), 64);
  if (row.reason.empty()) row.extra = base::printable(words, 64);
  return {};
}

void add_subject(const std::string& column, IndexRow& row) {
  const auto name = x509::Name::parse_any(column);
  row.subject = name.ok() ? name->to_slash() : base::printable(column, kMaxSubject);
  if (name.ok()) row.cn = name->common_name().value_or("");
}

Status add_serial(const std::string& column, IndexRow& row) {
  const auto magnitude = std::string_view(column).substr(column.starts_with('-') ? 1 : 0);
  if (!is_hex(magnitude))
    return Error(Code::Malformed, "found the serial \"" + base::printable(column, 64) + "\", expected hexadecimal digits");
  row.serial_text = column;
  const auto from = std::min(magnitude.find_first_not_of('0'), magnitude.size());
  const auto serial = Serial::from_hex(magnitude.substr(from));
  if (serial.ok() && !column.starts_with('-')) row.serial = *serial;
  return {};
}

Result<IndexRow> parse_line(std::string_view line) {
  if (line.size() > kMaxLineBytes)
    return Error(Code::Malformed, "found " + std::to_string(line.size()) + " octets, expected 64 KiB at most");
  if (line.find('\0') != std::string_view::npos) return Error(Code::Malformed, "found a NUL, expected text");
  const auto columns = columns_of(line);
  if (columns.size() != kColumns)
    return Error(Code::Malformed, "found " + std::to_string(columns.size()) + " columns, expected 6 that are parted by tabs");
  IndexRow row;
  if (columns[0].size() != 1 || std::string_view("VRE").find(columns[0][0]) == std::string_view::npos)
    return Error(Code::Malformed, "found the state \"" + base::printable(columns[0], 16) + "\", expected V, R or E");
  row.state = columns[0][0];
  PKI_TRY(row.not_after, time_of(columns[1]));
  PKI_TRY_VOID(add_revocation(columns[2], row));
  PKI_TRY_VOID(add_serial(columns[3], row));
  add_subject(columns[5], row);
  return row;
}

}  // namespace

Result<std::vector<IndexRow>> parse_index(std::string_view text) {
  std::vector<IndexRow> rows;
  std::string wrong;
  std::size_t number = 0;
  std::size_t told = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++number > kMaxLines) return Error(Code::TooLarge, "found more than " + std::to_string(kMaxLines) + " lines");
    if (line.empty() || line.starts_with('#')) continue;  // as OpenSSL does
    auto row = parse_line(line);
    if (row.ok()) {
      row->line = number;
      rows.push_back(std::move(*row));
    } else if (told++ < kMaxToldLines) {
      wrong += (wrong.empty() ? "line " : "; line ") + std::to_string(number) + ": " + row.error().message();
    }
  }
  if (told == 0) return rows;
  return Error(Code::Malformed, wrong, "a line that cannot be read may be a revocation: correct it in a copy of the directory");
}

Result<std::string> parse_counter(std::string_view text) {
  const auto digits = base::trim(text.substr(0, text.find('\n')));
  constexpr std::size_t kMaxDigits = 64;
  if (!is_hex(digits) || digits.size() > kMaxDigits)
    return Error(Code::Malformed, "found \"" + base::printable(text, 40) + "\", expected a hexadecimal number");
  const auto from = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return base::to_lower_ascii(digits.substr(from));
}

}  // namespace chancery::signer
