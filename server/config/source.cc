#include "server/config/source.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>
#include <pugixml.hpp>

#include "server/base/file.h"
#include "server/base/text.h"
#include "server/config/load.h"

namespace chancery::config {
namespace {

constexpr std::size_t kMaxNameShown = 64;
constexpr std::size_t kMaxAttributes = 100;
constexpr std::string_view kBom = "\xef\xbb\xbf";

struct Place {
  int line;
  int column;
};

/// Offsets of a text as lines and columns from 1.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }
  Place at(std::size_t offset) const {
    const auto next = std::ranges::upper_bound(starts_, offset);
    return {static_cast<int>(next - starts_.begin()), static_cast<int>(offset - *std::prev(next)) + 1};
  }

 private:
  std::vector<std::size_t> starts_{0};
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && !is_blank(c)) || octet == 0x7f;
}

std::string quote(std::string_view text) { return "\"" + base::printable(text, kMaxNameShown) + "\""; }

// --- XML ---------------------------------------------------------------------------------------------------------------

/// Where an attribute's name stands. pugixml knows the places of elements only, so the tag is walked a second time; it is
/// well-formed, since pugixml has read it.
class TagWalker {
 public:
  TagWalker(std::string_view text, std::size_t name_offset) : text_(text), at_(name_offset) {
    while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '>' && text_[at_] != '/') ++at_;
  }
  std::size_t next_attribute() {
    skip_blanks();
    const auto start = at_;
    at_ = std::min(text_.find_first_of("\"'", at_), text_.size() - 1);
    at_ = std::min(text_.find(text_[at_], at_ + 1), text_.size() - 1) + 1;
    return start;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  std::string_view text_;
  std::size_t at_;
};

class XmlReader {
 public:
  XmlReader(std::string_view text, Report& report) : text_(text), lines_(text), report_(report) {}

  std::optional<Node> read() {
    pugi::xml_document document;
    constexpr auto kFlags = pugi::parse_default | pugi::parse_doctype | pugi::parse_declaration;
    const auto parsed = document.load_buffer(text_.data(), text_.size(), kFlags, pugi::encoding_utf8);
    if (!parsed) return refuse(static_cast<std::size_t>(parsed.offset), "found what is not XML: " + lower(parsed.description()));
    check_prologue(document);
    if (document.document_element().next_sibling()) report_.error_at(1, 1, "found two root elements, expected one");
    return element(document.document_element(), "", 0);
  }

 private:
  static std::string lower(std::string text) {
    if (!text.empty()) text[0] = base::to_lower_ascii(text.substr(0, 1))[0];
    return text;
  }

  std::optional<Node> refuse(std::size_t offset, std::string message) {
    const auto place = lines_.at(std::min(offset, text_.size()));
    report_.error_at(place.line, place.column, std::move(message));
    return std::nullopt;
  }

  void check_prologue(const pugi::xml_document& document) {
    for (const auto& child : document.children()) {
      if (child.type() == pugi::node_doctype) refuse(0, "found a document type declaration, expected none");
      if (child.type() != pugi::node_declaration) continue;
      const std::string encoding = base::to_lower_ascii(child.attribute("encoding").as_string("utf-8"));
      if (encoding != "utf-8") refuse(0, "found encoding " + quote(encoding) + ", expected UTF-8");
    }
  }

  std::optional<Node> element(const pugi::xml_node& source, const std::string& path, std::size_t depth) {
    const auto offset = static_cast<std::size_t>(source.offset_debug());
    if (depth >= kMaxDepth) return refuse(offset, "found more than " + std::to_string(kMaxDepth) + " elements inside each other");
    if (++nodes_ > kMaxNodes) return refuse(offset, "found more than " + std::to_string(kMaxNodes) + " elements");
    Node node = map(source.name());
    const auto place = lines_.at(offset - 1);  // the '<' before the name
    node.line = node.name_line = place.line;
    node.column = node.name_column = place.column;
    node.path = path.empty() ? node.name : path;
    if (!attributes(source, node, offset) || !children(source, node, depth)) return std::nullopt;
    return node;
  }

