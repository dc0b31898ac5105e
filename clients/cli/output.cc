#include "clients/cli/output.h"

#include <algorithm>
#include <numeric>

#include "server/base/text.h"

namespace chancery::cli {
namespace {

constexpr std::size_t kMaxShown = std::size_t{1} << 20;
constexpr std::size_t kMaxLine = 130;                   ///< of texts side by side, as DNS names of one certificate are
constexpr std::string_view kAlternates = "alternates";  ///< other chains of a certificate
constexpr std::size_t kMaxColumns = 250;                ///< of a table: certificate.search with a few names fits

/// Columns of a terminal, taking one for each code point.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t columns) {
  const auto used = width(text);
  return used < columns ? text + std::string(columns - used, ' ') : text;
}

std::string plain(const Json& value) {
  if (value.is_null()) return "";
  if (const auto* text = value.as_string()) return base::printable(*text, kMaxShown);
  if (const auto* truth = value.as_bool()) return *truth ? "yes" : "no";
  const auto* items = value.as_array();
  if (items == nullptr || !std::ranges::all_of(*items, &Json::is_string)) return base::printable(wire::to_text(value), kMaxShown);
  std::vector<std::string> texts;
  for (const auto& item : *items) texts.push_back(plain(item));
  return base::join(texts, ", ");
}

bool is_rows(const Json& value) {
  const auto* items = value.as_array();
  return items != nullptr && !items->empty() && std::ranges::all_of(*items, &Json::is_object);
}

bool is_pem_list(const Json& value) {
  const auto* items = value.as_array();
  return items != nullptr && !items->empty() && std::ranges::all_of(*items, is_pem);
}

/// Text of several lines, as a content or a configuration is.
bool has_lines(const Json& value) {
  const auto* text = value.as_string();
  return text != nullptr && base::trim(*text).find('\n') != std::string_view::npos;
}

/// Each line printable by itself: they stay lines, and nothing else of them reaches the terminal.
std::string lines_of(const std::string& text) {
  std::string out;
  for (const auto& line : base::split(text.substr(0, text.find_last_not_of("\r\n ") + 1), '\n'))
    out += "  " + base::printable(line, kMaxShown) + "\n";
  return out;
}

std::string with_newline(const std::string& text) { return text.ends_with('\n') ? text : text + '\n'; }

std::string pem_text(const Json& value) {
  if (const auto* text = value.as_string()) return with_newline(*text);
  std::string all;
  for (const auto& item : *value.as_array()) all += with_newline(*item.as_string());
  return all;
}

std::string indented(const std::string& text) {
  std::string out;
  for (const auto& line : base::split(base::trim(text), '\n')) out += "  " + line + "\n";
  return out;
}

/// The list of an answer that is nothing else but perhaps the key of its next page.
const Json::Object::value_type* only_list(const Json::Object& members) {
  const Json::Object::value_type* list = nullptr;
  for (const auto& member : members) {
    if (member.first == "next") continue;
    if (list != nullptr || !member.second.is_array() || is_pem_list(member.second)) return nullptr;
    list = &member;
  }
  return list;
}

std::string render_list(const Json::Array& list) {
  if (!list.empty() && std::ranges::all_of(list, &Json::is_object)) return render_table(list);
  std::string out;
  for (const auto& item : list) out += plain(item) + "\n";
  return out;
}

/// "no certificates": silence could also be a program that failed.
std::string no_rows(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return "no " + base::printable(name) + "\n";
}

/// Texts that no line holds side by side.
bool is_long_list(const Json& value) {
  const auto* items = value.as_array();
  return items != nullptr && items->size() > 1 && std::ranges::all_of(*items, &Json::is_string) && width(plain(value)) > kMaxLine;
}

std::string render_member(const std::string& name, const Json& value, std::size_t columns) {
  const auto title = base::printable(name);
  if (is_pem(value) || is_pem_list(value)) return title + ":\n" + pem_text(value);
  if (is_long_list(value)) return title + ":\n" + indented(render_list(*value.as_array()));
  if (has_lines(value)) return title + ":\n" + lines_of(*value.as_string());
  if (is_rows(value)) return title + ":\n" + indented(render_table(*value.as_array()));
  if (const auto* members = value.as_object(); members != nullptr && !members->empty())
    return title + ":\n" + indented(render(value));
  const auto text = value.is_array() && value.as_array()->empty() ? "none" : plain(value);
  return text.empty() ? title + ":\n" : padded(title + ":", columns + 2) + text + "\n";
}

std::string render_members(const Json::Object& members) {
  std::size_t columns = 0;
  for (const auto& [name, value] : members) {
    if (!is_pem(value) && !is_pem_list(value) && !has_lines(value)) columns = std::max(columns, width(name));
  }
  std::string out;
  for (const auto& [name, value] : members) out += render_member(name, value, columns);
  return out;
}

bool says_nothing(const Json& value) {
  return value.is_null() || (value.is_array() && value.as_array()->empty()) || (value.is_string() && value.as_string()->empty());
}

/// The names of all members that say something in one of the rows at least.
std::vector<std::string> columns_of(const Json::Array& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) {
    if (row.as_object() == nullptr) continue;
    for (const auto& member : *row.as_object()) {
      if (!says_nothing(member.second) && std::ranges::find(names, member.first) == names.end()) names.push_back(member.first);
    }
  }
  return names;
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += padded(cells[i], widths[i] + 2);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

/// Rows too wide for a table: one block each, of what it says.
std::string render_blocks(const Json::Array& rows) {
  std::string out;
  for (const auto& row : rows) {
    Json::Object said;
    for (const auto& member : *row.as_object()) {
      if (!says_nothing(member.second)) said.push_back(member);
    }
    out += (out.empty() ? "" : "\n") + render_members(said);
  }
  return out;
}

}  // namespace

