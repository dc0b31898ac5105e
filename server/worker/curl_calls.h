#pragma once

#include <curl/curl.h>

#include "server/base/late_library.h"

/// libcurl, which is loaded with the first service that is asked.
namespace chancery::worker {

#define CURL_CALLS(CALL) \
  CALL(easy_cleanup)     \
  CALL(easy_getinfo)     \
  CALL(easy_init)        \
  CALL(easy_perform)     \
  CALL(easy_setopt)      \
  CALL(easy_strerror)    \
  CALL(global_init)      \
  CALL(slist_append)     \
  CALL(slist_free_all)

struct CurlCalls {
#define CALL(name) decltype(&::curl_##name) name = nullptr;
  CURL_CALLS(CALL)
#undef CALL
};

inline Result<CurlCalls> find_curl_calls() {
  PKI_TRY(const auto library, base::LateLibrary::load(CURL_SONAME));
  CurlCalls calls;
#define CALL(name) PKI_TRY_VOID(library.find("curl_" #name, calls.name));
  CURL_CALLS(CALL)
#undef CALL
  if (calls.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return Error(Code::Unavailable, "libcurl cannot begin");
  return calls;
}

#undef CURL_CALLS

/// @errors Unavailable: the library is not there
inline const Result<CurlCalls>& load_curl() {
  static const auto calls = find_curl_calls();
  return calls;
}

/// @pre load_curl() was ok
inline const CurlCalls& curl() { return load_curl().value(); }

}  // namespace chancery::worker
