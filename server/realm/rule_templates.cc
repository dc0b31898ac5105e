#include "server/realm/rule_templates.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"

namespace chancery::realm {
namespace {

std::string common_name(const Question& question) {
  if (const auto name = question.subject.common_name()) return *name;
  const auto dns = std::ranges::find(question.sans, x509::GeneralName::Type::Dns, &x509::GeneralName::type);
  return dns == question.sans.end() ? std::string() : dns->value;
}

std::string host(const Question& question) {
  const auto name = common_name(question);
  return name.substr(0, name.find('.'));
}

std::string domain(const Question& question) {
  const auto name = common_name(question);
  const auto dot = name.find('.');
  return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

/// "alice" of "unix:alice".
std::string user(const Question& question) {
  const auto colon = question.requester.find(':');
  return colon == std::string::npos ? question.requester : question.requester.substr(colon + 1);
}

std::string requester(const Question& question) { return question.requester; }

struct Variable {
  std::string_view name;
  std::string (*value)(const Question&);
};
constexpr std::array kVariables{Variable{"cn", common_name}, Variable{"host", host}, Variable{"domain", domain},
                                Variable{"user", user}, Variable{"requester", requester}};

Error unknown(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& one : kVariables) known.emplace_back(one.name);
  return {Code::Malformed,
          "unknown variable {" + base::printable(name, 40) + "} in a template, expected one of " + base::join(known, ", ")};
}

/// A text with its variables' values in their places.
Result<std::string> filled(std::string_view text, const Question& question) {
  std::string out;
  while (!text.empty()) {
    const auto open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = text.find('}', open);
    if (close == std::string_view::npos) return Error(Code::Malformed, "a template has a { without its }");
    const auto name = text.substr(open + 1, close - open - 1);
    const auto variable = std::ranges::find(kVariables, name, &Variable::name);
    if (variable == kVariables.end()) return unknown(name);
    const auto value = variable->value(question);
    if (value.empty())
      return Error(Code::Malformed,
                   "a template of the realm's policy needs {" + std::string(name) + "}, and the request has none");
    out += value;
    text.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

Result<x509::Name> subject_from_template(const std::string& slash, const Question& question) {
  PKI_TRY(auto name, x509::Name::from_slash(slash));
  for (auto& attribute : name.attributes) {
    PKI_TRY(attribute.value, filled(attribute.value, question));
  }
  PKI_TRY_VOID(name.check());
  return name;
}

Result<std::vector<x509::GeneralName>> sans_from_templates(const std::vector<std::string>& texts, const Question& question) {
  std::vector<x509::GeneralName> names;
  for (const auto& text : texts) {
    PKI_TRY(const auto whole, filled(text, question));
    // A wildcard is the template's to give, not for whoever calls itself one.
    if (std::ranges::count(whole, '*') != std::ranges::count(text, '*'))
      return Error(Code::Malformed, "\"" + base::printable(whole, 80) + "\" is made of a value with a '*', expected a name");
    PKI_TRY(auto name, x509::GeneralName::parse(whole));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace chancery::realm
