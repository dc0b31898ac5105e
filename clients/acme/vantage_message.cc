#include "clients/acme/vantage_message.h"

#include <algorithm>
#include <array>

#include "clients/acme/problems.h"
#include "server/base/text.h"
#include "server/wire/json.h"

namespace chancery::acme {
namespace {

Error malformed(std::string_view member, const std::string& found, const std::string& expected) {
  return {Code::Malformed, "member " + std::string(member) + " is " + found + ", expected " + expected};
}

// ----- members: a row each, for both directions

template <class Owner>
struct Row {
  std::string_view name;
  Json (*put)(const Owner& owner);
  Status (*take)(std::string_view name, const Json& value, Owner& owner);
};

template <class Rows, class Owner>
Json put_members(const Rows& rows, const Owner& owner) {
  Json out = Json::object();
  for (const auto& row : rows) out.set(row.name, row.put(owner));
  return out;
}

/// Every row's member, and no other.
template <class Rows, class Owner>
Status take_members(const Rows& rows, const Json& json, Owner& owner) {
  if (!json.is_object()) return Error(Code::Malformed, "found " + std::string(json.kind()) + ", expected an object");
  for (const auto& row : rows) {
    const Json* value = json.find(row.name);
    if (value == nullptr) return Error(Code::Malformed, "member " + std::string(row.name) + " is missing");
    PKI_TRY_VOID(row.take(row.name, *value, owner));
  }
  for (const auto& [name, value] : *json.as_object()) {
    if (std::ranges::find(rows, name, [](const auto& row) { return row.name; }) == std::end(rows))
      return Error(Code::Malformed, "member \"" + base::printable(name, 64) + "\" is unknown");
  }
  return {};
}

// ----- forms of texts

struct TextForm {
  std::size_t most;         ///< octets
  bool (*allowed)(char c);  ///< each of them
  const char* what;
};
constexpr bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
constexpr TextForm kWord{64, [](char c) { return is_alnum(c) || c == '-'; }, "a word"};
constexpr TextForm kHex{32, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }, "hexadecimal digits"};
constexpr TextForm kBase64Url{128, [](char c) { return is_alnum(c) || c == '-' || c == '_'; }, "base64url"};
constexpr TextForm kHost{253, [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == ':'; },
                         "a name or an address"};
constexpr TextForm kAddressPort{64, [](char c) { return kHost.allowed(c) || c == '[' || c == ']'; }, "an address and a port"};
constexpr TextForm kLine{2048, [](char c) { return c >= 0x20 && c < 0x7f; }, "printable ASCII"};
/// Evidence and details: what Evidence::note and base::printable let through.
constexpr TextForm kProse{4096, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }, "one line of text"};
constexpr std::size_t kMostItems = 64;
constexpr std::size_t kMostNetworks = 1000;

Status take_text(std::string_view name, const Json& value, const TextForm& form, std::string& out) {
  const auto* text = value.as_string();
  const auto expected = std::string(form.what) + " of at most " + std::to_string(form.most) + " octets";
  if (text == nullptr) return malformed(name, std::string(value.kind()), expected);
  if (text->size() > form.most) return malformed(name, "a text of " + std::to_string(text->size()) + " octets", expected);
  if (!std::ranges::all_of(*text, form.allowed)) return malformed(name, "\"" + base::printable(*text, 64) + "\"", expected);
  out = *text;
  return {};
}

template <class Member>
struct MemberOf;
template <class O, class T>
struct MemberOf<T O::*> {
  using Owner = O;
};
template <auto Member>
using OwnerOf = typename MemberOf<decltype(Member)>::Owner;

template <auto Member, const TextForm& Form>
constexpr auto text(std::string_view name) {
  using Owner = OwnerOf<Member>;
  return Row<Owner>{
      name, [](const Owner& owner) { return Json(owner.*Member); },
      [](std::string_view own, const Json& value, Owner& owner) { return take_text(own, value, Form, owner.*Member); }};
}

template <auto Member, const TextForm& Form>
constexpr auto texts(std::string_view name) {
  using Owner = OwnerOf<Member>;
  return Row<Owner>{name, [](const Owner& owner) { return Json::strings(owner.*Member); },
                    [](std::string_view own, const Json& value, Owner& owner) -> Status {
                      if (value.as_array() == nullptr) return malformed(own, std::string(value.kind()), "an array");
                      if (value.as_array()->size() > kMostItems)
                        return malformed(own, "longer", "at most " + std::to_string(kMostItems) + " texts");
                      for (const auto& one : *value.as_array())
                        PKI_TRY_VOID(take_text(own, one, Form, (owner.*Member).emplace_back()));
                      return {};
                    }};
}

