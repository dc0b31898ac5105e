#include <unistd.h>

#include <algorithm>

#include "server/base/address.h"
#include "server/base/file.h"
#include "server/base/notice_text.h"
#include "server/base/text.h"
#include "server/base/user.h"
#include "server/config/notice_settings.h"

/// What must hold among the settings of `notices:`, so that a notice that is due can be sent.
namespace chancery::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLeastKeyCharacters = 32;  ///< of an HMAC key: 128 bits in hex (RFC 2104 3 wants the hash's length)
constexpr std::size_t kMostSecretOctets = 1024;

struct Checked {
  const NoticesConfig& notices;
  const Node& section;
  const RequestsConfig& requests;
  Report& report;

  const Node& at(std::string_view name) const { return place_of(section, name); }
  void error(std::string_view name, const std::string& message) const { report.error(at(name), message); }
};

std::string host_of(const std::string& host_port) {
  auto host = host_port.substr(0, host_port.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

/// Of an http(s) URL, without brackets.
std::string host_of_url(const std::string& url) {
  const auto begin = url.find("://") + 3;
  const auto authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  const auto host_port = authority.substr(authority.rfind('@') == std::string::npos ? 0 : authority.rfind('@') + 1);
  if (host_port.starts_with('[')) return host_port.substr(1, host_port.find(']') - 1);
  return host_port.substr(0, host_port.find(':'));
}

void check_ways(const Checked& checked) {
  const auto& notices = checked.notices;
  const bool has_way = !notices.mail_server.empty() || !notices.webhooks.empty() || !notices.program.empty();
  if (!notices.before.empty() && !has_way)
    checked.error("before", "found times of notices and no way to send them, expected mail_server, webhooks or program");
  if (notices.before.empty() && has_way && checked.requests.remind.empty())
    checked.error("before", "found a way to send notices and no time for them, expected days like [30, 14, 3, 1]");
  for (auto [name, times] : {std::pair("before", notices.before), std::pair("ca_before", notices.ca_before)}) {
    std::ranges::sort(times);
    if (std::ranges::adjacent_find(times) != times.end()) checked.error(name, "found a time twice, expected each once");
  }
}

void check_mail(const Checked& checked) {
  const auto& notices = checked.notices;
  const bool has_addressee = !notices.to.empty() || !notices.to_holders.empty() || !checked.requests.remind_to.empty();
  if (notices.mail_server.empty()) {
    for (const auto& [name, is_set] : {std::pair("to", !notices.to.empty()), std::pair("to_holders", !notices.to_holders.empty()),
                                       std::pair("mail_user", !notices.mail_user.empty())}) {
      if (is_set)
        checked.error(name, "found " + std::string(name) + " without mail_server, expected the server that takes the mail");
    }
    return;
  }
  if (notices.mail_from.empty()) checked.error("mail_from", "found no mail_from, expected the address of the sender");
  if (!has_addressee) checked.error("mail_server", "found a mail server and nobody to write to, expected to or to_holders");
  if (notices.mail_user.empty() != notices.mail_password_file.empty())
    checked.error("mail_user", "found one of mail_user and mail_password_file, expected both or none");
  if (notices.mail_tls == "none" && !base::is_loopback(host_of(notices.mail_server)))
    checked.error("mail_tls", "found none for " + host_of(notices.mail_server) +
                                  ", expected starttls or tls: what is not at an address of loopback is reached over a network");
}

void check_webhooks(const Checked& checked) {
  const auto& notices = checked.notices;
  const Node& list = checked.at("webhooks");
  for (std::size_t i = 0; i < notices.webhooks.size(); ++i) {
    const auto& url = notices.webhooks[i];
    const Node& place = list.children.size() == notices.webhooks.size() ? list.children[i] : list;
    if (url.starts_with("http://") && !base::is_loopback(host_of_url(url)))
      checked.report.error(place,
                           "found \"" + base::printable(url, 80) + "\", expected https: http is for addresses of loopback only");
    if (url.find('@') != std::string::npos && url.find('@') < url.find_first_of("/?#", url.find("://") + 3))
      checked.report.error(place, "found a user name in the URL, expected none: the signature says who sends");
    if (std::ranges::count(notices.webhooks, url) > 1) checked.report.error(place, "found the URL twice, expected each once");
  }
  if (!notices.webhooks.empty() && notices.webhook_key_file.empty())
    checked.error("webhooks", "found webhooks without webhook_key_file, expected the key that signs what they get");
  if (notices.webhooks.empty() && !notices.webhook_key_file.empty())
    checked.error("webhook_key_file", "found a key and no webhooks, expected some");
}

void check_program(const Checked& checked, const RealmConfig& realm) {
  const auto& program = checked.notices.program;
  if (program.empty()) return;
  check_program_file(program, {realm.directory}, checked.at("program"), checked.report);
}

/// Subject and body of one language.
void check_language(const Checked& checked, const std::string& language, const Node& at) {
  const auto& directory = checked.notices.templates;
  if (directory.empty()) {
    if (base::built_in_notice_texts(language) == nullptr)
      checked.report.error(
          at, "found language \"" + language + "\" without texts, expected de, en or fr, or `templates` that has them");
    return;
  }
  std::error_code ignored;
  // Those of reminders may be left out: the built-in ones stand in.
  for (const auto* ending : {".request.subject", ".request.body"}) {
    const auto file = fs::path(directory) / (language + ending);
    if (checked.requests.remind.empty() || !fs::exists(file, ignored)) continue;
    const auto text = base::read_file(file, base::kMaxNoticeText);
    const auto good = text.ok() ? base::check_notice_text(*text, base::NoticeKind::Request) : Status(text.error());
    if (!good.ok()) checked.report.error(checked.at("templates"), file.string() + ": " + good.error().message());
  }
  if (checked.notices.before.empty()) return;
  for (const auto* ending : {".subject", ".body"}) {
    const auto file = fs::path(directory) / (language + ending);
    const auto text = base::read_file(file, base::kMaxNoticeText);
    const auto good = text.ok() ? base::check_notice_text(*text) : Status(text.error());
    if (!good.ok()) checked.report.error(checked.at("templates"), file.string() + ": " + good.error().message());
  }
}

void check_languages(const Checked& checked) {
  if (checked.notices.mail_server.empty()) return;
  check_language(checked, checked.notices.language, checked.at("language"));
  std::vector<std::string> seen{checked.notices.language};
  for (const auto& one : checked.notices.languages) {
    const auto language = one.substr(one.find('=') + 1);
    if (std::ranges::count(seen, language) != 0) continue;
    seen.push_back(language);
    check_language(checked, language, checked.at("languages"));
  }
}

void check_profiles(const Checked& checked, const RealmConfig& realm) {
  std::vector<std::string> known;
  for (const auto& one : realm.profiles) known.push_back(one.first.text());
  const Node& list = checked.at("profiles");
  for (std::size_t i = 0; i < checked.notices.profiles.size(); ++i) {
    const auto& name = checked.notices.profiles[i];
    if (realm.profiles.contains(name)) continue;
    const Node& place = list.children.size() == checked.notices.profiles.size() ? list.children[i] : list;
    checked.report.error(place, "unknown profile \"" + name.text() + "\", expected one of " + base::join(known, ", ") +
                                    suggestion(name.text(), known));
  }
}

/// A secret of one line that only chancery-notify reads.
void check_secret(const Checked& checked, std::string_view name, const std::string& file, const FrontEnd& sender,
                  const ServerConfig& server) {
  if (file.empty()) return;
  const Node& at = checked.at(name);
  const auto& user = server.user_of(sender);
  FileRules rules{fs::path(file).parent_path()};
  if (!user.empty()) rules.users.push_back(user);
  check_secret_file(file, rules, at, checked.report);
  if (checked.report.has_reported(at)) return;
  const auto text = base::read_file(file, kMostSecretOctets);
  if (!text.ok()) {
    if (text.error().code() != Code::Denied) checked.report.error(at, file + ": " + text.error().message());
    return;  // another user's, who reads it
  }
  const auto secret = base::trim(*text);
  if (secret.empty() || secret.find('\n') != std::string_view::npos)
    return checked.report.error(at, "found no secret of one line in " + file);
  if (name == "webhook_key_file" && secret.size() < kLeastKeyCharacters)
    checked.report.error(at, "found a key of " + std::to_string(secret.size()) + " characters, expected at least " +
                                 std::to_string(kLeastKeyCharacters) + " (openssl rand -hex 32 makes one)");
}

}  // namespace

void check_notices(const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kNoticesSection);
  if (section == nullptr || section->kind != Node::Kind::Map) return;
  const Checked checked{realm.notices, *section, realm.requests, report};
  check_ways(checked);
  check_mail(checked);
  check_webhooks(checked);
  check_program(checked, realm);
  check_languages(checked);
  check_profiles(checked, realm);
  std::error_code ignored;
  if (const auto& file = realm.notices.ca_file; !file.empty() && !fs::is_regular_file(file, ignored))
    checked.error("ca_file", "found no file " + file +
                                 ", expected PEM certificates of the CAs that the mail server's and the webhooks' certificates "
                                 "come from: put them there, or leave ca_file out, and those of the system count");
}

void check_notices_in_server(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kNoticesSection);
  if (section == nullptr || (realm.notices.before.empty() && realm.requests.remind.empty())) return;
  const auto* const sender = server.notifier_of(realm.name.text());
  const Checked checked{realm.notices, *section, realm.requests, report};
  if (sender == nullptr) {
    return checked.error(
        "before",
        "found notices, but no front end of chancery.xml sends them for this realm, expected one there: <front-end "
        "name=\"notify\" program=\"chancery-notify\" realms=\"" +
            realm.name.text() + "\" roles=\"user\"/>");
  }
  check_secret(checked, "mail_password_file", realm.notices.mail_password_file, *sender, server);
  check_secret(checked, "webhook_key_file", realm.notices.webhook_key_file, *sender, server);
}

}  // namespace chancery::config
