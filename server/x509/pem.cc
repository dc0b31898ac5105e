#include "server/x509/pem.h"

#include <algorithm>

#include "server/base/text.h"

namespace chancery::x509 {
namespace {

constexpr std::size_t kLineLength = 64;  // RFC 7468 2

std::string begin_line(std::string_view label) { return "-----BEGIN " + std::string(label) + "-----"; }
std::string end_line(std::string_view label) { return "-----END " + std::string(label) + "-----"; }

/// Takes the first block off the text. @errors Malformed.
Result<Bytes> take_block(std::string_view label, std::string_view& text) {
  const auto begin = begin_line(label);
  const auto end = end_line(label);
  if (!text.starts_with(begin)) return Error(Code::Malformed, "no PEM block " + std::string(label));
  text.remove_prefix(begin.size());
  const auto stop = text.find(end);
  if (stop == std::string_view::npos) return Error(Code::Malformed, "PEM block " + std::string(label) + " has no end");
  std::string body(text.substr(0, stop));
  text.remove_prefix(stop + end.size());
  std::erase_if(body, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
  auto der = base::from_base64(body);
  if (!der.ok()) return der.error().within("PEM block " + std::string(label));
  return der;
}

}  // namespace

std::string to_pem(std::string_view label, ByteView der) {
  std::string out = begin_line(label) + "\n";
  const auto text = base::to_base64(der);
  for (std::size_t at = 0; at < text.size(); at += kLineLength) out.append(text, at, kLineLength).push_back('\n');
  return out + end_line(label) + "\n";
}

Result<Bytes> from_pem(std::string_view label, std::string_view text) {
  text = base::trim(text);
  PKI_TRY(auto der, take_block(label, text));
  if (!base::trim(text).empty()) return Error(Code::Malformed, "more than one PEM block, or text behind it");
  return der;
}

Result<std::vector<Bytes>> all_from_pem(std::string_view label, std::string_view text, std::size_t max) {
  std::vector<Bytes> blocks;
  for (auto at = text.find("-----BEGIN "); at != std::string_view::npos; at = text.find("-----BEGIN ")) {
    if (blocks.size() == max) return Error(Code::TooLarge, "more than " + std::to_string(max) + " PEM blocks");
    text.remove_prefix(at);
    PKI_TRY(auto der, take_block(label, text));
    blocks.push_back(std::move(der));
  }
  return blocks;
}

}  // namespace chancery::x509
