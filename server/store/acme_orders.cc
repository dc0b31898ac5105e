#include <array>
#include <limits>

#include "server/store/acme_grant.h"
#include "server/store/acme_rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Orders and the authorizations that they stand on.
namespace chancery::store {

Result<AcmeOrder> read_order(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  AcmeOrder order{.id = row.text("id"),
                  .account = row.text("account"),
                  .status = row.text("status"),
                  .identifiers = row.text("identifiers"),
                  .authorizations = row.lines("authorizations"),
                  .profile = row.text("profile"),
                  .not_before = row.optional_time("not_before"),
                  .not_after = row.optional_time("not_after"),
                  .expires = row.time("expires"),
                  .created_at = row.time("created_at"),
                  .error = row.text("error"),
                  .serial = row.text("serial"),
                  .csr = row.bytes("csr"),
                  .version = row.integer("version")};
  PKI_TRY_VOID(row.status());
  return order;
}

Result<AcmeAuthorization> read_authorization(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  AcmeAuthorization authorization{.id = row.text("id"),
                                  .account = row.text("account"),
                                  .type = row.text("type"),
                                  .value = row.text("value"),
                                  .wildcard = row.boolean("wildcard"),
                                  .status = row.text("status"),
                                  .expires = row.time("expires"),
                                  .created_at = row.time("created_at"),
                                  .challenges = row.text("challenges"),
                                  .version = row.integer("version")};
  PKI_TRY_VOID(row.status());
  return authorization;
}

// ----- orders

Status Store::add_acme_order(const AcmeOrder& order, std::span<const AcmeAuthorization> authorizations,
                             const Allowance& allowed) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    if (allowed) PKI_TRY_VOID(allowed());
    PKI_TRY(const auto inserted, run("acme_order_insert", {{"id", order.id},
                                                           {"account", order.account},
                                                           {"status", order.status},
                                                           {"identifiers", order.identifiers},
                                                           {"authorizations", to_lines(order.authorizations)},
                                                           {"profile", order.profile},
                                                           {"not_before", order.not_before},
                                                           {"not_after", order.not_after},
                                                           {"expires", order.expires},
                                                           {"created_at", order.created_at},
                                                           {"error", order.error},
                                                           {"serial", order.serial},
                                                           {"csr", order.csr}}));
    for (const auto& one : authorizations) PKI_TRY_VOID(insert_authorization(one));
    PKI_TRY_VOID(note_origin(order));
    return order.replaces.empty() ? Status() : note_replacement(order);
  });
}

Status Store::note_origin(const AcmeOrder& order) {
  if (order.asked_from.empty()) return {};
  PKI_TRY([[maybe_unused]] const auto noted,
          run("acme_origin_insert", {{"acme_order", order.id}, {"asked_from", order.asked_from}}));
  return {};
}

/// An order that came to nothing stands in nobody's way.
Status Store::note_replacement(const AcmeOrder& order) {
  PKI_TRY(const auto out, run("acme_replacement_get", {{"certificate_id", order.replaces}}));
  if (!out.rows.empty()) {
    const auto earlier_id = Row(out, 0).text("acme_order");
    const auto earlier = acme_order(earlier_id);
    if (earlier.ok() && status_at(*earlier, order.created_at) != "invalid")
      return Error(Code::Exists, "another order replaces that certificate");
    PKI_TRY([[maybe_unused]] const auto gone, run("acme_replacement_delete", {{"acme_order", earlier_id}}));
  }
  PKI_TRY([[maybe_unused]] const auto noted,
          run("acme_replacement_insert", {{"certificate_id", order.replaces}, {"acme_order", order.id}}));
  return {};
}

Result<AcmeOrder> Store::acme_order(const std::string& id) {
  PKI_TRY(const auto out, run("acme_order_get", {{"id", id}}));
  if (out.rows.empty()) return Error(Code::NotFound, "no such order");
  PKI_TRY(auto order, read_order(out, 0));
  order.replaces = Row(out, 0).text("replaces");
  order.asked_from = Row(out, 0).text("asked_from");
  return order;
}

Result<AcmeOrder> Store::acme_order(const std::string& account, const std::string& id) {
  PKI_TRY(auto order, acme_order(id));
  // The same answer: nobody learns whose it is (PROMISES F50).
  if (order.account != account) return Error(Code::NotFound, "no such order");
  return order;
}

Status Store::write_order(const AcmeOrder& order) {
  PKI_TRY(const auto changed, run("acme_order_update", {{"id", order.id},
                                                        {"version", order.version},
                                                        {"status", order.status},
                                                        {"authorizations", to_lines(order.authorizations)},
                                                        {"profile", order.profile},
                                                        {"error", order.error},
                                                        {"serial", order.serial},
                                                        {"csr", order.csr}}));
  return changed.changed == 1 ? Status() : Error(Code::Conflict, "the order changed meanwhile");
}

/// The order that waits for the certificate has it; from here on that has a row of its own that counts.
Status Store::complete_order(const NewCertificate& certificate) {
  PKI_TRY_VOID(drop_reservations(certificate.acme_order));
  PKI_TRY(
      [[maybe_unused]] const auto changed,
      run("acme_order_complete",
          {{"id", certificate.acme_order}, {"status", "processing"}, {"completed", "valid"}, {"serial", certificate.serial}}));
  return {};
}

