#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What an XML or YAML text says, without saying which of both it was: the one form that readers and printers of settings know.
namespace chancery::config {

struct Node {
  enum class Kind { Null, Scalar, List, Map };
  /// How a scalar stood in the text. YAML gives plain ones a type by their looks; attributes of XML have none.
  enum class Style { Plain, Quoted, Attribute };

  Kind kind = Kind::Null;
  Style style = Style::Plain;
  std::string name;  ///< the key, the element's or the attribute's name; empty in lists and at the root of YAML
  std::string text;  ///< of scalars
  std::vector<Node> children;
  int line = 1;  ///< where the value starts
  int column = 1;
  int name_line = 1;  ///< where the name starts
  int name_column = 1;
  std::string path;  ///< "acme.profiles[0]", "chancery/limits/@grace"

  /// The first child of that name, or null.
  const Node* find(std::string_view wanted) const {
    for (const auto& child : children) {
      if (child.name == wanted) return &child;
    }
    return nullptr;
  }
};

/// Where a setting stands by the first of these names that is there, or the section when it is left out.
inline const Node& place_of(const Node& section, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (const Node* found = section.find(name)) return *found;
  }
  return section;
}
inline const Node& place_of(const Node& section, std::string_view name) { return place_of(section, {name}); }

/// Where an item stands, or the whole setting where it is no list of that many: a list of one may be written as its item.
inline const Node& place_of_item(const Node& list, std::size_t index, std::size_t count) {
  return list.kind == Node::Kind::List && list.children.size() == count ? list.children[index] : list;
}

inline Node scalar(std::string text, Node::Style style) {
  Node node;
  node.kind = Node::Kind::Scalar;
  node.style = style;
  node.text = std::move(text);
  return node;
}
inline Node plain(std::string text) { return scalar(std::move(text), Node::Style::Plain); }
inline Node quoted(std::string text) { return scalar(std::move(text), Node::Style::Quoted); }

inline Node list(std::vector<Node> items = {}) {
  Node node;
  node.kind = Node::Kind::List;
  node.children = std::move(items);
  return node;
}
inline Node map(std::string name = {}) {
  Node node;
  node.kind = Node::Kind::Map;
  node.name = std::move(name);
  return node;
}
inline Node named(std::string_view name, Node node) {
  node.name = name;
  return node;
}

}  // namespace chancery::config
