#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "server/config/node.h"
#include "server/config/report.h"

/// The only door to pugixml and yaml-cpp: texts become neutral trees in which every node knows its place, and back.
namespace chancery::config {

inline constexpr std::size_t kMaxDepth = 16;      ///< elements or containers inside each other
inline constexpr std::size_t kMaxNodes = 200000;  ///< of one file: rules by the ten thousand

/// Reads one configuration file of at most kMaxSourceBytes that is UTF-8 without control characters.
/// @return nothing when it reported an error.
std::optional<std::string> read_source(const std::filesystem::path& file, Report& report);

/// The same for a text that was read already, whatever its size.
std::optional<std::string> accept_source(std::string text, Report& report);

/// Reads XML 1.0 (elements and attributes; comments are skipped). Refuses DTDs, other encodings than UTF-8, text between
/// elements, an attribute given twice, depth above kMaxDepth.
/// @return the root element; nothing when the text cannot be read on. Check report.failed() as well.
std::optional<Node> parse_xml(std::string_view text, Report& report);

/// Reads one YAML document. Refuses a key given twice (yaml-cpp keeps both), anchors, aliases, tags, depth above kMaxDepth.
/// @return the root; nothing when the text cannot be read on. Check report.failed() as well.
std::optional<Node> parse_yaml(std::string_view text, Report& report);

/// A value in one line: blanks between the items of a list, name=value in a map.
std::string one_line(const Node& value);

/// Maps become elements, the rest attributes.
std::string to_xml(const Node& root);
std::string to_yaml(const Node& root);

}  // namespace chancery::config