Status Store::update_acme_order(AcmeOrder& order, const Allowance& allowed) {
  auto written = transact(*driver_, Access::Write, [&]() -> Status {
    if (allowed) PKI_TRY_VOID(allowed());
    return write_order(order);
  });
  if (written.ok()) ++order.version;
  return written;
}

Result<Page<std::string>> Store::acme_orders(const std::string& account, std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PageKey key{std::numeric_limits<std::int64_t>::max(), {}};
  if (!after.empty()) {
    PKI_TRY(key, parse_page_key(after));
  }
  PKI_TRY(const auto out,
          run("acme_order_page",
              {{"account", account}, {"key_created_at", key.number}, {"key_id", key.text}, {"limit", number(asked)}}));
  Page<std::string> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    Row row(out, i);
    key = {row.integer("created_at"), row.text("id")};
    if (row.text("status") != "invalid") page.items.push_back(key.text);
    PKI_TRY_VOID(row.status());
  }
  if (out.rows.size() == asked) page.next = to_text(key);
  return page;
}

// ----- authorizations

Status Store::insert_authorization(const AcmeAuthorization& one) {
  PKI_TRY(const auto made, run("acme_authorization_insert", {{"id", one.id},
                                                             {"account", one.account},
                                                             {"type", one.type},
                                                             {"value", one.value},
                                                             {"wildcard", number(one.wildcard)},
                                                             {"status", one.status},
                                                             {"expires", one.expires},
                                                             {"created_at", one.created_at},
                                                             {"challenges", one.challenges}}));
  return {};
}

Status Store::add_acme_authorization(AcmeOrder& order, const AcmeAuthorization& authorization) {
  PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status {
    auto added = insert_authorization(authorization);
    return added.ok() ? write_order(order) : added;
  }));
  ++order.version;
  return {};
}

Status Store::add_acme_authorization(const AcmeAuthorization& authorization, const Allowance& allowed) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    if (allowed) PKI_TRY_VOID(allowed());
    return insert_authorization(authorization);
  });
}

Result<AcmeAuthorization> Store::acme_authorization(const std::string& id) {
  PKI_TRY(const auto out, run("acme_authorization_get", {{"id", id}}));
  if (out.rows.empty()) return Error(Code::NotFound, "no such authorization");
  return read_authorization(out, 0);
}

Status Store::write_authorization(const AcmeAuthorization& authorization) {
  PKI_TRY(const auto changed, run("acme_authorization_update", {{"id", authorization.id},
                                                                {"version", authorization.version},
                                                                {"status", authorization.status},
                                                                {"expires", authorization.expires},
                                                                {"challenges", authorization.challenges}}));
  return changed.changed == 1 ? Status() : Error(Code::Conflict, "the authorization changed meanwhile");
}

Status Store::update_acme_authorization(AcmeAuthorization& authorization) {
  PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status { return write_authorization(authorization); }));
  ++authorization.version;
  return {};
}

Result<std::optional<AcmeAuthorization>> Store::find_valid_acme_authorization(const AcmeAuthorization& like,
                                                                              Seconds lasts_beyond) {
  PKI_TRY(const auto out, run("acme_authorization_find", {{"account", like.account},
                                                          {"type", like.type},
                                                          {"value", like.value},
                                                          {"wildcard", number(like.wildcard)},
                                                          {"status", "valid"},
                                                          {"lasts_beyond", lasts_beyond},
                                                          {"unproven", std::string(kUnproven)},
                                                          {"granted", std::string(kGrantedBegins)}}));
  if (out.rows.empty()) return std::optional<AcmeAuthorization>();
  PKI_TRY(auto found, read_authorization(out, 0));
  return std::optional(std::move(found));
}

// ----- what has ended

/// Statements that name rows past their end, and that delete one; and what goes with it.
struct Retention {
  std::string_view ended;
  std::string_view gone;
  std::array<std::string_view, 2> attached = {};
};

Status Store::forget_attached(std::string_view statement_name, const std::string& order) {
  PKI_TRY([[maybe_unused]] const auto gone, run(statement_name, {{"acme_order", order}}));
  return {};
}

Result<std::int64_t> Store::purge_acme(Seconds expired_before, std::size_t limit) {
  constexpr Retention kRetention[] = {
      {"acme_order_ended", "acme_order_delete", {"acme_replacement_delete", "acme_origin_delete"}},
      {"acme_authorization_ended", "acme_authorization_delete"}};
  return transact(*driver_, Access::Write, [&]() -> Result<std::int64_t> {
    std::int64_t total = 0;
    for (const auto& [ended, gone, attached] : kRetention) {
      PKI_TRY(const auto out, run(ended, {{"expired_before", expired_before}, {"limit", number(limit)}}));
      for (std::size_t i = 0; i < out.rows.size(); ++i) {
        Row row(out, i);
        PKI_TRY(const auto deleted, run(gone, {{"id", row.text("id")}}));
        total += deleted.changed;
        for (const auto one : attached) {
          if (!one.empty()) PKI_TRY_VOID(forget_attached(one, row.text("id")));
        }
      }
    }
    return total;
  });
}

}  // namespace chancery::store
