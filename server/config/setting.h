#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/report.h"
#include "server/config/source.h"
#include "server/config/value.h"

/// Tables of settings. A row is a setting: what it is called, what it takes, when it counts, what it is for and which member
/// it fills. Readers, printers, range errors, sample files and the manual come from the rows.
namespace chancery::config {

/// One row. `read` and `write` are null for names that another row's function reads (uPKI's key_length beside key_type).
template <class Owner>
struct Setting {
  SettingInfo info;
  void (*read)(const SettingInfo& info, const Node& node, Owner& owner, Report& report);
  Node (*write)(const SettingInfo& info, const Owner& owner);
};

/// A row as the manual shows it.
struct SettingLine {
  SettingInfo info;
  std::string fallback;  ///< the default as text
};

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {
  using Item = T;
};

/// Reads one scalar; on a mistake reports it and leaves `out` as it was.
template <class T>
bool read_scalar(const SettingInfo& info, const Node& node, T& out, Report& report) {
  if (const auto problem = misplaced(info, node, Codec<T>::kLooks)) {
    report.error(node, *problem);
    return false;
  }
  auto parsed = Codec<T>::parse(info, node.text);
  if (!parsed.ok()) {
    report.error(node, parsed.error().message());
    return false;
  }
  out = std::move(*parsed);
  return true;
}

/// The items of a list: of a YAML list, of an attribute the parts between blanks, of any other scalar itself.
std::vector<Node> items_of(const SettingInfo& info, const Node& node, Report& report);

/// A list, or an attribute that lists, without items.
inline bool is_empty(const Node& node) {
  return node.kind == Node::Kind::List ? node.children.empty() : words_of(node.text).empty();
}

template <class T>
void read_value(const SettingInfo& info, const Node& node, T& out, Report& report) {
  if constexpr (IsVector<T>::value) {
    using Item = typename IsVector<T>::Item;
    T items;
    for (const auto& one : items_of(info, node, report)) {
      std::vector<Item> slot;
      if constexpr (std::is_default_constructible_v<Item>) {
        slot.emplace_back();
      } else {
        slot.push_back(Item::parse("x").value());  // names have no empty form
      }
      if (read_scalar(info, one, slot[0], report)) items.push_back(std::move(slot[0]));
    }
    if (items.empty() && (info.required || info.filled) && is_empty(node)) {
      report.error(node, "found an empty list, expected " + expectation(info));
    }
    out = std::move(items);
  } else if constexpr (std::is_same_v<T, Roles>) {
    std::vector<Role> roles;
    read_value(info, node, roles, report);
    out = Roles();
    for (const auto role : roles) out.add(role);
  } else {
    read_scalar(info, node, out, report);
  }
}

template <class T>
Node write_value(const SettingInfo& info, const T& value) {
  if constexpr (IsVector<T>::value) {
    Node out = list();
    for (const auto& one : value) out.children.push_back(write_value(info, one));
    return out;
  } else if constexpr (std::is_same_v<T, Roles>) {
    return write_value(info, value.names());
  } else {
    return Codec<T>::print(info, value);
  }
}

template <class T>
constexpr std::string_view type_name() {
  if constexpr (IsVector<T>::value) {
    return Codec<typename IsVector<T>::Item>::kType;
  } else if constexpr (std::is_same_v<T, Roles>) {
    return Codec<Role>::kType;
  } else {
    return Codec<T>::kType;
  }
}

template <class Member>
struct MemberOf;
template <class O, class T>
struct MemberOf<T O::*> {
  using Owner = O;
  using Type = T;
};

/// The row of a member.
template <auto Member>
constexpr auto row(SettingInfo info) {
  using Owner = typename MemberOf<decltype(Member)>::Owner;
  using Type = typename MemberOf<decltype(Member)>::Type;
  if (info.type.empty()) info.type = type_name<Type>();
  info.several = IsVector<Type>::value || std::is_same_v<Type, Roles>;
  return Setting<Owner>{info,
                        [](const SettingInfo& own, const Node& node, Owner& owner, Report& report) {
                          read_value(own, node, owner.*Member, report);
                        },
                        [](const SettingInfo& own, const Owner& owner) { return write_value(own, owner.*Member); }};
}

/// The children of `map` that carry the setting's name or one of its aliases; a second one is reported.
const Node* find_setting(const SettingInfo& info, const Node& map);
const Node* find_setting_once(const SettingInfo& info, const Node& map, Report& report);

/// Reports every child whose name is not among those known.
void check_names(const Node& map, const std::vector<std::string>& known, Report& report);

/// Whether the node holds settings; reports it otherwise.
bool is_section(const Node& node, Report& report);

/// Every name and alias of the rows.
template <class Owner>
std::vector<std::string> names_of(std::span<const Setting<Owner>> rows) {
  std::vector<std::string> names;
  for (const auto& one : rows) {
    names.emplace_back(one.info.name);
    for (auto& alias : words_of(one.info.aliases)) names.push_back(std::move(alias));
  }
  return names;
}

/// Reads the settings of a section into their owner. Names of other things than these rows are the caller's to check.
template <class Owner>
void read_settings(std::span<const Setting<Owner>> rows, const Node& map, Owner& owner, Report& report) {
  for (const auto& one : rows) {
    const Node* node = find_setting_once(one.info, map, report);
    if (node == nullptr && one.info.required) {
      report.error(map, "found no " + std::string(one.info.name) + ", expected " + expectation(one.info));
    }
    if (node != nullptr && one.read != nullptr) one.read(one.info, *node, owner, report);
  }
}

template <class Owner>
void write_settings(std::span<const Setting<Owner>> rows, const Owner& owner, Node& into) {
  for (const auto& one : rows) {
    if (one.write != nullptr) into.children.push_back(named(one.info.name, one.write(one.info, owner)));
  }
}

/// The children of a section whose names are names (check_name); others are reported.
std::vector<const Node*> named_children(const Node& section, Report& report);

/// A map from names to sections of the same rows.
template <class Owner>
void read_named(std::span<const Setting<Owner>> rows, const Node& section, std::map<std::string, Owner>& owners, Report& report) {
  if (!is_section(section, report)) return;
  for (const auto* child : named_children(section, report)) {
    auto& owner = owners[child->name];
    if (!is_section(*child, report)) continue;
    check_names(*child, names_of(rows), report);
    read_settings(rows, *child, owner, report);
  }
}

template <class Owner>
Node write_named(std::span<const Setting<Owner>> rows, const std::map<std::string, Owner>& owners, std::string_view name) {
  Node section = map(std::string(name));
  for (const auto& [owner_name, owner] : owners) {
    Node node = map();
    write_settings(rows, owner, node);
    section.children.push_back(named(owner_name, std::move(node)));
  }
  return section;
}

template <class Owner>
std::vector<SettingLine> describe(std::span<const Setting<Owner>> rows, const Owner& fallback) {
  std::vector<SettingLine> lines;
  for (const auto& one : rows) {
    lines.push_back({one.info, one.write == nullptr ? "" : one_line(one.write(one.info, fallback))});
  }
  return lines;
}

}  // namespace chancery::config
