#include "server/config/setting.h"

#include <algorithm>

#include "server/base/text.h"
#include "server/config/text_checks.h"

namespace chancery::config {
namespace {
constexpr std::size_t kMaxNameShown = 64;
constexpr std::size_t kMaxItems = 1000;
}  // namespace

std::vector<Node> items_of(const SettingInfo& info, const Node& node, Report& report) {
  if (node.kind == Node::Kind::List && node.children.size() > kMaxItems) {
    report.error(node,
                 "found a list of " + std::to_string(node.children.size()) + ", expected at most " + std::to_string(kMaxItems));
    return {};
  }
  if (node.kind == Node::Kind::List) return node.children;
  if (node.kind != Node::Kind::Scalar) {
    report.error(node, *misplaced(info, node, Looks::Any));
    return {};
  }
  if (node.style != Node::Style::Attribute) return {node};
  std::vector<Node> items;
  for (auto& word : words_of(node.text)) {
    items.push_back(node);
    items.back().text = std::move(word);
  }
  return items;
}

const Node* find_setting(const SettingInfo& info, const Node& map) {
  const auto aliases = words_of(info.aliases);
  for (const auto& child : map.children) {
    if (child.name == info.name || std::ranges::find(aliases, child.name) != aliases.end()) return &child;
  }
  return nullptr;
}

const Node* find_setting_once(const SettingInfo& info, const Node& map, Report& report) {
  const Node* first = find_setting(info, map);
  if (first == nullptr || info.aliases.empty()) return first;
  const auto aliases = words_of(info.aliases);
  for (const auto& child : map.children) {
    const bool same = child.name == info.name || std::ranges::find(aliases, child.name) != aliases.end();
    if (same && &child != first) {
      report.error_at_name(child, "found the setting a second time, expected it once: " + first->name + " is another name of it");
    }
  }
  return first;
}

void check_names(const Node& map, const std::vector<std::string>& known, Report& report) {
  for (const auto& child : map.children) {
    if (std::ranges::find(known, child.name) != known.end()) continue;
    const auto name = base::printable(child.name, kMaxNameShown);
    report.error_at_name(
        child, "unknown name \"" + name + "\", expected one of " + base::join(known, ", ") + suggestion(child.name, known));
  }
}

bool is_section(const Node& node, Report& report) {
  if (node.kind == Node::Kind::Map) return true;
  report.error(node, "found " +
                         (node.kind == Node::Kind::Scalar ? "\"" + base::printable(node.text, kMaxNameShown) + "\""
                          : node.kind == Node::Kind::List ? std::string("a list")
                                                          : std::string("nothing")) +
                         ", expected settings below it");
  return false;
}

std::vector<const Node*> named_children(const Node& section, Report& report) {
  std::vector<const Node*> found;
  for (const auto& child : section.children) {
    const auto good = check_name(child.name);
    if (good.ok()) found.push_back(&child);
    if (!good.ok()) report.error_at_name(child, good.error().message());
  }
  return found;
}

}  // namespace chancery::config
