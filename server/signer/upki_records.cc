#include "server/signer/upki_records.h"

#include <algorithm>
#include <array>

#include "server/base/calendar.h"
#include "server/base/text.h"
#include "server/signer/foreign_fields.h"
#include "server/x509/name.h"
#include "server/x509/reasons.h"

namespace chancery::signer {
namespace {

bool truth_of(const Json* value) {
  if (value == nullptr) return false;
  if (const auto* truth = value->as_bool()) return *truth;
  return base::to_lower_ascii(text_of(value)) == "true" || text_of(value) == "1";
}

/// Newer: a JSON integer. Older: octets in hex, parted by colons.
std::optional<Serial> serial_of(const Json* value) {
  const auto text = text_of(value);
  const bool is_decimal = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  auto hex = std::string_view(text);
  if (hex.starts_with("0x")) hex.remove_prefix(2);
  const auto serial = is_decimal ? Serial::from_decimal(text) : Serial::from_hex(hex);
  return serial.ok() ? std::optional(*serial) : std::nullopt;
}

/// Python's isoformat with or without an offset, the older 20261120195945Z, or seconds.
std::optional<Seconds> time_of(const Json* value) {
  if (value == nullptr) return std::nullopt;
  if (const auto* seconds = value->as_integer(); seconds != nullptr && *seconds < 10'000'000'000) {
    if (const auto time = base::time_from_epoch(*seconds); time.ok()) return *time;
  }
  auto text = text_of(value);
  constexpr std::size_t kCompact = 15;
  if (text.size() == kCompact && text.ends_with('Z')) {
    text = text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2) + "T" + text.substr(8, 2) + ":" +
           text.substr(10, 2) + ":" + text.substr(12);
  }
  for (const auto* suffix : {"", "Z"}) {
    if (const auto time = base::from_rfc3339(text + suffix); time.ok()) return *time;
  }
  return std::nullopt;
}

std::string reason_of(const Json* value) {
  const auto text = text_of(value);
  const auto number = x509::reason_from_name(text);
  return number.ok() ? std::string(x509::reason_name(*number)) : "";
}

std::string dn_of(const std::string& text) {
  const auto name = x509::Name::parse_any(text);
  return name.ok() ? name->to_slash() : text;
}

UpkiRecord record_of(const Json& record) {
  UpkiRecord out{.serial = serial_of(field(record, {"revoke_serial", "serial", "serial_number"})),
                 .dn = text_of(field(record, {"dn"})),
                 .cn = text_of(field(record, {"cn"})),
                 .profile = base::to_lower_ascii(text_of(field(record, {"profile"}))),
                 .state = base::to_lower_ascii(text_of(field(record, {"state", "status"}))),
                 .revoked_at = time_of(field(record, {"revoke_date", "delete_date"})),
                 .reason = reason_of(field(record, {"revoke_reason", "reason"}))};
  if (!out.dn.empty()) out.dn = dn_of(out.dn);
  const bool is_deleted = truth_of(field(record, {"deleted"})) || out.state == "deleted";
  out.revoked = is_deleted || truth_of(field(record, {"revoked"})) || out.state == "revoked";
  if (is_deleted && out.reason.empty()) out.reason = "cessationOfOperation";
  return out;
}

/// Records by their id; what is none among them is passed over.
bool is_table(const Json& value) {
  return value.is_object() && (value.as_object()->empty() || std::ranges::any_of(*value.as_object(), [](const Json::Member& one) {
                                 return one.second.is_object();
                               }));
}

void add_all(const Json& value, std::vector<UpkiRecord>& out) {
  if (const auto* items = value.as_array()) {
    for (const auto& item : *items) {
      if (item.is_object()) out.push_back(record_of(item));
    }
  } else if (is_table(value)) {
    for (const auto& [id, record] : *value.as_object()) {
      if (record.is_object()) out.push_back(record_of(record));
    }
  }
}

}  // namespace

std::vector<UpkiRecord> upki_records(const Json& database) {
  std::vector<UpkiRecord> out;
  add_all(database.is_array() ? database : Json(), out);
  if (const auto* members = database.as_object()) {
    for (const auto& [name, value] : *members) {
      if (value.is_object() && !is_table(value)) {
        out.push_back(record_of(value));  // records by their id, without a table around them
      } else {
        add_all(value, out);
      }
    }
  }
  return out;
}

}  // namespace chancery::signer
