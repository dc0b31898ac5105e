#include "server/config/documents.h"

#include <algorithm>

#include "server/base/text.h"
#include "server/config/acme_policy.h"
#include "server/config/approval_settings.h"
#include "server/config/ca_section.h"
#include "server/config/enrolment_settings.h"
#include "server/config/key_settings.h"
#include "server/config/notice_settings.h"
#include "server/config/people_settings.h"
#include "server/config/policy_settings.h"
#include "server/config/profile_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/rollover_settings.h"
#include "server/config/server_settings.h"
#include "server/config/source.h"
#include "server/config/upkeep_settings.h"

namespace chancery::config {
namespace {

std::string sentence(const SettingInfo& info) {
  const bool says_nothing =
      info.words.empty() && (info.type == Codec<std::string>::kType || info.type == Codec<std::filesystem::path>::kType);
  return std::string(info.name) + ": " + std::string(info.doc) + (says_nothing ? "" : " Takes " + takes(info) + ".");
}

// --- the manual ----------------------------------------------------------------------------------------------------------

std::string names_cell(const SettingInfo& info) {
  std::string cell = "`" + std::string(info.name) + "`";
  for (const auto& alias : words_of(info.aliases)) cell += ", `" + alias + "`";
  return cell;
}

std::string default_cell(const SettingLine& line) {
  if (line.info.required) return "must be given";
  return line.fallback.empty() ? "" : "`" + line.fallback + "`";
}

void add_rows(std::string& out, const std::vector<SettingLine>& lines) {
  out += "\n| setting | takes | default | counts at | what it is for |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& line : lines) {
    out += "| " + names_cell(line.info) + " | " + takes(line.info) + " | " + default_cell(line) + " | " +
           std::string(to_text(line.info.when)) + " | " + std::string(line.info.doc) + " |\n";
  }
}

void add_server(std::string& out) {
  out += "\n## chancery.xml\n\nThe root element is `<chancery>`. Relative paths start at the file's directory.\n";
  add_rows(out, describe(root_settings(), ServerConfig()));
  for (const auto& element : server_elements()) {
    out += "\n### `<" + std::string(element.name) + ">`\n\n" + std::string(element.doc) + "\n";
    if (const auto lines = element.attributes(); !lines.empty()) add_rows(out, lines);
    if (element.item.empty()) continue;
    out += "\n#### `<" + std::string(element.item) + ">`, any number\n\n" + std::string(element.item_doc) + " For example\n`<" +
           std::string(element.item) + " " + std::string(element.example) + "/>`.\n";
    add_rows(out, element.item_attributes());
  }
}

void add_realm(std::string& out, const RealmConfig& realm) {
  out += "\n## ca.config.yml\n\nThe settings of a realm, in its directory. Relative paths start there.\n";
  add_rows(out, describe(realm_settings(), realm));
  add_rows(out, describe(key_settings(), realm.keys));
  out += "\nuPKI's other keys have moved and are refused with that advice:\n\n";
  for (const auto& moved : moved_keys()) out += "- `" + std::string(moved.name) + "`: " + std::string(moved.where) + "\n";
  out += "\n### `secret:`\n\nWho opens the CA's key, where no file does (doc/keys.md).\n";
  add_rows(out, describe(secret_settings(), realm.keys.secret));
  out += "\n### `pkcs11:`\n\nThe token that holds the CA's key, with `key_store: pkcs11` (doc/keys.md).\n";
  add_rows(out, describe(token_settings(), realm.keys.token));
  out += "\n### `acme:`\n";
  add_rows(out, describe(acme_settings(), realm.acme));
  out +=
      "\n#### `acme: policies:`\n\nA map from names to policies: what an account may have, and how much of it. An account has "
      "the "
      "policy that an operator or its external account's key gave it, else the realm's, `acme: policy`.\n";
  add_rows(out, describe(acme_policy_settings(), AcmePolicy()));
  out += "\n### `requests:`\n\nLimits of requests that wait for approval (doc/four-eyes.md).\n";
  add_rows(out, describe(request_settings(), realm.requests));
  out +=
      "\n### `policy:`\n\nWhich requests the realm grants, beyond what profiles say (doc/policy.md). Rules are asked in their "
      "order; the "
      "first whose conditions all hold decides.\n";
  add_rows(out, describe(policy_settings(), realm.policy));
  out += "\n#### `policy: rules:`, a list\n";
  add_rows(out, describe(policy_rule_settings(), PolicyRule()));
  out +=
      "\n#### `policy: tests:`, a list\n\nRequests whose decision is known. A configuration that decides one of them otherwise "
      "is "
      "refused, at the start and at a reload.\n";
  add_rows(out, describe(policy_test_settings(), PolicyTest()));
  out +=
      "\n### `enrolment:`\n\nWhat requests may show for themselves, and who is asked about them (doc/enrolment.md). Rules of "
      "`policy:` name these things.\n";
  add_rows(out, describe(enrolment_settings(), realm.enrolment));
  out += "\n#### `enrolment: secrets:`\n\nA map from names to secrets: `challenge:NAME` and `hmac:NAME` in `proofs`.\n";
  add_rows(out, describe(enrolment_secret_settings(), EnrolmentSecret()));
  out += "\n#### `enrolment: signers:`\n\nA map from names to who may enrol others: `on_behalf:NAME` in `proofs`.\n";
  add_rows(out, describe(enrolment_signer_settings(), EnrolmentSigners()));
  out +=
      "\n#### `enrolment: look_ups:`\n\nA map from names to those who are asked: a rule's `look_ups` and `eligible`, and "
      "`look_up:NAME` in `proofs`.\n";
  add_rows(out, describe(look_up_settings(), LookUp()));
  out +=
      "\n### `cas:`\n\nA map from names to CAs of the realm beside its first one, which is called `ca` (doc/rollover.md). A CA "
      "that is named here gets its key and certificate by `chancery ca rollover start --ca NAME`.\n";
  add_rows(out, describe(ca_settings(), CaConfig()));
  out +=
      "\n#### `pkcs11:` below `cas: NAME:` and `rollover:`\n\nThe token in which that CA's next key is made, or found "
      "(doc/keys.md). "
      "Without module, token and serial it is the realm's, and says of the key alone.\n";
  add_rows(out, describe(further_token_settings(), TokenConfig()));
  out +=
      "\n### `notices:`\n\nWho is told that a certificate ends. Front end chancery-notify sends the notices (doc/upkeep.md).\n";
  add_rows(out, describe(notice_settings(), realm.notices));
  out += "\n### `publishing:`\n\nWhere CRLs go besides HTTP (doc/upkeep.md).\n";
  add_rows(out, describe(publishing_settings(), realm.publishing));
  out += "\n### `rollover:`\n\nHow CAs are replaced (doc/rollover.md).\n";
  add_rows(out, describe(rollover_settings(), realm.rollover));
  out += "\n#### `publishing: ldap:`\n\nAn LDAP server that CRLs and certificates are put into (doc/upkeep.md).\n";
  add_rows(out, describe(ldap_publishing_settings(), realm.publishing.ldap));
  out += "\n### `retention:`\n\nWhen what has ended leaves the store; the journal keeps it (doc/upkeep.md).\n";
  add_rows(out, describe(retention_settings(), realm.retention));
  out += "\n### `self_audit:`\n\nWhen the realm looks at everything that it keeps (doc/upkeep.md).\n";
  add_rows(out, describe(self_audit_settings(), realm.self_audit));
  out +=
      "\n### `command_roles:`\n\nA map from commands to the least role they need here: more than the command table says, never "
      "less.\n";
  out += "For example `certificate.issue: ca-operator`.\n";
  out +=
      "\n### `roles:`\n\nA map from the realm's own roles to the built-in ones that each contains (doc/people.md). For example "
      "`web-team: [ra-operator]`.\n";
  out += "\n### `logins:`\n\nA map from names to login stacks: the ways to log in to this realm.\n";
  add_rows(out, describe(login_settings(), LoginStack()));
  out +=
      "| gives | map | none | Roles for some of those who log in: `ra-operator: [\"group:ops\", \"user:alice\"]`. unix, program "
      "and ldap know user:NAME and group:NAME; certificate knows profile:NAME, subject:PATTERN, dn:DN and listed, the realm's "
      "list "
      "of administrators. |\n";
  out += "\n### `login_limits:`\n\nHow often one may fail, and for how long one is in.\n";
  add_rows(out, describe(login_limit_settings(), LoginLimits()));
  out +=
      "\n### `access:`\n\nA list of rules, of which the first that matches decides; where there are rules, what none matches is "
      "refused. No rule gives more than the command table does. Commands that anybody may run, and those of front ends alone, "
      "are "
      "not judged, but that rules that deny hold for certificate.enrol, too.\n";
  add_rows(out, describe(access_settings(), AccessRule()));
  out +=
      "\n### `profiles:`\n\nA map from names to profiles, as an alternative to files in `profiles/`. A profile stands in one "
      "place only.\n";
}

void add_profile(std::string& out) {
  out +=
      "\n## profiles/NAME.yml\n\nA profile of the realm. A file named like a built-in profile changes the keys it has; another "
      "adds a profile.\n";
  add_rows(out, describe(profile_settings(), Profile(ProfileName::parse("new").value())));
}

// --- samples -------------------------------------------------------------------------------------------------------------

/// The attributes of an element, one to a line where they are many.
std::string attributes_of(const Node& node) {
  constexpr std::size_t kMostInLine = 3;
  std::string out;
  std::size_t count = 0;
  for (const auto& child : node.children) {
    if (child.kind == Node::Kind::Map) continue;
    out += (count++ % kMostInLine == 0 && count > 1 ? "\n         " : " ") + child.name + "=\"" + one_line(child) + "\"";
  }
  return out;
}

void add_comment(std::string& out, std::string_view indent, std::string_view doc, const std::vector<SettingLine>& lines) {
  out += std::string(indent) + "<!-- " + std::string(doc);
  for (const auto& line : lines) out += "\n     " + std::string(indent) + sentence(line.info);
  out += " -->\n";
}

std::string yaml_value(const Node& node) { return std::string(base::trim(to_yaml(node))); }

template <class Owner>
void add_yaml(std::string& out, std::span<const Setting<Owner>> rows, const Owner& owner, std::string_view indent) {
  for (const auto& one : rows) {
    if (one.write == nullptr) continue;
    out += "\n# " + sentence(one.info) + "\n";
    out += "#" + std::string(indent) + std::string(one.info.name) + ": " + yaml_value(one.write(one.info, owner)) + "\n";
  }
}

RealmConfig default_realm() { return RealmConfig(RealmName::parse("default").value()); }

}  // namespace

