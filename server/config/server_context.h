#pragma once

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/checks.h"

/// What the checks of one server share; for them alone.
namespace chancery::config {

/// Finds settings again in the tree they were read from.
class Places {
 public:
  explicit Places(const Node& root) : root_(root) {}

  const Node& element(std::string_view name) const {
    const Node* found = root_.find(name);
    return found != nullptr ? *found : root_;
  }
  /// An attribute of the element, or the element.
  const Node& attribute(std::string_view name, std::string_view wanted) const { return inside(element(name), wanted); }

  /// Item n of a list, in the order of server_settings.cc.
  const Node& item(std::string_view name, std::string_view item, std::size_t index) const {
    for (const auto& child : element(name).children) {
      if (child.name == item && index-- == 0) return child;
    }
    return element(name);
  }
  static const Node& inside(const Node& element, std::string_view wanted) {
    const Node* found = element.find(wanted);
    return found != nullptr ? *found : element;
  }

 private:
  const Node& root_;
};

/// What the checks of one server share.
struct Context {
  const ServerConfig& server;
  std::span<const std::filesystem::path> program_places;
  std::vector<std::string> realms;
  Places places;
  Report& report;
};

/// Whether a list of realms, in which "*" stands for all, has that one.
bool serves(const std::vector<std::string>& realms, std::string_view realm);
void check_known_realm(const Context& context, std::string_view realm, const Node& at);
void check_known_realms(const Context& context, const std::vector<std::string>& realms, const Node& at);
bool user_exists(const std::string& user);  ///< name or number

/// That no two of a list have one name.
template <class Item>
void check_names_differ(const Context& context, std::string_view element, std::string_view item, const std::vector<Item>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto same = [&](const auto& other) { return other.name == list[i].name; };
    if (!std::any_of(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), same)) continue;
    context.report.error(Places::inside(context.places.item(element, item, i), "name"),
                         "found the name \"" + list[i].name + "\" a second time, expected it once");
  }
}

/// A secret CURVE key of front ends: a file of mode 0600 that these programs' users can read, with a key and nothing else.
void check_curve_key_file(const Context& context, const std::filesystem::path& file, const Node& at,
                          std::span<const FrontEnd* const> readers);

/// Front ends by themselves: their users, realms and programs.
void check_front_ends(const Context& context);
/// What front ends listen at, and whether they can serve it.
void check_listening(const Context& context);

}  // namespace chancery::config
