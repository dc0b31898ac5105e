#pragma once

#include <curl/curl.h>

#include <memory>

/// Owners of what libcurl gives.
namespace chancery::client {

struct CurlFree {
  void operator()(CURL* handle) const noexcept { ::curl_easy_cleanup(handle); }
  void operator()(CURLU* url) const noexcept { ::curl_url_cleanup(url); }
  void operator()(curl_slist* list) const noexcept { ::curl_slist_free_all(list); }
};
using CurlPtr = std::unique_ptr<CURL, CurlFree>;
using CurlUrlPtr = std::unique_ptr<CURLU, CurlFree>;
using CurlListPtr = std::unique_ptr<curl_slist, CurlFree>;

}  // namespace chancery::client