std::string takes(const SettingInfo& info) {
  const auto one = expectation(info);
  if (info.several) return "a list, each " + one;
  constexpr std::string_view kSuchAs = " such as 90s, 5m, 12h or 7d";
  const auto such = one.find(kSuchAs);
  return such == std::string::npos ? one : one.substr(0, such) + one.substr(such + kSuchAs.size());
}

std::string settings_manual() {
  std::string out =
      "# Settings\n\nMade by `make docs` from the tables in `server/config/*_settings.cc`; change those.\n\n"
      "Durations are a number and a letter: `90s`, `5m`, `12h`, `7d`. A setting counts at the next *reload* (SIGHUP), at the "
      "next\n"
      "*start*, or only *when the CA is made*. `chanceryd --check` reads everything and names every mistake with its place.\n";
  add_server(out);
  add_realm(out, default_realm());
  add_profile(out);
  return out;
}

std::string server_sample() {
  const Node root = write_server(ServerConfig());
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<!-- Every setting of chancery.xml at its default. Made by `make docs`; etc/chancery.xml is the one to start from. -->\n";
  out += "<chancery" + attributes_of(root) + ">\n";
  add_comment(out, "  ", "The attributes of <chancery>.", describe(root_settings(), ServerConfig()));
  for (const auto& element : server_elements()) {
    const std::string name(element.name);
    out += "\n";
    add_comment(out, "  ", element.doc, element.attributes());
    out += "  <" + name + attributes_of(*root.find(name)) + (element.item.empty() ? "/>\n" : ">\n");
    if (element.item.empty()) continue;
    add_comment(out, "    ", element.item_doc, element.item_attributes());
    out += "    <!-- <" + std::string(element.item) + " " + std::string(element.example) + "/> -->\n  </" + name + ">\n";
  }
  return out + "</chancery>\n";
}