bool is_pem(const Json& value) {
  const auto* text = value.as_string();
  return text != nullptr && text->starts_with("-----BEGIN ") &&
         std::ranges::all_of(*text, [](char c) { return c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7f); });
}

std::string pem_of(const Json& answer) {
  for (const auto name : kPemMembers) {
    const auto* value = answer.find(name);
    if (value != nullptr && (is_pem(*value) || is_pem_list(*value))) return pem_text(*value);
  }
  return {};
}

void leave_out_pem(Json& answer) {
  std::erase_if(*answer.as_object(), [](const auto& member) {
    const bool is_pem_text = is_pem(member.second) || is_pem_list(member.second);
    return member.first != "private_key" && (is_pem_text || member.first == kAlternates);
  });
}

std::string render_table(const Json::Array& rows) {
  const auto names = columns_of(rows);
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& name : names) lines[0].push_back(base::to_lower_ascii(base::printable(name)));
  for (const auto& row : rows) {
    auto& cells = lines.emplace_back();
    for (const auto& name : names) {
      const auto* value = row.find(name);
      cells.push_back(value == nullptr ? "" : plain(*value));
    }
  }
  std::vector<std::size_t> widths(names.size());
  for (const auto& cells : lines) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width(cells[i]));
  }
  if (std::accumulate(widths.begin(), widths.end(), 2 * widths.size()) > kMaxColumns) return render_blocks(rows);
  std::string out;
  for (const auto& cells : lines) out += line_of(cells, widths);
  return out;
}

std::string render(const Json& answer) {
  if (const auto* list = answer.as_array()) return render_list(*list);
  const auto* members = answer.as_object();
  if (members == nullptr) return plain(answer) + "\n";
  const auto* only = only_list(*members);
  if (only == nullptr) return render_members(*members);
  const auto& list = *only->second.as_array();
  const auto next = answer.text("next");
  return (list.empty() ? no_rows(only->first) : render_list(list)) +
         (next.empty() ? "" : "next: " + base::printable(next) + "\n");
}

}  // namespace chancery::cli
