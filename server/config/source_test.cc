#include "server/config/source.h"

#include <gtest/gtest.h>

#include "server/config/load.h"
#include "server/config/testing.h"

namespace chancery::config {
namespace {

/// What one text becomes.
struct Parsed {
  std::optional<Node> root;
  std::vector<Finding> findings;
};
Parsed yaml(std::string_view text) {
  Parsed parsed;
  Report report("f", parsed.findings);
  parsed.root = parse_yaml(text, report);
  return parsed;
}
Parsed xml(std::string_view text) {
  Parsed parsed;
  Report report("f", parsed.findings);
  parsed.root = parse_xml(text, report);
  return parsed;
}
std::string first_line(const Parsed& parsed) { return parsed.findings.empty() ? "" : to_line(parsed.findings[0]); }

TEST(Source, YamlNodesKnowTheirPlaces) {
  const auto parsed = yaml("# comment\nacme:\n  profiles: [a, \"b\"]\nempty:\n");
  ASSERT_TRUE(parsed.root) << first_line(parsed);
  const Node* profiles = parsed.root->find("acme")->find("profiles");
  ASSERT_EQ(profiles->children.size(), 2U);
  const Node& b = profiles->children[1];
  EXPECT_EQ(b.path, "acme.profiles[1]");
  EXPECT_EQ(b.line, 3);
  EXPECT_EQ(b.column, 17);
  EXPECT_EQ(b.style, Node::Style::Quoted);
  EXPECT_EQ(profiles->children[0].style, Node::Style::Plain);
  EXPECT_EQ(parsed.root->find("empty")->kind, Node::Kind::Null);
  EXPECT_EQ(parsed.root->find("empty")->line, 4);
}

TEST(Source, XmlNodesKnowTheirPlaces) {
  const auto parsed = xml("<?xml version=\"1.0\"?>\n<a x=\"1\"\n   y='>\"2' ><!-- <b/> --><b/>\n<b z=\"&lt;3\"/></a>");
  ASSERT_TRUE(parsed.root) << first_line(parsed);
  const Node* y = parsed.root->find("y");
  EXPECT_EQ(y->text, ">\"2");
  EXPECT_EQ(y->line, 3);
  EXPECT_EQ(y->column, 4);
  EXPECT_EQ(y->path, "a/@y");
  ASSERT_EQ(parsed.root->children.size(), 4U);
  const Node& second = parsed.root->children[3];
  EXPECT_EQ(second.path, "a/b[2]");
  EXPECT_EQ(second.line, 4);
  EXPECT_EQ(second.column, 1);
  EXPECT_EQ(second.find("z")->text, "<3");
}

TEST(Source, F11_DuplicatesAreReportedAndTheRestIsRead) {
  const auto two = yaml("a: 1\nb: {c: 1, c: 2}\na: {d: 1}\ne: 5\n");
  ASSERT_TRUE(two.root);
  ASSERT_EQ(two.findings.size(), 2U);
  EXPECT_EQ(to_line(two.findings[0]), "f:2:11: b.c: found the key a second time, expected it once");
  EXPECT_EQ(to_line(two.findings[1]), "f:3:1: a: found the key a second time, expected it once");
  EXPECT_EQ(two.root->find("a")->text, "1");
  EXPECT_EQ(two.root->find("e")->text, "5");
  const auto attribute = xml("<a><b c='1' d='2' c='3'/></a>");
  ASSERT_TRUE(attribute.root);
  EXPECT_EQ(first_line(attribute), "f:1:19: a/b/@c: found the attribute a second time, expected it once");
}

std::string times(std::size_t count, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

struct Bomb {
  const char* name;
  std::string text;
};

TEST(Source, F11_YamlBombsAreRefused) {
  constexpr std::size_t kMany = 100000;
  const Bomb bombs[] = {
      {"lists in brackets", "a: " + times(kMany, "[") + times(kMany, "]")},
      {"lists without an end", times(kMany, "[")},
      {"maps in braces", times(kMany, "{a: ") + "1" + times(kMany, "}")},
      {"lists in dashes", times(kMany, "- ") + "1"},
      {"complex keys", times(kMany, "? ")},
      {"seventeen maps", "a: " + times(kMaxDepth, "{b: ") + times(kMaxDepth, "}")},
      {"aliases", "a: &a [x]\nb: [*a, *a]\n"},
      {"unknown alias", "a: *nobody\n"},
      {"anchor only", "&a b: 1\n"},
      {"too many values", "a:\n" + times(kMaxNodes + 1, "- x\n")},
      {"tags", "a: !!python/object:os.system x\n"},
      {"list as a key", "[a]: 1\n"},
      {"key without a name", "? \n: 1\n"},
      {"two documents", "a: 1\n---\nb: 1\n"},
  };
  for (const auto& bomb : bombs) {
    const auto parsed = yaml(bomb.text);
    EXPECT_FALSE(parsed.root) << bomb.name;
    EXPECT_EQ(parsed.findings.size(), 1U) << bomb.name;
  }
}

TEST(Source, F11_XmlBombsAreRefused) {
  constexpr std::size_t kMany = 50000;
  std::string attributes = "<a ";
  for (int i = 0; i < 200; ++i) attributes += "a" + std::to_string(i) + "='1' ";
  const Bomb bombs[] = {
      {"elements without an end", times(kMany, "<a>")},
      {"elements inside each other", times(kMany, "<a>") + times(kMany, "</a>")},
      {"seventeen elements", times(kMaxDepth + 1, "<a>") + times(kMaxDepth + 1, "</a>")},
      {"too many elements", "<a>" + times(kMaxNodes, "<b/>") + "</a>"},
      {"too many attributes", attributes + "/>"},
      {"nothing", ""},
      {"no element", "hello"},
  };
  for (const auto& bomb : bombs) {
    const auto parsed = xml(bomb.text);
    EXPECT_FALSE(parsed.root) << bomb.name;
    EXPECT_EQ(parsed.findings.size(), 1U) << bomb.name;
  }
}

TEST(Source, DepthsUpToTheLimitAreRead) {
  EXPECT_TRUE(yaml("a: " + times(kMaxDepth - 1, "[") + times(kMaxDepth - 1, "]")).root);
  EXPECT_TRUE(xml(times(kMaxDepth, "<a>") + times(kMaxDepth, "</a>")).root);
}

TEST(Source, EntitiesOfADocumentTypeAreNotExpanded) {
  const auto parsed = xml("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a c='&b;'/>");
  EXPECT_EQ(first_line(parsed), "f:1:1: found a document type declaration, expected none");
  EXPECT_EQ(parsed.root->find("c")->text, "&b;");
}

TEST(Source, F11_FilesThatCannotBeRead) {
  const testing::Place place;
  place.write("big", std::string(kMaxSourceBytes + 1, ' '));
  place.write("fits", std::string(kMaxSourceBytes, ' '));
  place.write("bom",
              "\xef\xbb\xbf"
              "a: 1\n");
  place.write("bad", "a: 1\nb: \xc0\xaf\n");
  place.write("nul", std::string("a: \0", 4));
  std::filesystem::create_symlink("nowhere", place / "dangling");
  const auto read = [&](std::string_view name) {
    std::vector<Finding> findings;
    Report report((place / name).string(), findings);
    const auto text = read_source(place / name, report);
    EXPECT_EQ(text.has_value(), findings.empty()) << name;
    return findings.empty() ? "read" : place.lines(findings)[0];
  };
  EXPECT_EQ(read("fits"), "read");
  EXPECT_EQ(read("bom"), "read");
  EXPECT_EQ(read("big"), "big:1:1: found no readable file: big has " + std::to_string(kMaxSourceBytes + 1) +
                             " octets, expected at most " + std::to_string(kMaxSourceBytes));
  EXPECT_EQ(read("missing"), "missing:1:1: found no readable file: open missing: No such file or directory");
  EXPECT_EQ(read("dangling"), "dangling:1:1: found no readable file: open dangling: No such file or directory");
  EXPECT_EQ(read("realms"), "realms:1:1: found no readable file: realms is not a regular file");
  EXPECT_EQ(read("bad"), "bad:2:1: found octets that are not UTF-8 in this line");
  EXPECT_EQ(read("nul"), "nul:1:4: found a control character, expected text");
}

TEST(Source, PrintedTreesParseBack) {
  const std::string text = "a: \"x\\ty: #'\\\\ \\u00e9\"\nb: [1, \"no\", true]\nc: {}\nd:\n  e: \"\"\n";
  const auto once = yaml(text);
  ASSERT_TRUE(once.root);
  const auto printed = to_yaml(*once.root);
  const auto twice = yaml(printed);
  ASSERT_TRUE(twice.root) << printed;
  EXPECT_EQ(to_yaml(*twice.root), printed);
  EXPECT_EQ(twice.root->find("a")->text, "x\ty: #'\\ \xc3\xa9");
  EXPECT_EQ(twice.root->find("b")->children[1].style, Node::Style::Quoted);

  Node root = map("a");
  root.children.push_back(named("b", quoted("<&\"'\n>")));
  root.children.push_back(map("c"));
  const auto back = xml(to_xml(root));
  ASSERT_TRUE(back.root);
  EXPECT_EQ(back.root->find("b")->text, "<&\"'\n>");
}

}  // namespace
}  // namespace chancery::config
