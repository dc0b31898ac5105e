#include "server/signer/pkcs11_module.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "server/base/text.h"

namespace chancery::signer {
namespace {

constexpr CK_ULONG kMostSlots = 256;
constexpr std::size_t kMostAttribute = 4096;
constexpr std::size_t kMostSignature = 2048;
constexpr std::size_t kIdOctets = 16;

/// What people read of the return values that they can do something about (PKCS #11 3.0, 5.1).
struct Reason {
  CK_RV value;
  Code code;
  const char* text;
};
constexpr std::array kReasons{
    Reason{CKR_PIN_INCORRECT, Code::AuthFailed, "the PIN is wrong"},
    Reason{CKR_PIN_INVALID, Code::AuthFailed, "the PIN has characters that the token does not take"},
    Reason{CKR_PIN_LEN_RANGE, Code::AuthFailed, "the PIN is too short or too long"},
    Reason{CKR_PIN_EXPIRED, Code::Denied, "the PIN has expired: set a new one with the vendor's program"},
    Reason{CKR_PIN_LOCKED, Code::Denied, "the PIN is locked after wrong tries: unlock it with the vendor's program"},
    Reason{CKR_USER_PIN_NOT_INITIALIZED, Code::Denied, "the token has no user PIN yet"},
    Reason{CKR_TOKEN_NOT_PRESENT, Code::Unavailable, "the token is not there"},
    Reason{CKR_TOKEN_NOT_RECOGNIZED, Code::Unavailable, "the token is not known to the module"},
    Reason{CKR_DEVICE_REMOVED, Code::Unavailable, "the token was removed"},
    Reason{CKR_DEVICE_ERROR, Code::Unavailable, "the token says it is broken"},
    Reason{CKR_DEVICE_MEMORY, Code::Unavailable, "the token is full"},
    Reason{CKR_SESSION_HANDLE_INVALID, Code::Unavailable, "the token has ended the session"},
    Reason{CKR_SESSION_CLOSED, Code::Unavailable, "the token has ended the session"},
    Reason{CKR_USER_NOT_LOGGED_IN, Code::Unavailable, "the token has ended the login"},
    Reason{CKR_KEY_HANDLE_INVALID, Code::Unavailable, "the key is gone"},
    Reason{CKR_OBJECT_HANDLE_INVALID, Code::Unavailable, "the key is gone"},
    Reason{CKR_MECHANISM_INVALID, Code::Unavailable, "the token does not know this kind of signature or key"},
    Reason{CKR_KEY_FUNCTION_NOT_PERMITTED, Code::Unavailable, "the key may not sign (CKA_SIGN)"},
};

Status check(CK_RV value, const char* call) {
  if (value == CKR_OK) return {};
  const auto* const known = std::ranges::find(kReasons, value, &Reason::value);
  if (known != kReasons.end()) return Error(known->code, std::string(known->text) + " (" + call + ")");
  std::array<char, 24> hex{};
  std::snprintf(hex.data(), hex.size(), "0x%lx", static_cast<unsigned long>(value));
  return Error(Code::Unavailable, std::string(call) + " failed with " + hex.data());
}

/// Padded with blanks to the array's end.
template <std::size_t Size>
std::string padded(const unsigned char (&text)[Size]) {
  return std::string(base::trim(std::string_view(reinterpret_cast<const char*>(text), Size)));
}

CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, const void* value, std::size_t size) {
  return {type, const_cast<void*>(value), static_cast<CK_ULONG>(size)};  // the call only reads it
}

Bytes curve_oid(int bits) {
  const char* hex = bits == 256 ? "06082a8648ce3d030107" : bits == 384 ? "06052b81040022" : "06052b81040023";  // RFC 5480 2.1.1.1
  return base::from_hex(hex).value();
}

/// The uncompressed point (SEC 1 2.3.3) of CKA_EC_POINT, which is an OCTET STRING of it; some modules leave the wrapping out.
Result<Pkcs11Module::PublicNumbers> numbers_of_point(const Bytes& parameters, const Bytes& value) {
  for (const int bits : {256, 384, 521}) {
    const std::size_t octets = (static_cast<std::size_t>(bits) + 7) / 8;
    if (parameters != curve_oid(bits)) continue;
    if (value.size() < 2 * octets + 1) break;
    const auto point = ByteView(value).last(2 * octets + 1);
    if (point[0] != 4) break;
    return Pkcs11Module::PublicNumbers{bits, Bytes(point.begin() + 1, point.begin() + 1 + static_cast<std::ptrdiff_t>(octets)),
                                       Bytes(point.end() - static_cast<std::ptrdiff_t>(octets), point.end())};
  }
  return Error(Code::Unavailable, "the key is on a curve or in a form that is not taken, expected P-256, P-384 or P-521");
}

class Loaded : public Pkcs11Module {
 public:
  Loaded(const config::TokenConfig& config, CK_FUNCTION_LIST* calls) : config_(config), calls_(calls) {}

