#include "server/store/notices.h"

#include <limits>

#include "server/store/certificate_rows.h"
#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Notices that certificates end. A claim is compare-and-set on the row's token and turn, so that of several senders one has it;
/// it lasts until the turn that it sets, after which it may be claimed again.
namespace chancery::store {
namespace {

Result<Notice> read_notice(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  Notice notice{.id = row.text("id"),
                .ca = row.text("ca"),
                .serial = row.text("serial"),
                .ahead = row.integer("ahead"),
                .channel = row.text("channel"),
                .recipient = row.text("recipient"),
                .not_after = row.time("not_after"),
                .state = row.text("state"),
                .turn = row.time("turn"),
                .token = row.text("token"),
                .attempts = row.integer("attempts"),
                .problem = row.text("problem")};
  PKI_TRY_VOID(row.status());
  return notice;
}

Result<std::vector<Notice>> read_notices(const Outcome& out) {
  std::vector<Notice> notices;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    PKI_TRY(auto notice, read_notice(out, i));
    notices.push_back(std::move(notice));
  }
  return notices;
}

}  // namespace

Result<Page<CertificateRecord>> Store::certificates_ending(Seconds until, std::size_t limit, const std::string& after) {
  PKI_TRY(const auto key, parse_page_key(after));
  const auto asked = bounded_limit(limit);
  PKI_TRY(const auto out,
          run("notice_certificates",
              {{"until", until}, {"key_not_after", key.number}, {"key_serial", key.text}, {"limit", number(asked)}}));
  Page<CertificateRecord> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto record, read_certificate(out, i));
    page.items.push_back(std::move(record));
  }
  if (out.rows.size() == asked)
    page.next = to_text({base::to_epoch(page.items.back().not_after), page.items.back().serial.hex()});
  return page;
}

Status Store::add_notices(const std::vector<Notice>& notices) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    for (const auto& one : notices) {
      PKI_TRY([[maybe_unused]] const auto added, run("notice_insert", {{"id", one.id},
                                                                       {"ca", one.ca},
                                                                       {"serial", one.serial},
                                                                       {"ahead", one.ahead},
                                                                       {"channel", one.channel},
                                                                       {"recipient", one.recipient},
                                                                       {"not_after", one.not_after},
                                                                       {"state", kNoticeWaiting},
                                                                       {"turn", one.turn}}));
    }
    return {};
  });
}

Result<std::vector<Notice>> Store::due_notices(Seconds now, std::size_t limit) {
  PKI_TRY(const auto out, run("notice_due", {{"state", kNoticeWaiting}, {"now", now}, {"limit", number(limit)}}));
  return read_notices(out);
}

Result<std::optional<Notice>> Store::notice(const std::string& id) {
  PKI_TRY(const auto out, run("notice_get", {{"id", id}}));
  if (out.rows.empty()) return std::optional<Notice>();
  PKI_TRY(auto notice, read_notice(out, 0));
  return std::optional(std::move(notice));
}

Result<Page<Notice>> Store::notices(std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PageKey key{std::numeric_limits<std::int64_t>::min(), {}};
  if (!after.empty()) {
    PKI_TRY(key, parse_page_key(after));
  }
  PKI_TRY(const auto out, run("notice_page", {{"key_not_after", key.number}, {"key_id", key.text}, {"limit", number(asked)}}));
  Page<Notice> page;
  PKI_TRY(page.items, read_notices(out));
  if (page.items.size() < asked) return page;
  page.items.pop_back();
  page.next = to_text({base::to_epoch(page.items.back().not_after), page.items.back().id});
  return page;
}

Result<bool> Store::claim_notice(const Notice& seen, const std::string& token, Seconds until) {
  bool claimed = false;
  PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto changed, run("notice_claim", {{"id", seen.id},
                                                     {"state", kNoticeWaiting},
                                                     {"old_token", seen.token},
                                                     {"old_turn", seen.turn},
                                                     {"token", token},
                                                     {"until", until}}));
    claimed = changed.changed == 1;
    return {};
  }));
  return claimed;
}

Result<bool> Store::finish_notice(const NoticeOutcome& outcome) {
  bool finished = false;
  PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto changed, run("notice_finish", {{"id", outcome.id},
                                                      {"state", kNoticeWaiting},
                                                      {"token", outcome.token},
                                                      {"new_state", outcome.state},
                                                      {"turn", outcome.turn},
                                                      {"problem", outcome.problem}}));
    finished = changed.changed == 1;
    return {};
  }));
  return finished;
}

Status Store::purge_notices(Seconds ended_before, std::size_t limit) {
  PKI_TRY(const auto ended, run("notice_ended", {{"before", ended_before}, {"limit", number(limit)}}));
  if (ended.rows.empty()) return {};
  return transact(*driver_, Access::Write, [&]() -> Status {
    for (std::size_t i = 0; i < ended.rows.size(); ++i) {
      PKI_TRY([[maybe_unused]] const auto gone, run("notice_delete", {{"id", Row(ended, i).text("id")}}));
    }
    return {};
  });
}

}  // namespace chancery::store
