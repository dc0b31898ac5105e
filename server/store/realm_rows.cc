#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Nodes and small facts.
namespace chancery::store {
namespace {

Result<NodeRecord> read_node(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  PKI_TRY(auto serial, row.serial("serial"));
  const auto state = certificate_state(row.text("state"));
  if (!state) return Error(Code::Corrupt, "certificate " + serial.hex() + " is in an unknown state");
  NodeRecord record{.serial = std::move(serial),
                    .cn = row.text("cn"),
                    .ca = row.text("ca"),
                    .subject = row.text("subject"),
                    .profile = row.text("profile"),
                    .state = *state,
                    .registered_at = row.time("registered_at"),
                    .not_after = row.time("not_after")};
  PKI_TRY_VOID(row.status());
  return record;
}

Error no_node(const std::string& cn) { return {Code::NotFound, "no node " + cn}; }

}  // namespace

Result<NodeRecord> Store::node(const std::string& cn) {
  PKI_TRY(const auto out, run("node_get", {{"cn", cn}}));
  if (out.rows.empty()) return no_node(cn);
  return read_node(out, 0);
}

Result<Page<NodeRecord>> Store::nodes(std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PKI_TRY(const auto out, run("node_page", {{"cn", after}, {"limit", number(asked)}}));
  Page<NodeRecord> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto record, read_node(out, i));
    page.items.push_back(std::move(record));
  }
  if (out.rows.size() == asked) page.next = page.items.back().cn;
  return page;
}

Status Store::delete_node(const std::string& cn) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto gone, run("node_delete", {{"cn", cn}}));
    return gone.changed == 1 ? Status() : no_node(cn);
  });
}

Result<std::optional<std::string>> Store::get_meta(const std::string& name) {
  PKI_TRY(const auto out, run("meta_get", {{"name", name}}));
  if (out.rows.empty()) return std::optional<std::string>();
  Row row(out, 0);
  auto text = row.text("text");
  PKI_TRY_VOID(row.status());
  return std::optional(std::move(text));
}

Status Store::set_meta(const std::string& name, const std::string& text) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto put, run("meta_put", {{"name", name}, {"text", text}}));
    return {};
  });
}

}  // namespace chancery::store
