#include "clients/cli/order_watch.h"

#include <algorithm>
#include <utility>

namespace chancery::cli {
namespace {

constexpr int kRowsAPage = 100;
constexpr int kMostPages = 10;  ///< whoever makes more orders than that in a second is not watched line by line

bool is_open(const std::string& status) { return status == "pending" || status == "ready" || status == "processing"; }

/// "the order is invalid: …", from what acme.show says.
std::string verdict(const Json& shown) {
  auto text = "the order is " + shown.text("status");
  const Json* error = shown.find("error");
  if (error != nullptr && !error->text("detail").empty()) text += ": " + error->text("detail");
  return text;
}

Json line_of(const Json& row, const std::string& at, const std::string& what) {
  return Json::object({{"at", at}, {"order", row.text("id")}, {"account", row.text("account")}, {"what", what}});
}

}  // namespace

/// Nothing has happened to it since, and nothing will.
bool OrderWatch::is_settled(const Json& row) const {
  const auto known = seen_.find(row.text("id"));
  return known != seen_.end() && known->second.status == row.text("status") && !is_open(known->second.status);
}

/// Newest first, down to a page on which all is settled.
Result<std::vector<Json>> OrderWatch::newest() {
  std::vector<Json> rows;
  auto params = Json::object({{"limit", kRowsAPage}});
  for (int page = 0; page < kMostPages; ++page) {
    PKI_TRY(const auto answer, call_("acme.orders", params));
    const Json* orders = answer.find("orders");
    if (orders == nullptr || orders->as_array() == nullptr) return Error(Code::Malformed, "acme.orders gave no orders");
    const auto& found = *orders->as_array();
    rows.insert(rows.end(), found.begin(), found.end());
    const bool is_old = std::ranges::all_of(found, [&](const Json& row) { return is_settled(row); });
    if (answer.text("next").empty() || is_old || !has_looked_) return rows;
    params.set("after", answer.text("next"));
  }
  return rows;
}

/// The lines of its story that are new, and what has become of it.
Status OrderWatch::follow(const Json& row, Orders& now, std::vector<Json>& happened) {
  const auto id = row.text("id");
  const auto known = seen_.find(id);
  if (is_settled(row) || (!has_looked_ && !is_open(row.text("status")))) {
    now[id] = known != seen_.end() ? known->second : Seen{row.text("status")};
    return {};
  }
  const auto shown = call_("acme.show", Json::object({{"order", id}}));
  if (!shown.ok()) return shown.error().code() == Code::NotFound ? Status() : shown.error();  // purged meanwhile
  const Json* story = shown->find("story");
  const Json::Array none;
  const auto& lines = story != nullptr && story->as_array() != nullptr ? *story->as_array() : none;
  const auto before = known != seen_.end() ? known->second : Seen{"pending"};
  now[id] = {shown->text("status"), lines.size()};
  if (!has_looked_) return {};
  for (auto i = before.lines; i < lines.size(); ++i) happened.push_back(line_of(row, lines[i].text("at"), lines[i].text("what")));
  if (shown->text("status") != before.status)
    happened.push_back(line_of(row, lines.empty() ? row.text("created_at") : lines.back().text("at"), verdict(*shown)));
  return {};
}

Result<std::vector<Json>> OrderWatch::look() {
  PKI_TRY(auto rows, newest());
  Orders now;
  std::vector<Json> happened;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) PKI_TRY_VOID(follow(*row, now, happened));
  seen_ = std::move(now);
  has_looked_ = true;
  return happened;
}

}  // namespace chancery::cli
