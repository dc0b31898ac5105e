#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "server/config/server_config.h"
#include "server/config/setting.h"

/// The settings of chancery.xml: the one table of them, element by element.
namespace chancery::config {

/// An element below <chancery>.
struct Element {
  std::string_view name;
  std::string_view item;  ///< of repeated elements inside it; empty: none
  std::string_view doc;
  std::string_view item_doc;
  std::string_view example;  ///< of an item, for the sample file
  void (*read)(const Element& self, const Node& node, ServerConfig& server, Report& report);
  Node (*write)(const Element& self, const ServerConfig& server);
  std::vector<SettingLine> (*attributes)();
  std::vector<SettingLine> (*item_attributes)();
};

inline constexpr std::string_view kRootElement = "chancery";
std::span<const Setting<ServerConfig>> root_settings();
std::span<const Element> server_elements();

/// Reads the root element; every finding goes to the report. Item n of an element's children becomes item n of its list,
/// whatever was wrong with it.
ServerConfig read_server(const Node& root, Report& report);
/// Everything, defaults included.
Node write_server(const ServerConfig& server);

}  // namespace chancery::config