/// Networks as texts, "10.0.0.0/8".
template <auto Member>
constexpr auto networks(std::string_view name) {
  using Owner = OwnerOf<Member>;
  return Row<Owner>{name,
                    [](const Owner& owner) {
                      Json list = Json::array();
                      for (const auto& one : owner.*Member) list.push_back(one.text());
                      return list;
                    },
                    [](std::string_view own, const Json& value, Owner& owner) -> Status {
                      if (value.as_array() == nullptr) return malformed(own, std::string(value.kind()), "an array");
                      if (value.as_array()->size() > kMostNetworks)
                        return malformed(own, "longer", "at most " + std::to_string(kMostNetworks) + " networks");
                      for (const auto& one : *value.as_array()) {
                        const auto network = Network::parse(one.is_string() ? *one.as_string() : std::string());
                        if (!network.ok()) return malformed(own, base::printable(wire::to_text(one), 64), "a network");
                        (owner.*Member).push_back(*network);
                      }
                      return {};
                    }};
}

Status take_truth(std::string_view name, const Json& value, bool& out) {
  if (value.as_bool() == nullptr) return malformed(name, std::string(value.kind()), "true or false");
  out = *value.as_bool();
  return {};
}

template <auto Member>
constexpr auto truth(std::string_view name) {
  using Owner = OwnerOf<Member>;
  return Row<Owner>{name, [](const Owner& owner) { return Json(owner.*Member); },
                    [](std::string_view own, const Json& value, Owner& owner) { return take_truth(own, value, owner.*Member); }};
}

template <auto Member>
constexpr auto port(std::string_view name) {
  using Owner = OwnerOf<Member>;
  return Row<Owner>{name, [](const Owner& owner) { return Json(owner.*Member); },
                    [](std::string_view own, const Json& value, Owner& owner) -> Status {
                      constexpr std::int64_t kMost = 65535;
                      const auto* number = value.as_integer();
                      if (number == nullptr || *number < 1 || *number > kMost)
                        return malformed(own, number == nullptr ? std::string(value.kind()) : std::to_string(*number), "a port");
                      owner.*Member = static_cast<int>(*number);
                      return {};
                    }};
}

template <auto Member, const auto& Rows>
constexpr auto inside(std::string_view name) {
  using Owner = OwnerOf<Member>;
  return Row<Owner>{name, [](const Owner& owner) { return put_members(Rows, owner.*Member); },
                    [](std::string_view own, const Json& value, Owner& owner) -> Status {
                      const auto taken = take_members(Rows, value, owner.*Member);
                      return taken.ok() ? taken : Status(taken.error().within(own));
                    }};
}

template <class Owner>
constexpr Row<Owner> kVersionRow{"version", [](const Owner&) { return Json(kVantageVersion); },
                                 [](std::string_view, const Json& value, Owner&) -> Status {
                                   const auto* number = value.as_integer();
                                   if (number != nullptr && *number == kVantageVersion) return {};
                                   return Error(Code::Unsupported,
                                                "found version " + wire::to_text(value) + " of the questions to " +
                                                    "vantage points, expected " + std::to_string(kVantageVersion),
                                                "run the same version of Chancery at both ends");
                                 }};

// ----- the messages

constexpr std::array kResolver{text<&dns::Resolver::server, kAddressPort>("server"),
                               texts<&dns::Resolver::anchors, kLine>("anchors")};

constexpr std::array kGrounds{truth<&Grounds::allow_loopback>("allow_loopback"), networks<&Grounds::allowed>("allowed"),
                              networks<&Grounds::forbidden>("forbidden")};

/// A rule that is missing here is not kept by vantage points.
constexpr std::array kRules{
    port<&Rules::http01_port>("http01_port"),         port<&Rules::tlsalpn01_port>("tlsalpn01_port"),
    inside<&Rules::resolver, kResolver>("resolver"),  inside<&Rules::grounds, kGrounds>("grounds"),
    texts<&Rules::caa_issuers, kHost>("caa_issuers"),
};

constexpr std::array kQuestion{
    text<&Question::method, kWord>("method"),           text<&Question::name, kHost>("name"),
    truth<&Question::is_address>("is_address"),         truth<&Question::wildcard>("wildcard"),
    text<&Question::token, kBase64Url>("token"),        text<&Question::thumbprint, kBase64Url>("thumbprint"),
    text<&Question::account_url, kLine>("account_url"), inside<&Question::rules, kRules>("rules"),
};

constexpr std::array<std::string_view, 2> kAsks{"proof", "caa"};

Status take_ask(std::string_view name, const Json& value, Inquiry& inquiry) {
  const auto* word = value.as_string();
  const auto* found = word == nullptr ? kAsks.end() : std::ranges::find(kAsks, *word);
  if (found == kAsks.end()) return malformed(name, base::printable(wire::to_text(value), 64), "\"proof\" or \"caa\"");
  inquiry.ask = static_cast<Ask>(found - kAsks.begin());
  return {};
}

