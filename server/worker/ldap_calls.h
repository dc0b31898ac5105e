#pragma once

#include <ldap.h>

#include "server/base/late_library.h"

/// libldap, which is loaded with the first directory that is asked.
namespace chancery::worker {

#define LDAP_CALLS(CALL) \
  CALL(count_entries)    \
  CALL(err2string)       \
  CALL(first_entry)      \
  CALL(get_dn)           \
  CALL(get_values_len)   \
  CALL(initialize)       \
  CALL(memfree)          \
  CALL(msgfree)          \
  CALL(next_entry)       \
  CALL(sasl_bind_s)      \
  CALL(search_ext_s)     \
  CALL(set_option)       \
  CALL(start_tls_s)      \
  CALL(unbind_ext_s)     \
  CALL(value_free_len)

struct LdapCalls {
#define CALL(name) decltype(&::ldap_##name) name = nullptr;
  LDAP_CALLS(CALL)
#undef CALL
};

inline Result<LdapCalls> find_ldap_calls() {
  PKI_TRY(const auto library, base::LateLibrary::load(LDAP_SONAME));
  LdapCalls calls;
#define CALL(name) PKI_TRY_VOID(library.find("ldap_" #name, calls.name));
  LDAP_CALLS(CALL)
#undef CALL
  return calls;
}

#undef LDAP_CALLS

/// @errors Unavailable: the library is not there
inline const Result<LdapCalls>& load_ldap() {
  static const auto calls = find_ldap_calls();
  return calls;
}

/// @pre load_ldap() was ok
inline const LdapCalls& ldap() { return load_ldap().value(); }

}  // namespace chancery::worker
