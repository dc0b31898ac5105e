#include "clients/acme/tlsalpn01.h"

#include <algorithm>
#include <array>

#include "clients/acme/handshake.h"
#include "clients/acme/problems.h"
#include "clients/acme/reach.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/crypto/key.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"

namespace chancery::acme {
namespace {

constexpr std::string_view kProtocol = "acme-tls/1";
constexpr std::string_view kAcmeIdentifier = "1.3.6.1.5.5.7.1.31";

Error wrong(std::string what) { return acme_error("incorrectResponse", std::move(what)); }

/// The parts of a TBSCertificate that count here (RFC 5280 4.1).
struct Parts {
  ByteView issuer;
  ByteView subject;
  ByteView spki;
  std::vector<x509::Extension> extensions{};
};

Result<Parts> read_parts(ByteView tbs) {
  namespace der = x509::der;
  PKI_TRY(const auto whole, der::only(der::kSequence, tbs, "TBSCertificate"));
  der::Reader reader(whole.content);
  if (reader.at(der::constructed(0))) {
    PKI_TRY([[maybe_unused]] const auto version, reader.next(der::constructed(0), "version"));
  }
  PKI_TRY([[maybe_unused]] const auto serial, reader.next(der::kInteger, "serial number"));
  PKI_TRY([[maybe_unused]] const auto algorithm, reader.next(der::kSequence, "signature algorithm"));
  PKI_TRY(const auto issuer, reader.next(der::kSequence, "issuer"));
  PKI_TRY([[maybe_unused]] const auto validity, reader.next(der::kSequence, "validity"));
  PKI_TRY(const auto subject, reader.next(der::kSequence, "subject"));
  PKI_TRY(const auto spki, reader.next(der::kSequence, "public key"));
  while (!reader.done() && !reader.at(der::constructed(3))) {
    PKI_TRY([[maybe_unused]] const auto unique_id, reader.any());
  }
  PKI_TRY(const auto wrapped, reader.next(der::constructed(3), "extensions"));
  PKI_TRY_VOID(reader.finish("TBSCertificate"));
  PKI_TRY(auto extensions, x509::read_extensions(wrapped.content));
  return Parts{issuer.whole, subject.whole, spki.whole, std::move(extensions)};
}

Status check_self_signed(const x509::SignedParts& outer, const Parts& parts) {
  if (!std::ranges::equal(parts.issuer, parts.subject))
    return wrong("the certificate's issuer is another than its subject, expected a self-signed one");
  const auto key = crypto::PublicKey::from_spki(parts.spki);
  if (!key.ok()) return wrong("the certificate's key: " + key.error().message());
  if (key->verify(outer.algorithm, outer.tbs, outer.signature).ok()) return {};
  return wrong("the certificate is not signed by its own key, expected a self-signed one");
}

Status check_name(const Parts& parts, const x509::GeneralName& name) {
  const auto* extension = x509::find_extension(parts.extensions, x509::kSubjectAltName);
  if (extension == nullptr) return wrong("the certificate has no subjectAltName, expected " + name.to_text() + " alone");
  const auto names = x509::decode_general_names(extension->value);
  if (!names.ok()) return wrong("the certificate's subjectAltName: " + names.error().message());
  if (names->size() == 1 && names->front() == name) return {};
  if (names->size() == 1) return wrong("the certificate is for another name, expected " + name.to_text());
  return wrong("the certificate has " + std::to_string(names->size()) + " names, expected " + name.to_text() + " alone");
}

/// acmeIdentifier ::= OCTET STRING (SIZE (32)), RFC 8737 3.
Status check_identifier(const Parts& parts, ByteView digest) {
  const auto* extension = x509::find_extension(parts.extensions, kAcmeIdentifier);
  if (extension == nullptr) return wrong("the certificate has no acmeIdentifier extension (RFC 8737 3): another one is shown");
  if (!extension->critical)
    return wrong("the certificate's acmeIdentifier extension is not critical, expected it to be (RFC 8737 3)");
  const auto held = x509::der::only(x509::der::kOctetString, extension->value, "acmeIdentifier");
  if (!held.ok()) return wrong("the certificate's " + held.error().message());
  if (std::ranges::equal(held->content, digest)) return {};
  return wrong("the certificate's acmeIdentifier is not the SHA-256 of this challenge's key authorization");
}

Status check_shown(const Shown& shown, const Question& question) {
  if (shown.protocol != kProtocol)
    return wrong("the server took no part in ALPN " + std::string(kProtocol) + ", expected it to be chosen (RFC 8737 3)");
  if (shown.certificates != 1)
    return wrong("the server sent " + std::to_string(shown.certificates) + " certificates, expected one that is self-signed");
  PKI_TRY(const auto name, x509::GeneralName::parse((question.is_address ? "IP:" : "DNS:") + question.name));
  return check_acme_certificate(shown.certificate, name, crypto::sha256(base::as_bytes(question.key_authorization())));
}

std::string reverse_of_v4(const IpAddress& address) {
  std::string out;
  for (std::size_t i = 4; i-- > 0;) out += std::to_string(address.octets().at(i)) + ".";
  return out + "in-addr.arpa";
}

std::string reverse_of_v6(const IpAddress& address) {
  const auto hex = base::to_hex(ByteView(address.octets()));
  std::string out;
  for (std::size_t i = hex.size(); i-- > 0;) out += std::string(1, hex[i]) + ".";
  return out + "ip6.arpa";
}

}  // namespace

std::string server_name_for(const std::string& name) {
  const auto address = IpAddress::parse(name);
  if (!address.ok()) return name;
  return address->is_v6() ? reverse_of_v6(*address) : reverse_of_v4(*address);
}

Status check_acme_certificate(ByteView der, const x509::GeneralName& name, ByteView key_authorization_digest) {
  const auto outer = x509::read_signed(der);
  if (!outer.ok()) return wrong("the certificate: " + outer.error().message());
  const auto parts = read_parts(outer->tbs);
  if (!parts.ok()) return wrong("the certificate: " + parts.error().message());
  PKI_TRY_VOID(check_name(*parts, name));
  PKI_TRY_VOID(check_identifier(*parts, key_authorization_digest));
  return check_self_signed(*outer, *parts);
}

Status prove_tlsalpn01(const Question& question, Deadline deadline, Evidence& evidence) {
  const auto place = "tls://" + (question.is_address ? IpAddress::parse(question.name)->host_text() : question.name) + ":" +
                     std::to_string(question.rules.tlsalpn01_port);
  const auto addresses = permitted_addresses(question.name, question.rules, deadline);
  if (!addresses.ok()) return addresses.error().within(place);
  Shown shown;
  IpAddress last;
  const auto asked = ask_each(*addresses, place, deadline, evidence, [&](const IpAddress& address) -> Status {
    const Greeting greeting{address, question.rules.tlsalpn01_port, server_name_for(question.name), std::string(kProtocol)};
    PKI_TRY(shown, shake_hands(greeting, deadline));
    last = address;
    return {};
  });
  if (!asked.ok()) return asked.error().within(place);
  evidence.note(place + " at " + last.text() + ": shook hands");
  const auto judged = check_shown(shown, question);
  return judged.ok() ? judged : judged.error().within(place + " at " + last.text());
}

}  // namespace chancery::acme