constexpr std::array kInquiry{
    kVersionRow<Inquiry>,
    text<&Inquiry::id, kHex>("id"),
    Row<Inquiry>{"ask", [](const Inquiry& one) { return Json(kAsks.at(static_cast<std::size_t>(one.ask))); }, take_ask},
    inside<&Inquiry::question, kQuestion>("question"),
};

Json put_error(const Reply& reply) {
  if (!reply.verdict.error) return {};
  const auto problem = to_problem(*reply.verdict.error);
  return Json::object({{"type", problem.type}, {"detail", base::printable(problem.detail)}});
}

/// A type that is none becomes one by its code, and so another.
Status take_error(std::string_view name, const Json& value, Reply& reply) {
  if (value.is_null()) return {};
  struct Parts {
    std::string type;
    std::string detail;
  } parts;
  static constexpr std::array kParts{text<&Parts::type, kWord>("type"), text<&Parts::detail, kProse>("detail")};
  if (const auto taken = take_members(kParts, value, parts); !taken.ok()) return taken.error().within(name);
  Error error(Code::Malformed, parts.detail, "acme:" + parts.type);
  if (to_problem(error).type != parts.type) return malformed(name, "of type " + parts.type, "one of RFC 8555 6.7");
  reply.verdict.error = std::move(error);
  return {};
}

Status take_valid(std::string_view name, const Json& value, Reply& reply) {
  bool valid = false;
  PKI_TRY_VOID(take_truth(name, value, valid));
  if (valid != reply.verdict.error.has_value()) return {};
  return malformed(name, valid ? "true with an error" : "false without an error", "one of them");
}

/// The error is read before what it must agree with.
constexpr std::array kReply{
    kVersionRow<Reply>,
    text<&Reply::id, kHex>("id"),
    Row<Reply>{"error", put_error, take_error},
    Row<Reply>{"valid", [](const Reply& one) { return Json(!one.verdict.error.has_value()); }, take_valid},
    Row<Reply>{
        "caa_checked", [](const Reply& one) { return Json(one.verdict.caa_checked); },
        [](std::string_view name, const Json& value, Reply& one) { return take_truth(name, value, one.verdict.caa_checked); }},
    Row<Reply>{"evidence", [](const Reply& one) { return Json(one.verdict.evidence); },
               [](std::string_view name, const Json& value, Reply& one) {
                 return take_text(name, value, kProse, one.verdict.evidence);
               }},
};

Result<Json> parse_bounded(std::string_view text, std::size_t most) {
  if (text.size() > most) {
    return Error(Code::TooLarge, "found " + std::to_string(text.size()) + " octets, expected at most " + std::to_string(most));
  }
  return wire::parse_json(text);
}

Status check_question(const Inquiry& inquiry) {
  const auto& question = inquiry.question;
  if (question.name.empty()) return malformed("name", "empty", "a name or an address");
  if (question.is_address != dns::IpAddress::parse(question.name).ok() || (question.is_address && question.wildcard))
    return malformed("is_address", question.is_address ? "true" : "false", "what the name is");
  if (inquiry.ask == Ask::Proof && find_method(question.method) == nullptr)
    return malformed("method", "\"" + question.method + "\"", "a challenge that there is");
  if (inquiry.ask == Ask::Caa && question.rules.caa_issuers.empty())
    return malformed("caa_issuers", "empty", "the names that CAA shall have");
  return {};
}

}  // namespace

std::string to_text(const Inquiry& inquiry) { return wire::to_text(put_members(kInquiry, inquiry)); }

Result<Inquiry> read_inquiry(std::string_view text) {
  PKI_TRY(const auto json, parse_bounded(text, kMaxInquiryBytes));
  Inquiry inquiry;
  PKI_TRY_VOID(take_members(kInquiry, json, inquiry));
  if (inquiry.id.size() != kHex.most) return malformed("id", "\"" + inquiry.id + "\"", "32 hexadecimal digits");
  PKI_TRY_VOID(check_question(inquiry));
  return inquiry;
}

std::string to_text(const Reply& reply) { return wire::to_text(put_members(kReply, reply)); }

Result<Reply> read_reply(std::string_view text) {
  PKI_TRY(const auto json, parse_bounded(text, kMaxReplyBytes));
  Reply reply;
  PKI_TRY_VOID(take_members(kReply, json, reply));
  if (!reply.id.empty() && reply.id.size() != kHex.most)
    return malformed("id", "\"" + reply.id + "\"", "32 hexadecimal digits, or none");
  if (reply.id.empty() && !reply.verdict.error) return malformed("id", "empty", "that of the question");
  if (reply.verdict.caa_checked && reply.verdict.error) return malformed("caa_checked", "true with an error", "false");
  return reply;
}

}  // namespace chancery::acme
