#include "server/config/policy_settings.h"

#include <algorithm>
#include <array>
#include <set>

#include "server/base/text.h"
#include "server/config/policy_codecs.h"
#include "server/config/text_checks.h"

namespace chancery::config {

namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kMostDays = 36525;
constexpr std::int64_t kMostOfAnything = 1000000;
constexpr std::string_view kDecisions = "grant deny";

/// A name and no path: workers that are under way find a list that was replaced by its directory.
Status check_look_up(std::string_view text) {
  const bool is_file = text.starts_with(kFileLookUp);
  const auto name = is_file ? text.substr(kFileLookUp.size()) : std::string_view();
  if (is_file && !name.empty() && !name.starts_with('.') && name.find('/') == std::string_view::npos) return {};
  if (!is_file && check_name(text).ok()) return {};
  return Error(Code::Malformed, "found \"" + base::printable(text, 80) +
                                    "\", expected file:NAME of a list in the realm's lists/, or a name of enrolment.look_ups");
}

/// A template with a letter for each of its variables. @errors Malformed: an unknown one, or a brace alone.
Result<std::string> without_variables(std::string_view text) {
  const auto known = words_of(kTemplateVariables);
  std::string plain;
  while (!text.empty()) {
    const auto open = text.find('{');
    plain += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = text.find('}', open);
    const std::string name(close == std::string_view::npos ? text.substr(open + 1) : text.substr(open + 1, close - open - 1));
    if (close == std::string_view::npos || std::ranges::find(known, name) == known.end()) {
      return Error(Code::Malformed, "found the variable \"{" + base::printable(name, 40) + "\", expected one of {" +
                                        base::join(known, "}, {") + "}" + suggestion(name, known));
    }
    plain += 'x';
    text.remove_prefix(close + 1);
  }
  return plain;
}

Status check_dn_template(std::string_view text) {
  PKI_TRY(const auto plain, without_variables(text));
  return check_slash_dn(plain);
}

Status check_san_template(std::string_view text) {
  PKI_TRY([[maybe_unused]] const auto plain, without_variables(text));
  return {};
}

constexpr std::array kPolicy{
    row<&PolicyConfig::otherwise>({.name = "otherwise",
                                   .words = kDecisions,
                                   .filled = true,
                                   .doc = "What becomes of a request for which no rule holds. grant leaves it to its profile."}),
    row<&PolicyConfig::blocked_names>(
        {.name = "blocked_names",
         .doc = "DNS names and addresses that nobody gets by any rule or way: `host.example.com`, globs like `*.example.com`, "
                "`.example.com` for all below it, `10.0.0.0/8`, `/regular expression/` of the whole name. A wildcard is blocked "
                "where it stands for one of them."}),
};

constexpr std::array kRule{
    row<&PolicyRule::name>({.name = "name",
                            .check = check_name,
                            .required = true,
                            .doc = "What answers, records and tests call it.",
                            .type = "name"}),
    row<&PolicyRule::decision>({.name = "decision",
                                .words = kDecisions,
                                .required = true,
                                .doc = "What becomes of a request for which the rule holds."}),
    row<&PolicyRule::profiles>({.name = "profiles", .doc = "The profile is one of these. Empty: any."}),
    row<&PolicyRule::ways>(
        {.name = "ways",
         .words = kPolicyWays,
         .doc = "The request came so: by a command of the socket or a front end, with a registration seed, as a "
                "renewal, as a request that was approved, as an ACME order, by certificate.enrol. Empty: by any way but "
                "enrol, which needs no role and so is never meant unsaid, but by what denies."}),
    row<&PolicyRule::requesters>(
        {.name = "requesters",
         .doc = "Who asks is meant by one of these: `unix:alice`, `user:*`, `/cert:.*O=Company.*/`. Empty: anybody."}),
    row<&PolicyRule::roles>({.name = "roles",
                             .check = check_name,
                             .doc = "Who asks has one of these roles, or one that contains it; of the realm's own roles "
                                    "(`roles`), that very one. Empty: any.",
                             .type = "role"}),
    row<&PolicyRule::names>(
        {.name = "names",
         .doc =
             "Each DNS name and address of the certificate is meant by one of these, as in blocked_names. Where names, emails "
             "and uris are empty, any; where one of them is not, a kind of name whose list is empty must not be asked for, nor "
             "a certificate without alternative names (`chancery csr --cn a.example.com --san DNS:a.example.com`). "
             "A rule that denies holds as soon as one name is meant, the common name among them, or a wildcard that stands for "
             "one."}),
    row<&PolicyRule::emails>({.name = "emails", .doc = "Likewise each e-mail address: `*@example.com`."}),
    row<&PolicyRule::uris>({.name = "uris", .doc = "Likewise each URI: `https://example.com/*`."}),
    row<&PolicyRule::subjects>(
        {.name = "subjects", .doc = "One of these means the subject, in slash form: `/O=Company/*`. Empty: any."}),
    row<&PolicyRule::keys>(
        {.name = "keys", .doc = "The key is of one of these kinds; of RSA the size is the least one. Empty: any."}),
    row<&PolicyRule::max_validity>({.name = "max_validity",
                                    .unit = "d",
                                    .least = 0,
                                    .most = kMostDays,
                                    .doc = "The certificate is valid at most so long. 0: any length that the profile allows."}),
    row<&PolicyRule::max_living_per_subject>({.name = "max_living_per_subject",
                                              .least = 0,
                                              .most = kMostOfAnything,
                                              .doc = "With the new one, at most so many certificates in force have the subject, "
                                                     "however many ask at once, in letters of either case. 0: any number."}),
    row<&PolicyRule::max_living_per_requester>({.name = "max_living_per_requester",
                                                .least = 0,
                                                .most = kMostOfAnything,
                                                .doc = "Likewise whoever asks has at most so many. 0: any number."}),
    row<&PolicyRule::renews_within>({.name = "renews_within",
                                     .unit = "s",
                                     .least = 0,
                                     .most = kMostDays * kDay,
                                     .doc = "It is a renewal, of a certificate that ends within this time. 0: whatever it is."}),
    row<&PolicyRule::look_ups>(
        {.name = "look_ups",
         .check = check_look_up,
         .doc = "Each says yes. `file:hosts.txt`: the file of that name in the realm's directory `lists/` has a line that is the "
                "name, for each DNS name and address, or for the common name where there is none; for a rule that denies, for "
                "one of "
                "them. Lists may be changed and replaced "
                "at any time; one that cannot be read refuses the request. Any other text names one of enrolment.look_ups, which "
                "is asked about the same names, one after the other.",
         .type = "look-up"}),
    row<&PolicyRule::eligible>({.name = "eligible",
                                .check = check_name,
                                .doc = "Each of these of enrolment.look_ups says yes, asked once, about the request as a whole.",
                                .type = "name"}),
    row<&PolicyRule::replaces>({.name = "replaces",
                                .words = kStandings,
                                .doc = "What the subject has by now is one of these: living, certificates in force; else, by the "
                                       "last one, revoked or ended; nothing, none ever. Letters of either case are the same "
                                       "(RFC 5280 7.1, in ASCII). Empty: whatever it has."}),
    row<&PolicyRule::revoke_replaced>(
        {.name = "revoke_replaced",
         .doc = "When the certificate is there, those in force of the same subject and profile are revoked as superseded. They "
                "do not count for max_living_per_subject."}),
    row<&PolicyRule::proofs>(
        {.name = "proofs",
         .doc = "What the request may show for itself, each worth a point, or as many as stand behind `=`: `anonymous` (always), "
                "`challenge:SECRET`, `hmac:SECRET`, `holder`, `look_up:LOOK_UP`, `on_behalf:SIGNERS` (doc/enrolment.md). Empty: "
                "nothing has to be shown."}),
    row<&PolicyRule::points>({.name = "points",
                              .least = 1,
                              .most = 100,
                              .doc = "So many points of `proofs` are enough. Rules without proofs need none."}),
    row<&PolicyRule::if_short>(
        {.name = "if_short",
         .words = "next approval request",
         .doc = "What becomes of a request with fewer points: next, the rule does not hold, and the next one is asked; approval, "
                "it needs a request (request.create) that as many people approve as points are missing; request, likewise, and "
                "certificate.enrol opens it by itself."}),
    row<&PolicyRule::subject>(
        {.name = "subject",
         .check = check_dn_template,
         .doc =
             "What the subject becomes, in slash form with variables: {cn}, {host} and {domain} of the common name, {user} and "
             "{requester} who asks. Empty: it stays.",
         .type = "DN"}),
    row<&PolicyRule::sans>({.name = "sans",
                            .check = check_san_template,
                            .doc =
                                "What the subject alternative names become, with the same variables: `DNS:{host}.example.com`. "
                                "Empty: they stay."}),
};

constexpr std::array kTest{
    row<&PolicyTest::name>({.name = "name", .required = true, .doc = "What it is about."}),
    row<&PolicyTest::expect>(
        {.name = "expect", .words = kDecisions, .required = true, .doc = "What has to become of the request."}),
    row<&PolicyTest::rule>({.name = "rule", .doc = "The rule that has to decide. Empty: any, or none."}),
    row<&PolicyTest::profile>({.name = "profile", .doc = "The request's profile."}),
    row<&PolicyTest::way>({.name = "way", .words = kPolicyWays, .filled = true, .doc = "How it comes."}),
    row<&PolicyTest::requester>({.name = "requester", .filled = true, .doc = "Who asks."}),
    row<&PolicyTest::roles>({.name = "roles", .check = check_name, .doc = "Roles of who asks.", .type = "role"}),
    row<&PolicyTest::subject>({.name = "subject", .check = check_slash_dn, .doc = "Its subject.", .type = "DN"}),
    row<&PolicyTest::sans>({.name = "sans", .doc = "Its subject alternative names: `DNS:a.example.com`."}),
    row<&PolicyTest::key>({.name = "key", .doc = "The kind of its key."}),
    row<&PolicyTest::validity>(
        {.name = "validity", .unit = "d", .least = 0, .most = kMostDays, .doc = "How long. 0: as the profile says."}),
    row<&PolicyTest::living_of_subject>(
        {.name = "living_of_subject", .least = 0, .most = kMostOfAnything, .doc = "Certificates in force with its subject."}),
    row<&PolicyTest::living_of_requester>(
        {.name = "living_of_requester", .least = 0, .most = kMostOfAnything, .doc = "Certificates in force of who asks."}),
    row<&PolicyTest::renews_with_left>({.name = "renews_with_left",
                                        .unit = "s",
                                        .least = 0,
                                        .most = kMostDays * kDay,
                                        .doc = "It renews a certificate that ends after this. 0: it renews none."}),
    row<&PolicyTest::look_ups>({.name = "look_ups", .doc = "The look-ups that say yes; nothing is run or read."}),
    row<&PolicyTest::proofs>({.name = "proofs", .doc = "What it shows: `challenge:SECRET` and its like, without points."}),
    row<&PolicyTest::standing>({.name = "standing", .words = kStandings, .filled = true, .doc = "What its subject has by now."}),
};

/// The items of a list of maps; anything else is reported.
template <class Item>
std::vector<Item> read_items(std::span<const Setting<Item>> rows, const Node& section, Report& report) {
  std::vector<Item> items;
  if (section.kind != Node::Kind::List) {
    if (section.kind != Node::Kind::Null) report.error(section, "found no list, expected items like - name: …");
    return items;
  }
  for (const auto& child : section.children) {
    auto& item = items.emplace_back();
    if (!is_section(child, report)) continue;
    check_names(child, names_of(rows), report);
    read_settings(rows, child, item, report);
  }
  return items;
}

template <class Item>
Node write_items(std::span<const Setting<Item>> rows, const std::vector<Item>& items, std::string_view name) {
  Node section = list();
  for (const auto& item : items) {
    Node node = map();
    write_settings(rows, item, node);
    section.children.push_back(std::move(node));
  }
  return named(name, std::move(section));
}

/// The tails of all its names, where it holds for no request whose names are others.
std::vector<std::string> tails_of(const PolicyRule& rule) {
  std::vector<std::string> tails;
  if (!rule.emails.empty() || !rule.uris.empty() || rule.decision == "deny") return {};  // which looks at every name
  for (const auto& pattern : rule.names) {
    if (pattern.tail().empty()) return {};
    tails.push_back(pattern.tail());
  }
  return tails;
}

std::shared_ptr<const PolicyIndex> index_of(const std::vector<PolicyRule>& rules) {
  auto index = std::make_shared<PolicyIndex>();
  for (std::uint32_t number = 0; number < rules.size(); ++number) {
    const auto tails = tails_of(rules[number]);
    if (tails.empty()) index->others.push_back(number);
    for (const auto& tail : std::set<std::string>(tails.begin(), tails.end())) index->by_tail[tail].push_back(number);
  }
  return index;
}

}  // namespace

