#include <algorithm>
#include <memory>

#include "server/base/file.h"
#include "server/base/text.h"
#include "server/worker/curl_calls.h"
#include "server/worker/look_ups.h"

/// Look-ups by HTTP. The one file of the room that knows libcurl.
namespace chancery::worker {
namespace {

constexpr std::size_t kMaxToken = 4096;
constexpr std::size_t kMaxAnswer = 64 * 1024;

struct CurlFree {
  void operator()(CURL* handle) const noexcept { curl().easy_cleanup(handle); }
};
struct ListFree {
  void operator()(curl_slist* list) const noexcept { curl().slist_free_all(list); }
};
using CurlPtr = std::unique_ptr<CURL, CurlFree>;
using ListPtr = std::unique_ptr<curl_slist, ListFree>;

/// The status alone counts: what comes beside it is read as far as it is short.
std::size_t on_answer(char* /*octets*/, std::size_t size, std::size_t count, void* so_far) {
  auto& answered = *static_cast<std::size_t*>(so_far);
  answered += size * count;
  return answered > kMaxAnswer ? 0 : size * count;
}

void set_up(CURL* handle, const config::LookUp& one, std::size_t* answered) {
  // Nobody but the configuration says where is asked: no redirection, no proxy, no file of passwords.
  curl().easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl().easy_setopt(handle, CURLOPT_PROXY, "");
  curl().easy_setopt(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl().easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl().easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(one.timeout).count()));
  curl().easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl().easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl().easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!one.tls_ca_file.empty()) {
    curl().easy_setopt(handle, CURLOPT_CAINFO, one.tls_ca_file.c_str());
    curl().easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
  curl().easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_answer);
  curl().easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_answer);
  curl().easy_setopt(handle, CURLOPT_WRITEDATA, answered);
  curl().easy_setopt(handle, CURLOPT_HEADERDATA, answered);
}

Result<ListPtr> headers(const config::LookUp& one) {
  ListPtr list(curl().slist_append(nullptr, "User-Agent: chancery"));
  PKI_CHECK(list != nullptr);
  if (one.token_file.empty()) return list;
  PKI_TRY(const auto text, base::read_secret_file(one.token_file, kMaxToken));
  auto line = "Authorization: Bearer " + std::string(base::trim(base::as_text(text.view())));
  auto* const longer = curl().slist_append(list.get(), line.c_str());
  std::ranges::fill(line, '\0');
  PKI_CHECK(longer != nullptr);
  return list;
}

}  // namespace

Result<bool> ask_service(const config::LookUp& one, const LookUpValues& values) {
  constexpr long kOk = 200, kNoContent = 204, kNotFound = 404;
  if (!load_curl().ok()) return load_curl().error();
  const CurlPtr handle(curl().easy_init());
  if (handle == nullptr) return Error(Code::Unavailable, "libcurl cannot begin");
  PKI_TRY(const auto list, headers(one));
  std::size_t answered = 0;
  const auto url = fill_in(one.url, values, percent_encoded);
  set_up(handle.get(), one, &answered);
  curl().easy_setopt(handle.get(), CURLOPT_HTTPHEADER, list.get());
  curl().easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl().easy_setopt(handle.get(), CURLOPT_PATH_AS_IS, 1L);
  const CURLcode code = curl().easy_perform(handle.get());
  if (code != CURLE_OK) return Error(Code::Unavailable, std::string("the service: ") + curl().easy_strerror(code));
  long status = 0;
  curl().easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status == kOk || status == kNoContent) return true;
  if (status == kNotFound) return false;
  return Error(Code::Unavailable, "the service answers " + std::to_string(status) + ", expected 200, 204 or 404");
}

}  // namespace chancery::worker
