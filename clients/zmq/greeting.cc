#include "clients/zmq/greeting.h"

namespace chancery::zmq_gateway {
namespace {

constexpr std::size_t kMajorVersion = 10;
constexpr std::size_t kMechanism = 12;
constexpr std::size_t kMechanismBytes = 20;
constexpr std::uint8_t kLeastMajor = 3;

Error malformed(const char* what) { return {Code::Malformed, what, "these ports speak ZMTP 3 (libzmq 4), NULL or CURVE"}; }

}  // namespace

std::string_view Greeting::mechanism() const {
  const auto field = std::string_view(text_).substr(kMechanism, kMechanismBytes);
  return field.substr(0, field.find('\0'));
}

/// signature = %xFF 8OCTET %x7F, version = %x03 OCTET, mechanism = 20 octets, as-server, 31 octets of filler.
Status Greeting::check_last() const {
  const auto octet = static_cast<std::uint8_t>(text_.back());
  const auto at = text_.size() - 1;
  if (at == 0 && octet != 0xff) return malformed("no ZMTP greeting");
  if (at == kSignatureBytes - 1 && octet != 0x7f) return malformed("no ZMTP greeting");
  if (at == kMajorVersion && octet < kLeastMajor) return malformed("a ZMTP version below 3");
  if (at != kMechanism + kMechanismBytes - 1) return {};
  auto field = text_.substr(kMechanism);
  for (const auto known : {kNull, kCurve}) {
    std::string padded(known);
    padded.resize(kMechanismBytes, '\0');
    if (field == padded) return {};
  }
  return malformed("a security mechanism other than NULL and CURVE");
}

Result<std::size_t> Greeting::take(std::string_view octets) {
  std::size_t used = 0;
  while (used < octets.size() && !is_over()) {
    text_.push_back(octets[used++]);
    PKI_TRY_VOID(check_last());
  }
  return used;
}

std::string make_greeting(std::string_view mechanism) {
  constexpr std::size_t kAsServer = 32;
  std::string text(Greeting::kBytes, '\0');
  text[0] = '\xff';
  text[8] = '\1';
  text[9] = '\x7f';
  text[kMajorVersion] = kLeastMajor;
  text[kMajorVersion + 1] = '\1';
  text.replace(kMechanism, mechanism.size(), mechanism);
  text[kAsServer] = '\1';
  return text;
}

}  // namespace chancery::zmq_gateway
