#include "server/base/late_library.h"

#include <dlfcn.h>

namespace chancery::base {

Result<LateLibrary> LateLibrary::load(const std::string& soname) {
  void* handle = ::dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return Error(Code::Unavailable, "cannot load the library " + soname + (why == nullptr ? "" : ": " + std::string(why)),
                 "the package that has " + soname + " is missing on this machine");
  }
  return LateLibrary(handle, soname);
}

Status LateLibrary::find_address(const char* name, void*& into) const {
  into = ::dlsym(handle_, name);
  if (into != nullptr) return {};
  return Error(Code::Unavailable, "the library " + soname_ + " has no function " + name, "it is older than what Chancery needs");
}

}  // namespace chancery::base
