#include "clients/cli/report.h"

#include <algorithm>
#include <map>
#include <ostream>

#include "clients/lib/rows.h"
#include "server/base/text.h"

namespace chancery::cli {
namespace {

constexpr std::array<std::string_view, 7> kColumns{"serial",    "profile",   "subject", "requester",
                                                   "issued_at", "not_after", "state"};
constexpr std::array<std::string_view, 4> kStates{"valid", "revoked", "held", "expired"};
constexpr std::int64_t kRowsOfPage = 1000;

/// Rows under names, written as they come.
class Sheet {
 public:
  Sheet(std::ostream& out, bool json, std::vector<std::string> columns) : out_(out), json_(json), columns_(std::move(columns)) {
    out_ << (json_ ? "[" : csv_line(columns_));
  }
  void add(const std::vector<Json>& cells) {
    if (!json_) {
      std::vector<std::string> texts;
      for (const auto& cell : cells) texts.push_back(cell.is_string() ? *cell.as_string() : wire::to_text(cell));
      out_ << csv_line(texts);
      return;
    }
    auto row = Json::object();
    for (std::size_t i = 0; i < columns_.size(); ++i) row.set(columns_[i], cells[i]);
    out_ << (has_rows_ ? ",\n " : "\n ") << wire::to_text(row);
    has_rows_ = true;
  }
  Status finish() {
    if (json_) out_ << "\n]\n";
    out_.flush();
    return out_ ? Status() : Error(Code::Io, "standard output refuses the report");
  }

 private:
  std::ostream& out_;
  bool json_;
  std::vector<std::string> columns_;
  bool has_rows_ = false;
};

std::vector<Json> cells_of(const Json& row) {
  std::vector<Json> cells;
  for (const auto column : kColumns) cells.emplace_back(row.text(column));
  return cells;
}

Json search_since(const ReportOrder& order, Seconds now) {
  auto params = Json::object({{"limit", kRowsOfPage}, {"issued_after", base::to_rfc3339(now - std::chrono::days(order.days))}});
  if (!order.profile.empty()) params.set("profile", order.profile);
  return params;
}

Status write_issued(client::Client& client, const ReportOrder& order, Seconds now, std::ostream& out) {
  Sheet sheet(out, order.format == "json", {kColumns.begin(), kColumns.end()});
  client::Rows rows(client, "certificate.search", search_since(order, now), "certificates");
  for (const auto& row : rows) sheet.add(cells_of(row));
  PKI_TRY_VOID(rows.status());
  return sheet.finish();
}

Status write_expiring(client::Client& client, const ReportOrder& order, Seconds now, std::ostream& out) {
  auto params = Json::object({{"limit", kRowsOfPage},
                              {"state", "valid"},
                              {"expires_after", base::to_rfc3339(now)},
                              {"expires_before", base::to_rfc3339(now + std::chrono::days(order.days))}});
  if (!order.profile.empty()) params.set("profile", order.profile);
  client::Rows rows(client, "certificate.search", std::move(params), "certificates");
  std::vector<std::vector<Json>> found;
  for (const auto& row : rows) found.push_back(cells_of(row));
  PKI_TRY_VOID(rows.status());
  // RFC 3339 UTC texts compare as the times do.
  constexpr std::size_t kEnd = 5;
  static_assert(kColumns[kEnd] == "not_after");
  std::ranges::sort(found, [](const auto& one, const auto& other) { return *one[kEnd].as_string() < *other[kEnd].as_string(); });
  Sheet sheet(out, order.format == "json", {kColumns.begin(), kColumns.end()});
  for (const auto& cells : found) sheet.add(cells);
  return sheet.finish();
}

Status write_counts(client::Client& client, const ReportOrder& order, Seconds now, std::ostream& out) {
  const std::string by = order.kind == "by-profile" ? "profile" : "requester";
  std::map<std::string, std::map<std::string, std::int64_t>> counts;
  client::Rows rows(client, "certificate.search", search_since(order, now), "certificates");
  for (const auto& row : rows) ++counts[row.text(by)][row.text("state")];
  PKI_TRY_VOID(rows.status());
  std::vector<std::string> columns{by, "issued"};
  for (const auto state : kStates) columns.emplace_back(state);
  Sheet sheet(out, order.format == "json", std::move(columns));
  for (auto& [what, by_state] : counts) {
    std::int64_t all = 0;
    for (const auto& [state, count] : by_state) all += count;
    std::vector<Json> cells{what, all};
    for (const auto state : kStates) cells.emplace_back(by_state[std::string(state)]);
    sheet.add(cells);
  }
  return sheet.finish();
}

}  // namespace

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const auto& cell : cells) {
    const bool looks_like_formula = !cell.empty() && std::string_view("=+-@\t\r").find(cell.front()) != std::string_view::npos;
    std::string text = looks_like_formula ? "'" + cell : cell;
    if (text.find_first_of("\",\r\n") != std::string::npos) {
      std::string quoted = "\"";
      for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
      text = quoted + "\"";
    }
    line += (line.empty() && &cell == cells.data() ? "" : ",") + text;
  }
  return line + "\r\n";
}

Status write_report(client::Client& client, const ReportOrder& order, Seconds now, std::ostream& out) {
  if (order.format != "csv" && order.format != "json")
    return Error(Code::InvalidParams, "--format: found \"" + base::printable(order.format, 40) + "\", expected csv or json");
  if (order.days < 1 || order.days > 36500)
    return Error(Code::InvalidParams, "--days: found " + std::to_string(order.days) + ", expected 1 to 36500");
  if (order.kind == "issued") return write_issued(client, order, now, out);
  if (order.kind == "expiring") return write_expiring(client, order, now, out);
  return write_counts(client, order, now, out);
}

}  // namespace chancery::cli
