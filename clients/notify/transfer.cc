#include "clients/notify/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "clients/lib/curl_handles.h"

namespace chancery::notify {
namespace {

using client::CurlListPtr;
using client::CurlPtr;
using client::CurlUrlPtr;

constexpr const char* kUserAgent = "chancery/" CHANCERY_VERSION " (notices)";
constexpr std::size_t kMostAnswer = 64 * 1024;  ///< octets of an answer, which is thrown away
constexpr std::string_view kPlainHttp = "http://";

CurlPtr new_transfer() {
  static const bool is_ready = ::curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  CurlPtr curl(is_ready ? ::curl_easy_init() : nullptr);
  PKI_CHECK(curl != nullptr);
  return curl;
}

CurlListPtr list_of(const std::vector<std::string>& texts) {
  CurlListPtr list;
  for (const auto& one : texts) {
    auto* longer = ::curl_slist_append(list.get(), one.c_str());
    PKI_CHECK(longer != nullptr);
    (void)list.release();  // it is the longer one's now
    list.reset(longer);
  }
  return list;
}

/// What is still to be sent of a text.
struct Source {
  std::string_view rest;
};
std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto* source = static_cast<Source*>(context);
  const auto taken = std::min(size * count, source->rest.size());
  std::memcpy(buffer, source->rest.data(), taken);
  source->rest.remove_prefix(taken);
  return taken;
}

/// Throws away what is answered, and ends an answer without end.
std::size_t on_answer(char*, std::size_t size, std::size_t count, void* context) {
  auto* seen = static_cast<std::size_t*>(context);
  *seen += size * count;
  return *seen <= kMostAnswer ? size * count : 0;
}

void set_up(CURL* curl, const RealmSettings& realm, std::size_t* answered) {
  const auto limit_ms = static_cast<long>(std::chrono::milliseconds(realm.timeout).count());
  ::curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  ::curl_easy_setopt(curl, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, limit_ms);
  ::curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  ::curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  ::curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!realm.ca_file.empty()) {
    ::curl_easy_setopt(curl, CURLOPT_CAINFO, realm.ca_file.c_str());
    ::curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
  ::curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_answer);
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, answered);
  ::curl_easy_setopt(curl, CURLOPT_HEADERDATA, answered);
}

/// @return the last status that the other side gave; 0: none.
Result<long> perform(CURL* curl) {
  const CURLcode code = ::curl_easy_perform(curl);
  long status = 0;
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK) return status;
  auto message = std::string(::curl_easy_strerror(code));
  if (status != 0) message += ", the last answer was " + std::to_string(status);
  return Error(Code::Unavailable, message);
}

std::string host_of(const std::string& url) {
  const CurlUrlPtr parsed(::curl_url());
  char* text = nullptr;
  if (!parsed || ::curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      ::curl_url_get(parsed.get(), CURLUPART_HOST, &text, 0) != CURLUE_OK)
    return {};
  std::string copy(text);
  ::curl_free(text);
  return copy;
}

}  // namespace

Status send_mail(const RealmSettings& realm, const SecretBytes& password, const std::string& recipient, const std::string& mail) {
  const auto curl = new_transfer();
  std::size_t answered = 0;
  set_up(curl.get(), realm, &answered);
  const auto url = std::string(realm.mail_tls == MailTls::Tls ? "smtps://" : "smtp://") + realm.mail_server;
  const auto from = "<" + realm.mail_from + ">";
  const auto to = list_of({"<" + recipient + ">"});
  const std::string secret(base::as_text(password.view()));
  Source source{mail};
  ::curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  ::curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl.get(), CURLOPT_USE_SSL,
                     static_cast<long>(realm.mail_tls == MailTls::None ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  if (!realm.mail_user.empty()) {
    ::curl_easy_setopt(curl.get(), CURLOPT_USERNAME, realm.mail_user.c_str());
    ::curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, secret.c_str());
  }
  ::curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, from.c_str());
  ::curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, to.get());
  ::curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
  ::curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, on_read);
  ::curl_easy_setopt(curl.get(), CURLOPT_READDATA, &source);
  PKI_TRY([[maybe_unused]] const auto status, perform(curl.get()));
  return {};
}

Status post(const RealmSettings& realm, const std::string& url, const std::vector<std::string>& headers,
            const std::string& body) {
  constexpr long kLeastGood = 200;
  constexpr long kMostGood = 299;
  if (url.starts_with(kPlainHttp) && !stays_here(host_of(url) + ":"))
    return Error(Code::Denied, "http is for addresses of loopback only");
  const auto curl = new_transfer();
  std::size_t answered = 0;
  set_up(curl.get(), realm, &answered);
  const auto list = list_of(headers);
  ::curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, kUserAgent);
  ::curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, list.get());
  ::curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  ::curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  PKI_TRY(const auto status, perform(curl.get()));
  if (status >= kLeastGood && status <= kMostGood) return {};
  return Error(Code::Unavailable, "the webhook answered " + std::to_string(status) + ", expected 2xx");
}

}  // namespace chancery::notify
