#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/ldap_calls.h"
#include "server/worker/ldap_text.h"
#include "server/worker/login.h"
#include "server/worker/look_ups.h"

/// Login by a directory, and look-ups in one (RFC 4511, RFC 4513): one entry is looked for, and bound to with the password. The
/// one file that knows libldap.
namespace chancery::worker {
namespace {

constexpr std::size_t kMaxSecret = 1024;
constexpr int kMostGroups = 200;
constexpr std::size_t kMaxGroup = 255;

struct Unbind {
  void operator()(LDAP* connection) const noexcept { ldap().unbind_ext_s(connection, nullptr, nullptr); }
};
struct FreeMessage {
  void operator()(LDAPMessage* message) const noexcept { ldap().msgfree(message); }
};
struct FreeText {
  void operator()(char* text) const noexcept { ldap().memfree(text); }
};
struct FreeValues {
  void operator()(berval** values) const noexcept { ldap().value_free_len(values); }
};
using Connection = std::unique_ptr<LDAP, Unbind>;
using Message = std::unique_ptr<LDAPMessage, FreeMessage>;

/// The directory does not answer, or not as it should: whose fault that is, nobody can tell.
Error no_answer(const std::string& what, int code) {
  const auto why = what + ": " + ldap().err2string(code);
  base::log_warning("the directory: " + why);
  return {Code::Unavailable, "the directory does not answer", "try again later, or log in by another stack"};
}

/// Results of a bind that are an answer to the password (RFC 4511 appendix A).
bool is_refusal(int code) {
  constexpr std::array kRefusals{LDAP_INVALID_CREDENTIALS,  LDAP_INAPPROPRIATE_AUTH,   LDAP_NO_SUCH_OBJECT,
                                 LDAP_CONSTRAINT_VIOLATION, LDAP_UNWILLING_TO_PERFORM, LDAP_INSUFFICIENT_ACCESS,
                                 LDAP_INVALID_DN_SYNTAX};
  return std::ranges::find(kRefusals, code) != kRefusals.end();
}

Status set_options(LDAP* connection, const config::LoginStack& stack) {
  const int version = LDAP_VERSION3;
  const timeval limit{stack.timeout.count(), 0};
  const int demand = LDAP_OPT_X_TLS_DEMAND;
  const int tls12 = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
  const int never = LDAP_DEREF_NEVER;
  const int client = 0;
  bool good = ldap().set_option(connection, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS;
  good = good && ldap().set_option(connection, LDAP_OPT_NETWORK_TIMEOUT, &limit) == LDAP_OPT_SUCCESS;
  good = good && ldap().set_option(connection, LDAP_OPT_TIMEOUT, &limit) == LDAP_OPT_SUCCESS;
  // Another server that this one names has not been asked for, and gets no passwords.
  good = good && ldap().set_option(connection, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS;
  good = good && ldap().set_option(connection, LDAP_OPT_DEREF, &never) == LDAP_OPT_SUCCESS;
  good = good && ldap().set_option(connection, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == LDAP_OPT_SUCCESS;
  good = good && ldap().set_option(connection, LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls12) == LDAP_OPT_SUCCESS;
  if (!stack.tls_ca_file.empty())
    good = good && ldap().set_option(connection, LDAP_OPT_X_TLS_CACERTFILE, stack.tls_ca_file.c_str()) == LDAP_OPT_SUCCESS;
  good = good && ldap().set_option(connection, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
  return good ? Status() : Status(no_answer("its settings", LDAP_PARAM_ERROR));
}

Result<Connection> connect(const config::LoginStack& stack) {
  if (!load_ldap().ok()) return load_ldap().error();
  LDAP* made = nullptr;
  if (const int code = ldap().initialize(&made, stack.url.c_str()); code != LDAP_SUCCESS) return no_answer("its URL", code);
  Connection connection(made);
  PKI_TRY_VOID(set_options(connection.get(), stack));
  if (!stack.start_tls) return connection;
  const int code = ldap().start_tls_s(connection.get(), nullptr, nullptr);
  if (code != LDAP_SUCCESS) return no_answer("StartTLS", code);
  return connection;
}

/// @return the result code (RFC 4511 4.2.2). @pre the password is not empty, or so is the name: with a name alone a bind is
/// "unauthenticated" and succeeds (RFC 4513 5.1.2).
int bind_as(LDAP* connection, const std::string& dn, const SecretBytes& password) {
  PKI_CHECK(dn.empty() == password.empty());
  berval secret{};
  secret.bv_len = password.size();
  secret.bv_val = const_cast<char*>(base::as_text(password.view()).data());  // NOLINT: libldap reads it
  return ldap().sasl_bind_s(connection, dn.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, nullptr);
}

/// A connection that may search.
Result<Connection> connect_to_search(const config::LoginStack& stack) {
  PKI_TRY(auto connection, connect(stack));
  SecretBytes password;
  if (!stack.bind_password_file.empty()) {
    PKI_TRY(const auto text, base::read_secret_file(stack.bind_password_file, kMaxSecret));
    password = SecretBytes(base::trim(base::as_text(text.view())));
    if (password.empty()) return no_answer("bind_password_file is empty", LDAP_PARAM_ERROR);
  }
  const int code = bind_as(connection.get(), stack.bind_dn, password);
  if (code != LDAP_SUCCESS) return no_answer("bind as " + stack.bind_dn, code);
  return connection;
}

Result<Message> search(LDAP* connection, const config::LoginStack& stack, const std::string& base, const std::string& filter,
                       const std::string& attribute, int most) {
  std::array<char*, 2> attributes{const_cast<char*>(attribute.c_str()), nullptr};  // NOLINT: libldap reads it
  timeval limit{stack.timeout.count(), 0};
  LDAPMessage* found = nullptr;
  const int code = ldap().search_ext_s(connection, base.c_str(), LDAP_SCOPE_SUBTREE, filter.c_str(), attributes.data(), 0,
                                       nullptr, nullptr, &limit, most, &found);
  Message message(found);
  if (code != LDAP_SUCCESS && code != LDAP_SIZELIMIT_EXCEEDED) return no_answer("search below " + base, code);
  return message;
}

/// @return the one entry's DN; empty: there is none, or there are several.
Result<std::string> find_person(LDAP* connection, const config::LoginStack& stack, const std::string& name) {
  PKI_TRY(const auto found, search(connection, stack, stack.base, fill_filter(stack.filter, name, ""), LDAP_NO_ATTRS, 2));
  const int count = ldap().count_entries(connection, found.get());
  if (count > 1) base::log_warning("the login directory has several entries for " + name + ", expected one");
  if (count != 1) return std::string();
  const std::unique_ptr<char, FreeText> dn(ldap().get_dn(connection, ldap().first_entry(connection, found.get())));
  return dn == nullptr ? std::string() : std::string(dn.get());
}

Result<std::vector<std::string>> find_groups(LDAP* connection, const config::LoginStack& stack, const std::string& name,
                                             const std::string& dn) {
  std::vector<std::string> groups;
  if (stack.group_base.empty()) return groups;
  const auto filter = fill_filter(stack.group_filter, name, dn);
  PKI_TRY(const auto found, search(connection, stack, stack.group_base, filter, stack.group_attribute, kMostGroups));
  for (auto* entry = ldap().first_entry(connection, found.get()); entry != nullptr;
       entry = ldap().next_entry(connection, entry)) {
    const std::unique_ptr<berval*, FreeValues> values(ldap().get_values_len(connection, entry, stack.group_attribute.c_str()));
    for (auto** one = values.get(); one != nullptr && *one != nullptr; ++one) {
      if ((*one)->bv_len <= kMaxGroup) groups.emplace_back((*one)->bv_val, (*one)->bv_len);
    }
  }
  return groups;
}

/// On a connection of its own, so that what is searched for later is what the searcher may see.
Status check_password(const config::LoginStack& stack, const std::string& dn, const SecretBytes& password) {
  PKI_TRY(const auto connection, connect(stack));
  // Who is unknown is asked for all the same, so that it takes as long.
  const int code = bind_as(connection.get(), dn.empty() ? "cn=nobody," + stack.base : dn, password);
  if (code == LDAP_SUCCESS && !dn.empty()) return {};
  if (code == LDAP_SUCCESS || is_refusal(code))
    return Error(Code::AuthFailed, dn.empty() ? "no such entry" : ldap().err2string(code));
  return no_answer("bind as " + dn, code);
}

}  // namespace

Result<Proof> prove_by_ldap(Session& /*session*/, const config::LoginStack& stack, const Params& params) {
  const SecretBytes password(params.text("password"));
  const auto name = person_name(params.text("user"));
  if (!name.ok() || password.empty()) return Error(Code::AuthFailed, "no name, or no password");
  PKI_TRY(const auto searcher, connect_to_search(stack));
  PKI_TRY(const auto dn, find_person(searcher.get(), stack, *name));
  PKI_TRY_VOID(check_password(stack, dn, password));
  PKI_TRY(auto groups, find_groups(searcher.get(), stack, *name, dn));
  Proof proof{.identity = "user:" + *name};
  proof.shown = {.user = *name, .groups = std::move(groups), .profile = {}, .dn = {}, .listed = false};
  proof.login.person = *name;
  return proof;
}

Result<bool> ask_directory(const config::LookUp& one, const LookUpValues& values) {
  const config::LoginStack stack{.method = "ldap",
                                 .timeout = one.timeout,
                                 .url = one.url,
                                 .start_tls = one.start_tls,
                                 .tls_ca_file = one.tls_ca_file,
                                 .bind_dn = one.bind_dn,
                                 .bind_password_file = one.bind_password_file,
                                 .base = one.base};
  PKI_TRY(const auto searcher, connect_to_search(stack));
  const auto filter = fill_in(one.filter, values, escape_in_filter);
  PKI_TRY(const auto found, search(searcher.get(), stack, stack.base, filter, LDAP_NO_ATTRS, 1));
  return ldap().count_entries(searcher.get(), found.get()) > 0;
}

}  // namespace chancery::worker
