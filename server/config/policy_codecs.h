#pragma once

#include "server/config/value.h"

/// Texts of the patterns and proofs that policies name.
namespace chancery::config {

template <>
struct Codec<base::NamePattern> {
  static constexpr std::string_view kType = "name pattern";
  static constexpr Looks kLooks = Looks::Text;
  static Result<base::NamePattern> parse(const SettingInfo&, std::string_view text) { return base::NamePattern::parse(text); }
  static Node print(const SettingInfo&, const base::NamePattern& value) { return quoted(value.text()); }
};

template <>
struct Codec<base::TextPattern> {
  static constexpr std::string_view kType = "text pattern";
  static constexpr Looks kLooks = Looks::Text;
  static Result<base::TextPattern> parse(const SettingInfo&, std::string_view text) { return base::TextPattern::parse(text); }
  static Node print(const SettingInfo&, const base::TextPattern& value) { return quoted(value.text()); }
};

template <>
struct Codec<Proof> {
  static constexpr std::string_view kType = "proof";
  static constexpr Looks kLooks = Looks::Text;
  static Result<Proof> parse(const SettingInfo&, std::string_view text) { return Proof::parse(text); }
  static Node print(const SettingInfo&, const Proof& value) { return quoted(value.text()); }
};

}  // namespace chancery::config
