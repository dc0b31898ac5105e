#include <algorithm>

#include "server/base/text.h"
#include "server/x509/attribute_types.h"
#include "server/x509/der.h"
#include "server/x509/name.h"

namespace chancery::x509 {
namespace {

Error wrong(const Attribute& attribute, std::string_view what) {
  return Error(Code::Malformed,
               "name: " + attribute.type + " \"" + base::printable(attribute.value, 80) + "\" " + std::string(what));
}

/// X.680 41.4.
bool is_printable_string(std::string_view text) {
  static constexpr std::string_view kOthers = " '()+,-./:=?";
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

Status check_attribute(const Attribute& attribute) {
  const auto row = attribute_type(attribute.type);
  if (!row) return Error(Code::Malformed, "name: attribute type \"" + base::printable(attribute.type, 40) + "\" is not known");
  if (attribute.value.empty()) return wrong(attribute, "is empty");
  if (auto text = check_text(attribute.value); !text.ok()) return wrong(attribute, text.error().message());
  const auto length = characters(attribute.value);
  if (length > row->max_characters) {
    return wrong(attribute,
                 "has " + std::to_string(length) + " characters, expected at most " + std::to_string(row->max_characters));
  }
  if (row->string_tag == der::kPrintableString && !is_printable_string(attribute.value))
    return wrong(attribute, "is no PrintableString");
  const bool is_ascii = std::ranges::all_of(attribute.value, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (row->string_tag == der::kIa5String && !is_ascii) return wrong(attribute, "is no IA5String");
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (row->type == "C" && (length != 2 || !std::ranges::all_of(attribute.value, is_capital))) {
    return wrong(attribute, "is no ISO 3166 code of two capital letters");
  }
  return {};
}

Result<Attribute> read_attribute(ByteView rdn) {
  PKI_TRY(const auto pair, der::only(der::kSequence, rdn, "RDN of one attribute"));
  der::Reader reader(pair.content);
  PKI_TRY(const auto type, reader.next(der::kOid, "attribute type"));
  PKI_TRY(const auto value, reader.any());
  PKI_TRY_VOID(reader.finish("attribute"));
  PKI_TRY(auto oid, der::read_oid(type));
  const bool is_text = value.tag == der::kUtf8String || value.tag == der::kPrintableString || value.tag == der::kIa5String;
  if (!is_text) return Error(Code::Unsupported, "name: string type " + std::to_string(value.tag) + " is not taken");
  const auto row = attribute_type(oid);
  PKI_CHECK(row.has_value());
  return Attribute{row->type.empty() ? std::move(oid) : std::string(row->type), std::string(base::as_text(value.content))};
}

}  // namespace

Status Name::check() const {
  if (attributes.size() > kMaxAttributes) return Error(Code::Malformed, "name: more than 32 attributes");
  for (const auto& attribute : attributes) PKI_TRY_VOID(check_attribute(attribute));
  return {};
}

Result<Bytes> Name::der() const {
  PKI_TRY_VOID(check());
  Bytes rdns;
  for (const auto& attribute : attributes) {
    const auto row = attribute_type(attribute.type);
    PKI_TRY(const auto oid, der::oid(row->oid));
    const auto pair = der::wrap(der::kSequence, {oid, der::tlv(row->string_tag, base::as_bytes(attribute.value))});
    der::append_tlv(rdns, der::kSet, pair);
  }
  return der::tlv(der::kSequence, rdns);
}

Result<Name> Name::from_der(ByteView bytes) {
  if (bytes.size() > kMaxNameBytes) return Error(Code::Malformed, "name above 8192 octets");
  PKI_TRY(const auto sequence, der::only(der::kSequence, bytes, "name"));
  Name name;
  for (der::Reader reader(sequence.content); !reader.done();) {
    PKI_TRY(const auto rdn, reader.next(der::kSet, "RDN"));
    PKI_TRY(auto attribute, read_attribute(rdn.content));
    name.attributes.push_back(std::move(attribute));
  }
  PKI_TRY_VOID(name.check());
  return name;
}

}  // namespace chancery::x509