std::span<const Setting<PolicyConfig>> policy_settings() { return kPolicy; }
std::span<const Setting<PolicyRule>> policy_rule_settings() { return kRule; }
std::span<const Setting<PolicyTest>> policy_test_settings() { return kTest; }

void read_policy_section(const Node& section, PolicyConfig& policy, Report& report) {
  if (!is_section(section, report)) return;
  auto known = names_of(policy_settings());
  for (const auto name : {kPolicyRulesSection, kPolicyTestsSection}) known.emplace_back(name);
  check_names(section, known, report);
  read_settings(policy_settings(), section, policy, report);
  if (const Node* rules = section.find(kPolicyRulesSection)) policy.rules = read_items(policy_rule_settings(), *rules, report);
  if (const Node* tests = section.find(kPolicyTestsSection)) policy.tests = read_items(policy_test_settings(), *tests, report);
  policy.index = index_of(policy.rules);
}

Node write_policy_section(const PolicyConfig& policy) {
  Node section = map(std::string(kPolicySection));
  write_settings(policy_settings(), policy, section);
  section.children.push_back(write_items(policy_rule_settings(), policy.rules, kPolicyRulesSection));
  section.children.push_back(write_items(policy_test_settings(), policy.tests, kPolicyTestsSection));
  return section;
}

}  // namespace chancery::config
