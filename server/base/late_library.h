#pragma once

#include <string>

#include "server/base/result.h"

namespace chancery::base {

/// A library that is loaded when it is needed: a process that forks pays for each one that it is linked with at every fork,
/// whether or not anybody uses it.
class LateLibrary {
 public:
  /// @param soname  as programs that are linked with it name it: "libldap-2.5.so.0". Stays loaded.
  /// @errors Unavailable: it is not installed
  static Result<LateLibrary> load(const std::string& soname);

  /// @tparam Function  what its header declares: decltype(&::ldap_get_dn)
  /// @errors Unavailable: the library has no such function
  template <class Function>
  Status find(const char* name, Function& into) const {
    void* found = nullptr;
    PKI_TRY_VOID(find_address(name, found));
    into = reinterpret_cast<Function>(found);  // POSIX.1: what dlsym gives is a function
    return {};
  }

 private:
  LateLibrary(void* handle, std::string soname) : handle_(handle), soname_(std::move(soname)) {}
  Status find_address(const char* name, void*& into) const;

  void* handle_;
  std::string soname_;
};

}  // namespace chancery::base
