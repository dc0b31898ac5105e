#include "server/config/notice_settings.h"

#include <array>
#include <charconv>

#include "server/base/mail_address.h"
#include "server/base/notice_text.h"
#include "server/base/text.h"
#include "server/config/paths.h"
#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kYear = 366LL * 86400;
constexpr std::size_t kMaxShown = 80;
constexpr int kMostPort = 65535;

Error unexpected(std::string_view found, std::string_view expected) {
  return {Code::BadConfig, "found \"" + base::printable(found, kMaxShown) + "\", expected " + std::string(expected)};
}

/// "mail.example.com:587", "127.0.0.1:25", "[::1]:25"
Status check_host_port(std::string_view text) {
  if (check_address_port(text).ok()) return {};
  constexpr std::string_view kExpected = "a host and a port like mail.example.com:587";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !check_domain(text.substr(0, colon)).ok()) return unexpected(text, kExpected);
  int port = 0;
  const auto digits = text.substr(colon + 1);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool is_port = failure == std::errc() && end == digits.data() + digits.size() && port >= 1 && port <= kMostPort;
  return is_port ? Status() : unexpected(text, kExpected);
}

Status check_user_name(std::string_view text) {
  return text.find_first_of("\r\n:;") == std::string_view::npos ? Status() : unexpected(text, "a name without ':' and ';'");
}

Status check_language(std::string_view text) {
  return base::is_language(text) ? Status() : unexpected(text, "a language like en");
}

Status check_domain_language(std::string_view text) {
  const auto equals = text.find('=');
  const bool good = equals != std::string_view::npos && check_domain(text.substr(0, equals)).ok() &&
                    base::is_language(text.substr(equals + 1)) &&
                    base::to_lower_ascii(text.substr(0, equals)) == text.substr(0, equals);
  return good ? Status() : unexpected(text, "a domain in small letters and a language like example.fr=fr");
}

constexpr std::array kNotices{
    row<&NoticesConfig::before>({.name = "before",
                                 .unit = "d",
                                 .least = 1,
                                 .most = kYear,
                                 .doc =
                                     "How long before a certificate's end its notices are sent, one for each: [30, 14, 3, 1]. A "
                                     "bare number is days. Empty: nobody is told.",
                                 .type = "duration"}),
    row<&NoticesConfig::ca_before>({.name = "ca_before",
                                    .unit = "d",
                                    .least = 1,
                                    .most = 10 * kYear,
                                    .doc = "The same of a CA's own certificate, as long as no later generation of it issues: "
                                           "certificates end with their CA. Where `before` is set, of every CA of the realm.",
                                    .type = "duration"}),
    row<&NoticesConfig::profiles>({.name = "profiles", .doc = "Whose certificates it is about. Empty: all."}),
    row<&NoticesConfig::to>(
        {.name = "to", .check = check_mail_address, .doc = "Addresses that get every mail.", .type = "mail address"}),
    row<&NoticesConfig::to_holders>({.name = "to_holders",
                                     .words = "certificate account",
                                     .doc = "Who else gets it: the mail addresses among the certificate's own names, the "
                                            "contacts of the ACME account that had it."}),
    row<&NoticesConfig::mail_server>({.name = "mail_server",
                                      .check = check_host_port,
                                      .doc = "The SMTP server that takes mail: mail.example.com:587. Empty: no mail.",
                                      .type = "host and port"}),
    row<&NoticesConfig::mail_tls>(
        {.name = "mail_tls",
         .words = "starttls tls none",
         .filled = true,
         .doc = "starttls (RFC 3207) and tls (RFC 8314) both demand a certificate of the server's name. none is "
                "for a server at an address of loopback only."}),
    row<&NoticesConfig::mail_from>(
        {.name = "mail_from", .check = check_mail_address, .doc = "The sender, who gets bounces, too.", .type = "mail address"}),
    row<&NoticesConfig::mail_user>(
        {.name = "mail_user", .check = check_user_name, .doc = "Login at the mail server. Empty: none.", .type = "name"}),
    row<&NoticesConfig::mail_password_file>(
        {.name = "mail_password_file",
         .doc = "Its password, one line in a file of mode 0600 that is chancery-notify's user's.",
         .type = "file"}),
    row<&NoticesConfig::ca_file>(
        {.name = "ca_file",
         .doc =
             "PEM certificates of the CAs that the mail server's and the webhooks' certificates come from. Empty: the system's.",
         .type = "file"}),
    row<&NoticesConfig::language>({.name = "language",
                                   .check = check_language,
                                   .filled = true,
                                   .doc = "Of mails, unless `languages` has the address's domain. de, en and fr are built in.",
                                   .type = "language"}),
    row<&NoticesConfig::languages>({.name = "languages",
                                    .check = check_domain_language,
                                    .doc = "DOMAIN=LANGUAGE: the language of addresses of that very domain.",
                                    .type = "DOMAIN=LANGUAGE"}),
    row<&NoticesConfig::templates>(
        {.name = "templates",
         .doc = "A directory with LANGUAGE.subject and LANGUAGE.body of each language that is used. Empty: the built-in texts.",
         .type = "directory"}),
    row<&NoticesConfig::webhooks>(
        {.name = "webhooks",
         .check = check_url,
         .doc = "URLs that notices are POSTed to as JSON, signed. https, or http at an address of loopback.",
         .type = "URL"}),
    row<&NoticesConfig::webhook_key_file>(
        {.name = "webhook_key_file",
         .doc = "The key of the signatures (HMAC-SHA-256), one line of at least 32 characters in a file of mode 0600 that is "
                "chancery-notify's user's.",
         .type = "file"}),
    row<&NoticesConfig::program>({.name = "program",
                                  .check = check_absolute_path,
                                  .doc = "A program that is run for each notice, with JSON on its standard input. Empty: none.",
                                  .type = "program"}),
    row<&NoticesConfig::timeout>(
        {.name = "timeout", .unit = "s", .least = 1, .most = 300, .doc = "How long one attempt to send a notice may take."}),
};

}  // namespace

std::span<const Setting<NoticesConfig>> notice_settings() { return kNotices; }

void read_notices(const Node& section, NoticesConfig& notices, Report& report) {
  if (!is_section(section, report)) return;
  check_names(section, names_of(notice_settings()), report);
  read_settings(notice_settings(), section, notices, report);
}

Node write_notices(const NoticesConfig& notices) {
  Node section = map(std::string(kNoticesSection));
  write_settings(notice_settings(), notices, section);
  return section;
}

void resolve_notice_paths(NoticesConfig& notices, const std::filesystem::path& directory) {
  for (auto* path : {&notices.mail_password_file, &notices.ca_file, &notices.templates, &notices.webhook_key_file}) {
    resolve(directory, *path);
  }
}

}  // namespace chancery::config
