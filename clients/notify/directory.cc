#include "clients/notify/directory.h"

#include <ldap.h>

#include <algorithm>
#include <array>

#include "server/base/file.h"
#include "server/base/text.h"

namespace chancery::notify {
namespace {

constexpr std::size_t kMaxSecret = 1024;

struct FreeMessage {
  void operator()(LDAPMessage* message) const noexcept { ldap_msgfree(message); }
};
struct FreeValues {
  void operator()(berval** values) const noexcept { ldap_value_free_len(values); }
};
using Message = std::unique_ptr<LDAPMessage, FreeMessage>;

char* text_for_ldap(const std::string& text) { return const_cast<char*>(text.c_str()); }  // NOLINT: libldap reads it

/// What a result code means to who publishes (RFC 4511 appendix A).
struct Meaning {
  int code;
  Code error;
};
constexpr std::array kMeanings{
    Meaning{LDAP_NO_SUCH_OBJECT, Code::NotFound},     Meaning{LDAP_INVALID_CREDENTIALS, Code::AuthFailed},
    Meaning{LDAP_INSUFFICIENT_ACCESS, Code::Denied},  Meaning{LDAP_OBJECT_CLASS_VIOLATION, Code::Denied},
    Meaning{LDAP_UNDEFINED_TYPE, Code::Denied},       Meaning{LDAP_CONSTRAINT_VIOLATION, Code::Denied},
    Meaning{LDAP_INVALID_DN_SYNTAX, Code::Denied},    Meaning{LDAP_NAMING_VIOLATION, Code::Denied},
    Meaning{LDAP_UNWILLING_TO_PERFORM, Code::Denied}, Meaning{LDAP_CONFIDENTIALITY_REQUIRED, Code::Denied}};

Error refusal(ldap* connection, const std::string& what, int code) {
  const auto* const row = std::ranges::find(kMeanings, code, &Meaning::code);
  std::string message = "LDAP server: " + what + ": " + ldap_err2string(code);
  char* said = nullptr;
  if (connection != nullptr && ldap_get_option(connection, LDAP_OPT_DIAGNOSTIC_MESSAGE, static_cast<void*>(&said)) == 0 &&
      said != nullptr) {
    if (*said != '\0') message += " (" + base::printable(said, 120) + ")";
    ldap_memfree(said);
  }
  return {row == kMeanings.end() ? Code::Unavailable : row->error, message};
}

Status set_options(ldap* connection, const LdapSettings& settings) {
  const int version = LDAP_VERSION3;
  const timeval limit{settings.timeout.count(), 0};
  const int demand = LDAP_OPT_X_TLS_DEMAND;
  const int tls12 = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
  const int never = LDAP_DEREF_NEVER;
  const int client = 0;
  bool good = ldap_set_option(connection, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS;
  good = good && ldap_set_option(connection, LDAP_OPT_NETWORK_TIMEOUT, &limit) == LDAP_OPT_SUCCESS;
  good = good && ldap_set_option(connection, LDAP_OPT_TIMEOUT, &limit) == LDAP_OPT_SUCCESS;
  // Another server that this one names has not been asked for, and gets no password.
  good = good && ldap_set_option(connection, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS;
  good = good && ldap_set_option(connection, LDAP_OPT_DEREF, &never) == LDAP_OPT_SUCCESS;
  good = good && ldap_set_option(connection, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == LDAP_OPT_SUCCESS;
  good = good && ldap_set_option(connection, LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls12) == LDAP_OPT_SUCCESS;
  if (!settings.tls_ca_file.empty())
    good = good && ldap_set_option(connection, LDAP_OPT_X_TLS_CACERTFILE, settings.tls_ca_file.c_str()) == LDAP_OPT_SUCCESS;
  good = good && ldap_set_option(connection, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
  return good ? Status() : Status(refusal(nullptr, "its settings", LDAP_PARAM_ERROR));
}

/// One modification of one attribute, or one attribute of an entry that is made.
class Change {
 public:
  Change(int operation, const Published& value) : Change(operation | LDAP_MOD_BVALUES, value.attribute) { add(value.der); }
  Change(int operation, const std::string& attribute, std::initializer_list<std::string_view> texts)
      : Change(operation | LDAP_MOD_BVALUES, attribute) {
    for (const auto text : texts) add(base::as_bytes(text));
  }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;
  LDAPMod* get() {
    pointers_.clear();
    for (auto& one : values_) pointers_.push_back(&one);
    pointers_.push_back(nullptr);
    row_.mod_vals.modv_bvals = pointers_.data();
    return &row_;
  }

 private:
  Change(int operation, std::string attribute) : attribute_(std::move(attribute)) {
    row_.mod_op = operation;
    row_.mod_type = attribute_.data();
  }
  void add(ByteView value) {
    octets_.emplace_back(value.begin(), value.end());
    auto& kept = octets_.back();
    values_.push_back({kept.size(), reinterpret_cast<char*>(kept.data())});  // the octets stay where they are
  }

  std::string attribute_;
  std::vector<Bytes> octets_;
  std::vector<berval> values_;
  std::vector<berval*> pointers_;
  LDAPMod row_{};
};

}  // namespace

void Directory::Unbind::operator()(ldap* connection) const noexcept { ldap_unbind_ext_s(connection, nullptr, nullptr); }

Result<Directory> Directory::open(const LdapSettings& settings) {
  PKI_TRY(const auto text, base::read_secret_file(settings.bind_password_file, kMaxSecret));
  const SecretBytes password(base::trim(base::as_text(text.view())));
  // With a name alone a bind is "unauthenticated" and succeeds (RFC 4513 5.1.2).
  if (password.empty() || settings.bind_dn.empty())
    return Error(Code::BadConfig, settings.bind_password_file + " holds no password, or bind_dn is empty");
  ldap* made = nullptr;
  if (const int code = ldap_initialize(&made, settings.url.c_str()); code != LDAP_SUCCESS)
    return refusal(nullptr, settings.url, code);
  Connection connection(made);
  PKI_TRY_VOID(set_options(connection.get(), settings));
  if (settings.start_tls) {
    if (const int code = ldap_start_tls_s(connection.get(), nullptr, nullptr); code != LDAP_SUCCESS)
      return refusal(connection.get(), "StartTLS", code);
  }
  berval secret{};
  secret.bv_len = password.size();
  secret.bv_val = const_cast<char*>(base::as_text(password.view()).data());  // NOLINT: libldap reads it
  const int code =
      ldap_sasl_bind_s(connection.get(), settings.bind_dn.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, nullptr);
  if (code != LDAP_SUCCESS) return refusal(connection.get(), "bind as " + settings.bind_dn, code);
  return Directory(std::move(connection), settings.timeout);
}

Result<std::vector<Bytes>> Directory::values(const std::string& dn, const std::string& attribute) {
  std::array<char*, 2> wanted{text_for_ldap(attribute), nullptr};
  timeval limit{timeout_.count(), 0};
  LDAPMessage* found = nullptr;
  const int code = ldap_search_ext_s(connection_.get(), dn.c_str(), LDAP_SCOPE_BASE, "(objectClass=*)", wanted.data(), 0, nullptr,
                                     nullptr, &limit, 1, &found);
  const Message message(found);
  if (code != LDAP_SUCCESS) return refusal(connection_.get(), dn, code);
  std::vector<Bytes> out;
  auto* const entry = ldap_first_entry(connection_.get(), message.get());
  if (entry == nullptr) return Error(Code::NotFound, "LDAP server: " + dn + " is not to be seen");
  const std::unique_ptr<berval*, FreeValues> list(ldap_get_values_len(connection_.get(), entry, attribute.c_str()));
  for (auto** one = list.get(); one != nullptr && *one != nullptr; ++one) {
    const auto view = base::as_bytes(std::string_view((*one)->bv_val, (*one)->bv_len));
    out.emplace_back(view.begin(), view.end());
  }
  return out;
}

Status Directory::modify(const std::string& dn, const Published& value, int operation) {
  Change change(operation, value);
  std::array<LDAPMod*, 2> changes{change.get(), nullptr};
  const int code = ldap_modify_ext_s(connection_.get(), dn.c_str(), changes.data(), nullptr, nullptr);
  const bool is_there = operation == LDAP_MOD_ADD && code == LDAP_TYPE_OR_VALUE_EXISTS;
  if (code == LDAP_SUCCESS || is_there) return {};
  return refusal(connection_.get(), value.attribute + " of " + dn, code);
}

Status Directory::replace(const std::string& dn, const Published& value) { return modify(dn, value, LDAP_MOD_REPLACE); }
Status Directory::add(const std::string& dn, const Published& value) { return modify(dn, value, LDAP_MOD_ADD); }

/// RFC 4523 3: pkiCA and deltaCRL are auxiliary; applicationProcess (RFC 4519 3.1) gives them an entry.
Status Directory::make_authority(const std::string& dn, const std::vector<Published>& values) {
  const auto comma = dn.find(',');
  if (base::to_lower_ascii(dn.substr(0, 3)) != "cn=" || comma == std::string::npos)
    return Error(Code::Denied, "LDAP server: there is no entry " + dn + ", and only one that begins with cn= can be made");
  const auto name = dn.substr(3, comma - 3);
  std::vector<std::unique_ptr<Change>> changes;
  changes.push_back(std::make_unique<Change>(LDAP_MOD_ADD, "objectClass",
                                             std::initializer_list<std::string_view>{"applicationProcess", "pkiCA", "deltaCRL"}));
  changes.push_back(std::make_unique<Change>(LDAP_MOD_ADD, "cn", std::initializer_list<std::string_view>{name}));
  for (const auto& value : values) changes.push_back(std::make_unique<Change>(LDAP_MOD_ADD, value));
  std::vector<LDAPMod*> rows;
  for (const auto& one : changes) rows.push_back(one->get());
  rows.push_back(nullptr);
  const int code = ldap_add_ext_s(connection_.get(), dn.c_str(), rows.data(), nullptr, nullptr);
  return code == LDAP_SUCCESS || code == LDAP_ALREADY_EXISTS ? Status() : refusal(connection_.get(), "making " + dn, code);
}

std::string escape_for_dn(std::string_view text) {
  constexpr std::string_view kSpecial = "\"+,;<>\\=#";
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const bool is_outer_space = text[i] == ' ' && (i == 0 || i + 1 == text.size());
    if (octet < 0x20 || octet == 0x7f) {
      out += {'\\', kHex[octet >> 4], kHex[octet & 15]};
      continue;
    }
    if (is_outer_space || kSpecial.find(text[i]) != std::string_view::npos) out += '\\';
    out += text[i];
  }
  return out;
}

std::string fill_dn(std::string_view pattern, std::string_view name, std::string_view text) {
  const auto mark = "{" + std::string(name) + "}";
  const auto value = escape_for_dn(text);
  std::string out;
  for (auto at = pattern.find(mark); at != std::string_view::npos; at = pattern.find(mark)) {
    out += std::string(pattern.substr(0, at)) + value;
    pattern.remove_prefix(at + mark.size());
  }
  return out + std::string(pattern);
}

}  // namespace chancery::notify
