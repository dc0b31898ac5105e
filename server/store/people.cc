#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// People of a realm and their personal tokens.
namespace chancery::store {
namespace {

constexpr const char* kEnabled = "enabled";
constexpr const char* kDisabled = "disabled";

const char* state_text(bool enabled) { return enabled ? kEnabled : kDisabled; }

Result<PersonRecord> read_person(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  PersonRecord person{.name = row.text("name"),
                      .password = row.text("password"),
                      .roles = row.lines("roles"),
                      .enabled = row.text("state") == kEnabled,
                      .created_at = row.time("created_at"),
                      .created_by = row.text("created_by"),
                      .changed_at = row.time("changed_at")};
  PKI_TRY_VOID(row.status());
  return person;
}

Result<LoginTokenRecord> read_token(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  LoginTokenRecord token{.id = row.text("id"),
                         .digest = row.text("digest"),
                         .person = row.text("person"),
                         .commands = row.lines("commands"),
                         .roles = row.lines("roles"),
                         .note = row.text("note"),
                         .expires_at = row.time("expires_at"),
                         .created_at = row.time("created_at"),
                         .created_by = row.text("created_by")};
  PKI_TRY_VOID(row.status());
  return token;
}

Error no_person(const std::string& name) { return {Code::NotFound, "no person " + name}; }
Error no_token(const std::string& id) { return {Code::NotFound, "no token " + id}; }

}  // namespace

Status Store::add_person(const PersonRecord& person) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto added, run("person_insert", {{"name", person.name},
                                                                     {"password", person.password},
                                                                     {"roles", to_lines(person.roles)},
                                                                     {"state", state_text(person.enabled)},
                                                                     {"created_at", person.created_at},
                                                                     {"created_by", person.created_by}}));
    return {};
  });
}

Result<PersonRecord> Store::person(const std::string& name) {
  PKI_TRY(const auto out, run("person_get", {{"name", name}}));
  if (out.rows.empty()) return no_person(name);
  return read_person(out, 0);
}

Result<Page<PersonRecord>> Store::persons(std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PKI_TRY(const auto out, run("person_page", {{"name", after}, {"limit", number(asked)}}));
  Page<PersonRecord> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto record, read_person(out, i));
    page.items.push_back(std::move(record));
  }
  if (out.rows.size() == asked) page.next = page.items.back().name;
  return page;
}

Status Store::change_person(std::string_view statement_name, Binds binds, const std::string& name) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto changed, run(statement_name, binds));
    return changed.changed == 1 ? Status() : no_person(name);
  });
}

Status Store::set_person_enabled(const std::string& name, bool enabled, Seconds at) {
  return change_person("person_set_state", {{"name", name}, {"state", state_text(enabled)}, {"at", at}}, name);
}

Status Store::set_person_password(const std::string& name, const std::string& password, Seconds at) {
  return change_person("person_set_password", {{"name", name}, {"password", password}, {"at", at}}, name);
}

Status Store::set_person_roles(const std::string& name, const std::vector<std::string>& roles, Seconds at) {
  return change_person("person_set_roles", {{"name", name}, {"roles", to_lines(roles)}, {"at", at}}, name);
}

Status Store::delete_person(const std::string& name) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto gone, run("person_delete", {{"name", name}}));
    if (gone.changed != 1) return no_person(name);
    PKI_TRY([[maybe_unused]] const auto tokens, run("login_token_delete_of_person", {{"person", name}}));
    PKI_TRY([[maybe_unused]] const auto sessions, run("login_session_delete_of_person", {{"person", name}}));
    return {};
  });
}

Status Store::add_login_token(const LoginTokenRecord& token) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto owner, run("person_get", {{"name", token.person}}));
    if (owner.rows.empty()) return no_person(token.person);
    PKI_TRY([[maybe_unused]] const auto added, run("login_token_insert", {{"id", token.id},
                                                                          {"digest", token.digest},
                                                                          {"person", token.person},
                                                                          {"commands", to_lines(token.commands)},
                                                                          {"roles", to_lines(token.roles)},
                                                                          {"note", token.note},
                                                                          {"expires_at", token.expires_at},
                                                                          {"created_at", token.created_at},
                                                                          {"created_by", token.created_by}}));
    return {};
  });
}

Result<LoginTokenRecord> Store::login_token(const std::string& id) {
  PKI_TRY(const auto out, run("login_token_get", {{"id", id}}));
  if (out.rows.empty()) return no_token(id);
  return read_token(out, 0);
}

Result<Page<LoginTokenRecord>> Store::login_tokens(const std::string& person, std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PKI_TRY(const auto out, person.empty()
                              ? run("login_token_page", {{"id", after}, {"limit", number(asked)}})
                              : run("login_token_page_of_person", {{"person", person}, {"id", after}, {"limit", number(asked)}}));
  Page<LoginTokenRecord> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto record, read_token(out, i));
    page.items.push_back(std::move(record));
  }
  if (out.rows.size() == asked) page.next = page.items.back().id;
  return page;
}

Status Store::delete_login_token(const std::string& id) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto gone, run("login_token_delete", {{"id", id}}));
    return gone.changed == 1 ? Status() : no_token(id);
  });
}

Status Store::purge_login_tokens(Seconds expired_before, std::size_t limit) {
  PKI_TRY(const auto ended, run("login_token_ended", {{"expired_before", expired_before}, {"limit", number(limit)}}));
  for (std::size_t i = 0; i < ended.rows.size(); ++i) {
    const auto gone = delete_login_token(Row(ended, i).text("id"));
    if (!gone.ok() && gone.error().code() != Code::NotFound) return gone;
  }
  return {};
}

}  // namespace chancery::store
