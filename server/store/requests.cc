#include <array>
#include <limits>

#include "server/base/text.h"
#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Requests that wait for approval, their histories and attachments.
namespace chancery::store {
namespace {

constexpr std::size_t kMostEntries = 2000;  ///< of one history: comments are counted before they come here
constexpr std::size_t kMostFiles = 100;

Result<RequestRow> read_request(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  RequestRow request{.id = row.text("id"),
                     .kind = row.text("kind"),
                     .state = row.text("state"),
                     .requester = row.text("requester"),
                     .front_end = row.text("front_end"),
                     .uid = row.integer("uid"),
                     .profile = row.text("profile"),
                     .content = row.text("content"),
                     .digest = row.text("digest"),
                     .wish = row.text("wish"),
                     .created_at = row.time("created_at"),
                     .expires_at = row.time("expires_at"),
                     .serial = row.text("serial"),
                     .version = row.integer("version")};
  PKI_TRY_VOID(row.status());
  return request;
}

/// Rows that were asked for with one more than the page has: the last of them says only that there are more.
Result<Page<RequestRow>> page_of(const Outcome& outcome, std::size_t asked) {
  Page<RequestRow> page;
  for (std::size_t i = 0; i < outcome.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto request, read_request(outcome, i));
    page.items.push_back(std::move(request));
  }
  if (outcome.rows.size() == asked)
    page.next = to_text(PageKey{base::to_epoch(page.items.back().created_at), page.items.back().id});
  return page;
}

Result<realm::HistoryEntry> read_entry(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  realm::HistoryEntry entry{.number = row.integer("number"),
                            .at = row.time("at"),
                            .what = row.text("what"),
                            .state = row.text("state"),
                            .who = row.text("who"),
                            .uid = row.integer("uid"),
                            .roles = row.text("roles"),
                            .why = row.text("why"),
                            .digest = row.text("digest"),
                            .files = row.lines("files"),
                            .certificate = row.bytes("certificate"),
                            .signature = row.bytes("signature"),
                            .chain = row.text("chain")};
  PKI_TRY_VOID(row.status());
  return entry;
}

Result<RequestFile> read_file(const Outcome& outcome, std::size_t index, bool whole) {
  Row row(outcome, index);
  RequestFile file{.number = row.integer("number"),
                   .name = row.text("name"),
                   .type = row.text("type"),
                   .sha256 = row.text("sha256"),
                   .size = row.integer("size"),
                   .octets = whole ? row.bytes("octets") : Bytes()};
  PKI_TRY_VOID(row.status());
  return file;
}

Error no_request(const std::string& id) { return {Code::NotFound, "no request " + base::printable(id, 64)}; }

struct Way {
  bool by_requester;
  bool by_state;
  std::string_view statement;
};
constexpr std::array kWays{Way{false, false, "request_page_all"}, Way{false, true, "request_page_state"},
                           Way{true, false, "request_page_requester"}, Way{true, true, "request_page_requester_and_state"}};

}  // namespace

Status Store::insert_request_step(const std::string& id, const RequestStep& step) {
  const auto& entry = step.entry;
  PKI_TRY([[maybe_unused]] const auto written, run("request_history_insert", {{"request", id},
                                                                              {"number", entry.number},
                                                                              {"at", entry.at},
                                                                              {"what", entry.what},
                                                                              {"state", entry.state},
                                                                              {"who", entry.who},
                                                                              {"uid", entry.uid},
                                                                              {"roles", entry.roles},
                                                                              {"why", entry.why},
                                                                              {"digest", entry.digest},
                                                                              {"files", to_lines(entry.files)},
                                                                              {"certificate", entry.certificate},
                                                                              {"signature", entry.signature},
                                                                              {"chain", entry.chain}}));
  for (const auto& file : step.files) {
    PKI_TRY([[maybe_unused]] const auto added, run("request_file_insert", {{"request", id},
                                                                           {"number", file.number},
                                                                           {"name", file.name},
                                                                           {"type", file.type},
                                                                           {"sha256", file.sha256},
                                                                           {"size", file.size},
                                                                           {"octets", file.octets}}));
  }
  return {};
}

Status Store::check_open_requests(const std::string& requester, std::size_t most) {
  std::size_t open = 0;
  for (const auto state : {realm::RequestState::Pending, realm::RequestState::Approved}) {
    PKI_TRY(const auto found,
            run("request_open", {{"requester", requester}, {"state", realm::to_text(state)}, {"limit", number(most)}}));
    open += found.rows.size();
  }
  if (open < most) return {};
  return Error(Code::PolicyRefused,
               requester + " has " + std::to_string(open) + " open requests, expected fewer than " + std::to_string(most),
               "withdraw some, or wait until they are decided");
}

Status Store::add_request(const RequestRow& request, const std::vector<RequestStep>& steps, std::size_t most_open) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY_VOID(check_open_requests(request.requester, most_open));
    PKI_TRY([[maybe_unused]] const auto added, run("request_insert", {{"id", request.id},
                                                                      {"kind", request.kind},
                                                                      {"state", request.state},
                                                                      {"requester", request.requester},
                                                                      {"front_end", request.front_end},
                                                                      {"uid", request.uid},
                                                                      {"profile", request.profile},
                                                                      {"content", request.content},
                                                                      {"digest", request.digest},
                                                                      {"wish", request.wish},
                                                                      {"created_at", request.created_at},
                                                                      {"expires_at", request.expires_at},
                                                                      {"serial", request.serial},
                                                                      {"version", request.version}}));
    for (const auto& step : steps) PKI_TRY_VOID(insert_request_step(request.id, step));
    return {};
  });
}

