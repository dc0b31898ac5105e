#include "server/x509/extension.h"

#include <algorithm>

#include "server/base/text.h"
#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/general_name.h"

namespace chancery::x509 {
namespace {

struct Purpose {
  std::string_view name;
  std::string_view oid;
};
constexpr std::array kPurposes{
    Purpose{"serverAuth", "1.3.6.1.5.5.7.3.1"},   Purpose{"clientAuth", "1.3.6.1.5.5.7.3.2"},
    Purpose{"codeSigning", "1.3.6.1.5.5.7.3.3"},  Purpose{"emailProtection", "1.3.6.1.5.5.7.3.4"},
    Purpose{"timeStamping", "1.3.6.1.5.5.7.3.8"}, Purpose{"OCSPSigning", "1.3.6.1.5.5.7.3.9"},
};

using Kind = crypto::KeySpec::Kind;

/// What a kind of key cannot do.
struct Unfit {
  Kind kind;
  std::string_view usage;
};
constexpr std::array kUnfit{
    Unfit{Kind::Rsa, "keyAgreement"},         Unfit{Kind::Rsa, "encipherOnly"},     Unfit{Kind::Rsa, "decipherOnly"},
    Unfit{Kind::Ec, "keyEncipherment"},       Unfit{Kind::Ec, "dataEncipherment"},  Unfit{Kind::Ed25519, "keyEncipherment"},
    Unfit{Kind::Ed25519, "dataEncipherment"}, Unfit{Kind::Ed25519, "keyAgreement"}, Unfit{Kind::Ed25519, "encipherOnly"},
    Unfit{Kind::Ed25519, "decipherOnly"},
};

Error wrong(std::string what) { return Error(Code::Malformed, std::move(what)); }

Result<Extension> read_extension(ByteView content) {
  der::Reader reader(content);
  PKI_TRY(const auto oid, reader.next(der::kOid, "extension identifier"));
  Extension out;
  PKI_TRY(out.oid, der::read_oid(oid));
  if (reader.at(der::kBoolean)) {
    PKI_TRY(const auto critical, reader.next(der::kBoolean, "critical"));
    // FALSE is the default and not written in DER (X.690 11.5).
    if (critical.content.size() != 1 || critical.content[0] != 0xff) return wrong("critical is not TRUE in DER");
    out.critical = true;
  }
  PKI_TRY(const auto value, reader.next(der::kOctetString, "extension value"));
  PKI_TRY_VOID(reader.finish("extension"));
  out.value.assign(value.content.begin(), value.content.end());
  return out;
}

}  // namespace

Bytes encode_extension(std::string_view oid, bool critical, ByteView value) {
  const auto flag = critical ? der::boolean_true() : Bytes{};
  return der::wrap(der::kSequence, {der::oid(oid).value(), flag, der::tlv(der::kOctetString, value)});
}

Result<std::vector<Extension>> read_extensions(ByteView sequence) {
  PKI_TRY(const auto all, der::only(der::kSequence, sequence, "extensions"));
  std::vector<Extension> out;
  for (der::Reader reader(all.content); !reader.done();) {
    PKI_TRY(const auto element, reader.next(der::kSequence, "extension"));
    PKI_TRY(auto extension, read_extension(element.content));
    if (find_extension(out, extension.oid) != nullptr) return wrong("extension " + extension.oid + " stands twice");
    out.push_back(std::move(extension));
  }
  if (out.empty()) return wrong("extensions are there but none is");
  return out;
}

const Extension* find_extension(const std::vector<Extension>& extensions, std::string_view oid) {
  const auto at = std::ranges::find(extensions, oid, &Extension::oid);
  return at == extensions.end() ? nullptr : &*at;
}

std::vector<std::string> key_usage_for(Kind kind, const std::vector<std::string>& names) {
  auto out = names;
  std::erase_if(out, [kind](const std::string& name) {
    return std::ranges::any_of(kUnfit, [&](const Unfit& row) { return row.kind == kind && row.usage == name; });
  });
  return out;
}

Result<Bytes> encode_key_usage(const std::vector<std::string>& names) {
  unsigned bits = 0;
  for (const auto& name : names) {
    const auto at = std::ranges::find(kKeyUsages, name);
    if (at == kKeyUsages.end()) return wrong("key usage \"" + base::printable(name, 40) + "\" is not known");
    bits |= 1U << (at - kKeyUsages.begin());
  }
  return der::named_bits(bits);
}

Result<std::vector<std::string>> decode_key_usage(ByteView value) {
  PKI_TRY(const auto bits, der::only(der::kBitString, value, "key usage"));
  const auto octets = bits.content;
  if (octets.size() < 2 || octets.size() > 3 || octets[0] > 7) return wrong("key usage without a bit, or with too many");
  if ((octets.back() & ((1U << octets[0]) - 1)) != 0 || (octets.back() >> octets[0] & 1U) == 0)
    return wrong("key usage is not DER");
  std::vector<std::string> names;
  for (std::size_t bit = 0; bit < 8 * (octets.size() - 1); ++bit) {
    if ((octets[1 + bit / 8] & 0x80U >> bit % 8) == 0) continue;
    if (bit >= kKeyUsages.size()) return wrong("key usage with a bit above 8");
    names.emplace_back(kKeyUsages[bit]);
  }
  return names;
}

Result<Bytes> encode_extended_key_usage(const std::vector<std::string>& names) {
  Bytes content;
  for (const auto& name : names) {
    const auto row = std::ranges::find(kPurposes, name, &Purpose::name);
    auto oid = der::oid(row == kPurposes.end() ? std::string_view(name) : row->oid);
    if (!oid.ok()) return wrong("extended key usage \"" + base::printable(name, 40) + "\" is not known");
    der::append(content, *oid);
  }
  return der::tlv(der::kSequence, content);
}

Result<std::vector<std::string>> decode_extended_key_usage(ByteView value) {
  PKI_TRY(const auto all, der::only(der::kSequence, value, "extended key usage"));
  std::vector<std::string> names;
  for (der::Reader reader(all.content); !reader.done();) {
    PKI_TRY(const auto element, reader.next(der::kOid, "key purpose"));
    PKI_TRY(auto oid, der::read_oid(element));
    const auto row = std::ranges::find(kPurposes, oid, &Purpose::oid);
    names.push_back(row == kPurposes.end() ? std::move(oid) : std::string(row->name));
  }
  if (names.empty()) return wrong("extended key usage without a purpose");
  return names;
}

Bytes encode_authority_key_id(ByteView key_id) { return der::wrap(der::kSequence, {der::tlv(der::context(0), key_id)}); }

Result<Bytes> decode_authority_key_id(ByteView value) {
  PKI_TRY(const auto all, der::only(der::kSequence, value, "authority key identifier"));
  der::Reader reader(all.content);
  if (!reader.at(der::context(0))) return Bytes{};
  PKI_TRY(const auto key_id, reader.any());
  return Bytes(key_id.content.begin(), key_id.content.end());
}

Result<Bytes> encode_uri(const std::string& text) {
  constexpr std::uint8_t kUriTag = der::context(6);
  PKI_TRY(const auto name, GeneralName::parse("URI:" + text));
  return der::tlv(kUriTag, base::as_bytes(name.value));
}

Result<Bytes> encode_distribution_points(const std::vector<std::string>& urls) {
  Bytes points;
  for (const auto& url : urls) {
    PKI_TRY(const auto name, encode_uri(url));
    const auto full_name = der::wrap(der::constructed(0), {der::wrap(der::constructed(0), {name})});
    der::append(points, der::wrap(der::kSequence, {full_name}));
  }
  return der::tlv(der::kSequence, points);
}

Result<SignedParts> read_signed(ByteView der) {
  PKI_TRY(const auto outer, der::only(der::kSequence, der, "signed object"));
  der::Reader reader(outer.content);
  PKI_TRY(const auto tbs, reader.next(der::kSequence, "part that is signed"));
  PKI_TRY(const auto identifier, reader.next(der::kSequence, "signature algorithm"));
  PKI_TRY(const auto bits, reader.next(der::kBitString, "signature"));
  PKI_TRY_VOID(reader.finish("signed object"));
  PKI_TRY(const auto algorithm, crypto::algorithm_from_identifier(identifier.whole));
  PKI_TRY(const auto signature, der::read_bit_string(bits));
  return SignedParts{tbs.whole, identifier.whole, algorithm, signature};
}

}  // namespace chancery::x509