std::string realm_sample() {
  const auto realm = default_realm();
  std::string out =
      "# Every setting of ca.config.yml at its default. Made by `make docs`; realms/default is the one to start from.\n";
  add_yaml(out, realm_settings(), realm, "");
  add_yaml(out, key_settings(), realm.keys, "");
  out += "\n#" + std::string(kSecretSection) + ":\n";
  add_yaml(out, secret_settings(), realm.keys.secret, "  ");
  out += "\n#" + std::string(kTokenSection) + ":\n";
  add_yaml(out, token_settings(), realm.keys.token, "  ");
  out += "\n#" + std::string(kAcmeSection) + ":\n";
  add_yaml(out, acme_settings(), realm.acme, "  ");
  out += "\n# Roles of the realm's own, login stacks and access rules are in doc/people.md.\n";
  out += "\n#" + std::string(kLoginLimitsSection) + ":\n";
  add_yaml(out, login_limit_settings(), realm.people.limits, "  ");
  out += "\n#" + std::string(kRequestsSection) + ":\n";
  add_yaml(out, request_settings(), realm.requests, "  ");
  out += "\n#" + std::string(kNoticesSection) + ":\n";
  add_yaml(out, notice_settings(), realm.notices, "  ");
  out += "\n#" + std::string(kPublishingSection) + ":\n";
  add_yaml(out, publishing_settings(), realm.publishing, "  ");
  out += "\n#" + std::string(kRolloverSection) + ":\n";
  add_yaml(out, rollover_settings(), realm.rollover, "  ");
  out += "\n# `publishing: ldap:` is in doc/upkeep.md.\n";
  out += "\n#" + std::string(kRetentionSection) + ":\n";
  add_yaml(out, retention_settings(), realm.retention, "  ");
  out += "\n#" + std::string(kSelfAuditSection) + ":\n";
  add_yaml(out, self_audit_settings(), realm.self_audit, "  ");
  return out;
}

}  // namespace chancery::config