  Status log_in(const SecretBytes& pin) override {
    PKI_TRY(slot_, find_slot());
    CK_TOKEN_INFO info{};
    PKI_TRY_VOID(check(calls_->C_GetTokenInfo(slot_, &info), "C_GetTokenInfo"));
    serial_ = padded(info.serialNumber);
    PKI_TRY_VOID(check_tries(info.flags));
    PKI_TRY_VOID(
        check(calls_->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session_), "C_OpenSession"));
    auto* octets = const_cast<unsigned char*>(pin.view().data());  // the call only reads it
    const auto value = calls_->C_Login(session_, CKU_USER, octets, static_cast<CK_ULONG>(pin.size()));
    return value == CKR_USER_ALREADY_LOGGED_IN ? Status() : check(value, "C_Login");
  }

  std::string serial() const override { return serial_; }

  Result<std::vector<Bytes>> ids(const KeyName& name) override {
    PKI_TRY(const auto found, find(CKO_PRIVATE_KEY, name));
    std::vector<Bytes> out;
    for (const auto one : found) {
      PKI_TRY(auto id, read(one, CKA_ID));
      out.push_back(std::move(id));
    }
    return out;
  }

  Status find_key(const KeyName& name) override {
    keys_.erase(name);
    PKI_TRY([[maybe_unused]] const auto found, key(name));
    return {};
  }

