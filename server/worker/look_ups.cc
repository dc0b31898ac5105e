#include "server/worker/look_ups.h"

#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/store/foreign_database.h"
#include "server/worker/session.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMostAnswers = 10000;

Result<bool> by_program(Session& session, const std::string& name, const config::LookUp& one, const LookUpValues& values) {
  return ask_program_look_up(session, name, one, values);
}
Result<bool> by_directory(Session&, const std::string&, const config::LookUp& one, const LookUpValues& values) {
  return ask_directory(one, values);
}
Result<bool> by_service(Session&, const std::string&, const config::LookUp& one, const LookUpValues& values) {
  return ask_service(one, values);
}
Result<bool> by_database(Session&, const std::string&, const config::LookUp& one, const LookUpValues& values) {
  return ask_database(one, values);
}

struct Kind {
  std::string_view name;
  Result<bool> (*ask)(Session&, const std::string&, const config::LookUp&, const LookUpValues&);
};
constexpr std::array kKinds{Kind{"program", by_program}, Kind{"ldap", by_directory}, Kind{"http", by_service},
                            Kind{"sqlite", by_database}};

bool is_control(char c) {
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr unsigned char kDelete = 0x7f;
  const auto octet = static_cast<unsigned char>(c);
  return octet < kFirstPrintable || octet == kDelete;
}

std::string key_of(const std::string& name, const LookUpValues& values) {
  std::string key = name;
  for (const auto& [variable, value] : values) key += '\n' + value;
  return key;
}

}  // namespace

Result<bool> ask_look_up(Session& session, const std::string& name, const LookUpValues& values) {
  for (const auto& [variable, value] : values) {
    if (std::ranges::any_of(value, is_control))
      return Error(Code::PolicyRefused,
                   "the request's " + variable + " has a control character, so look-up " + name + " is not asked about it");
  }
  const auto& one = session.realm().enrolment.look_ups.at(name);
  auto& answers = session.look_up_cache().answers;
  const auto key = key_of(name, values);
  const auto now = session.clock().now();
  const auto before = answers.find(key);
  if (before != answers.end() && now < before->second.first) return before->second.second;
  const auto* const kind = std::ranges::find(kKinds, one.kind, &Kind::name);
  PKI_CHECK(kind != kKinds.end());
  PKI_TRY(auto* store, session.store());
  store->renew_view();  // it may take its time
  const auto answer = kind->ask(session, name, one, values);
  if (!answer.ok()) {
    base::log_warning("look-up " + name + ": " + answer.error().message());
    return Error(Code::Unavailable, "look-up " + name + " says neither yes nor no, so nothing is granted",
                 "try again later; the realm's administrators see in the log what is the matter with it");
  }
  if (one.cache.count() == 0) return *answer;
  if (answers.size() >= kMostAnswers) answers.clear();
  answers.insert_or_assign(key, std::pair(now + one.cache, *answer));
  return *answer;
}

Result<bool> ask_database(const config::LookUp& one, const LookUpValues& values) {
  return store::foreign_database_knows(one.file, one.query, values, one.timeout);
}

std::string fill_in(std::string_view text, const LookUpValues& values, std::string (*put)(std::string_view)) {
  std::string out;
  while (!text.empty()) {
    const auto open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = text.find('}', open);
    PKI_CHECK(close != std::string_view::npos);  // the configuration was checked
    const auto name = text.substr(open + 1, close - open - 1);
    for (const auto& [variable, value] : values) {
      if (variable == name) out += put(value);
    }
    text.remove_prefix(close + 1);
  }
  return out;
}

std::string percent_encoded(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kMarks = "-._~";
  std::string out;
  for (const char c : value) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const auto octet = static_cast<unsigned char>(c);
    if (is_plain || kMarks.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kDigits[octet >> 4U], kDigits[octet & 0xfU]};
    }
  }
  return out;
}

}  // namespace chancery::worker