Result<RequestRow> Store::request(const std::string& id) {
  PKI_TRY(const auto out, run("request_get", {{"id", id}}));
  if (out.rows.empty()) return no_request(id);
  return read_request(out, 0);
}

Result<std::vector<realm::HistoryEntry>> Store::request_history(const std::string& id) {
  PKI_TRY(const auto out, run("request_history_get", {{"request", id}, {"limit", number(kMostEntries)}}));
  std::vector<realm::HistoryEntry> history;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    PKI_TRY(auto entry, read_entry(out, i));
    history.push_back(std::move(entry));
  }
  return history;
}

Status Store::advance_request(RequestRow& request, const RequestStep& step) {
  PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto changed, run("request_advance", {{"id", request.id},
                                                        {"version", request.version},
                                                        {"state", step.entry.state},
                                                        {"content", request.content},
                                                        {"digest", request.digest},
                                                        {"serial", request.serial}}));
    if (changed.changed != 1) return Error(Code::Conflict, "the request changed meanwhile", "read it again and decide anew");
    return insert_request_step(request.id, step);
  }));
  request.state = step.entry.state;
  ++request.version;
  return {};
}

Result<Page<RequestRow>> Store::requests(const RequestFilter& filter, std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PageKey key{std::numeric_limits<std::int64_t>::max(), {}};
  if (!after.empty()) {
    PKI_TRY(key, parse_page_key(after));
  }
  const Way wanted{!filter.requester.empty(), !filter.state.empty(), {}};
  const auto& way = kWays.at((wanted.by_requester ? 2U : 0U) + (wanted.by_state ? 1U : 0U));
  std::vector<Bind> binds{{"key_created_at", key.number}, {"key_id", key.text}, {"limit", number(asked)}};
  if (way.by_requester) binds.emplace_back("requester", filter.requester);
  if (way.by_state) binds.emplace_back("state", filter.state);
  PKI_TRY(const auto out, run_all(way.statement, binds));
  return page_of(out, asked);
}

Result<std::vector<std::string>> Store::ended_requests(Seconds now, std::size_t limit) {
  std::vector<std::string> ids;
  for (const auto state : {realm::RequestState::Pending, realm::RequestState::Approved}) {
    PKI_TRY(const auto out, run("request_ended", {{"state", realm::to_text(state)}, {"now", now}, {"limit", number(limit)}}));
    for (std::size_t i = 0; i < out.rows.size(); ++i) ids.push_back(Row(out, i).text("id"));
  }
  return ids;
}

Result<Page<RequestRow>> Store::requests_by_age(realm::RequestState state, Seconds made_before, std::size_t limit,
                                                const std::string& after) {
  const auto asked = bounded_limit(limit);
  PageKey key{std::numeric_limits<std::int64_t>::min(), {}};
  if (!after.empty()) {
    PKI_TRY(key, parse_page_key(after));
  }
  PKI_TRY(const auto out, run("request_page_age", {{"state", realm::to_text(state)},
                                                   {"until", made_before},
                                                   {"key_created_at", key.number},
                                                   {"key_id", key.text},
                                                   {"limit", number(asked)}}));
  return page_of(out, asked);
}

Result<std::vector<std::string>> Store::finished_requests(Seconds over_before, std::size_t limit) {
  using State = realm::RequestState;
  std::vector<std::string> ids;
  for (const auto state : {State::Issued, State::Done, State::Rejected, State::Withdrawn, State::Expired, State::Failed}) {
    PKI_TRY(const auto out,
            run("request_ended", {{"state", realm::to_text(state)}, {"now", over_before}, {"limit", number(limit)}}));
    for (std::size_t i = 0; i < out.rows.size(); ++i) ids.push_back(Row(out, i).text("id"));
  }
  return ids;
}

Status Store::purge_request(const RequestRow& request) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto gone, run("request_delete", {{"id", request.id}, {"version", request.version}}));
    if (gone.changed != 1) return Error(Code::Conflict, "the request changed meanwhile");
    PKI_TRY([[maybe_unused]] const auto entries, run("request_history_delete", {{"request", request.id}}));
    PKI_TRY([[maybe_unused]] const auto files, run("request_file_delete", {{"request", request.id}}));
    return {};
  });
}

Result<std::vector<RequestFile>> Store::request_files(const std::string& id) {
  PKI_TRY(const auto out, run("request_file_list", {{"request", id}, {"limit", number(kMostFiles)}}));
  std::vector<RequestFile> files;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    PKI_TRY(auto file, read_file(out, i, false));
    files.push_back(std::move(file));
  }
  return files;
}

Result<RequestFile> Store::request_file(const std::string& id, std::int64_t file) {
  PKI_TRY(const auto out, run("request_file_get", {{"request", id}, {"number", file}}));
  if (out.rows.empty())
    return Error(Code::NotFound, "request " + base::printable(id, 64) + " has no attachment " + std::to_string(file));
  return read_file(out, 0, true);
}

}  // namespace chancery::store