  bool attributes(const pugi::xml_node& source, Node& node, std::size_t offset) {
    TagWalker walker(text_, offset);
    std::size_t count = 0;
    for (const auto& attribute : source.attributes()) {
      if (++count > kMaxAttributes) {
        refuse(offset, "found more than " + std::to_string(kMaxAttributes) + " attributes in one element");
        return false;
      }
      Node child = named(attribute.name(), scalar(attribute.value(), Node::Style::Attribute));
      const auto place = lines_.at(walker.next_attribute());
      child.line = child.name_line = place.line;
      child.column = child.name_column = place.column;
      child.path = node.path + "/@" + child.name;
      if (node.find(child.name) != nullptr) {
        report_.error(child, "found the attribute a second time, expected it once");
        continue;
      }
      node.children.push_back(std::move(child));
    }
    return true;
  }

  bool children(const pugi::xml_node& source, Node& node, std::size_t depth) {
    std::map<std::string_view, int> brothers;
    for (const auto& child : source.children()) ++brothers[child.name()];
    std::map<std::string_view, int> index;
    for (const auto& child : source.children()) {
      if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
        Node text = node;
        const std::string_view value = child.value();
        const auto blanks = std::min(value.find_first_not_of(" \t\r\n"), value.size());
        const auto place = lines_.at(static_cast<std::size_t>(child.offset_debug()) + blanks);
        text.line = place.line;
        text.column = place.column;
        report_.error(text, "found the text " + quote(base::trim(value)) + ", expected attributes and elements only");
      }
      if (child.type() != pugi::node_element) continue;
      const auto number = std::to_string(++index[child.name()]);  // XPath's "[2]" where an element has brothers of its name
      const auto suffix = brothers[child.name()] > 1 ? "[" + number + "]" : "";
      auto read = element(child, node.path + "/" + child.name() + suffix, depth + 1);
      if (!read) return false;
      node.children.push_back(std::move(*read));
    }
    return true;
  }

  std::string_view text_;
  Lines lines_;
  Report& report_;
  std::size_t nodes_ = 0;
};

void append_xml(const Node& node, pugi::xml_node parent) {
  auto element = parent.append_child(node.name.c_str());
  for (const auto& child : node.children) {
    if (child.kind == Node::Kind::Map) {
      append_xml(child, element);
    } else {
      element.append_attribute(child.name.c_str()).set_value(one_line(child).c_str());
    }
  }
}

// --- YAML --------------------------------------------------------------------------------------------------------------

/// Thrown through yaml-cpp to stop it; never leaves this file.
struct Stop {
  YAML::Mark mark;
  std::string message;
};

/// Builds the tree from yaml-cpp's events. Its own tree has no places for keys, keeps keys that come twice and grows with
/// aliases.
class YamlBuilder : public YAML::EventHandler {
 public:
  explicit YamlBuilder(Report& report) : report_(report) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Stop{mark, "found a second document, expected one"};
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    throw Stop{mark, "found the anchor &" + base::printable(name, kMaxNameShown) + ", expected none: anchors are refused"};
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Stop{mark, "found an alias, expected none: aliases are refused"};
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (wants_key()) throw Stop{mark, "found a key without a name"};
    add(mark, Node{});
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    check_tag(mark, tag);
    if (wants_key()) return begin_pair(mark, value);
    add(mark, tag == "!" ? quoted(value) : plain(value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, list());
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, map());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    std::set<std::string> names;  ///< of a map, so far
    std::optional<Node> key;      ///< of the pair whose value comes next
    bool twice = false;           ///< that key was there before
  };

  bool wants_key() const { return !open_.empty() && open_.back().node.kind == Node::Kind::Map && !open_.back().key; }

  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Stop{mark, "found the tag " + quote(tag) + ", expected none: tags are refused"};
  }

  std::string path_of_next() const {
    if (open_.empty()) return {};
    const auto& parent = open_.back();
    if (parent.node.kind == Node::Kind::List) return parent.node.path + "[" + std::to_string(parent.node.children.size()) + "]";
    const auto shown = base::printable(parent.key->name, kMaxNameShown);
    return parent.node.path.empty() ? shown : parent.node.path + "." + shown;
  }

  void begin_pair(const YAML::Mark& mark, const std::string& name) {
    auto& parent = open_.back();
    Node key;
    key.name = name;
    key.name_line = key.line = mark.line + 1;
    key.name_column = key.column = mark.column + 1;
    parent.key = std::move(key);
    parent.twice = !parent.names.insert(name).second;
    if (!parent.twice) return;
    parent.key->path = path_of_next();
    report_.error(*parent.key, "found the key a second time, expected it once");
  }

  /// Gives a value its name, place and path.
  Node placed(const YAML::Mark& mark, Node node) {
    if (++nodes_ > kMaxNodes) throw Stop{mark, "found more than " + std::to_string(kMaxNodes) + " values"};
    node.line = node.name_line = mark.line + 1;
    node.column = node.name_column = mark.column + 1;
    node.path = path_of_next();
    if (!open_.empty() && open_.back().key) {
      const auto& key = *open_.back().key;
      node.name = key.name;
      node.name_line = key.line;
      node.name_column = key.column;
      if (node.kind == Node::Kind::Null) node.line = key.line, node.column = key.column;  // yaml-cpp's is that of what comes next
    }
    return node;
  }

  void open(const YAML::Mark& mark, Node node) {
    if (wants_key()) throw Stop{mark, "found a list or map as a key, expected a word"};
    if (open_.size() >= kMaxDepth)
      throw Stop{mark, "found more than " + std::to_string(kMaxDepth) + " lists or maps inside each other"};
    open_.push_back({placed(mark, std::move(node)), {}, {}, false});
  }

  void close() {
    Node done = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(done));
  }

  void add(const YAML::Mark& mark, Node node) { attach(placed(mark, std::move(node))); }

  void attach(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back();
    parent.key.reset();
    if (!parent.twice) parent.node.children.push_back(std::move(node));
    parent.twice = false;
  }

  Report& report_;
  Node root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