  Status make_key(const KeyName& name, int ec_bits, int rsa_bits) override {
    PKI_TRY(const auto there, find(CKO_PRIVATE_KEY, name));
    if (!there.empty()) return Error(Code::Exists, "there is a key of " + name.text() + " in the token already");
    const CK_BBOOL yes = CK_TRUE;
    const CK_BBOOL no = CK_FALSE;
    auto id = id_of(name);
    if (id.empty()) id = base::random_bytes(kIdOctets);
    const auto oid = curve_oid(ec_bits);
    const CK_ULONG bits = static_cast<CK_ULONG>(rsa_bits);
    const Bytes exponent{1, 0, 1};
    std::vector<CK_ATTRIBUTE> pub{attribute(CKA_TOKEN, &yes, sizeof yes), attribute(CKA_VERIFY, &yes, sizeof yes),
                                  attribute(CKA_LABEL, name.label.data(), name.label.size()),
                                  attribute(CKA_ID, id.data(), id.size())};
    if (ec_bits != 0) {
      pub.push_back(attribute(CKA_EC_PARAMS, oid.data(), oid.size()));
    } else {
      pub.push_back(attribute(CKA_MODULUS_BITS, &bits, sizeof bits));
      pub.push_back(attribute(CKA_PUBLIC_EXPONENT, exponent.data(), exponent.size()));
    }
    std::vector<CK_ATTRIBUTE> own{
        attribute(CKA_TOKEN, &yes, sizeof yes),     attribute(CKA_PRIVATE, &yes, sizeof yes),
        attribute(CKA_SENSITIVE, &yes, sizeof yes), attribute(CKA_EXTRACTABLE, &no, sizeof no),
        attribute(CKA_SIGN, &yes, sizeof yes),      attribute(CKA_LABEL, name.label.data(), name.label.size()),
        attribute(CKA_ID, id.data(), id.size())};
    CK_MECHANISM way{ec_bits != 0 ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE half = 0;
    CK_OBJECT_HANDLE made = 0;
    PKI_TRY_VOID(check(calls_->C_GenerateKeyPair(session_, &way, pub.data(), pub.size(), own.data(), own.size(), &half, &made),
                       "C_GenerateKeyPair"));
    keys_.insert_or_assign(name, made);
    return {};
  }

  Result<PublicNumbers> public_numbers(const KeyName& name) override {
    PKI_TRY(const auto own, key(name));
    PKI_TRY(const auto id, read(own, CKA_ID));
    PKI_TRY(const auto label, read(own, CKA_LABEL));
    PKI_TRY(const auto found,
            id.empty() ? find(CKO_PUBLIC_KEY, std::string(base::as_text(label)), {}) : find(CKO_PUBLIC_KEY, {}, id));
    if (found.size() != 1)
      return Error(Code::Unavailable,
                   std::to_string(found.size()) + " public keys in the token belong to the private one, expected one");
    CK_KEY_TYPE type = 0;
    CK_ATTRIBUTE wanted{CKA_KEY_TYPE, &type, sizeof type};
    PKI_TRY_VOID(check(calls_->C_GetAttributeValue(session_, own, &wanted, 1), "C_GetAttributeValue"));
    if (type == CKK_RSA) {
      PublicNumbers numbers;
      PKI_TRY(numbers.first, read(found.front(), CKA_MODULUS));
      PKI_TRY(numbers.second, read(found.front(), CKA_PUBLIC_EXPONENT));
      return numbers;
    }
    if (type != CKK_EC) return Error(Code::Unavailable, "the key is neither RSA nor EC");
    PKI_TRY(const auto parameters, read(found.front(), CKA_EC_PARAMS));
    PKI_TRY(const auto point, read(found.front(), CKA_EC_POINT));
    return numbers_of_point(parameters, point);
  }

  Result<Bytes> sign(const KeyName& name, Scheme scheme, ByteView data) override {
    PKI_TRY(const auto own, key(name));
    CK_MECHANISM way{scheme == Scheme::RsaPkcs1 ? CKM_RSA_PKCS : CKM_ECDSA, nullptr, 0};
    PKI_TRY_VOID(check(calls_->C_SignInit(session_, &way, own), "C_SignInit"));
    Bytes signature(kMostSignature);
    CK_ULONG size = signature.size();
    auto* octets = const_cast<unsigned char*>(data.data());  // the call only reads it
    PKI_TRY_VOID(check(calls_->C_Sign(session_, octets, static_cast<CK_ULONG>(data.size()), signature.data(), &size), "C_Sign"));
    signature.resize(std::min<std::size_t>(size, kMostSignature));
    return signature;
  }

  Status look() override {
    CK_TOKEN_INFO info{};
    PKI_TRY_VOID(check(calls_->C_GetTokenInfo(slot_, &info), "C_GetTokenInfo"));
    CK_SESSION_INFO session{};
    PKI_TRY_VOID(check(calls_->C_GetSessionInfo(session_, &session), "C_GetSessionInfo"));
    if (session.state != CKS_RW_USER_FUNCTIONS && session.state != CKS_RO_USER_FUNCTIONS)
      return Error(Code::Unavailable, "the token has ended the login");
    return {};
  }

 private:
  static Status check_tries(CK_FLAGS flags) {
    if ((flags & CKF_USER_PIN_LOCKED) != 0) return check(CKR_PIN_LOCKED, "C_GetTokenInfo");
    if ((flags & CKF_USER_PIN_FINAL_TRY) == 0) return {};
    return Error(Code::Denied, "the token allows a single further try of the PIN, which is not used up here",
                 "log in with the vendor's program, then restart the signer");
  }

  Result<CK_SLOT_ID> find_slot() {
    std::array<CK_SLOT_ID, kMostSlots> slots{};
    CK_ULONG count = kMostSlots;
    PKI_TRY_VOID(check(calls_->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList"));
    std::vector<CK_SLOT_ID> found;
    for (const auto slot : std::span(slots).first(std::min<std::size_t>(count, kMostSlots))) {
      CK_TOKEN_INFO info{};
      if (calls_->C_GetTokenInfo(slot, &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
      const bool fits = (config_.token.empty() || padded(info.label) == config_.token) &&
                        (config_.serial.empty() || padded(info.serialNumber) == config_.serial);
      if (fits) found.push_back(slot);
    }
    if (found.size() == 1) return found.front();
    const auto which = config_.token.empty() ? "serial " + config_.serial : "label " + config_.token;
    if (found.empty()) return Error(Code::Unavailable, "no token of " + which + " is there");
    return Error(Code::Unavailable, std::to_string(found.size()) + " tokens of " + which + " are there, expected one",
                 "set serial");
  }

  static Bytes id_of(const KeyName& name) { return base::from_hex(name.id).value(); }

  /// The one that was found before, or is found now.
  Result<CK_OBJECT_HANDLE> key(const KeyName& name) {
    if (const auto known = keys_.find(name); known != keys_.end()) return known->second;
    PKI_TRY(const auto found, find(CKO_PRIVATE_KEY, name));
    if (found.size() == 1) return keys_[name] = found.front();
    return Error(Code::Unavailable,
                 std::to_string(found.size()) + " private keys of " + name.text() + " are in the token, expected one",
                 found.empty() ? "put the key back into the token, or correct key_label and key_id"
                               : "remove those that are none of this CA, or set both key_label and key_id");
  }

  Result<std::vector<CK_OBJECT_HANDLE>> find(CK_OBJECT_CLASS kind, const KeyName& name) {
    return find(kind, name.label, id_of(name));
  }

  Result<std::vector<CK_OBJECT_HANDLE>> find(CK_OBJECT_CLASS kind, const std::string& label, const Bytes& id) {
    std::vector<CK_ATTRIBUTE> wanted{attribute(CKA_CLASS, &kind, sizeof kind)};
    if (!label.empty()) wanted.push_back(attribute(CKA_LABEL, label.data(), label.size()));
    if (!id.empty()) wanted.push_back(attribute(CKA_ID, id.data(), id.size()));
    PKI_TRY_VOID(check(calls_->C_FindObjectsInit(session_, wanted.data(), wanted.size()), "C_FindObjectsInit"));
    std::array<CK_OBJECT_HANDLE, 16> handles{};
    CK_ULONG count = 0;
    const auto found = check(calls_->C_FindObjects(session_, handles.data(), handles.size(), &count), "C_FindObjects");
    (void)calls_->C_FindObjectsFinal(session_);
    if (!found.ok()) return found.error();
    return std::vector<CK_OBJECT_HANDLE>(
        handles.begin(), handles.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(count, handles.size())));
  }

  Result<Bytes> read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    Bytes value(kMostAttribute);
    CK_ATTRIBUTE wanted{type, value.data(), static_cast<CK_ULONG>(value.size())};
    PKI_TRY_VOID(check(calls_->C_GetAttributeValue(session_, object, &wanted, 1), "C_GetAttributeValue"));
    if (wanted.ulValueLen > value.size()) return Error(Code::Unavailable, "an attribute of the key that is not there");
    value.resize(wanted.ulValueLen);
    return value;
  }

  const config::TokenConfig& config_;
  CK_FUNCTION_LIST* calls_;
  CK_SLOT_ID slot_ = 0;
  std::string serial_;
  CK_SESSION_HANDLE session_ = 0;
  std::map<KeyName, CK_OBJECT_HANDLE> keys_;  ///< found in this session
};

}  // namespace

/// The library stays loaded as long as the process: unloading is where vendors' threads crash.
Result<std::unique_ptr<Pkcs11Module>> Pkcs11Module::load(const config::TokenConfig& config) {
  void* library = ::dlopen(config.module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return Error(Code::NotFound, "the module does not load: " + std::string(why == nullptr ? config.module : why));
  }
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* calls = nullptr;
  if (get_list == nullptr || get_list(&calls) != CKR_OK || calls == nullptr)
    return Error(Code::Unsupported, config.module + " is no PKCS #11 module: it has no C_GetFunctionList");
  CK_C_INITIALIZE_ARGS threads{};
  threads.flags = CKF_OS_LOCKING_OK;
  const auto value = calls->C_Initialize(&threads);
  if (value != CKR_OK && value != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return Error(Code::Unsupported, "the module does not start: " + check(value, "C_Initialize").error().message());
  }
  return std::unique_ptr<Pkcs11Module>(std::make_unique<Loaded>(config, calls));
}

}  // namespace chancery::signer
