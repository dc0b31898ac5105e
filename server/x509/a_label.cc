#include "server/x509/a_label.h"

#include <memory>
#include <string>

#include <idn2.h>

namespace chancery::x509 {

bool is_a_label(std::string_view label) {
  const std::string text(label);
  std::uint8_t* made = nullptr;
  const int result = idn2_register_u8(nullptr, reinterpret_cast<const std::uint8_t*>(text.c_str()), &made, 0);
  const std::unique_ptr<std::uint8_t, decltype(&idn2_free)> owner(made, &idn2_free);
  return result == IDN2_OK && made != nullptr && text == reinterpret_cast<const char*>(made);
}

}  // namespace chancery::x509