void emit(YAML::Emitter& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::Null: out << YAML::Null; return;
    case Node::Kind::Scalar:
      if (node.style == Node::Style::Quoted) out << YAML::DoubleQuoted;
      out << node.text;
      return;
    case Node::Kind::List:
      out << YAML::Flow << YAML::BeginSeq;
      for (const auto& child : node.children) emit(out, child);
      out << YAML::EndSeq;
      return;
    case Node::Kind::Map:
      out << (node.children.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
      for (const auto& child : node.children) {
        out << YAML::Key << child.name << YAML::Value;
        emit(out, child);
      }
      out << YAML::EndMap;
      return;
  }
}

}  // namespace

std::optional<std::string> read_source(const std::filesystem::path& file, Report& report) {
  auto content = base::read_file(file, kMaxSourceBytes);
  if (!content.ok()) {
    report.error_at(1, 1, "found no readable file: " + content.error().message());
    return std::nullopt;
  }
  return accept_source(std::move(*content), report);
}

std::optional<std::string> accept_source(std::string text, Report& report) {
  if (text.starts_with(kBom)) text.erase(0, kBom.size());
  const Lines lines(text);
  if (const auto control = std::ranges::find_if(text, is_control); control != text.end()) {
    const auto place = lines.at(static_cast<std::size_t>(control - text.begin()));
    report.error_at(place.line, place.column, "found a control character, expected text");
    return std::nullopt;
  }
  std::size_t good_lines = 0;
  for (std::string_view rest = text; !rest.empty(); ++good_lines) {  // UTF-8 characters do not span lines
    const auto line = rest.substr(0, rest.find('\n'));
    if (!base::is_utf8(line)) {
      report.error_at(static_cast<int>(good_lines) + 1, 1, "found octets that are not UTF-8 in this line");
      return std::nullopt;
    }
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return text;
}

std::optional<Node> parse_xml(std::string_view text, Report& report) { return XmlReader(text, report).read(); }

std::optional<Node> parse_yaml(std::string_view text, Report& report) {
  YamlBuilder builder(report);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const Stop& stop) {
    report.error_at(stop.mark.line + 1, stop.mark.column + 1, stop.message);
  } catch (const YAML::Exception& failure) {
    report.error_at(failure.mark.line + 1, failure.mark.column + 1, "found what is not YAML: " + failure.msg);
  }
  return std::nullopt;
}

std::string one_line(const Node& value) {
  if (value.kind == Node::Kind::Scalar) return value.text;
  std::vector<std::string> parts;
  for (const auto& child : value.children)
    parts.push_back(child.name.empty() ? one_line(child) : child.name + "=" + one_line(child));
  return base::join(parts, " ");
}

std::string to_xml(const Node& root) {
  pugi::xml_document document;
  append_xml(root, document);
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return out.str();
}

std::string to_yaml(const Node& root) {
  YAML::Emitter out;
  emit(out, root);
  return std::string(out.c_str()) + "\n";
}

}  // namespace chancery::config
